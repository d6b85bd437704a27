//! Times as flags give them: a span (`15m`, `12h`, `30d`), back from now where a point in time is meant, or
//! such a point (RFC 3339), or a day (its `full-date`).

use crate::config::parse_span;
use crate::domain::time::Timestamp;
use std::time::Duration;

/// Reads a span.
///
/// # Errors
/// What would have been right, for the argument parser to say.
pub fn span(text: &str) -> Result<Duration, String> {
    parse_span(text).ok_or_else(|| "a span such as 15m, 12h or 30d is needed".into())
}

/// A point in time, or a span before the time at which it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This long before now.
    Ago(Duration),
    At(Timestamp),
}

impl When {
    /// Reads a span before now, a time (RFC 3339), or a day, which stands for its first moment in UTC, as all
    /// output is.
    ///
    /// # Errors
    /// What would have been right, for the argument parser to say.
    pub fn parse(text: &str) -> Result<Self, String> {
        let time = Timestamp::parse_rfc3339(text).or_else(|| start_of_day(text));
        time.map(Self::At).or_else(|| parse_span(text).map(Self::Ago)).ok_or_else(|| {
            "a span such as 15m, 12h or 30d, a day such as 2026-11-22 (UTC), or a time such as \
             2026-11-22T08:00:00Z is needed"
                .into()
        })
    }

    /// The point in time, for a command that runs at `now`.
    #[must_use]
    pub fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(span) => now.minus(span),
            Self::At(time) => time,
        }
    }
}

fn start_of_day(text: &str) -> Option<Timestamp> {
    let is_day = text.len() == "2026-11-22".len();
    Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")).filter(|_| is_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_times_are_told_apart() {
        let now = Timestamp::from_secs(1_795_334_400);
        for (text, seconds_ago) in
            [("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("1h 30m", 5_400), ("0s", 0)]
        {
            let when = When::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(when.resolve(now), now.minus(Duration::from_secs(seconds_ago)), "{text}");
        }
        assert_eq!(When::parse("2026-11-22T09:00:00+01:00").map(|when| when.resolve(now)), Ok(now));
        let day = Timestamp::parse_rfc3339("2026-11-22T00:00:00Z").unwrap();
        assert_eq!(When::parse("2026-11-22").map(|when| when.resolve(now)), Ok(day));
        for text in
            ["", "yesterday", "15", "-15m", "1mo", "2026-11-31", "2026-11", "20261122", "2026-11-22T08:00:00"]
        {
            assert!(When::parse(text).is_err(), "{text}");
        }
    }
}
