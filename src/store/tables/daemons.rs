//! The daemons that serve one database on a server. All times are by the server's clock.

use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Query, Tx, params};
use std::time::Duration;

/// Who was not seen for so long is gone.
pub const LOST_AFTER: Duration = Duration::from_secs(30);

/// One daemon, as it said itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Daemon {
    pub host: String,
    pub version: String,
    pub seen_at: Timestamp,
    /// How far its clock is ahead of the server's, in milliseconds.
    pub skew: i64,
}

/// The server's clock, in milliseconds since 1970: the one clock in SQL, to tell how far others are off.
const SERVER_TIME: &str = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)";

/// Saves that a daemon lives; gives how far its clock is ahead, in milliseconds.
pub fn save(tx: &mut Tx<'_>, id: &[u8; 16], host: &str, version: &str) -> Result<i64, Fault> {
    let sql = format!(
        "INSERT INTO daemons (id, host, version, seen_at, skew) \
         SELECT ?1, ?2, ?3, server.now, ?4 - server.now FROM (SELECT {SERVER_TIME} AS now) AS server \
         ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, skew = excluded.skew RETURNING skew"
    );
    let now = tx.now();
    tx.one(&sql, params![*id, host, version, now], |row| row.get("skew"))
}

/// Lists those that live.
pub fn list(query: &impl Query) -> Result<Vec<Daemon>, Fault> {
    let sql = format!(
        "SELECT host, version, seen_at, skew FROM daemons WHERE seen_at > {SERVER_TIME} - ?1 ORDER BY host, id"
    );
    query.all(&sql, params![LOST_AFTER], |row| {
        Ok(Daemon {
            host: row.get("host")?,
            version: row.get("version")?,
            seen_at: row.get("seen_at")?,
            skew: row.get("skew")?,
        })
    })
}

/// Deletes a daemon that ends in order, and those that are gone.
pub fn delete(tx: &mut Tx<'_>, id: &[u8; 16]) -> Result<(), Fault> {
    let sql = format!("DELETE FROM daemons WHERE id = ?1 OR seen_at <= {SERVER_TIME} - ?2");
    tx.execute(&sql, params![*id, LOST_AFTER]).map(drop)
}
