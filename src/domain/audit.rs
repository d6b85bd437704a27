//! What the audit log records: events in the past tense, and lines that carry them.

use super::id::{SessionId, UserId};
use super::time::Timestamp;

/// Why a login failed. The client is told less.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoginFailure {
    UnknownEmail,
    WrongPassword,
    /// The account has none: invited, or signs in with others.
    NoPassword,
    /// The password was right.
    Unverified,
    /// The password was right.
    Disabled,
    /// Too many failures before; the password was not looked at.
    Locked,
    /// The second step: a wrong or used code.
    WrongCode,
}

impl LoginFailure {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownEmail => "unknown_email",
            Self::WrongPassword => "wrong_password",
            Self::NoPassword => "no_password",
            Self::Unverified => "email_not_verified",
            Self::Disabled => "account_disabled",
            Self::Locked => "too_many_attempts",
            Self::WrongCode => "wrong_code",
        }
    }
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    DatabaseCreated,
    SigningKeyCreated {
        kid: String,
    },
    UserRegistered,
    /// Somebody tried to register an address that has an account.
    RegistrationRepeated,
    EmailVerificationRequested,
    EmailVerified,
    LoginSucceeded,
    /// `email` is what was typed, for an address without an account.
    LoginFailed {
        why: LoginFailure,
        email: Option<String>,
    },
    TokenRefreshed,
    /// A refresh token was used a second time; its session has ended.
    RefreshTokenReused,
    LoggedOut,
    LoggedOutEverywhere {
        sessions: u64,
    },
    ProfileChanged,
    SessionRevoked,
    TokenRevoked {
        jti: String,
    },
    UserCreated,
    /// Taken over from another system, or another authd. `from` is the format that it came in.
    UserImported {
        from: &'static str,
    },
    /// An operator took out the users with their password hashes and second factors.
    CredentialsExported,
    UserInvited,
    PasswordResetRequested,
    PasswordReset,
    PasswordSet,
    /// The password was right; the second factor is asked for.
    SecondStepAsked,
    /// Too many failures from one network, or (without `network`) from anywhere.
    AccountLocked {
        network: Option<String>,
    },
    UserUnlocked,
    /// By its owner.
    PasswordChanged,
    /// The same password, at the cost that is configured now.
    PasswordRehashed,
    EmailChangeRequested,
    EmailChanged,
    /// A new secret was handed out; nothing is on yet.
    SecondFactorEnrolled,
    SecondFactorEnabled,
    SecondFactorDisabled,
    /// Wrong codes enough: the factor answers no more until an operator resets it.
    SecondFactorBlocked,
    /// By an operator.
    SecondFactorReset,
    RecoveryCodeUsed,
    RecoveryCodesReplaced,
    UserDisabled,
    UserEnabled,
    UserDeleted,
    /// A mail that failed was queued once more.
    MailRetried {
        mail: String,
    },
    RoleCreated {
        role: String,
    },
    RoleAssigned {
        role: String,
    },
    RoleUnassigned {
        role: String,
    },
}

impl Event {
    /// The event's name as logged, shown and filtered by.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::DatabaseCreated => "DatabaseCreated",
            Self::SigningKeyCreated { .. } => "SigningKeyCreated",
            Self::UserRegistered => "UserRegistered",
            Self::RegistrationRepeated => "RegistrationRepeated",
            Self::EmailVerificationRequested => "EmailVerificationRequested",
            Self::EmailVerified => "EmailVerified",
            Self::LoginSucceeded => "LoginSucceeded",
            Self::LoginFailed { .. } => "LoginFailed",
            Self::TokenRefreshed => "TokenRefreshed",
            Self::RefreshTokenReused => "RefreshTokenReused",
            Self::LoggedOut => "LoggedOut",
            Self::LoggedOutEverywhere { .. } => "LoggedOutEverywhere",
            Self::ProfileChanged => "ProfileChanged",
            Self::SessionRevoked => "SessionRevoked",
            Self::TokenRevoked { .. } => "TokenRevoked",
            Self::UserCreated => "UserCreated",
            Self::UserImported { .. } => "UserImported",
            Self::CredentialsExported => "CredentialsExported",
            Self::UserInvited => "UserInvited",
            Self::PasswordResetRequested => "PasswordResetRequested",
            Self::PasswordReset => "PasswordReset",
            Self::PasswordSet => "PasswordSet",
            Self::SecondStepAsked => "SecondStepAsked",
            Self::AccountLocked { .. } => "AccountLocked",
            Self::UserUnlocked => "UserUnlocked",
            Self::PasswordChanged => "PasswordChanged",
            Self::PasswordRehashed => "PasswordRehashed",
            Self::EmailChangeRequested => "EmailChangeRequested",
            Self::EmailChanged => "EmailChanged",
            Self::SecondFactorEnrolled => "SecondFactorEnrolled",
            Self::SecondFactorEnabled => "SecondFactorEnabled",
            Self::SecondFactorDisabled => "SecondFactorDisabled",
            Self::SecondFactorBlocked => "SecondFactorBlocked",
            Self::SecondFactorReset => "SecondFactorReset",
            Self::RecoveryCodeUsed => "RecoveryCodeUsed",
            Self::RecoveryCodesReplaced => "RecoveryCodesReplaced",
            Self::UserDisabled => "UserDisabled",
            Self::UserEnabled => "UserEnabled",
            Self::UserDeleted => "UserDeleted",
            Self::MailRetried { .. } => "MailRetried",
            Self::RoleCreated { .. } => "RoleCreated",
            Self::RoleAssigned { .. } => "RoleAssigned",
            Self::RoleUnassigned { .. } => "RoleUnassigned",
        }
    }

    /// What there is to say besides the name; never a secret.
    #[must_use]
    pub fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::LoginFailed { why, email } => {
                let mut details = vec![("why", why.name().to_owned())];
                details.extend(email.as_ref().map(|email| ("email", email.clone())));
                details
            }
            Self::AccountLocked { network } => network.iter().map(|network| ("network", network.clone())).collect(),
            Self::UserImported { from } => vec![("from", (*from).to_owned())],
            Self::SigningKeyCreated { kid } => vec![("kid", kid.clone())],
            Self::MailRetried { mail } => vec![("mail", mail.clone())],
            Self::LoggedOutEverywhere { sessions } => vec![("sessions", sessions.to_string())],
            Self::TokenRevoked { jti } => vec![("jti", jti.clone())],
            Self::RoleCreated { role } | Self::RoleAssigned { role } | Self::RoleUnassigned { role } => {
                vec![("role", role.clone())]
            }
            _ => Vec::new(),
        }
    }
}

/// What an event is about, besides its name. `None`: nobody, or nothing, in particular.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Subject {
    pub user: Option<UserId>,
    pub session: Option<SessionId>,
}

impl From<UserId> for Subject {
    fn from(user: UserId) -> Self {
        Self { user: Some(user), session: None }
    }
}

impl From<(UserId, SessionId)> for Subject {
    fn from((user, session): (UserId, SessionId)) -> Self {
        Self { user: Some(user), session: Some(session) }
    }
}

/// A line of the log as it is read back. Lines are never changed; each is chained to the one before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// From 1 on, without a gap.
    pub seq: i64,
    pub at: Timestamp,
    pub event: String,
    pub actor: String,
    pub user: Option<String>,
    pub session: Option<String>,
    pub ip: Option<String>,
    pub request_id: Option<String>,
    pub details: Vec<(String, String)>,
}
