//! `db`: the database.

mod copies;

use super::Context;
use super::exit::Failure;
use super::terminal::progress::Output;
use super::terminal::table::{Column, Table};
use crate::error::{Error, Fault};
use crate::usecase::app::migrate;
use crate::usecase::app::migrate::MigrateMode;
use crate::usecase::app::{IfMissing, Ports};
use crate::usecase::operator::database;
use crate::usecase::operator::database::PlaceStatus;
use crate::usecase::operator::prune;
use crate::views;
use clap::{Args, Subcommand};
use copies::{AfterRestore, Backup, MigrateTo, Restore};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Create the database, the key file and the signing key where there are none
    #[command(after_help = "Examples:
  authctl db init
  authctl db init --database ./test.db")]
    Init,
    /// Show where the database is, its schema version, size, and how much is in it
    #[command(after_help = "Examples:
  authctl db status
  authctl db status -o json | jq .rows.users")]
    Status,
    Migrate(Migrate),
    Check(Check),
    Backup(Backup),
    Restore(Restore),
    #[command(name = "restored")]
    AfterRestore(AfterRestore),
    MigrateTo(MigrateTo),
    /// Delete what is over: sessions and mails of over 30 days ago, links and tickets that have run out
    ///
    /// What failed logins left is forgotten 30 days after the last of them. No answer that authd gives
    /// changes by this. The daemon does the same unasked, every five minutes, little by little.
    #[command(after_help = "Examples:
  authctl db prune
  authctl db prune -o json")]
    Prune,
}

/// Bring the schema of an older authd up to what this one works with
///
/// `authd serve` does the same at its start. Nobody else may have the database open meanwhile: stop the
/// daemon first. A new binary beside a daemon of the old one is refused, as the old one would go on
/// writing to a schema that it doesn't know. There is no way back but `db restore`, so take a backup first:
/// `db backup` works on the older schema, too.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl db migrate --dry-run
  authctl db backup before.db && authctl db migrate")]
pub struct Migrate {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Check that the database is whole; exits 5 when it is not
///
/// Every page, index and reference is read. A FILE is checked by itself, wherever it lies and whoever may
/// read it: without its daemon's configuration, its key file, or a change to anything.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl db check
  authctl db check copy.db")]
pub struct Check {
    /// A backup or another copy [else the configured database]
    file: Option<PathBuf>,
}

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// What the use-case refuses, or can't do; exit 5 for a database that is not whole.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Init => init(context),
            Self::Status => status(context),
            Self::Migrate(migrate) => migrate.run(context),
            Self::Check(check) => check.run(context),
            Self::Backup(backup) => backup.run(context),
            Self::Restore(restore) => restore.run(context),
            Self::AfterRestore(restored) => restored.run(context),
            Self::MigrateTo(migrate_to) => migrate_to.run(context),
            Self::Prune => prune(context),
        }
    }
}

fn init(context: &Context) -> Result<(), Failure> {
    let app = context.open(IfMissing::Create)?;
    context.welcome(&app)?;
    if !app.created.database {
        context.terminal().note("the database is there already; nothing was changed");
    }
    let columns = [Column::Text("database"), Column::Text("key_file"), Column::Text("created")];
    let row = (app.config.database.to_string(), views::created_database(&app));
    context.terminal().changed(&Table::of_objects(&columns, [row]))
}

fn status(context: &Context) -> Result<(), Failure> {
    let status = database::status(&context.app()?, context.caller())?;
    let of_place: &[&str] = match status.place {
        PlaceStatus::File { .. } => {
            &["sqlite_version", "database_bytes", "wal_bytes", "page_size", "free_pages"]
        }
        PlaceStatus::Server { .. } => &["server_version", "database_bytes", "daemons", "audit_unsealed"],
    };
    let always = ["database", "key_file", "schema_version", "schema_current"];
    let names = always.iter().chain(of_place).chain(&["rows"]);
    let columns: Vec<_> = names.copied().map(Column::Text).collect();
    let path = status.database.to_string();
    context.terminal().show(&Table::of_objects(&columns, [(path, views::database_status(&status))]))
}

impl Migrate {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let mode = if self.dry_run { MigrateMode::Rehearse } else { MigrateMode::Do };
        let migrated = context.terminal().long_work(Output::AtTheEnd, |work| {
            let config = context.loaded()?.config;
            Ok(migrate::migrate(&config, &Ports::real(), context.caller(), mode, work.progress())?)
        })?;
        let terminal = context.terminal();
        for step in &migrated.steps {
            let would = if self.dry_run { "would bring" } else { "brought" };
            terminal.note(&format!("{would} schema {} to {}: {}", step.from, step.to, step.brings));
        }
        if migrated.steps.is_empty() {
            terminal.note(&format!("the schema is {} already; nothing was changed", migrated.from));
        } else if self.dry_run {
            terminal.note("nothing was changed; take a backup before you do it: authctl db backup FILE");
        }
        let columns = [Column::Text("from"), Column::Text("to"), Column::Text("brings")];
        let rows = migrated.steps.iter().map(|step| (step.to.to_string(), views::migration_step(step)));
        terminal.all_changed(&Table::of_objects(&columns, rows))
    }
}

fn prune(context: &Context) -> Result<(), Failure> {
    let counts = context.terminal().long_work(Output::AtTheEnd, |work| {
        Ok(prune::prune(&context.app()?, context.caller(), work.progress())?)
    })?;
    let terminal = context.terminal();
    let changed = counts.iter().any(|(_, rows)| *rows > 0);
    if !changed {
        terminal.note("nothing was over; nothing was changed");
    }
    // Programs get all tables, people those from which something went.
    let for_people = terminal.is_for_people();
    if for_people && !changed {
        return Ok(());
    }
    let columns = [Column::Whole("table"), Column::Text("rows")];
    let shown = counts.iter().filter(|(_, rows)| !for_people || *rows > 0);
    let rows = shown.map(|(table, rows)| ((*table).to_owned(), views::pruned_table(table, *rows)));
    terminal.list(&Table::of_objects(&columns, rows))
}

impl Check {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let (path, problems) = match &self.file {
            Some(file) => {
                let problems = context.terminal().long_work(Output::AtTheEnd, |work| {
                    Ok(database::check_file(context.caller(), file, work.progress())?)
                })?;
                (file.display().to_string(), problems)
            }
            None => {
                let problems = configured(context)?;
                (context.loaded()?.config.database.to_string(), problems)
            }
        };
        let columns = [Column::Text("ok"), Column::Text("problems")];
        let note = format!("{path} is whole");
        let table = Table::of_objects(&columns, [(path, views::database_check(&problems))]);
        if problems.is_empty() {
            context.terminal().note(&note);
            return context.terminal().changed(&table);
        }
        context.terminal().show(&table)?;
        Err(Failure::Check(match &self.file {
            Some(file) => format!("{} is no whole database; take another copy", file.display()),
            None => {
                "the database is damaged; stop the daemon, keep a copy, and restore the last backup".into()
            }
        }))
    }
}

/// A database too damaged to be opened is a finding, too.
fn configured(context: &Context) -> Result<Vec<String>, Failure> {
    let checked = context.terminal().long_work(Output::AtTheEnd, |work| {
        Ok(database::check(&context.app()?, context.caller(), work.progress())?)
    });
    match checked {
        Err(Failure::Error(Error::Failed(Fault::Storage(text) | Fault::CheckFailed(text)))) => Ok(vec![text]),
        other => other,
    }
}
