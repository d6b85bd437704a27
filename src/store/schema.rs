//! The schema's version in whatever can be asked: each database keeps it in its own way.

use super::driver::Driver;
use super::tx::Query;
use super::version::check_current;
use super::{postgres, sqlite};
use crate::error::Fault;

/// Reads the schema's version.
///
/// # Errors
/// [`Fault::Storage`] for a file of somebody else's; [`Fault::Config`] for such a database on a server.
pub(in crate::store) fn version_in(query: &impl Query) -> Result<i64, Fault> {
    match query.driver() {
        Driver::Sqlite(connection) => sqlite::version::version_of(connection),
        Driver::Postgres(session) => postgres::schema::version_of(session),
    }
}

/// Checks that the schema holds what this binary makes, and nothing was added.
///
/// # Errors
/// [`Fault::CheckFailed`], which names what differs.
pub fn check_objects(query: &impl Query) -> Result<(), Fault> {
    match query.driver() {
        Driver::Sqlite(connection) => sqlite::schema::check_objects(connection),
        Driver::Postgres(session) => postgres::schema::check_objects(session),
    }
}

/// Checks that the schema is this binary's.
///
/// # Errors
/// [`Fault::Storage`] for another version than this binary's, and a file of somebody else's;
/// [`Fault::Config`] for such a database on a server.
pub fn check(query: &impl Query) -> Result<(), Fault> {
    check_current(version_in(query)?)
}
