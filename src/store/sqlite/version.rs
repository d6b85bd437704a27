//! Which schema a file has: the two numbers in its header that say whose it is and of what version.

use super::connection::Connection;
use super::fault::{ADVICE_OF_ANOTHER, fault};
use crate::error::Fault;
use crate::store::version::check_current;

/// Marks the file as authd's (`PRAGMA application_id`): "auth" in ASCII.
pub(super) const APPLICATION_ID: i64 = 0x6175_7468;

/// Checks that the file has the schema of this binary.
///
/// # Errors
/// [`Fault::Storage`] when the file is not authd's, or of another version than this binary's.
pub(in crate::store) fn check_version(connection: &Connection) -> Result<(), Fault> {
    check_current(version_of(connection)?)
}

/// Reads the schema's version, once the file is known to be authd's.
///
/// # Errors
/// [`Fault::Storage`] for a file of somebody else's.
pub(in crate::store) fn version_of(connection: &Connection) -> Result<i64, Fault> {
    if pragma(connection, "application_id")? != APPLICATION_ID {
        return Err(Fault::Storage(format!("the file is no database of authd{ADVICE_OF_ANOTHER}")));
    }
    pragma(connection, "user_version")
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, Fault> {
    connection.driver.pragma_query_value(None, name, |row| row.get(0)).map_err(fault)
}
