//! Passkeys, with what a signature is checked by, and the ceremonies that are spent.

use crate::domain::id::{PasskeyId, UserId};
use crate::domain::name::Name;
use crate::domain::passkey::Passkey;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::page::{Page, Paged};
use crate::store::tables::meta;
use crate::store::tx::{Query, Row, Tx, params, words};
use std::ops::RangeInclusive;

/// A passkey with its public key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredPasskey {
    pub passkey: Passkey,
    /// At most 1,023 bytes.
    pub credential_id: Vec<u8>,
    /// A COSE_Key.
    pub public_key: Vec<u8>,
    pub user_handle: Vec<u8>,
    /// Zero: its authenticator doesn't count.
    pub sign_count: u32,
    pub backup_eligible: bool,
}

const COLUMNS: &str = "id, user_id, rp_id, credential_id, public_key, user_handle, name, sign_count, backup_eligible, \
    backed_up, transports, created_at, last_used_at";

/// Finds one by what its authenticator calls it.
pub fn find_by_credential(query: &impl Query, credential_id: &[u8]) -> Result<Option<StoredPasskey>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM passkeys WHERE credential_id = ?1");
    query.opt(&sql, params![credential_id], read)
}

/// Finds one by its id.
pub fn find(query: &impl Query, id: PasskeyId) -> Result<Option<StoredPasskey>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM passkeys WHERE id = ?1"), params![id], read)
}

/// Lists those of a user in the order in which they were added.
pub fn list_of(query: &impl Query, user: UserId) -> Result<Vec<StoredPasskey>, Fault> {
    query.all(&format!("SELECT {COLUMNS} FROM passkeys WHERE user_id = ?1 ORDER BY id"), params![user], read)
}

/// Lists those of a user, a page.
pub fn list_page(
    query: &impl Query,
    user: UserId,
    page: Page<PasskeyId>,
) -> Result<Paged<StoredPasskey, PasskeyId>, Fault> {
    // No id is shorter than the empty one.
    let after = page.after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
    let sql = format!("SELECT {COLUMNS} FROM passkeys WHERE user_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3");
    let listed = query.all(&sql, params![user, after, page.limit_and_one()], read)?;
    Ok(Paged::cut(listed, page.limit, |last| last.passkey.id))
}

/// Lists those whose ids are within a range, the newest first, `most` at most; with their owners' addresses.
pub fn list_within(
    query: &impl Query,
    ids: &RangeInclusive<PasskeyId>,
    most: u32,
) -> Result<Vec<(PasskeyId, Name, String)>, Fault> {
    let sql = "SELECT p.id, p.name, u.email FROM passkeys p JOIN users u ON u.id = p.user_id \
        WHERE p.id BETWEEN ?1 AND ?2 ORDER BY p.id DESC LIMIT ?3";
    query.all(sql, params![ids.start(), ids.end(), most], |row| {
        Ok((row.get("id")?, row.get("name")?, row.get("email")?))
    })
}

/// Lists everybody's: whose each is, and its counter.
pub fn list_counters(query: &impl Query) -> Result<Vec<(PasskeyId, UserId, u32)>, Fault> {
    query.all("SELECT id, user_id, sign_count FROM passkeys ORDER BY id", &[], |row| {
        Ok((row.get("id")?, row.get("user_id")?, row.get("sign_count")?))
    })
}

/// Saves a counter that is known from elsewhere.
pub fn save_counter(tx: &mut Tx<'_>, id: PasskeyId, sign_count: u32) -> Result<(), Fault> {
    tx.execute("UPDATE passkeys SET sign_count = ?2 WHERE id = ?1", params![id, sign_count]).map(drop)
}

