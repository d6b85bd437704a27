//! Reading the audit log. Writing it is part of every change, in the same transaction.

use super::app::App;
use super::require;
use super::user::{UserRef, find_in};
use crate::domain::audit::Line;
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::error::{Error, Fault};
use crate::store::audit::{self, Filter};

/// What to look for. `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub since: Option<Timestamp>,
    /// By address or id; an id of a deleted account still finds its lines.
    pub user: Option<UserRef>,
    /// An event's name, such as `LoginFailed`.
    pub event: Option<String>,
}

/// A place in the log from which a follower goes on.
#[derive(Clone, Debug)]
pub struct Position {
    filter: Filter,
}

/// The newest `limit` lines that match, oldest first, and where a follower goes on.
///
/// # Errors
/// `forbidden` without `audit:read`; `not_found` for an unknown address; the store's.
pub fn tail(app: &App, caller: &Caller, wanted: &Wanted, limit: u32) -> Result<(Vec<Line>, Position), Error> {
    require(caller, "audit:read")?;
    let user = match &wanted.user {
        None => None,
        Some(UserRef::Id(id)) => Some(id.to_string()),
        Some(of) => {
            let found = app.store.read(|query| find_in(query, of))?;
            Some(found.ok_or_else(|| of.missing())?.id.to_string())
        }
    };
    let filter = Filter { since: wanted.since, user, event: wanted.event.clone(), after: None };
    let (lines, newest) = app.store.read(|query| {
        // The end first: a line that comes in between is shown by the next look, not lost.
        let newest = audit::newest(query)?;
        Ok((audit::list_newest(query, &filter, limit)?, newest))
    })?;
    let seen = lines.last().map_or(newest, |line| line.seq.max(newest));
    Ok((lines, Position { filter: Filter { after: Some(seen), ..filter } }))
}

/// The lines that have come since; each look is a short read of its own, so that the write-ahead log
/// can be folded back while somebody follows.
///
/// # Errors
/// The store's.
pub fn follow(app: &App, position: &mut Position) -> Result<Vec<Line>, Fault> {
    app.store.read(|query| {
        let newest = audit::newest(query)?;
        if position.filter.after >= Some(newest) {
            return Ok(Vec::new());
        }
        let lines = audit::list_newest(query, &position.filter, u32::MAX)?;
        position.filter.after = Some(lines.last().map_or(newest, |line| line.seq.max(newest)));
        Ok(lines)
    })
}
