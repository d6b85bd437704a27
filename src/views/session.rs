//! Sessions, as their owner and as operators see them.

use super::page::PageItem;
use super::text::{Id, Text, Time};
use crate::domain;
use crate::domain::id::{SessionId, UserId};
use crate::usecase::session::list;
use schemars::JsonSchema;
use serde::Serialize;
use std::net::IpAddr;

/// One of the caller's own sessions.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Session<'a> {
    /// UUIDv7.
    id: Id<SessionId>,
    /// The login.
    created_at: Time,
    /// The login, or the last refresh.
    last_used_at: Time,
    /// The end of its whole life.
    expires_at: Time,
    /// Where the login came from. Null: unknown.
    ip: Option<Text<IpAddr>>,
    /// What the client said it is. Null: nothing.
    user_agent: Option<&'a str>,
    /// Whether it is the one that asks.
    current: bool,
}

/// The caller's own sessions.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Sessions<'a> {
    /// Those that live, newest first.
    sessions: Vec<Session<'a>>,
}

/// Shows the caller's own sessions. `current`: the one that asks.
#[must_use]
pub fn own_sessions(sessions: &[domain::session::Session], current: SessionId) -> Sessions<'_> {
    Sessions { sessions: sessions.iter().map(|session| own_session(session, current)).collect() }
}

fn own_session(session: &domain::session::Session, current: SessionId) -> Session<'_> {
    Session {
        id: Id(session.id),
        created_at: Time(session.created_at),
        last_used_at: Time(session.last_used_at),
        expires_at: Time(session.expires_at),
        ip: session.ip.map(Text),
        user_agent: session.user_agent.as_deref(),
        current: session.id == current,
    }
}

/// A session, as an operator sees it.
#[derive(Serialize, JsonSchema, Debug)]
pub struct ListedSession<'a> {
    /// UUIDv7.
    id: Id<SessionId>,
    /// Whose it is.
    user_id: Id<UserId>,
    /// Their address.
    email: &'a str,
    /// The login.
    created_at: Time,
    /// The login, or the last refresh.
    last_used_at: Time,
    /// The end of its whole life.
    expires_at: Time,
    /// Null: nobody ended it.
    ended_at: Option<Time>,
    /// Where the login came from. Null: unknown.
    ip: Option<Text<IpAddr>>,
    /// What the client said it is. Null: nothing.
    user_agent: Option<&'a str>,
}

/// Shows a session to an operator.
#[must_use]
pub fn listed_session(listed: &list::SessionOfUser) -> ListedSession<'_> {
    let session = &listed.session;
    ListedSession {
        id: Id(session.id),
        user_id: Id(session.user),
        email: &listed.email,
        created_at: Time(session.created_at),
        last_used_at: Time(session.last_used_at),
        expires_at: Time(session.expires_at),
        ended_at: session.ended_at.map(Time),
        ip: session.ip.map(Text),
        user_agent: session.user_agent.as_deref(),
    }
}

impl PageItem for ListedSession<'_> {
    const PAGE: &'static str = "SessionPage";
    const ORDER: &'static str = "Those that live, newest first.";
}