/// Inserts one. Its credential id must be free: see [`find_by_credential`].
pub fn insert(tx: &mut Tx<'_>, new: &StoredPasskey) -> Result<(), Fault> {
    let sql = "INSERT INTO passkeys (id, user_id, rp_id, credential_id, public_key, user_handle, name, sign_count, \
        backup_eligible, backed_up, transports, created_at, last_used_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let Passkey { id, user, rp_id, name, backed_up, transports, created_at, last_used_at } = &new.passkey;
    let (name, transports) = (name.as_str(), transports.join(" "));
    tx.execute(
        sql,
        params![
            id,
            user,
            rp_id,
            new.credential_id,
            new.public_key,
            new.user_handle,
            name,
            new.sign_count,
            new.backup_eligible,
            backed_up,
            transports,
            created_at,
            last_used_at
        ],
    )
    .map(drop)
}

/// Saves a use of now: the counter, and whether it is backed up. `false`: it is gone, or its counter has
/// moved on meanwhile.
pub fn save_use(
    tx: &mut Tx<'_>,
    used: &StoredPasskey,
    sign_count: u32,
    backed_up: bool,
) -> Result<bool, Fault> {
    let now = tx.now();
    let sql = "UPDATE passkeys SET sign_count = ?3, backed_up = ?4, last_used_at = ?5 \
        WHERE id = ?1 AND sign_count = ?2";
    Ok(tx.execute(sql, params![used.passkey.id, used.sign_count, sign_count, backed_up, now])? == 1)
}

/// Gives one another name. `false`: it is not there.
pub fn rename(tx: &mut Tx<'_>, id: PasskeyId, name: &Name) -> Result<bool, Fault> {
    let sql = "UPDATE passkeys SET name = ?2 WHERE id = ?1";
    Ok(tx.execute(sql, params![id, name.as_str()])? == 1)
}

/// Deletes one. `false`: it is not there.
pub fn delete(tx: &mut Tx<'_>, id: PasskeyId) -> Result<bool, Fault> {
    Ok(tx.execute("DELETE FROM passkeys WHERE id = ?1", params![id])? == 1)
}

/// Until when all ceremonies have ended that are void, since what was spent of them is not remembered any
/// more: milliseconds since 1970, as eight bytes, big endian.
const VOID_CEREMONIES: &str = "ceremonies_void_until";

/// Voids every ceremony that ends by then, spent or not; what is void stays so.
pub fn void_ceremonies(tx: &mut Tx<'_>, until: Timestamp) -> Result<(), Fault> {
    if void_until(tx)?.is_some_and(|known| known >= until) {
        return Ok(());
    }
    meta::save(tx, VOID_CEREMONIES, &until.as_millis().to_be_bytes())
}

fn void_until(query: &impl Query) -> Result<Option<Timestamp>, Fault> {
    let until = meta::find(query, VOID_CEREMONIES)?.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    Ok(until.map(|until| Timestamp::from_millis(i64::from_be_bytes(until))))
}

/// Spends a ceremony, whose hash is kept until `expires_at`, when it ends. `false`: it is spent, or void.
pub fn spend_ceremony(tx: &mut Tx<'_>, hash: &[u8; 32], expires_at: Timestamp) -> Result<bool, Fault> {
    if void_until(tx)?.is_some_and(|until| expires_at <= until) {
        return Ok(false);
    }
    let sql =
        "INSERT INTO spent_ceremonies (ceremony_hash, expires_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![hash, expires_at])? == 1)
}

fn read(row: &Row<'_>) -> Result<StoredPasskey, Fault> {
    Ok(StoredPasskey {
        passkey: Passkey {
            id: row.get("id")?,
            user: row.get("user_id")?,
            rp_id: row.get("rp_id")?,
            name: row.get("name")?,
            backed_up: row.get("backed_up")?,
            transports: words(row.get("transports")?),
            created_at: row.get("created_at")?,
            last_used_at: row.get("last_used_at")?,
        },
        credential_id: row.get("credential_id")?,
        public_key: row.get("public_key")?,
        user_handle: row.get("user_handle")?,
        sign_count: row.get("sign_count")?,
        backup_eligible: row.get("backup_eligible")?,
    })
}
