//! Single values that belong to the database as a whole.

use crate::error::Fault;
use crate::store::driver::Driver;
use crate::store::tx::source::Source;
use crate::store::tx::{Query, Tx, params};

/// Finds a value by its key. `None`: not set.
pub fn find(query: &impl Query, key: &str) -> Result<Option<Vec<u8>>, Fault> {
    query.opt("SELECT value FROM meta WHERE key = ?1", params![key], |row| row.get("value"))
}

/// Saves a value under its key, in the place of an older one.
pub fn save(tx: &mut Tx<'_>, key: &str, value: &[u8]) -> Result<(), Fault> {
    put(tx.driver(), key, value)
}

/// Saves as [`save`] does, for the store itself, where there is no transaction of a use-case.
pub(in crate::store) fn put(driver: Driver<'_>, key: &str, value: &[u8]) -> Result<(), Fault> {
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    driver.execute(sql, params![key, value]).map(drop)
}

/// Deletes a value, if it is set.
pub fn delete(tx: &mut Tx<'_>, key: &str) -> Result<(), Fault> {
    tx.execute("DELETE FROM meta WHERE key = ?1", params![key]).map(drop)
}
