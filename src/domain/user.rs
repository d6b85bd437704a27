//! A person's account, as its owner or an admin sees it. Never holds a hash or a secret.

use super::email::Email;
use super::id::UserId;
use super::name::Name;
use super::role::{Permission, RoleName};
use super::time::Timestamp;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    pub id: UserId,
    pub email: Email,
    /// `None`: the address is not verified.
    pub email_verified_at: Option<Timestamp>,
    pub name: Name,
    /// Sorted.
    pub roles: Vec<RoleName>,
    /// Of all roles together: sorted, each once.
    pub permissions: Vec<Permission>,
    /// Since when codes of an app (TOTP) are on. `None`: they are not.
    pub totp_at: Option<Timestamp>,
    /// How many passkeys there are, of whatever domain.
    pub passkeys: u32,
    /// `None`: enabled.
    pub disabled_at: Option<Timestamp>,
    /// `None`, or a time past: not locked.
    pub locked_until: Option<Timestamp>,
    pub created_at: Timestamp,
    /// `None`: never.
    pub last_login_at: Option<Timestamp>,
}

impl User {
    /// Whether a second factor is on: codes of an app, or a passkey.
    #[must_use]
    pub const fn has_two_factor(&self) -> bool {
        self.totp_at.is_some() || self.passkeys > 0
    }

    /// Whether the user has the role `admin`.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.roles.iter().any(RoleName::is_admin)
    }
}

/// What `user list --state` asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserState {
    Locked,
    Disabled,
    Unverified,
    NoSecondFactor,
}

impl UserState {
    pub const ALL: [Self; 4] = [Self::Locked, Self::Disabled, Self::Unverified, Self::NoSecondFactor];

    /// The name of the state, as filtered by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Disabled => "disabled",
            Self::Unverified => "unverified",
            Self::NoSecondFactor => "no-second-factor",
        }
    }

    /// Finds the state of this name. `None`: there is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == text)
    }
}
