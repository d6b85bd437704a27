//! `apply`: brings the database to the state that a file describes.

use super::Context;
use super::arguments::unreadable;
use super::exit::Failure;
use super::terminal::prompt::Consent;
use super::terminal::table::{Column, Table};
use crate::usecase::operator::apply;
use crate::usecase::operator::apply::{Action, ApplyMode, Change, Done, NotListed};
use crate::views;
use clap::Args;
use std::fs;
use std::io::{read_to_string, stdin};
use std::path::{Path, PathBuf};

/// Make users, roles and API keys be as a file says
///
/// Prints the plan: what is added, changed and, with --prune, removed. Doing it again does nothing. All of it
/// is done, or none. New users are invited: they have no password until they follow the link. A new key's
/// secret and a new user's link are printed, this once.
#[derive(Args, Debug)]
#[command(
    after_help = "The file is TOML or JSON. What it doesn't say is left as it is; a list that is there is the whole list:

  [[roles]]
  name = \"editor\"
  description = \"Writes posts\"
  permissions = [\"posts:read\", \"posts:write\"]

  [[users]]
  email = \"ann@example.com\"
  name = \"Ann\"
  roles = [\"admin\", \"editor\"]
  verified = true
  disabled = false

  [[api_keys]]
  name = \"ci\"
  permissions = [\"users:read\"]
  ttl = \"90d\"

Examples:
  authctl apply accounts.toml --dry-run
  authctl apply accounts.toml
  authctl apply accounts.toml --prune --yes -o json"
)]
pub struct Apply {
    /// The file; `-` is stdin
    file: PathBuf,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove the users, roles and API keys that the file's sections don't name
    #[arg(long)]
    prune: bool,
    /// Don't ask before removing; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}

const PLAN: [Column; 5] = [
    Column::Whole("action"),
    Column::Whole("kind"),
    Column::Whole("name"),
    Column::Text("details"),
    Column::Secret("secret"),
];

impl Apply {
    /// Compares the file with the database and does, or shows, what is different.
    ///
    /// # Errors
    /// What the file lacks, what the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let wanted = apply::parse(&self.text()?)?;
        let not_listed = if self.prune { NotListed::Remove } else { NotListed::Keep };
        let app = context.app()?;
        let plan = apply::plan(&app, context.caller(), &wanted, not_listed)?;
        let mode = if self.dry_run { ApplyMode::Rehearse } else { ApplyMode::Do };
        if mode == ApplyMode::Do {
            self.consent(context, &plan)?;
        }
        let says = match (plan.is_empty(), mode) {
            (true, _) => "everything is so already; nothing was changed".to_owned(),
            (false, ApplyMode::Do) => summary(&plan, ["added", "changed", "removed"]),
            (false, ApplyMode::Rehearse) => {
                format!("{}; nothing was changed", summary(&plan, ["to add", "to change", "to remove"]))
            }
        };
        let done = apply::apply(&app, context.caller(), &wanted, not_listed, plan, mode)?;
        context.terminal().list(&table(&done))?;
        context.terminal().note(&says);
        Ok(())
    }

    fn text(&self) -> Result<String, Failure> {
        let from_stdin = self.file == Path::new("-");
        let text = if from_stdin { read_to_string(stdin()) } else { fs::read_to_string(&self.file) };
        text.map_err(|error| unreadable(&self.file, &error))
    }

    /// Asks before anything is removed, and says first what it would be.
    fn consent(&self, context: &Context, plan: &[Change]) -> Result<(), Failure> {
        let removed: Vec<&Change> = plan.iter().filter(|change| change.action() == Action::Remove).collect();
        if removed.is_empty() || self.yes {
            return Ok(());
        }
        for change in &removed {
            context.terminal().note(&format!("remove {} {}", change.kind(), change.name()));
        }
        Consent::Open.obtain(&format!("Remove {} for good?", removed.len()))
    }
}

fn summary(changes: &[Change], verbs: [&str; 3]) -> String {
    let count = |action| changes.iter().filter(|change| change.action() == action).count();
    let counts = [Action::Add, Action::Change, Action::Remove].map(count);
    counts.iter().zip(verbs).map(|(count, verb)| format!("{count} {verb}")).collect::<Vec<_>>().join(", ")
}

fn table(done: &[Done]) -> Table {
    Table::of_objects(&PLAN, done.iter().map(|done| (done.change.name().to_owned(), views::applied(done))))
}
