//! Which part of a list is printed, the same for every list, and how to go on where it ends.

use super::Context;
use super::exit::Failure;
use super::terminal::progress::Output;
use super::terminal::table::Table;
use crate::error::Error;
use crate::ports::progress::Unit;
use crate::usecase::account::admin::{LIMIT_DEFAULT, Paged};
use clap::Args;
use std::ffi::OsString;

/// How many rows are read at a time.
const PAGE: u32 = 500;

/// How many rows a terminal draws at most: a table is held in memory until its widest cell is known.
const TABLE_MAX: u32 = 10_000;

/// The flags of every list.
#[derive(Args, Debug)]
pub struct Paging {
    /// At most so many [default: 50 on a terminal; elsewhere there is no limit]
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// All of them, whatever their number
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Go on where the cursor of an earlier list says
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

impl Paging {
    /// Whether all are wanted.
    #[must_use]
    pub const fn all(&self) -> bool {
        self.all
    }

    /// Prints the part of a list that is wanted, and says how to go on where there is more. `read` reads so
    /// many from a cursor on, and `draw` makes a table of them.
    ///
    /// # Errors
    /// Those of `read` and `draw`; [`Failure::Closed`], or a fault when stdout can't be written.
    pub(super) fn print<T>(
        &self,
        context: &Context,
        mut read: impl FnMut(u32, Option<&str>) -> Result<Paged<T, String>, Error>,
        draw: impl Fn(&[T]) -> Result<Table, Failure>,
    ) -> Result<(), Failure> {
        let terminal = context.terminal();
        let mut listing = terminal.listing();
        let mut missing = self.wanted(context);
        let mut after = self.after.clone();
        // A table for a screen is drawn once all of it is there.
        let output = if terminal.draws() { Output::AtTheEnd } else { Output::AsItGoes };
        terminal.long_read(output, |work| {
            let mut seen = 0;
            work.progress().begin("reading", Unit::Things("rows"), None);
            loop {
                let page = read(missing.map_or(PAGE, |missing| missing.min(PAGE)), after.as_deref())?;
                let rows = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
                missing = missing.map(|missing| missing.saturating_sub(rows));
                listing.add(draw(&page.items)?)?;
                seen += u64::from(rows);
                work.progress().set(seen);
                after = page.next;
                if after.is_none() || missing == Some(0) {
                    return Ok(());
                }
            }
        })?;
        listing.end()?;
        if let Some(cursor) = after {
            let again = going_on(context.program().name(), context.args(), &cursor);
            context.terminal().note(&format!("there are more: {again}"));
        }
        Ok(())
    }

    /// How many rows. `None`: as many as there are.
    fn wanted(&self, context: &Context) -> Option<u32> {
        let terminal = context.terminal();
        match self.limit {
            Some(limit) => Some(limit),
            None if self.all => terminal.draws().then_some(TABLE_MAX),
            None => terminal.is_a_screen().then_some(LIMIT_DEFAULT),
        }
    }
}

/// The command that was run, with another cursor.
fn going_on(program: &str, args: &[OsString], cursor: &str) -> String {
    let mut words = vec![program.to_owned()];
    let mut args = args.iter().skip(1).map(|arg| arg.to_string_lossy());
    while let Some(arg) = args.next() {
        if arg == "--after" {
            args.next();
        } else if !arg.starts_with("--after=") {
            words.push(quoted(&arg));
        }
    }
    words.extend(["--after".to_owned(), cursor.to_owned()]);
    words.join(" ")
}

/// A word as a shell reads it again.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-@/=:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_goes_on_is_the_one_that_was_run() {
        let again = |line: &[&str]| {
            let args: Vec<OsString> = line.iter().map(Into::into).collect();
            going_on("authctl", &args, "next")
        };
        assert_eq!(again(&["./authctl", "user", "list"]), "authctl user list --after next");
        assert_eq!(
            again(&["x", "user", "list", "--after", "old", "--query", "it's", "-q", "--after=old"]),
            r"authctl user list --query 'it'\''s' -q --after next"
        );
    }
}
