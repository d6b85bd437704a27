//! `audit`: what happened, who did it, and when; and whether the log can still be believed.

mod export;
mod prune;
mod verify;

use super::Context;
use super::exit::Failure;
use super::terminal::table::{Column, Row, Table};
use super::terminal::{Waited, Waiter};
use super::times::When;
use crate::domain::audit::Line;
use crate::usecase::account::reference::UserRef;
use crate::usecase::audit::read as log;
use crate::usecase::audit::read::Wanted;
use crate::views;
use clap::{Args, Subcommand};
use export::Export;
use prune::Prune;
use std::time::Duration;
use verify::Verify;

#[derive(Subcommand, Debug)]
pub enum Verb {
    Tail(Tail),
    Verify(Verify),
    Export(Export),
    Prune(Prune),
}

/// Show the newest events, oldest of them first
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl audit tail -n 100 --user ann@example.com
  authctl audit tail -f --event LoginFailed
  authctl audit tail --since 12h -n 1000 -o json")]
pub struct Tail {
    /// Begin with the newest N events
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 20)]
    lines: u32,
    /// Go on with events as they happen, one a line, until interrupted
    #[arg(short, long)]
    follow: bool,
    /// Only events since then: 15m, 12h, 30d ago, or a time such as 2026-11-22T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// Only events about this user (e-mail address or id)
    #[arg(long)]
    user: Option<String>,
    /// Only events of this name, such as LoginFailed
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
}

const COLUMNS: [Column; 7] = [
    Column::Whole("seq"),
    Column::Whole("at"),
    Column::Whole("event"),
    Column::Whole("actor"),
    Column::Text("user_id"),
    Column::Whole("ip"),
    Column::Text("details"),
];

/// As wide as the columns mostly are: lines that follow can't be measured beforehand.
const WIDTHS: [usize; 7] = [5, 20, 20, 16, 36, 15, 0];

/// How long a new event may wait to be shown.
const LOOK_EVERY: Duration = Duration::from_millis(200);

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// What the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Tail(tail) => tail.run(context),
            Self::Verify(verify) => verify.run(context),
            Self::Export(export) => export.run(context),
            Self::Prune(prune) => prune.run(context),
        }
    }
}

impl Tail {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let user = self.user.as_deref().map(UserRef::parse).transpose()?;
        let since = self.since.map(|since| since.resolve(app.now()));
        let wanted = Wanted { since, until: None, user, event: self.event.clone() };
        // Before the first line: from then on a reader may interrupt.
        let waiter = if self.follow { Some(Waiter::new()?) } else { None };
        let (lines, mut position) = log::tail(&app, context.caller(), &wanted, self.lines)?;
        let Some(waiter) = waiter else {
            return context.terminal().events(&table(&lines));
        };
        context.terminal().begin_stream(&table(&[]), &WIDTHS)?;
        stream(context, &lines)?;
        let mut wait = LOOK_EVERY;
        while waiter.wait_or_closed(wait)? == Waited::Elapsed {
            let lines = log::follow(&app, &mut position)?;
            // Whoever lags behind looks again at once.
            wait = if lines.is_some() { Duration::ZERO } else { LOOK_EVERY };
            stream(context, &lines.unwrap_or_default())?;
        }
        Ok(())
    }
}

fn stream(context: &Context, lines: &[Line]) -> Result<(), Failure> {
    lines.iter().try_for_each(|line| context.terminal().stream(&row(line), &WIDTHS))
}

fn row(line: &Line) -> Row {
    Row::of_object(&COLUMNS, line.seq.to_string(), views::audit_line(line))
}

fn table(lines: &[Line]) -> Table {
    Table::of_objects(&COLUMNS, lines.iter().map(|line| (line.seq.to_string(), views::audit_line(line))))
}
