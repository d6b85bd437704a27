//! The schema's version: creating it, checking it, bringing an older one up.

use super::connection::fault;
use crate::error::Fault;
use rusqlite::Connection;

/// The schema that this binary works with, as `PRAGMA user_version` holds it.
pub const VERSION: i64 = 1;

/// Marks the file as authd's (`PRAGMA application_id`): "auth" in ASCII.
const APPLICATION_ID: i64 = 0x6175_7468;

const SCHEMA: &str = include_str!("../../schema.sql");

/// Makes the schema in an empty file, or does nothing where another process just did.
///
/// # Errors
/// [`Fault::Storage`] when the file holds something else.
pub fn create(connection: &Connection) -> Result<(), Fault> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(fault)?;
    let outcome = create_in_transaction(connection);
    let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
    connection.execute_batch(end).map_err(fault)?;
    outcome
}

fn create_in_transaction(connection: &Connection) -> Result<(), Fault> {
    let objects: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fault)?;
    if objects > 0 {
        return check_version(connection);
    }
    connection.execute_batch(SCHEMA).map_err(fault)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(fault)?;
    connection.pragma_update(None, "user_version", VERSION).map_err(fault)
}

/// # Errors
/// [`Fault::Storage`] when the file is not authd's, or of another version than this binary's.
pub fn check_version(connection: &Connection) -> Result<(), Fault> {
    let application = pragma(connection, "application_id")?;
    let version = pragma(connection, "user_version")?;
    if application != APPLICATION_ID {
        return Err(Fault::Storage("the file is no database of authd; check the key `database`".into()));
    }
    match version {
        VERSION => Ok(()),
        newer if newer > VERSION => Err(Fault::Storage(format!(
            "the database has schema {newer}, made by a newer authd; this one knows {VERSION}: install the newer one"
        ))),
        older => Err(Fault::Storage(format!("the database has schema {older}; this authd needs {VERSION}"))),
    }
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, Fault> {
    connection.pragma_query_value(None, name, |row| row.get(0)).map_err(fault)
}
