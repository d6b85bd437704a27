//! What a server says of a database: its version and size, and whether it is as authd made it.

use super::schema;
use crate::error::Fault;
use crate::store::driver::Driver;
use crate::store::tx::Query;
use crate::store::version::VERSION;

/// What `db status` shows of a database on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerStatus {
    pub schema_version: i64,
    /// What this binary works with.
    pub schema_current: i64,
    /// The server's, as it says it: `15.18 (Debian 15.18-0+deb12u1)`.
    pub server_version: String,
    /// Of all tables with their indexes.
    pub bytes: u64,
}

/// Reads what `db status` shows of a database on a server.
///
/// # Errors
/// [`Fault::Internal`] where it is a file, too.
pub fn server_status(query: &impl Query) -> Result<ServerStatus, Fault> {
    let Driver::Postgres(session) = query.driver() else {
        return Err(Fault::Internal("a file was asked for its server".into()));
    };
    let sql = "SELECT current_setting('server_version') AS version, \
        (SELECT CAST(coalesce(sum(pg_total_relation_size(c.oid)), 0) AS bigint) FROM pg_class c \
         WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace) AS bytes";
    let schema_version = schema::version_of(session)?;
    query.one(sql, &[], |row| {
        Ok(ServerStatus {
            schema_version,
            schema_current: VERSION,
            server_version: row.get("version")?,
            bytes: row.get("bytes")?,
        })
    })
}

/// What `doctor` tells of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRoom {
    /// As in [`ServerStatus`].
    pub server_version: String,
    /// How many connections there are, to whichever database.
    pub taken: u64,
    /// How many there may be of those who are no superusers. A role or a database may have a bound of its
    /// own.
    pub most: u64,
}

/// Reads what `doctor` tells of a server.
pub fn server_room(query: &impl Query) -> Result<ServerRoom, Fault> {
    let sql = "SELECT current_setting('server_version') AS version, \
        (SELECT CAST(coalesce(sum(numbackends), 0) AS bigint) FROM pg_stat_database) AS taken, \
        CAST(current_setting('max_connections') AS bigint) \
            - CAST(current_setting('superuser_reserved_connections') AS bigint) \
            - CAST(coalesce(current_setting('reserved_connections', true), '0') AS bigint) AS most";
    query.one(sql, &[], |row| {
        Ok(ServerRoom {
            server_version: row.get("version")?,
            taken: row.get("taken")?,
            most: row.get("most")?,
        })
    })
}

/// Finds what is wrong with a database on a server, as far as it can be told without reading all of it; empty
/// when all is well. Whether its pages are sound is `pg_amcheck`'s.
pub fn server_problems(query: &impl Query) -> Result<Vec<String>, Fault> {
    let Driver::Postgres(session) = query.driver() else {
        return Ok(Vec::new());
    };
    let found = [schema::check_settings(session), schema::check_objects(session)];
    let mut problems = Vec::new();
    for outcome in found {
        match outcome {
            Ok(()) => {}
            Err(Fault::Config(text) | Fault::CheckFailed(text) | Fault::Storage(text)) => problems.push(text),
            Err(fault) => return Err(fault),
        }
    }
    Ok(problems)
}
