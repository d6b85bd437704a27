//! API keys, and what each may do.

use super::users::words;
use crate::domain::api_key::{ApiKey, ApiKeyName};
use crate::domain::id::ApiKeyId;
use crate::domain::role::Permission;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::page::{Page, Paged};
use crate::store::tx::{Query, Row, Tx, params};

const COLUMNS: &str = "k.id, k.name, k.created_at, k.expires_at, k.last_used_at, \
    (SELECT string_agg(p.permission, ',') FROM api_key_permissions p WHERE p.key_id = k.id) AS permissions";

/// Finds a key by its name, whether or not it has expired.
pub fn find(query: &impl Query, name: &ApiKeyName) -> Result<Option<ApiKey>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM api_keys k WHERE k.name = ?1"), params![name.as_str()], read)
}

/// Finds a key by its id, whether or not it has expired.
pub fn find_by_id(query: &impl Query, id: ApiKeyId) -> Result<Option<ApiKey>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM api_keys k WHERE k.id = ?1"), params![id], read)
}

/// Finds by the SHA-256 of the secret, whether or not the key has expired.
pub fn find_by_hash(query: &impl Query, hash: &[u8; 32]) -> Result<Option<ApiKey>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM api_keys k WHERE k.token_hash = ?1"), params![hash], read)
}

/// Lists all keys, by name.
pub fn list(query: &impl Query) -> Result<Vec<ApiKey>, Fault> {
    query.all(&format!("SELECT {COLUMNS} FROM api_keys k ORDER BY k.name"), &[], read)
}

/// Lists as [`list`] does, a page.
pub fn list_page(query: &impl Query, page: &Page<String>) -> Result<Paged<ApiKey, String>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys k WHERE k.name > ?1 ORDER BY k.name LIMIT ?2");
    // No name is empty.
    let after = page.after.as_deref().unwrap_or_default();
    let listed = query.all(&sql, params![after, page.limit_and_one()], read)?;
    Ok(Paged::cut(listed, page.limit, |last| last.name.to_string()))
}

/// Inserts a key, whose name must be free: see [`find`].
pub fn insert(tx: &mut Tx<'_>, key: &ApiKey, hash: &[u8; 32]) -> Result<(), Fault> {
    let sql =
        "INSERT INTO api_keys (id, name, token_hash, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.execute(sql, params![key.id, key.name.as_str(), hash, key.created_at, key.expires_at])?;
    insert_permissions(tx, key)
}

/// Writes permissions and expiry anew.
pub fn save(tx: &mut Tx<'_>, key: &ApiKey) -> Result<(), Fault> {
    tx.execute("UPDATE api_keys SET expires_at = ?2 WHERE id = ?1", params![key.id, key.expires_at])?;
    tx.execute("DELETE FROM api_key_permissions WHERE key_id = ?1", params![key.id])?;
    insert_permissions(tx, key)
}

/// Keeps when a key was used, unless a later use is known. One that is gone stays so.
pub fn save_use(tx: &mut Tx<'_>, id: ApiKeyId, at: Timestamp) -> Result<(), Fault> {
    let sql = "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1 AND coalesce(last_used_at, 0) < ?2";
    tx.execute(sql, params![id, at]).map(drop)
}

/// Deletes a key with its permissions.
pub fn delete(tx: &mut Tx<'_>, id: ApiKeyId) -> Result<(), Fault> {
    tx.execute("DELETE FROM api_keys WHERE id = ?1", params![id]).map(drop)
}

fn insert_permissions(tx: &mut Tx<'_>, key: &ApiKey) -> Result<(), Fault> {
    for permission in &key.permissions {
        let sql =
            "INSERT INTO api_key_permissions (key_id, permission) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        tx.execute(sql, params![key.id, permission.as_str()])?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<ApiKey, Fault> {
    Ok(ApiKey {
        id: row.get("id")?,
        name: row.get("name")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        last_used_at: row.get("last_used_at")?,
        permissions: words(row.get("permissions")?, |word| Permission::parse(word).ok()),
    })
}
