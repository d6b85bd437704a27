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

/// # Errors
/// The driver's.
pub fn find(query: &impl Query, user: UserId) -> Result<Option<Totp>, Fault> {
    let sql = "SELECT secret_sealed, enabled_at, last_step, failures FROM totp WHERE user_id = ?1";
    query.opt(sql, [user], |row| {
        let last_step: Option<i64> = row.get(2)?;
        Ok(Totp {
            secret_sealed: row.get(0)?,
            enabled_at: row.get(1)?,
            last_step: last_step.and_then(|step| u64::try_from(step).ok()),
            failures: row.get(3)?,
        })
    })
}

/// Puts a new, unconfirmed secret in the place of an older unconfirmed one. `false`: a confirmed one
/// stands, and stays.
///
/// # Errors
/// The driver's.
pub fn enrol(tx: &mut Tx<'_>, user: UserId, secret_sealed: &[u8]) -> Result<bool, Fault> {
    let now = tx.now();
    let sql = "INSERT INTO totp (user_id, secret_sealed, failures, created_at) VALUES (?1, ?2, 0, ?3) \
        ON CONFLICT (user_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, created_at = excluded.created_at, \
        failures = 0 WHERE totp.enabled_at IS NULL";
    Ok(tx.execute(sql, params![user, secret_sealed, now])? == 1)
}

/// Turns an enrolled factor on. `false`: there is none, or it is on already.
///
/// # Errors
/// The driver's.
pub fn enable(tx: &mut Tx<'_>, user: UserId, step: u64) -> Result<bool, Fault> {
    let now = tx.now();
    let sql = "UPDATE totp SET enabled_at = ?2, last_step = ?3, failures = 0 WHERE user_id = ?1 AND enabled_at IS NULL";
    Ok(tx.execute(sql, params![user, now, column(step)])? == 1)
}

/// Spends a step: the one conditional update whose row count decides. `false`: it, or a later one, is spent.
///
/// # Errors
/// The driver's.
pub fn spend_step(tx: &mut Tx<'_>, user: UserId, step: u64) -> Result<bool, Fault> {
    let sql = "UPDATE totp SET last_step = ?2, failures = 0 \
        WHERE user_id = ?1 AND enabled_at IS NOT NULL AND (last_step IS NULL OR last_step < ?2)";
    Ok(tx.execute(sql, params![user, column(step)])? == 1)
}

/// Spends everybody's steps up to and with this one.
///
/// # Errors
/// The driver's.
pub fn spend_steps(tx: &mut Tx<'_>, step: u64) -> Result<(), Fault> {
    let sql = "UPDATE totp SET last_step = ?1 WHERE last_step IS NULL OR last_step < ?1";
    tx.execute(sql, [column(step)]).map(drop)
}

/// Counts a wrong code; gives how many there were in a row.
///
/// # Errors
/// The driver's.
pub fn count_failure(tx: &mut Tx<'_>, user: UserId) -> Result<u32, Fault> {
    let sql = "UPDATE totp SET failures = failures + 1 WHERE user_id = ?1 RETURNING failures";
    Ok(tx.opt(sql, [user], |row| row.get(0))?.unwrap_or(0))
}

/// Takes the factor and its recovery codes away. `false`: there was none.
///
/// # Errors
/// The driver's.
pub fn delete(tx: &mut Tx<'_>, user: UserId) -> Result<bool, Fault> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = ?1", [user])?;
    Ok(tx.execute("DELETE FROM totp WHERE user_id = ?1", [user])? == 1)
}

/// Puts new recovery codes in the place of all older ones.
///
/// # Errors
/// The driver's.
pub fn replace_recovery_codes(tx: &mut Tx<'_>, user: UserId, hashes: &[[u8; 32]]) -> Result<(), Fault> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = ?1", [user])?;
    for hash in hashes {
        tx.execute("INSERT INTO recovery_codes (user_id, code_hash) VALUES (?1, ?2)", params![user, hash])?;
    }
    Ok(())
}

/// Spends a recovery code. `false`: it is wrong or spent.
///
/// # Errors
/// The driver's.
pub fn spend_recovery_code(tx: &mut Tx<'_>, user: UserId, hash: &[u8; 32]) -> Result<bool, Fault> {
    let now = tx.now();
    let sql = "UPDATE recovery_codes SET spent_at = ?3 WHERE user_id = ?1 AND code_hash = ?2 AND spent_at IS NULL";
    if tx.execute(sql, params![user, hash, now])? != 1 {
        return Ok(false);
    }
    tx.execute("UPDATE totp SET failures = 0 WHERE user_id = ?1", [user])?;
    Ok(true)
}

/// All recovery codes that are good, by their hashes.
///
/// # Errors
/// The driver's.
pub fn list_recovery_codes(query: &impl Query) -> Result<Vec<(UserId, [u8; 32])>, Fault> {
    let sql = "SELECT user_id, code_hash FROM recovery_codes WHERE spent_at IS NULL";
    query.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// # Errors
/// The driver's.
pub fn delete_recovery_code(tx: &mut Tx<'_>, user: UserId, hash: &[u8; 32]) -> Result<(), Fault> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = ?1 AND code_hash = ?2", params![user, hash]).map(drop)
}

/// # Errors
/// The driver's.
pub fn count_recovery_codes(query: &impl Query, user: UserId) -> Result<u32, Fault> {
    let sql = "SELECT count(*) FROM recovery_codes WHERE user_id = ?1 AND spent_at IS NULL";
    query.one(sql, [user], |row| row.get(0))
}

/// A step is far below 2^63.
fn column(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}
