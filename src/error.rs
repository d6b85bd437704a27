//! The two ways in which an action can fail, and nothing about how a face shows them: `web/status.rs` has the
//! HTTP statuses, `cli/exit.rs` the exit codes.
//!
//! A [`Refusal`] is what a caller can cause and can mend. A [`Fault`] is what an operator must mend.
//! Both carry a stable [`code`](Refusal::code) that scripts and clients may rely on.

use std::fmt;
use std::time::Duration;

/// One field that was not acceptable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The name of the field (or of the command line's argument).
    pub field: String,
    /// Stable, snake_case: `missing`, `unknown`, `wrong_type`, `invalid`, `too_long`, `too_short`,
    /// `out_of_range`, `repeated`, `conflict` (with another field).
    pub code: &'static str,
    /// For people: what is wrong and what would be right.
    pub message: String,
}

impl FieldError {
    /// Says what is wrong with one field: `code` for programs, `message` for people.
    pub fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { field: field.into(), code, message: message.into() }
    }
}

/// What a caller can cause. A refusal is an answer: what was written on the way to it (a counter, an
/// audit line) is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A bearer or refresh token that is not good (any more).
    InvalidToken,
    /// A one-time link that is wrong, spent, replaced or too old.
    InvalidLink,
    /// A ticket for another password that is wrong, spent or too old.
    InvalidTicket,
    /// No proof of who is asking.
    Unauthenticated,
    /// Address and password don't belong together.
    InvalidCredentials,
    /// The caller is known, and the password is not theirs.
    WrongPassword,
    /// A second factor's code that is wrong, used or too old, or a ticket that is.
    InvalidCode,
    /// The login is too long ago, or was made without the second factor.
    FreshLoginRequired,
    /// The account must have a second factor and has none: until then it can do nothing else.
    TwoFactorSetupRequired,
    /// Too many failures; nothing was looked at.
    TooManyAttempts {
        retry_after: Duration,
    },
    /// The actor lacks this permission.
    Forbidden {
        permission: String,
    },
    /// The actor lacks this role, where one is asked for by its name.
    RoleRequired {
        role: String,
    },
    /// Who may use this application is laid down, and the actor is none of them.
    AppNotAllowed {
        app: String,
    },
    /// The address has not been verified yet.
    EmailNotVerified,
    AccountDisabled,
    RegistrationClosed,
    /// Nothing of that name. `what` is a noun: `user`, `role`, `session`.
    NotFound {
        what: &'static str,
        name: String,
    },
    /// Another account has this address.
    EmailTaken,
    /// The second factor is on.
    AlreadyEnabled,
    /// Something of that name stands already. `what` is a noun.
    AlreadyExists {
        what: &'static str,
        name: String,
    },
    /// It goes against what else stands; the reason says what to do first.
    Conflict {
        reason: String,
    },
    /// The last enabled admin can't be deleted, disabled or stripped of the role.
    LastAdmin,
    /// A role that is part of authd can't be deleted, nor lose what makes it that role.
    BuiltInRole {
        role: String,
    },
    /// Fields that are missing, unknown or out of range; never empty.
    Invalid(Vec<FieldError>),
    /// A page cursor that this server did not make.
    BadCursor,
    /// A provider of identities didn't answer, or what it said can't be believed.
    ProviderFailed,
    /// It said no, or the person did there.
    ProviderRefused,
    /// Nobody was sent to a provider from this browser with this state, or too long ago.
    StateMismatch,
    /// The address belongs to an account that this identity may not take.
    LinkRequired,
    /// Another account has the identity.
    IdentityInUse,
    /// The provider stated no address.
    EmailRequired,
    /// Addresses of this domain may not sign in with this provider.
    DomainNotAllowed,
    /// Without it nothing would sign in to the account.
    LastWayIn,
    /// Registrations with different passwords wait for the address: the link alone doesn't say which it is.
    PasswordRequired,
    /// The password policy says no; the text says why.
    WeakPassword {
        reason: String,
    },
}

