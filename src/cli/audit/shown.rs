//! How people see lines of the log: with addresses in the place of ids, and as much as there is room for.

use crate::cli::terminal::lines::{LineColumn, Part};
use crate::cli::terminal::table::Tone;
use crate::domain::audit::{EventTone, Line};
use crate::domain::time::Timestamp;
use std::collections::HashMap;

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// A screen of less than 100 columns.
    Narrow,
    /// A wider one.
    Wide,
    /// Not on a screen: everything.
    Plain,
}

const fn column(name: &'static str, width: usize) -> LineColumn {
    LineColumn { name, width }
}

/// At 80 columns, 18 are left for the details, which is `why=wrong_password`.
const NARROW: &[LineColumn] = &[
    column("at (UTC)", 11),
    column("event", 16),
    column("user", 16),
    column("from", 15),
    column("details", 0),
];

const WIDE: &[LineColumn] = &[
    column("at (UTC)", 19),
    column("event", 20),
    column("user", 26),
    column("from", 15),
    column("details", 0),
];

const PLAIN: &[LineColumn] = &[
    column("seq", 5),
    column("at", 20),
    column("event", 20),
    column("actor", 20),
    column("user", 20),
    column("ip", 15),
    column("details", 0),
];

/// How much of an id a screen shows: when its account was made, and a wide one some of the random letters.
const SHORT_ID: usize = "0198a0b2-7c00".len();
const LONGER_ID: usize = "0198a0b2-7c00-7000-8000".len();

/// Addresses by the ids of the accounts that have them.
pub(super) struct Names(HashMap<String, String>);

impl Names {
    pub(super) const fn new(addresses: HashMap<String, String>) -> Self {
        Self(addresses)
    }

    fn person<'a>(&'a self, id: &'a str, shown: Shown) -> &'a str {
        let short = match shown {
            Shown::Narrow => id.get(..SHORT_ID).unwrap_or(id),
            Shown::Wide => id.get(..LONGER_ID).unwrap_or(id),
            Shown::Plain => id,
        };
        self.0.get(id).map_or(short, String::as_str)
    }

    /// A person by address, an API key by its name alone, all others as they are logged.
    fn actor(&self, actor: &str, shown: Shown) -> String {
        if let Some(id) = actor.strip_prefix("user:") {
            return self.person(id, shown).to_owned();
        }
        let key = actor.strip_prefix("api_key:").and_then(|key| key.rsplit_once(':'));
        key.map_or_else(|| actor.to_owned(), |(name, _)| format!("api_key:{name}"))
    }
}

impl Shown {
    /// What there is room for on a screen of a width; `None`: there is no screen.
    pub(super) const fn on(screen: Option<usize>) -> Self {
        match screen {
            Some(0..100) => Self::Narrow,
            Some(_) => Self::Wide,
            None => Self::Plain,
        }
    }

    pub(super) const fn columns(self) -> &'static [LineColumn] {
        match self {
            Self::Narrow => NARROW,
            Self::Wide => WIDE,
            Self::Plain => PLAIN,
        }
    }

    pub(super) fn rows(self, lines: &[Line], names: &Names, now: Timestamp) -> Vec<Vec<Part>> {
        lines.iter().map(|line| self.row(line, names, now)).collect()
    }

    fn row(self, line: &Line, names: &Names, now: Timestamp) -> Vec<Part> {
        let event = Part::toned(&line.event, tone(&line.event));
        let user = line.user.as_deref().map_or("", |id| names.person(id, self));
        let actor = names.actor(&line.actor, self);
        let ip = line.ip.as_deref();
        let pairs = line.details.iter().map(|(name, value)| format!("{name}={value}"));
        let mut details = pairs.collect::<Vec<_>>().join(" ");
        if self == Self::Plain {
            let (seq, at) = (line.seq.to_string(), line.at.to_string());
            let texts = [actor.as_str(), user, ip.unwrap_or_default(), &details].map(Part::new);
            return [Part::new(&seq), Part::new(&at), event].into_iter().chain(texts).collect();
        }
        // Where it came from: a network, or a shell or the daemon. Who it was over the network is said if
        // it was somebody else.
        let is_other = line.actor != "anonymous" && actor != user;
        if ip.is_some() && is_other {
            details = format!("by={actor} {details}");
        }
        let at = Part::new(&self.time(line.at, now));
        vec![at, event, Part::new(user), Part::new(ip.unwrap_or(&actor)), Part::new(&details)]
    }

    /// `2026-11-22 08:00:00`; where that is too long, of today the time of day, of this year the day and the
    /// minute, of another the day.
    fn time(self, at: Timestamp, now: Timestamp) -> String {
        let (text, now) = (at.to_string(), now.to_string());
        let parts = |text: &str| {
            let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
            let (year, day) = day.split_once('-')?;
            Some((year.to_owned(), day.to_owned(), time.to_owned()))
        };
        let (Some((year, day, time)), Some((this_year, today, _))) = (parts(&text), parts(&now)) else {
            return text;
        };
        match self {
            Self::Plain => text,
            Self::Wide => format!("{year}-{day} {time}"),
            Self::Narrow if year != this_year => format!("{year}-{day}"),
            Self::Narrow if day == today => time,
            Self::Narrow => format!("{day} {}", time.get(..5).unwrap_or(&time)),
        }
    }
}

fn tone(event: &str) -> Tone {
    match EventTone::of(event) {
        Some(EventTone::Warning) => Tone::Warning,
        Some(EventTone::Ended) => Tone::Bad,
        Some(EventTone::Ordinary) | None => Tone::Plain,
    }
}
