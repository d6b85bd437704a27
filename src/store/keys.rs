//! Signing keys at rest.

use super::tx::{Query, Row, RowResult, Tx, params};
use crate::domain::time::Timestamp;
use crate::error::Fault;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// As in a JOSE header.
    pub algorithm: String,
    /// The public half, JSON.
    pub jwk: String,
    pub private_sealed: Vec<u8>,
    pub created_at: Timestamp,
    /// `None`: it signs.
    pub retired_at: Option<Timestamp>,
}

const COLUMNS: &str = "kid, algorithm, jwk, private_sealed, created_at, retired_at";

/// # Errors
/// The driver's.
pub fn insert(tx: &mut Tx<'_>, key: &StoredKey) -> Result<(), Fault> {
    let sql = "INSERT INTO signing_keys (kid, algorithm, jwk, private_sealed, created_at, retired_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let row = params![key.kid, key.algorithm, key.jwk, key.private_sealed, key.created_at, key.retired_at];
    tx.execute(sql, row).map(drop)
}

/// All keys whose tokens are taken, oldest first.
///
/// # Errors
/// The driver's.
pub fn list(query: &impl Query) -> Result<Vec<StoredKey>, Fault> {
    query.all(&format!("SELECT {COLUMNS} FROM signing_keys ORDER BY created_at, kid"), [], read)
}

/// # Errors
/// The driver's.
pub fn find(query: &impl Query, kid: &str) -> Result<Option<StoredKey>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM signing_keys WHERE kid = ?1"), [kid], read)
}

/// The name of the key that signs: the newest that isn't retired. `None`: there is none yet.
///
/// # Errors
/// The driver's.
pub fn find_current(query: &impl Query) -> Result<Option<String>, Fault> {
    let sql = "SELECT kid FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, kid LIMIT 1";
    query.opt(sql, [], |row| row.get(0))
}

fn read(row: &Row<'_>) -> RowResult<StoredKey> {
    Ok(StoredKey {
        kid: row.get(0)?,
        algorithm: row.get(1)?,
        jwk: row.get(2)?,
        private_sealed: row.get(3)?,
        created_at: row.get(4)?,
        retired_at: row.get(5)?,
    })
}