impl Refusal {
    /// Makes a `validation_failed` with one field's error.
    pub fn invalid(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, code, message)])
    }

    /// Makes a `not_found` for a `what` of this name; an empty name is left out of the text.
    pub fn not_found(what: &'static str, name: impl Into<String>) -> Self {
        Self::NotFound { what, name: name.into() }
    }

    /// The stable, snake_case name of this refusal, by which scripts and clients know it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidToken | Self::InvalidLink | Self::InvalidTicket => "invalid_token",
            Self::Unauthenticated => "unauthenticated",
            Self::InvalidCredentials | Self::WrongPassword => "invalid_credentials",
            Self::InvalidCode => "invalid_code",
            Self::FreshLoginRequired => "fresh_login_required",
            Self::TwoFactorSetupRequired => "two_factor_setup_required",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::Forbidden { .. } | Self::RoleRequired { .. } | Self::AppNotAllowed { .. } => "forbidden",
            Self::EmailNotVerified => "email_not_verified",
            Self::AccountDisabled => "account_disabled",
            Self::RegistrationClosed => "registration_closed",
            Self::NotFound { .. } => "not_found",
            Self::EmailTaken => "email_taken",
            Self::AlreadyEnabled => "already_enabled",
            Self::AlreadyExists { .. } => "already_exists",
            Self::Conflict { .. } => "conflict",
            Self::LastAdmin => "last_admin",
            Self::BuiltInRole { .. } => "built_in_role",
            Self::Invalid(_) => "validation_failed",
            Self::BadCursor => "invalid_cursor",
            Self::ProviderFailed => "provider_failed",
            Self::ProviderRefused => "provider_refused",
            Self::StateMismatch => "state_mismatch",
            Self::LinkRequired => "link_required",
            Self::IdentityInUse => "identity_in_use",
            Self::EmailRequired => "email_required",
            Self::DomainNotAllowed => "domain_not_allowed",
            Self::LastWayIn => "last_way_in",
            Self::PasswordRequired => "password_required",
            Self::WeakPassword { .. } => "weak_password",
        }
    }
}

/// One sentence or two for people: what happened, and what to do next.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidToken => f.write_str("the token is not valid (any more); log in again"),
            Self::InvalidLink => f.write_str("this link is not valid (any more); ask for a new one"),
            Self::InvalidTicket => f.write_str("the ticket is not valid (any more); log in again"),
            Self::Unauthenticated => f.write_str("this needs a login"),
            Self::InvalidCredentials => {
                f.write_str("e-mail address and password don't match; check both and try again")
            }
            Self::WrongPassword => f.write_str("this is not the account's password; check it and try again"),
            Self::InvalidCode => {
                f.write_str("the code is not valid (any more); wait for the next one and try again, or log in again")
            }
            Self::FreshLoginRequired => f.write_str(
                "this needs a login of the last 5 minutes, with the second factor where one is on; log in again",
            ),
            Self::TwoFactorSetupRequired => {
                f.write_str("this account must have a second factor before it can do anything else; set one up")
            }
            Self::TooManyAttempts { retry_after } => {
                write!(f, "too many failed attempts; wait {} s and try again", whole_secs(*retry_after))
            }
            Self::Forbidden { permission } => {
                write!(f, "this needs the permission {permission}; ask an administrator for a role that holds it")
            }
            Self::RoleRequired { role } => {
                write!(f, "this needs the role {role}; ask an administrator for it, then try again")
            }
            Self::AppNotAllowed { app } => {
                write!(f, "the application {app} is not open to this account; ask an administrator, then try again")
            }
            Self::EmailNotVerified => {
                f.write_str("the e-mail address is not verified yet; open the link in the mail, or ask for a new one")
            }
            Self::AccountDisabled => f.write_str("this account is disabled; an administrator can enable it"),
            Self::RegistrationClosed => {
                f.write_str("registration is closed here; ask an administrator for an invitation")
            }
            Self::NotFound { what, name } if name.is_empty() => write!(f, "there is no such {what}"),
            Self::NotFound { what, name } => write!(f, "there is no {what} {name}"),
            Self::EmailTaken => {
                f.write_str("another account has this e-mail address; use another one, or log in to that account")
            }
            Self::AlreadyExists { what, name } => {
                write!(f, "the {what} {name} exists already; choose another name")
            }
            Self::AlreadyEnabled => f.write_str("the second factor is on already; turn it off first"),
            Self::Conflict { reason } => f.write_str(reason),
            Self::LastAdmin => f.write_str("this is the last enabled admin; give another user the role admin first"),
            Self::BuiltInRole { role } => write!(
                f,
                "the role {role} is built in: it can't be deleted and keeps the permissions of authd's own; make another role"
            ),
            Self::Invalid(errors) => {
                for (i, error) in errors.iter().enumerate() {
                    let separator = if i == 0 { "" } else { "; " };
                    write!(f, "{separator}{}: {}", error.field, error.message)?;
                }
                Ok(())
            }
            Self::BadCursor => f.write_str("this page cursor was not made by this server; start again without one"),
            Self::ProviderFailed => {
                f.write_str("the provider did not answer as it must; try again, or sign in another way")
            }
            Self::ProviderRefused => {
                f.write_str("the provider did not sign you in, or you said no there; try again, or sign in another way")
            }
            Self::StateMismatch => {
                f.write_str("this sign-in did not begin in this browser, or too long ago; begin again")
            }
            Self::LinkRequired => {
                f.write_str("the provider's e-mail address belongs to an account here; log in to that and link it there")
            }
            Self::IdentityInUse => {
                f.write_str("this identity signs in to another account; unlink it there first")
            }
            Self::EmailRequired => {
                f.write_str("the provider stated no e-mail address; let it tell one, or register here")
            }
            Self::DomainNotAllowed => {
                f.write_str("e-mail addresses of this domain may not sign in this way; use another account there")
            }
            Self::LastWayIn => {
                f.write_str("nothing else would sign in to the account; set a password or link another identity first")
            }
            Self::PasswordRequired => f.write_str(
                "somebody else has registered this address, too; show the password that you chose beside the link",
            ),
            Self::WeakPassword { reason } => write!(f, "{reason}; choose another password"),
        }
    }
}

