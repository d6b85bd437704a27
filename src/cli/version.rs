//! `version`: which authd this is.

use super::Context;
use super::exit::Failure;
use super::terminal::table::{Column, Table};
use crate::usecase::operator::version::version;
use crate::views;
use clap::Args;

/// Show which version of authd this is
///
/// People get the line that --version prints; with -o json, -o tsv or -q the versions of SQLite and of the
/// database's schema come along.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl version
  authctl version -o json")]
pub struct Version {}

const COLUMNS: [Column; 3] =
    [Column::Whole("version"), Column::Whole("sqlite_version"), Column::Whole("schema_version")];

impl Version {
    /// Prints the version.
    ///
    /// # Errors
    /// When stdout can't be written.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let version = version();
        if context.terminal().is_for_people() {
            return context.terminal().text(&format!("{} {}\n", context.program().name(), version.authd));
        }
        let row = (version.authd.to_owned(), views::version(version));
        context.terminal().show(&Table::of_objects(&COLUMNS, [row]))
    }
}
