//! Who acts, and what they may do. Authentication (who is it?) has happened before an [`Actor`]
//! exists; authorization (may they?) is [`Actor::may`], asked by the use-cases and by nobody else.

use super::api_key::ApiKeyName;
use super::id::{ApiKeyId, SessionId};
use super::role::Permission;
use super::session::Generation;
use super::time::Timestamp;
use super::user::User;
use std::fmt;

/// How long ago a login may be to count as fresh.
pub const FRESH: std::time::Duration = std::time::Duration::from_secs(5 * 60);

/// The permissions that authd itself asks for; the built-in role `admin` holds them all.
pub const OWN_PERMISSIONS: [&str; 10] = [
    "users:read",
    "users:write",
    "roles:read",
    "roles:write",
    "sessions:read",
    "sessions:revoke",
    "audit:read",
    "keys:write",
    "apps:read",
    "apps:write",
];

/// Whether a user may do anything in authd that is not about their own account: by the role `admin`, or by
/// any permission of authd's own.
#[must_use]
pub fn administers(user: &User) -> bool {
    let holds = |own: &str| user.permissions.iter().any(|held| held.covers(own));
    user.is_admin() || OWN_PERMISSIONS.into_iter().any(holds)
}

/// Whether a user may act, or must set up a second factor before anything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    Full,
    /// The account must have a second factor and has none.
    SecondFactorDue,
}

/// What a user has shown of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carrier {
    /// A session's access token.
    AccessToken,
    /// A browser's cookie. Whatever changes the password or the factors replaces it.
    SessionCookie {
        /// The one that it was made for, which was the session's own.
        generation: Generation,
        /// Whether it outlives the browser's window.
        remembered: bool,
    },
    /// A browser's cookie at an application's host, which counts for the gate's question alone.
    AppCookie {
        /// As of a session's cookie.
        generation: Generation,
    },
}

impl Carrier {
    /// Whether it counts yet, of a session that has come to this generation.
    #[must_use]
    pub fn counts(self, of_session: Generation) -> bool {
        match self {
            Self::AccessToken => true,
            Self::SessionCookie { generation, .. } | Self::AppCookie { generation } => {
                generation == of_session
            }
        }
    }

    /// Whether a browser is to keep what comes in its place longer than its window.
    #[must_use]
    pub const fn is_remembered(self) -> bool {
        matches!(self, Self::SessionCookie { remembered: true, .. })
    }
}

/// A user whose access token was found good (signature, claims, session and account), or whose browser's
/// cookie was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedIn {
    pub session: SessionId,
    pub carrier: Carrier,
    /// When the person last proved who they are, with all factors. `None`: nobody did.
    pub auth_time: Option<Timestamp>,
    /// As it stands in the database now, whatever the token says.
    pub account: User,
    pub standing: Standing,
}

/// A service whose API key was found good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    pub key: ApiKeyId,
    pub name: ApiKeyName,
    /// As they stand in the database now.
    pub permissions: Vec<Permission>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::large_enum_variant, reason = "a request has one, and most are users")]
pub enum Actor {
    Anonymous,
    User(SignedIn),
    ApiKey(Service),
    /// Somebody with the database file in their hands, by login name (of root, the one behind sudo).
    Operator(String),
    /// The daemon itself.
    System,
}

impl Actor {
    /// Whether the actor may do what `permission` (`area:action`) stands for. An operator, who owns
    /// the file, may do everything.
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        match self {
            Self::Operator(_) | Self::System => true,
            Self::User(me) => me.account.permissions.iter().any(|held| held.covers(permission)),
            Self::ApiKey(service) => service.permissions.iter().any(|held| held.covers(permission)),
            Self::Anonymous => false,
        }
    }
}

/// As the audit log names the actor: `user:<id>`, `api_key:<name>:<id>`, `operator:<login name>`,
/// `anonymous`, `system`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::User(me) => write!(f, "user:{}", me.account.id),
            Self::ApiKey(service) => write!(f, "api_key:{}:{}", service.name, service.key),
            Self::Operator(name) => write!(f, "operator:{name}"),
            Self::System => f.write_str("system"),
        }
    }
}
