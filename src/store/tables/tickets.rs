//! Tickets: logins that wait for their second factor, or for another password.

use crate::domain::id::UserId;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Query, Tx, params, words};

/// What was shown before the second step.
#[derive(Clone, Copy, Debug)]
pub struct FirstShown<'a> {
    pub user: UserId,
    /// As `amr` names it (RFC 8176).
    pub first: &'a str,
    /// How a provider says that they proved who they are. Empty: they came from none, or it isn't told.
    pub provider_amr: &'a [String],
}

/// Inserts a ticket for the second step of a login.
pub fn insert(
    tx: &mut Tx<'_>,
    token_hash: &[u8; 32],
    shown: FirstShown<'_>,
    expires_at: Timestamp,
) -> Result<(), Fault> {
    let now = tx.now();
    let sql = "INSERT INTO tickets (token_hash, user_id, created_at, expires_at, failures, first_factor, provider_amr) \
        VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)";
    let provider_amr = shown.provider_amr.join(" ");
    tx.execute(sql, params![token_hash, shown.user, now, expires_at, shown.first, provider_amr]).map(drop)
}

/// Inserts a ticket for a password in the place of one that must be changed. `amr`: how the person has proved
/// who they are, with all factors (RFC 8176).
pub fn insert_for_password(
    tx: &mut Tx<'_>,
    token_hash: &[u8; 32],
    user: UserId,
    expires_at: Timestamp,
    amr: &[String],
) -> Result<(), Fault> {
    let now = tx.now();
    let sql = "INSERT INTO tickets (token_hash, user_id, created_at, expires_at, failures, amr) \
        VALUES (?1, ?2, ?3, ?4, 0, ?5)";
    tx.execute(sql, params![token_hash, user, now, expires_at, amr.join(" ")]).map(drop)
}

/// A login that waits for another password alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PasswordTicket {
    pub user: UserId,
    pub amr: Vec<String>,
}

/// Finds the login that waits for another password with this ticket. `None`: it is wrong, spent or too old.
pub fn find_for_password(
    query: &impl Query,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<PasswordTicket>, Fault> {
    let sql = "SELECT user_id, amr FROM tickets \
        WHERE token_hash = ?1 AND spent_at IS NULL AND expires_at > ?2 AND amr IS NOT NULL";
    query.opt(sql, params![token_hash, now], |row| {
        Ok(PasswordTicket { user: row.get("user_id")?, amr: words(row.get("amr")?) })
    })
}

/// A login that waits for its second factor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub user: UserId,
    /// See [`FirstShown`].
    pub first: String,
    pub provider_amr: Vec<String>,
}

/// Finds the login that waits for its second factor with this ticket. `None`: it is wrong, spent, burnt or
/// too old.
pub fn find(
    query: &impl Query,
    token_hash: &[u8; 32],
    now: Timestamp,
    failures_max: u32,
) -> Result<Option<Waiting>, Fault> {
    let sql = "SELECT user_id, first_factor, provider_amr FROM tickets \
        WHERE token_hash = ?1 AND spent_at IS NULL AND expires_at > ?2 AND failures < ?3 \
        AND amr IS NULL";
    query.opt(sql, params![token_hash, now, failures_max], |row| {
        let provider_amr = words(row.get("provider_amr")?);
        Ok(Waiting { user: row.get("user_id")?, first: row.get("first_factor")?, provider_amr })
    })
}

/// Counts a wrong code against the ticket; gives how many it has had by now.
pub fn count_failure(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<u32, Fault> {
    let sql = "UPDATE tickets SET failures = failures + 1 WHERE token_hash = ?1 RETURNING failures";
    tx.one(sql, params![token_hash], |row| row.get("failures"))
}

/// Spends the ticket. `false`: it was spent already.
pub fn spend(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<bool, Fault> {
    let now = tx.now();
    let sql = "UPDATE tickets SET spent_at = ?2 WHERE token_hash = ?1 AND spent_at IS NULL";
    Ok(tx.execute(sql, params![token_hash, now])? == 1)
}

/// Voids every login of a user that waits for its second step.
pub fn delete_of_user(tx: &mut Tx<'_>, user: UserId) -> Result<(), Fault> {
    tx.execute("DELETE FROM tickets WHERE user_id = ?1", params![user]).map(drop)
}

/// Voids every login that waits for its second step; gives how many did.
pub fn delete_all(tx: &mut Tx<'_>) -> Result<u64, Fault> {
    let now = tx.now();
    let waiting = tx.one(
        "SELECT count(*) AS waiting FROM tickets WHERE spent_at IS NULL AND expires_at > ?1",
        params![now],
        |row| row.get("waiting"),
    )?;
    tx.execute("DELETE FROM tickets", &[])?;
    Ok(waiting)
}
