//! How many there are: counts over whole tables, for whoever watches. They take time on large ones.

use super::sessions::Alive;
use crate::domain::mail::MailState;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Query, params};
use std::time::Duration;

/// What was counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowCounts {
    pub users: u64,
    pub sessions_alive: u64,
    pub mails: Vec<(MailState, u64)>,
    /// When the mail was written that has waited longest to be sent.
    pub oldest_queued: Option<Timestamp>,
}

/// Counts the rows of three tables. Only the count of sessions has to look into rows: the others are
/// read off an index.
///
/// # Errors
/// The driver's.
pub fn count(query: &impl Query, alive: Alive) -> Result<RowCounts, Fault> {
    let idle = i64::try_from(Duration::as_millis(&alive.idle)).unwrap_or(i64::MAX);
    let sessions = "SELECT count(*) FROM sessions WHERE ended_at IS NULL AND +expires_at > ?1 \
        AND last_used_at + coalesce(idle, ?2) > ?1";
    let by_state = "SELECT count(*) FROM mails WHERE state = ?1";
    let mail = |state: MailState| Ok((state, query.one(by_state, [state.name()], |row| row.get::<_, i64>(0))?));
    let mails = MailState::ALL.into_iter().map(mail).collect::<Result<Vec<_>, Fault>>()?;
    Ok(RowCounts {
        users: natural(query.one("SELECT count(*) FROM users", [], |row| row.get(0))?),
        sessions_alive: natural(query.one(sessions, params![alive.now, idle], |row| row.get(0))?),
        mails: mails.into_iter().map(|(state, count)| (state, natural(count))).collect(),
        oldest_queued: query.one("SELECT min(created_at) FROM mails WHERE state = 'queued'", [], |row| row.get(0))?,
    })
}

/// A count is never negative.
fn natural(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// How many rows stand in the tables that an operator thinks in.
///
/// # Errors
/// The driver's.
pub fn of_tables(query: &impl Query) -> Result<Vec<(&'static str, i64)>, Fault> {
    ["users", "roles", "sessions", "mails", "signing_keys", "audit"]
        .into_iter()
        .map(|table| {
            Ok((table, query.one(&format!("SELECT count(*) AS all_rows FROM {table}"), [], |row| row.get(0))?))
        })
        .collect()
}
