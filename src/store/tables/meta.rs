//! Single values that belong to the database as a whole.

use crate::error::Fault;
use crate::store::tx::{Query, Tx, params};

/// A value by its key. `None`: not set.
///
/// # Errors
/// The driver's.
pub fn find(query: &impl Query, key: &str) -> Result<Option<Vec<u8>>, Fault> {
    query.opt("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
}

/// # Errors
/// The driver's.
pub fn save(tx: &mut Tx<'_>, key: &str, value: &[u8]) -> Result<(), Fault> {
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    tx.execute(sql, params![key, value]).map(drop)
}
