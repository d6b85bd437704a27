//! Second factors: the sealed TOTP secret with its newest step and its failures, and recovery codes.

use crate::domain::id::UserId;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Query, Tx, params};

/// A user's TOTP factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totp {
    pub secret_sealed: Vec<u8>,
    /// `None`: enrolled, not confirmed yet.
    pub enabled_at: Option<Timestamp>,
    /// The newest step accepted; `None`: none yet.
    pub last_step: Option<u64>,
    /// In a row.
    pub failures: u32,
}

/// Finds a user's factor, confirmed or not.
pub fn find(query: &impl Query, user: UserId) -> Result<Option<Totp>, Fault> {
    let sql = "SELECT secret_sealed, enabled_at, last_step, failures FROM totp WHERE user_id = ?1";
    query.opt(sql, params![user], |row| {
        Ok(Totp {
            secret_sealed: row.get("secret_sealed")?,
            enabled_at: row.get("enabled_at")?,
            last_step: row.get("last_step")?,
            failures: row.get("failures")?,
        })
    })
}

/// Puts a new, unconfirmed secret in the place of an older unconfirmed one. `false`: a confirmed one
/// stands, and stays.
pub fn enrol(tx: &mut Tx<'_>, user: UserId, secret_sealed: &[u8]) -> Result<bool, Fault> {
    let now = tx.now();
    let sql = "INSERT INTO totp (user_id, secret_sealed, failures, created_at) VALUES (?1, ?2, 0, ?3) \
        ON CONFLICT (user_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, created_at = excluded.created_at, \
        failures = 0 WHERE totp.enabled_at IS NULL";
    Ok(tx.execute(sql, params![user, secret_sealed, now])? == 1)
}

/// Turns an enrolled factor on. `false`: there is none, or it is on already.
pub fn enable(tx: &mut Tx<'_>, user: UserId, step: u64) -> Result<bool, Fault> {
    let now = tx.now();
    let sql = "UPDATE totp SET enabled_at = ?2, last_step = ?3, failures = 0 WHERE user_id = ?1 AND enabled_at IS NULL";
    Ok(tx.execute(sql, params![user, now, step])? == 1)
}

/// Spends a step: the one conditional update whose row count decides. `false`: it, or a later one, is spent.
pub fn spend_step(tx: &mut Tx<'_>, user: UserId, step: u64) -> Result<bool, Fault> {
    let sql = "UPDATE totp SET last_step = ?2, failures = 0 \
        WHERE user_id = ?1 AND enabled_at IS NOT NULL AND (last_step IS NULL OR last_step < ?2)";
    Ok(tx.execute(sql, params![user, step])? == 1)
}

/// Spends everybody's steps up to and with this one.
pub fn spend_steps(tx: &mut Tx<'_>, step: u64) -> Result<(), Fault> {
    let sql = "UPDATE totp SET last_step = ?1 WHERE last_step IS NULL OR last_step < ?1";
    tx.execute(sql, params![step]).map(drop)
}

/// Counts a wrong code; gives how many there were in a row.
pub fn count_failure(tx: &mut Tx<'_>, user: UserId) -> Result<u32, Fault> {
    let sql = "UPDATE totp SET failures = failures + 1 WHERE user_id = ?1 RETURNING failures";
    Ok(tx.opt(sql, params![user], |row| row.get("failures"))?.unwrap_or(0))
}

/// Forgets wrong codes, unless there were `most` in a row: then the app answers no more.
pub fn end_failures(tx: &mut Tx<'_>, user: UserId, most: u32) -> Result<(), Fault> {
    let sql = "UPDATE totp SET failures = 0 WHERE user_id = ?1 AND failures BETWEEN 1 AND ?2 - 1";
    tx.execute(sql, params![user, most]).map(drop)
}

/// Takes the app's factor away, and the recovery codes where no passkey is left either. `false`: there was
/// none.
pub fn delete(tx: &mut Tx<'_>, user: UserId) -> Result<bool, Fault> {
    let deleted = tx.execute("DELETE FROM totp WHERE user_id = ?1", params![user])? == 1;
    delete_codes_without_factor(tx, user)?;
    Ok(deleted)
}

/// Deletes the recovery codes of somebody who has no second factor for which they could stand. `false`: they
/// have one.
pub fn delete_codes_without_factor(tx: &mut Tx<'_>, user: UserId) -> Result<bool, Fault> {
    let is_without = !is_on(tx, user)?;
    if is_without {
        tx.execute("DELETE FROM recovery_codes WHERE user_id = ?1", params![user])?;
    }
    Ok(is_without)
}

/// Whether a second factor is on: codes of an app, or a passkey.
pub fn is_on(query: &impl Query, user: UserId) -> Result<bool, Fault> {
    let sql = "SELECT (SELECT count(*) FROM totp WHERE user_id = ?1 AND enabled_at IS NOT NULL) \
        + (SELECT count(*) FROM passkeys WHERE user_id = ?1) AS factors";
    Ok(query.one(sql, params![user], |row| row.get::<u32>("factors"))? > 0)
}

/// Puts new recovery codes in the place of all older ones.
pub fn replace_recovery_codes(tx: &mut Tx<'_>, user: UserId, hashes: &[[u8; 32]]) -> Result<(), Fault> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = ?1", params![user])?;
    for hash in hashes {
        tx.execute("INSERT INTO recovery_codes (user_id, code_hash) VALUES (?1, ?2)", params![user, hash])?;
    }
    Ok(())
}

/// Spends a recovery code. `false`: it is wrong or spent.
pub fn spend_recovery_code(tx: &mut Tx<'_>, user: UserId, hash: &[u8; 32]) -> Result<bool, Fault> {
    let now = tx.now();
    let sql =
        "UPDATE recovery_codes SET spent_at = ?3 WHERE user_id = ?1 AND code_hash = ?2 AND spent_at IS NULL";
    if tx.execute(sql, params![user, hash, now])? != 1 {
        return Ok(false);
    }
    tx.execute("UPDATE totp SET failures = 0 WHERE user_id = ?1", params![user])?;
    Ok(true)
}

/// Lists everybody's recovery codes that are good, by their hashes.
pub fn list_recovery_codes(query: &impl Query) -> Result<Vec<(UserId, [u8; 32])>, Fault> {
    let sql = "SELECT user_id, code_hash FROM recovery_codes WHERE spent_at IS NULL";
    query.all(sql, &[], |row| Ok((row.get("user_id")?, row.get("code_hash")?)))
}

/// Deletes a recovery code by its hash.
pub fn delete_recovery_code(tx: &mut Tx<'_>, user: UserId, hash: &[u8; 32]) -> Result<(), Fault> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = ?1 AND code_hash = ?2", params![user, hash])
        .map(drop)
}

/// Counts a user's recovery codes that are good.
pub fn count_recovery_codes(query: &impl Query, user: UserId) -> Result<u32, Fault> {
    let sql = "SELECT count(*) AS good FROM recovery_codes WHERE user_id = ?1 AND spent_at IS NULL";
    query.one(sql, params![user], |row| row.get("good"))
}
