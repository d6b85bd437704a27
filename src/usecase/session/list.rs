//! Sessions: one's own, and the operator's look at everybody's.

use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::cursor;
use crate::domain::id::{SessionId, UserId};
use crate::domain::session::Session;
use crate::error::{Decision, Error, Refusal};
use crate::store::page::{Page, Paged};
use crate::store::tables::sessions;
use crate::store::tables::sessions::Alive;
use crate::usecase::account::reference;
use crate::usecase::account::reference::UserRef;
use crate::usecase::app::App;
use crate::usecase::paging::{check_limit, start};
use crate::usecase::{require, require_user};

pub use crate::store::tables::sessions::{Living, SessionOfUser};

/// The caller's sessions that live, newest first, as many as may.
///
/// # Errors
/// `unauthenticated`; the store's.
pub fn list_own(app: &App, caller: &Caller) -> Result<Vec<Session>, Error> {
    let me = require_user(caller)?;
    let (user, most) = (me.account.id, app.config.tokens.max_sessions);
    Ok(app.store.read(|query| sessions::list_newest(query, user, alive(app), most))?)
}

/// Ends one of the caller's sessions.
///
/// # Errors
/// `not_found` for one that isn't the caller's, or that has ended; the store's.
pub fn end_own(app: &App, caller: &Caller, id: &str) -> Result<(), Error> {
    let me = require_user(caller)?.clone();
    let missing = Refusal::not_found("session", id);
    let id = SessionId::parse(id).ok_or_else(|| missing.clone())?;
    app.store.write(caller, move |tx| {
        let own = sessions::find(tx, id)?.is_some_and(|session| session.user == me.account.id);
        if !own || !sessions::end(tx, id)? {
            return Ok(Decision::Refuse(missing.clone()));
        }
        tx.audit(&Event::SessionRevoked, (me.account.id, id))?;
        Ok(Decision::Grant(()))
    })
}

/// Which sessions to show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    Alive,
    /// Ended ones too.
    All,
}

/// Counts the sessions of these users that live: what would end with them.
///
/// # Errors
/// `forbidden` without `sessions:read`; the store's.
pub fn count_of(app: &App, caller: &Caller, users: &[UserId]) -> Result<u64, Error> {
    require(caller, "sessions:read")?;
    let alive = alive(app);
    Ok(app.store.read(|query| {
        users.iter().try_fold(0, |sum, user| Ok(sum + sessions::count_of_user(query, *user, alive)?))
    })?)
}

/// Counts the sessions of everybody that live.
///
/// # Errors
/// `forbidden` without `sessions:read`; the store's.
pub fn count(app: &App, caller: &Caller) -> Result<Living, Error> {
    require(caller, "sessions:read")?;
    Ok(app.store.read(|query| sessions::count_all(query, alive(app)))?)
}

/// A page of the sessions of one user or (`None`) of everybody, newest first: `limit` of them (at least 1),
/// after the `next` of the page before.
///
/// # Errors
/// `forbidden` without `sessions:read`; `not_found` for an unknown user; `invalid_cursor`;
/// `validation_failed` for a limit of 0; the store's.
pub fn page(
    app: &App,
    caller: &Caller,
    of: Option<&UserRef>,
    which: Which,
    limit: u32,
    after: Option<&str>,
) -> Result<Paged<SessionOfUser, String>, Error> {
    require(caller, "sessions:read")?;
    check_limit(limit)?;
    let after = start(cursor::List::Sessions, after, cursor::decode)?.map(SessionId::from_bytes);
    let alive = match which {
        Which::Alive => Some(alive(app)),
        Which::All => None,
    };
    let page = app.store.read(|query| {
        let user = match of {
            Some(of) => match reference::find_in(query, of)? {
                Some(user) => Some(user.id),
                None => return Ok(None),
            },
            None => None,
        };
        sessions::list_page(query, user, alive, Page { limit, after }).map(Some)
    })?;
    let missing = || of.map_or(Refusal::not_found("user", ""), UserRef::missing);
    let Paged { items, next } = page.ok_or_else(missing)?;
    Ok(Paged { items, next: next.map(|id| cursor::encode(cursor::List::Sessions, id.as_bytes())) })
}

fn alive(app: &App) -> Alive {
    Alive { now: app.now(), idle: app.lifetime().idle }
}
