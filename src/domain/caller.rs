//! Who asks, from where, in which request: the context that every use-case takes after the app.

use super::access::Actor;
use super::secret::Secret;
use std::net::IpAddr;

/// The longest user agent kept, in bytes.
pub const USER_AGENT_MAX: usize = 256;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    pub actor: Actor,
    /// `None` for the command line and for Unix sockets without a trusted proxy.
    pub ip: Option<IpAddr>,
    /// What the client says it is; cut to [`USER_AGENT_MAX`].
    pub user_agent: Option<String>,
    /// `None` outside HTTP.
    pub request_id: Option<String>,
    /// What the caller's browser has of sessions already, where a login is to set cookies: a refresh token,
    /// the cookie of a browser's session, or both. These sessions end with that login. Empty: no cookies are
    /// set, or there were none.
    pub browser_sessions: Vec<Secret<String>>,
}

impl Caller {
    /// A caller at this machine's own shell.
    #[must_use]
    pub fn operator(login_name: &str) -> Self {
        Self { actor: Actor::Operator(login_name.to_owned()), ..Self::system() }
    }

    /// The daemon or the tool acting for itself, at start-up or in the background.
    #[must_use]
    pub const fn system() -> Self {
        Self {
            actor: Actor::System,
            ip: None,
            user_agent: None,
            request_id: None,
            browser_sessions: Vec::new(),
        }
    }
}

/// What is kept of a user agent.
#[must_use]
pub fn cut_user_agent(text: &str) -> String {
    text[..text.floor_char_boundary(USER_AGENT_MAX)].to_owned()
}
