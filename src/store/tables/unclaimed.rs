//! Accounts of before registrations waited for their link, whose address nobody has verified. None is added
//! any more: the step to schema 5 found them.

use crate::domain::id::UserId;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Query, Tx, params};

/// Lists those whose time has come.
pub fn list_due(query: &impl Query, now: Timestamp, limit: u32) -> Result<Vec<UserId>, Fault> {
    let sql = "SELECT user_id FROM unclaimed WHERE delete_at <= ?1 LIMIT ?2";
    query.all(sql, params![now, limit], |row| row.get("user_id"))
}

/// Looks whether somebody has used the account after all: verified its address, or logged in.
pub fn is_used(query: &impl Query, user: UserId) -> Result<bool, Fault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM users WHERE id = ?1 \
        AND (email_verified_at IS NOT NULL OR last_login_at IS NOT NULL)) \
        OR EXISTS (SELECT 1 FROM sessions WHERE user_id = ?1) AS is_used";
    query.one(sql, params![user], |row| row.get("is_used"))
}

/// Takes an account off the list: it stays.
pub fn delete(tx: &mut Tx<'_>, user: UserId) -> Result<(), Fault> {
    tx.execute("DELETE FROM unclaimed WHERE user_id = ?1", params![user]).map(drop)
}
