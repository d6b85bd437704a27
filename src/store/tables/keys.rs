//! Signing keys at rest.

use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::page::{Page, Paged};
use crate::store::tx::{Query, Row, Tx, params};
use std::time::Duration;

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
    /// The longest life of the tokens that a login or a refresh gives, as those who signed with it had it
    /// configured.
    pub token_ttl: Duration,
    /// Retired, it verifies until then. Before, no minted token that it signed lives longer.
    pub keep_until: Timestamp,
}

const COLUMNS: &str = "kid, algorithm, jwk, private_sealed, created_at, retired_at, token_ttl, keep_until";

/// Oldest first, and of one time those that sign last. A condition has no place among numbers in PostgreSQL.
const ORDER: &str = "created_at, CASE WHEN retired_at IS NULL THEN 1 ELSE 0 END, kid";

/// Inserts a key.
pub fn insert(tx: &mut Tx<'_>, key: &StoredKey) -> Result<(), Fault> {
    let sql = "INSERT INTO signing_keys (kid, algorithm, jwk, private_sealed, created_at, retired_at, token_ttl, \
        keep_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    tx.execute(
        sql,
        params![
            key.kid,
            key.algorithm,
            key.jwk,
            key.private_sealed,
            key.created_at,
            key.retired_at,
            key.token_ttl,
            key.keep_until
        ],
    )
    .map(drop)
}

/// Lists all keys, oldest first.
pub fn list(query: &impl Query) -> Result<Vec<StoredKey>, Fault> {
    query.all(&format!("SELECT {COLUMNS} FROM signing_keys ORDER BY {ORDER}"), &[], read)
}

/// Where a page of [`list`] ends: what it is in the order of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub created_at: Timestamp,
    pub signs: bool,
    pub kid: String,
}

/// Lists as [`list`] does, a page.
pub fn list_page(query: &impl Query, page: &Page<Place>) -> Result<Paged<StoredKey, Place>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM signing_keys WHERE ({ORDER}) > (?1, ?2, ?3) ORDER BY {ORDER} LIMIT ?4"
    );
    // No key was made before this one.
    let first = Place { created_at: Timestamp::from_millis(i64::MIN), signs: false, kid: String::new() };
    let after = page.after.as_ref().unwrap_or(&first);
    let listed =
        query.all(&sql, params![after.created_at, after.signs, after.kid, page.limit_and_one()], read)?;
    Ok(Paged::cut(listed, page.limit, |last| Place {
        created_at: last.created_at,
        signs: last.retired_at.is_none(),
        kid: last.kid.clone(),
    }))
}

/// Lists the public halves of all keys whose tokens are taken, oldest first.
pub fn list_public(query: &impl Query, now: Timestamp) -> Result<Vec<String>, Fault> {
    let sql =
        format!("SELECT jwk FROM signing_keys WHERE retired_at IS NULL OR keep_until > ?1 ORDER BY {ORDER}");
    query.all(&sql, params![now], |row| row.get("jwk"))
}

/// Finds a key by its id, retired or not.
pub fn find(query: &impl Query, kid: &str) -> Result<Option<StoredKey>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM signing_keys WHERE kid = ?1"), params![kid], read)
}

/// What every signature asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    /// See [`StoredKey`].
    pub kid: String,
    /// See [`StoredKey`].
    pub token_ttl: Duration,
}

/// Finds what [`find_current`] does, without what stays the same as long as the key does.
pub fn find_signing(query: &impl Query) -> Result<Option<Signing>, Fault> {
    let sql = "SELECT kid, token_ttl FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, kid LIMIT 1";
    query.opt(sql, &[], |row| Ok(Signing { kid: row.get("kid")?, token_ttl: row.get("token_ttl")? }))
}

/// Finds the key that signs: the newest that isn't retired. `None`: there is none yet.
pub fn find_current(query: &impl Query) -> Result<Option<StoredKey>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, kid LIMIT 1"
    );
    query.opt(&sql, &[], read)
}

/// Saves the longest life of the tokens that a login or a refresh gives: see [`StoredKey`].
pub fn save_token_ttl(tx: &mut Tx<'_>, kid: &str, ttl: Duration) -> Result<(), Fault> {
    tx.execute("UPDATE signing_keys SET token_ttl = ?2 WHERE kid = ?1", params![kid, ttl]).map(drop)
}

/// Makes sure that a key verifies until a token that it signs has ended. `false`: it is not there.
pub fn keep_at_least(tx: &mut Tx<'_>, kid: &str, until: Timestamp) -> Result<bool, Fault> {
    let sql = "UPDATE signing_keys SET keep_until = CASE WHEN keep_until < ?2 THEN ?2 ELSE keep_until END WHERE kid = ?1";
    Ok(tx.execute(sql, params![kid, until])? == 1)
}

/// Retires a key: it signs no more from now on, and verifies until `keep_until`.
pub fn save_retired(tx: &mut Tx<'_>, kid: &str, keep_until: Timestamp) -> Result<(), Fault> {
    let now = tx.now();
    let sql = "UPDATE signing_keys SET retired_at = ?2, keep_until = ?3 WHERE kid = ?1";
    tx.execute(sql, params![kid, now, keep_until]).map(drop)
}

/// Deletes a key: its tokens are not taken any more.
pub fn delete(tx: &mut Tx<'_>, kid: &str) -> Result<(), Fault> {
    tx.execute("DELETE FROM signing_keys WHERE kid = ?1", params![kid]).map(drop)
}

fn read(row: &Row<'_>) -> Result<StoredKey, Fault> {
    Ok(StoredKey {
        kid: row.get("kid")?,
        algorithm: row.get("algorithm")?,
        jwk: row.get("jwk")?,
        private_sealed: row.get("private_sealed")?,
        created_at: row.get("created_at")?,
        retired_at: row.get("retired_at")?,
        token_ttl: row.get("token_ttl")?,
        keep_until: row.get("keep_until")?,
    })
}
