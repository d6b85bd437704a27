//! How many there are: counts over whole tables, for whoever watches. They take time on large ones.

use super::sessions::Alive;
use crate::domain::mail::MailState;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Query, params};

/// What was counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowCounts {
    pub users: u64,
    /// Accounts with an authenticator app, and accounts with a passkey.
    pub with_totp: u64,
    pub with_passkey: u64,
    pub sessions_alive: u64,
    pub mails: Vec<(MailState, u64)>,
    /// When the mail was written that has waited longest to be sent, those left out that are held back.
    pub oldest_queued: Option<Timestamp>,
}

/// Counts the rows of five tables. Only the count of sessions has to look into rows: the others are
/// read off an index.
pub fn count(query: &impl Query, alive: Alive) -> Result<RowCounts, Fault> {
    let sessions = "SELECT count(*) AS alive FROM sessions WHERE ended_at IS NULL AND +expires_at > ?1 \
        AND last_used_at + coalesce(idle, ?2) > ?1";
    let with_totp = "SELECT count(*) AS accounts FROM totp WHERE enabled_at IS NOT NULL";
    let with_passkey = "SELECT count(DISTINCT user_id) AS accounts FROM passkeys";
    let by_state = "SELECT count(*) AS mails FROM mails WHERE state = ?1";
    let oldest = "SELECT min(created_at) AS oldest FROM mails WHERE state = 'queued' AND held_back = 0";
    let mail =
        |state: MailState| Ok((state, query.one(by_state, params![state.name()], |row| row.get("mails"))?));
    let mails = MailState::ALL.into_iter().map(mail).collect::<Result<Vec<_>, Fault>>()?;
    Ok(RowCounts {
        users: super::users::count(query)?,
        with_totp: query.one(with_totp, &[], |row| row.get("accounts"))?,
        with_passkey: query.one(with_passkey, &[], |row| row.get("accounts"))?,
        sessions_alive: query.one(sessions, params![alive.now, alive.idle], |row| row.get("alive"))?,
        mails,
        oldest_queued: query.one(oldest, &[], |row| row.get("oldest"))?,
    })
}

/// Counts the rows of the tables that an operator thinks in.
pub fn of_tables(query: &impl Query) -> Result<Vec<(&'static str, i64)>, Fault> {
    ["users", "roles", "sessions", "mails", "signing_keys", "audit"]
        .into_iter()
        .map(|table| {
            Ok((
                table,
                query.one(&format!("SELECT count(*) AS all_rows FROM {table}"), &[], |row| {
                    row.get("all_rows")
                })?,
            ))
        })
        .collect()
}
