//! `audit tail`: the newest lines, and those that come after them.

use super::shown::{Names, Shown};
use crate::cli::arguments::whole_number;
use crate::cli::exit::Failure;
use crate::cli::terminal::lines::{Lines, More};
use crate::cli::terminal::table::{Column, Table};
use crate::cli::terminal::{Terminal, Waited, Waiter};
use crate::cli::times::When;
use crate::cli::{Context, named};
use crate::domain::audit::{Event, Line};
use crate::error::Refusal;
use crate::usecase::app::App;
use crate::usecase::audit::names::addresses;
use crate::usecase::audit::read as log;
use crate::usecase::audit::read::Wanted;
use crate::views;
use clap::Args;
use std::time::Duration;

/// Show the newest events, oldest of them first
///
/// People are shown by their addresses; of somebody who is gone only the id is left. Times are UTC; on a
/// terminal those of today have no date. -o json and -o tsv have the ids, and nothing is cut there.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl audit tail -n 100 --user ann@example.com
  authctl audit tail -f --event LoginFailed --event AccountLocked
  authctl audit tail --since 2026-11-27 --until 2026-11-28 -n 1000 -o json")]
pub struct Tail {
    /// Begin with the newest N events
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 20, value_parser = whole_number)]
    lines: u32,
    /// Go on with events as they happen, one a line, until interrupted
    #[arg(short, long)]
    follow: bool,
    /// Only events since then: 15m, 12h, 30d ago, a day such as 2026-11-22 (UTC), or 2026-11-22T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// Only events before then; a day itself is not among them
    #[arg(long, value_name = "TIME", value_parser = When::parse, conflicts_with = "follow")]
    until: Option<When>,
    /// Only events about this user (e-mail address or id)
    #[arg(long)]
    user: Option<String>,
    /// Only events of this name, such as LoginFailed; may be given several times
    #[arg(long = "event", value_name = "EVENT")]
    events: Vec<String>,
}

/// What programs get; people get what [`Shown`] makes of it.
const COLUMNS: [Column; 7] = [
    Column::Whole("seq"),
    Column::Whole("at"),
    Column::Whole("event"),
    Column::Whole("actor"),
    Column::Text("user_id"),
    Column::Whole("ip"),
    Column::Text("details"),
];

/// How long a new event may wait to be shown.
const LOOK_EVERY: Duration = Duration::from_millis(200);

impl Tail {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let wanted = self.wanted(context, &app)?;
        // Before the first line: from then on a reader may interrupt.
        let waiter = if self.follow { Some(Waiter::new()?) } else { None };
        let (lines, mut position) = log::tail(&app, context.caller(), &wanted, self.lines)?;
        let Some(waiter) = waiter else {
            Printer::begin(context, &app, &lines, More::None)?;
            if lines.is_empty() && self.lines > 0 && context.terminal().is_for_people() {
                context.terminal().note("no event matches");
            }
            return Ok(());
        };
        let printer = Printer::begin(context, &app, &lines, More::Expected)?;
        let mut wait = LOOK_EVERY;
        while waiter.wait_or_closed(wait)? == Waited::Elapsed {
            let lines = log::follow(&app, &mut position)?;
            // Whoever lags behind looks again at once.
            wait = if lines.is_some() { Duration::ZERO } else { LOOK_EVERY };
            printer.print(&lines.unwrap_or_default())?;
        }
        Ok(())
    }

    fn wanted(&self, context: &Context, app: &App) -> Result<Wanted, Failure> {
        let known = |name: &String| Event::NAMES.contains(&name.as_str());
        if let Some(unknown) = self.events.iter().find(|name| !known(name)) {
            return Err(Refusal::not_found("event", unknown.clone()).into());
        }
        let user = named::maybe_logged_user(context, app, self.user.as_deref())?;
        let resolve = |when: Option<When>| when.map(|when| when.resolve(app.now()));
        let (since, until) = (resolve(self.since), resolve(self.until));
        Ok(Wanted { since, until, user, events: self.events.clone() })
    }
}

/// Prints lines as they come, for people or programs.
struct Printer<'c> {
    context: &'c Context,
    app: &'c App,
    /// `None`: programs read it.
    people: Option<(Shown, Lines)>,
}

impl<'c> Printer<'c> {
    fn begin(context: &'c Context, app: &'c App, first: &[Line], more: More) -> Result<Self, Failure> {
        let terminal = context.terminal();
        let mut printer = Self { context, app, people: None };
        if terminal.is_for_people() {
            let shown = Shown::on(Terminal::screen_width());
            let rows = shown.rows(first, &printer.names(first)?, app.now());
            printer.people = Some((shown, terminal.begin_lines(shown.columns(), &rows, more)?));
        } else {
            terminal.events(&table(first))?;
        }
        Ok(printer)
    }

    fn print(&self, lines: &[Line]) -> Result<(), Failure> {
        match &self.people {
            _ if lines.is_empty() => Ok(()),
            Some((shown, printed)) => printed.print(&shown.rows(lines, &self.names(lines)?, self.app.now())),
            None => self.context.terminal().more_events(&table(lines)),
        }
    }

    fn names(&self, lines: &[Line]) -> Result<Names, Failure> {
        Ok(Names::new(addresses(self.app, self.context.caller(), lines)?))
    }
}

fn table(lines: &[Line]) -> Table {
    Table::of_objects(&COLUMNS, lines.iter().map(|line| (line.seq.to_string(), views::audit_line(line))))
}
