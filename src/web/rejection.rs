//! Why a request is turned away before it comes to what it asks for. Each face shows it in its own way.

use crate::error::{Error, Refusal};
use std::borrow::Cow;
use std::time::Duration;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rejection {
    /// It can be read in more than one way. The text, for people, says what to send instead.
    Ambiguous(Cow<'static, str>),
    /// What a session's cookies ask for came from another site's page, or without proof that it didn't. The
    /// text says what proof there is.
    CrossSite(&'static str),
    RateLimited(RateLimited),
    /// The cookies that it came by are of no use any more, which is `invalid_token`. The answer takes them
    /// away.
    DeadCookies(DeadCookies),
    /// The id and the secret of a client (RFC 6749 §2.3.1) that don't belong together, or count no more.
    BadClient,
    /// It doesn't say who asks, or that could not be checked.
    Error(Error),
}

/// Which of a session's cookies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeadCookies {
    /// The access token's; with that of the refresh token the session may go on.
    Access,
    /// Those of the API's cookie mode.
    All,
    /// The pages' one alone: the CSRF value may be that of the API's, beside it.
    Session,
}

/// The network's budget is spent; after `retry_after` one more request is admitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateLimited {
    pub retry_after: Duration,
}

impl Rejection {
    /// Turns away what can be read in more than one way; the text says what to send instead.
    pub fn ambiguous(what_to_send: impl Into<Cow<'static, str>>) -> Self {
        Self::Ambiguous(what_to_send.into())
    }
}

impl From<RateLimited> for Rejection {
    fn from(limited: RateLimited) -> Self {
        Self::RateLimited(limited)
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self::Error(refusal.into())
    }
}
