//! `db`: the database file.

use super::Context;
use super::exit::Failure;
use super::terminal::table::{Column, Table};
use crate::error::{Error, Fault};
use crate::usecase::app::{App, IfMissing};
use crate::usecase::db as database;
use crate::usecase::db::Status;
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Create the database, the key file and the signing key where there are none
    Init,
    /// Show where the database is, its schema version, size, and how much is in it
    Status,
    /// Check that the database is whole; exits 5 when it is not
    Check,
}

impl Verb {
    /// # Errors
    /// What the use-case refuses, or can't do; exit 5 for a database that is not whole.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Init => init(context),
            Self::Status => status(context),
            Self::Check => check(context),
        }
    }
}

fn init(context: &Context) -> Result<(), Failure> {
    let app = context.open(IfMissing::Create)?;
    context.welcome(&app)?;
    if !app.created.database {
        context.terminal().note("the database is there already; nothing was changed");
    }
    let json = json!({
        "database": app.config.database, "key_file": app.config.key_file,
        "created": {
            "database": app.created.database, "key_file": app.created.key_file,
            "signing_key": app.created.signing_key,
        },
    });
    let columns = [Column::Text("database"), Column::Text("key_file"), Column::Text("created")];
    context.terminal().changed(&Table::of_objects(&columns, [(app.config.database.display().to_string(), json)]))
}

fn status(context: &Context) -> Result<(), Failure> {
    let status = database::status(&context.app()?, context.caller())?;
    let json = status_json(&status);
    let columns: Vec<_> = STATUS.into_iter().map(Column::Text).collect();
    let path = status.database.display().to_string();
    context.terminal().show(&Table::of_objects(&columns, [(path, json)]))
}

const STATUS: [&str; 10] = [
    "database",
    "key_file",
    "schema_version",
    "schema_current",
    "sqlite_version",
    "database_bytes",
    "wal_bytes",
    "page_size",
    "free_pages",
    "rows",
];

fn status_json(status: &Status) -> Value {
    let rows: serde_json::Map<_, _> =
        status.rows.iter().map(|(table, count)| ((*table).to_owned(), Value::from(*count))).collect();
    json!({
        "database": status.database, "key_file": status.key_file,
        "schema_version": status.file.schema_version, "schema_current": status.file.schema_current,
        "sqlite_version": status.file.sqlite_version,
        "database_bytes": status.database_bytes, "wal_bytes": status.wal_bytes,
        "page_size": status.file.page_size, "free_pages": status.file.free_pages,
        "rows": rows,
    })
}

fn check(context: &Context) -> Result<(), Failure> {
    let problems = match context.app().and_then(|app| checked(context, &app)) {
        // Too damaged to be opened is what the check is there to find.
        Err(Failure::Error(Error::Failed(Fault::Storage(text)))) => vec![text],
        other => other?,
    };
    let json = json!({"ok": problems.is_empty(), "problems": problems});
    let columns = [Column::Text("ok"), Column::Text("problems")];
    let path = context.loaded()?.config.database.display().to_string();
    if problems.is_empty() {
        context.terminal().note(&format!("{path} is whole"));
        return context.terminal().changed(&Table::of_objects(&columns, [(path, json)]));
    }
    context.terminal().show(&Table::of_objects(&columns, [(path, json)]))?;
    Err(Failure::Check("the database is damaged; stop the daemon, keep a copy, and restore the last backup".into()))
}

fn checked(context: &Context, app: &App) -> Result<Vec<String>, Failure> {
    Ok(database::check(app, context.caller())?)
}