/// Whole seconds, rounded up, at least one: waiting that long is enough.
#[must_use]
pub fn whole_secs(span: Duration) -> u64 {
    u64::try_from(span.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

/// What an operator must mend. A fault rolls back; its text is logged and never sent to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// More work than this machine takes on at once; nothing was done.
    Overloaded { retry_after: Duration },
    /// The database is busy, full or can't be written; nothing was changed.
    StorageUnavailable(String),
    /// The database's content is not what it must be (damaged, or of another version).
    Storage(String),
    /// A file that holds something else than authd has written to it: somebody else did.
    CheckFailed(String),
    /// A file that this user may not read or write, or that others can read.
    Permission(String),
    /// The configuration is wrong; names file, line and key.
    Config(String),
    /// Somebody asked for the end of a long piece of work: what is so now.
    Stopped(String),
    /// An error in authd itself, or of the machine.
    Internal(String),
}

impl Fault {
    /// The stable, snake_case name of this fault for clients, who need not know more of it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Overloaded { .. } => "overloaded",
            Self::StorageUnavailable(_) => "storage_unavailable",
            Self::Storage(_)
            | Self::CheckFailed(_)
            | Self::Permission(_)
            | Self::Config(_)
            | Self::Stopped(_)
            | Self::Internal(_) => "internal",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overloaded { retry_after } => {
                write!(f, "too much to do at once; try again in {} s", whole_secs(*retry_after))
            }
            Self::StorageUnavailable(text)
            | Self::Storage(text)
            | Self::CheckFailed(text)
            | Self::Permission(text)
            | Self::Config(text)
            | Self::Stopped(text)
            | Self::Internal(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Fault {}

/// Why an action was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    Refused(Refusal),
    Failed(Fault),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Failed(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// What a write transaction came to. A refusal commits; only a fault rolls back.
///
/// A failed login has to keep its counter and its audit line. Were a refusal an `Err`, `?` would
/// roll both back and the lockout would never trigger.
#[must_use]
#[derive(Debug)]
pub enum Decision<T> {
    Grant(T),
    Refuse(Refusal),
}

impl<T> Decision<T> {
    /// Turns what is granted into something else.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Decision<U> {
        match self {
            Self::Grant(value) => Decision::Grant(turn(value)),
            Self::Refuse(refusal) => Decision::Refuse(refusal),
        }
    }
}
