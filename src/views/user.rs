//! Accounts.

use super::identity::{Identity, identity};
use super::page::PageItem;
use super::text::{Id, Revealed, Texts, Time};
use crate::domain;
use crate::domain::id::UserId;
use crate::domain::role::{Permission, RoleName};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// An account, as its owner or an administrator sees it.
#[derive(Serialize, JsonSchema, Debug)]
pub struct User<'a> {
    /// UUIDv7.
    id: Id<UserId>,
    /// The address, its domain in IDNA's ASCII form.
    #[schemars(email)]
    email: &'a str,
    /// Whether a link sent to the address came back.
    email_verified: bool,
    /// May be empty.
    name: &'a str,
    /// Sorted.
    roles: Texts<'a, RoleName>,
    /// Of all roles together, as `area:action` or `area:*`.
    permissions: Texts<'a, Permission>,
    /// Whether a second factor is on: codes of an app, or passkeys.
    two_factor: bool,
    /// How many passkeys there are.
    passkeys: u32,
    /// A disabled account can't log in.
    disabled: bool,
    /// Null: not locked.
    locked_until: Option<Time>,
    /// UTC.
    created_at: Time,
    /// Null: never.
    last_login_at: Option<Time>,
}

/// Shows an account. `now` decides whether a lock still holds.
#[must_use]
pub fn user(user: &domain::user::User, now: Timestamp) -> User<'_> {
    User {
        id: Id(user.id),
        email: user.email.as_str(),
        email_verified: user.email_verified_at.is_some(),
        name: user.name.as_str(),
        roles: Texts(&user.roles),
        permissions: Texts(&user.permissions),
        two_factor: user.has_two_factor(),
        passkeys: user.passkeys,
        disabled: user.disabled_at.is_some(),
        locked_until: user.locked_until.filter(|until| *until > now).map(Time),
        created_at: Time(user.created_at),
        last_login_at: user.last_login_at.map(Time),
    }
}

/// An account with what signs in to it besides its password.
#[derive(Serialize, JsonSchema, Debug)]
pub struct UserWithIdentities<'a> {
    #[serde(flatten)]
    user: User<'a>,
    /// Whether an authenticator app is a second factor of it.
    totp: bool,
    /// In the order in which they were linked.
    identities: Vec<Identity<'a>>,
}

/// Shows an account with its identities. `now`: see [`user`].
#[must_use]
pub fn user_with_identities<'a>(
    of: &'a domain::user::User,
    identities: &'a [domain::identity::Identity],
    now: Timestamp,
) -> UserWithIdentities<'a> {
    let identities = identities.iter().map(identity).collect();
    UserWithIdentities { user: user(of, now), totp: of.totp_at.is_some(), identities }
}

/// An account, with what its owner needs to come in where that was made: shown this once.
#[derive(Serialize, JsonSchema, Debug)]
pub struct UserWithSecret<'a> {
    #[serde(flatten)]
    user: User<'a>,
    /// A password that was made. Null: none was.
    password: Option<Revealed<'a>>,
    /// A link that sets a password, or brings back whoever lost everything; good once. Null: none was made.
    link: Option<Revealed<'a>>,
}

/// Shows an account with the password or the link that was made for it. `now`: see [`user`].
#[must_use]
pub fn user_with_secret<'a>(
    of: &'a domain::user::User,
    password: Option<&'a Secret<String>>,
    link: Option<&'a Secret<String>>,
    now: Timestamp,
) -> UserWithSecret<'a> {
    UserWithSecret { user: user(of, now), password: password.map(Revealed), link: link.map(Revealed) }
}

impl PageItem for User<'_> {
    const PAGE: &'static str = "UserPage";
    const ORDER: &'static str = "In the order in which they were made.";
}

/// The answer to a registration, where addresses are verified.
#[derive(Serialize, JsonSchema, Debug)]
pub struct VerificationSent {
    /// The same whether or not the address is taken.
    status: Sent,
}

#[derive(Serialize, JsonSchema, Debug)]
#[schemars(inline)]
#[serde(rename_all = "snake_case")]
enum Sent {
    VerificationSent,
}

/// Says that a mail is on its way.
#[must_use]
pub const fn verification_sent() -> VerificationSent {
    VerificationSent { status: Sent::VerificationSent }
}
