//! The schema's version: creating it, checking it, bringing an older one up.

use super::audit_check::seal_head;
use super::chain::Chain;
use super::connection::fault;
use super::tx::Query;
use crate::error::Fault;
use rusqlite::Connection;

/// The schema that this binary works with, as `PRAGMA user_version` holds it.
pub const VERSION: i64 = 3;

/// Marks the file as authd's (`PRAGMA application_id`): "auth" in ASCII.
const APPLICATION_ID: i64 = 0x6175_7468;

const SCHEMA: &str = include_str!("../../schema.sql");

/// What SQL alone can't do of a step.
type Rest = fn(&Connection, &Chain) -> Result<(), Fault>;

/// The step to each version from the one before it.
const MIGRATIONS: [(i64, &str, Rest); 2] = [
    (2, include_str!("migrations/0002_accounts.sql"), |_, _| Ok(())),
    (3, include_str!("migrations/0003_operator.sql"), seal_head),
];

/// Makes the schema in an empty file, or brings an older one up. Whether it made it.
///
/// # Errors
/// [`Fault::Storage`] when the file holds something else, or the schema of a newer authd.
pub fn create(connection: &Connection, chain: &Chain) -> Result<bool, Fault> {
    let made = in_transaction(connection, |connection| {
        let objects: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fault)?;
        if objects > 0 {
            return Ok(false);
        }
        connection.execute_batch(SCHEMA).map_err(fault)?;
        seal_head(connection, chain)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(fault)?;
        connection.pragma_update(None, "user_version", VERSION).map_err(fault)?;
        Ok(true)
    })?;
    migrate(connection, chain)?;
    Ok(made)
}

/// Brings an older schema up to [`VERSION`], each step in a transaction of its own: killed at any
/// point, it goes on from there the next time.
///
/// # Errors
/// [`Fault::Storage`] when the file is not authd's, or a newer authd's.
pub fn migrate(connection: &Connection, chain: &Chain) -> Result<(), Fault> {
    for (version, step, rest) in MIGRATIONS {
        in_transaction(connection, |connection| {
            if check_kind(connection)? >= version {
                return Ok(());
            }
            connection.execute_batch(step).map_err(fault)?;
            rest(connection, chain)?;
            connection.pragma_update(None, "user_version", version).map_err(fault)
        })?;
    }
    check_version(connection)
}

/// # Errors
/// [`Fault::Storage`] when the file is not authd's, or of another version than this binary's.
pub fn check_version(connection: &Connection) -> Result<(), Fault> {
    match check_kind(connection)? {
        VERSION => Ok(()),
        newer if newer > VERSION => Err(Fault::Storage(format!(
            "the database has schema {newer}, made by a newer authd; this one knows {VERSION}: install the newer one"
        ))),
        older => Err(Fault::Storage(format!(
            "the database has schema {older}, this authd works with {VERSION}; `authd serve` brings it up at its start"
        ))),
    }
}

/// As [`check_version`], inside a transaction.
///
/// # Errors
/// As [`check_version`].
pub fn check(query: &impl Query) -> Result<(), Fault> {
    check_version(query.connection())
}

/// The schema's version, once the file is known to be authd's.
fn check_kind(connection: &Connection) -> Result<i64, Fault> {
    if pragma(connection, "application_id")? != APPLICATION_ID {
        return Err(Fault::Storage("the file is no database of authd; check the key `database`".into()));
    }
    pragma(connection, "user_version")
}

fn in_transaction<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(fault)?;
    let outcome = work(connection);
    let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
    connection.execute_batch(end).map_err(fault)?;
    outcome
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, Fault> {
    connection.pragma_query_value(None, name, |row| row.get(0)).map_err(fault)
}
