//! `audit verify`: whether the log is whole.

use crate::cli::Context;
use crate::cli::exit::Failure;
use crate::cli::terminal::progress::Output;
use crate::cli::terminal::table::{Column, Table};
use crate::domain::audit::Mark;
use crate::usecase::audit::verify;
use crate::usecase::audit::verify::Verification;
use crate::views;
use clap::Args;

/// Check that every line is as authd wrote it and that none is missing; exits 5 when not
///
/// Prints the newest line's number and hash. Kept elsewhere, and given back with --head another day, they
/// show what the file alone can't: that it was not put back to an older state. A copy is checked where it
/// lies, with --database and the --key-file that was made with it; nothing is written to it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl audit verify
  authctl audit verify --database copy.db --key-file authd.key
  authctl audit verify -q >> /mnt/elsewhere/heads
  authctl audit verify --head \"$(tail -n 1 /mnt/elsewhere/heads)\"")]
pub struct Verify {
    /// The log must still hold this line: its number and hash, as an earlier check printed them
    #[arg(long, value_name = "SEQ:HASH", value_parser = head)]
    head: Option<Mark>,
}

fn head(text: &str) -> Result<Mark, &'static str> {
    Mark::parse(text).ok_or("a line's number and hash are needed, as `audit verify -q` prints them")
}

const COLUMNS: [Column; 6] = [
    Column::Text("ok"),
    Column::Text("lines"),
    Column::Text("first"),
    Column::Text("last"),
    Column::Text("head"),
    Column::Text("problem"),
];

impl Verify {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let terminal = context.terminal();
        let verdict = terminal.long_work(Output::AtTheEnd, |work| {
            let config = context.loaded()?.config;
            Ok(verify::verify(&config, context.caller(), self.head.as_ref(), work.progress())?)
        })?;
        if terminal.is_for_people() && terminal.is_a_screen() {
            // A border would break the head, which is there to be copied.
            terminal.show(&table(context, &verdict, |column| column.name() != "head"))?;
            terminal.text(&format!("head  {}\n", verdict.last))?;
        } else {
            terminal.show(&table(context, &verdict, |_| true))?;
        }
        match verdict.flaw {
            None => Ok(()),
            Some(flaw) => Err(Failure::Check(format!(
                "{flaw}; keep a copy of the files, find out who could write to them, and restore a backup that is whole"
            ))),
        }
    }
}

/// People aren't shown that there is no problem.
fn table(context: &Context, verdict: &Verification, is_shown: fn(&Column) -> bool) -> Table {
    let sound = verdict.flaw.is_none() && context.terminal().is_for_people();
    let columns = if sound { &COLUMNS[..5] } else { &COLUMNS[..] };
    let columns: Vec<Column> = columns.iter().copied().filter(is_shown).collect();
    Table::of_objects(&columns, [(verdict.last.to_string(), views::audit_check(verdict))])
}
