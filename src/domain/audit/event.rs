//! The events that the audit log records, named in the past tense, and what each counts as.

use crate::domain::time::Timestamp;

/// Why a login failed. The client is told less.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoginFailure {
    UnknownEmail,
    WrongPassword,
    /// The account has none: invited, or signs in with others.
    NoPassword,
    /// The password was right.
    Unverified,
    /// The password is that of a registration whose link was not opened yet.
    Pending,
    /// The password was right.
    Disabled,
    /// Too many failures before; the password was not looked at.
    Locked,
    /// The second step: a wrong or used code.
    WrongCode,
}

impl LoginFailure {
    pub const ALL: [Self; 8] = [
        Self::UnknownEmail,
        Self::WrongPassword,
        Self::NoPassword,
        Self::Unverified,
        Self::Pending,
        Self::Disabled,
        Self::Locked,
        Self::WrongCode,
    ];

    /// The reason as it is logged and counted.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownEmail => "unknown_email",
            Self::WrongPassword => "wrong_password",
            Self::NoPassword => "no_password",
            Self::Unverified => "email_not_verified",
            Self::Pending => "registration_pending",
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
    /// An older schema was brought up.
    DatabaseMigrated {
        from: i64,
        to: i64,
    },
    /// A copy of everything was made.
    DatabaseBackedUp {
        file: String,
    },
    /// The database is a backup from here on; `line` is the newest that stood in it.
    DatabaseRestored {
        line: i64,
        sessions: u64,
        /// Whether its MAC has proven that authd wrote it.
        verified: bool,
    },
    /// By an operator; the daemon does the same unasked, and writes no line.
    DatabasePruned {
        rows: u64,
    },
    SigningKeyCreated {
        kid: String,
    },
    /// A new key signs; `previous` only verifies from now on.
    SigningKeyRotated {
        kid: String,
        previous: Option<String>,
    },
    /// A key is gone. Before `keep_until` that was for a leak.
    SigningKeyRetired {
        kid: String,
        keep_until: Timestamp,
    },
    ApiKeyCreated {
        name: String,
        id: String,
    },
    /// What it may do, or how long.
    ApiKeyChanged {
        name: String,
        id: String,
    },
    ApiKeyRevoked {
        name: String,
        id: String,
    },
    /// Somebody registered; no account is made before the link in the mail is opened.
    RegistrationRequested {
        registration: String,
    },
    /// One that waited was deleted, by an operator or an administrator.
    RegistrationDeleted {
        registration: String,
    },
    /// An account was made: of a registration that waited, or at once where addresses are not verified.
    UserRegistered {
        registration: Option<String>,
    },
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
    /// Somebody logged in anew in the browser that had this session in its cookies.
    SessionReplaced,
    TokenRevoked {
        jti: String,
    },
    /// An operator made an access token for somebody.
    TokenMinted {
        jti: String,
        expires_at: Timestamp,
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
    /// Too many wrong codes: the factor takes none until an operator resets it.
    SecondFactorBlocked,
    /// By an operator.
    SecondFactorReset,
    /// An operator had a code checked; it was good, and its step is spent.
    SecondFactorChecked,
    RecoveryCodeUsed,
    RecoveryCodesReplaced,
    UserDisabled,
    UserEnabled,
    UserDeleted,
    /// A mail that failed was queued once more.
    MailRetried {
        mail: String,
    },
    /// The oldest lines were deleted, up to this number.
    AuditPruned {
        lines: i64,
        through: i64,
    },
    RoleCreated {
        role: String,
    },
    /// The permissions that were added and removed; `described`: its description changed, too.
    RoleEdited {
        role: String,
        added: Vec<String>,
        removed: Vec<String>,
        described: bool,
    },
    /// So many users had it.
    RoleDeleted {
        role: String,
        users: u64,
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
            Self::DatabaseMigrated { .. } => "DatabaseMigrated",
            Self::DatabaseBackedUp { .. } => "DatabaseBackedUp",
            Self::DatabaseRestored { .. } => "DatabaseRestored",
            Self::DatabasePruned { .. } => "DatabasePruned",
            Self::SigningKeyCreated { .. } => "SigningKeyCreated",
            Self::SigningKeyRotated { .. } => "SigningKeyRotated",
            Self::SigningKeyRetired { .. } => "SigningKeyRetired",
            Self::ApiKeyCreated { .. } => "ApiKeyCreated",
            Self::ApiKeyChanged { .. } => "ApiKeyChanged",
            Self::ApiKeyRevoked { .. } => "ApiKeyRevoked",
            Self::RegistrationRequested { .. } => "RegistrationRequested",
            Self::RegistrationDeleted { .. } => "RegistrationDeleted",
            Self::UserRegistered { .. } => "UserRegistered",
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
            Self::SessionReplaced => "SessionReplaced",
            Self::TokenRevoked { .. } => "TokenRevoked",
            Self::TokenMinted { .. } => "TokenMinted",
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
            Self::SecondFactorChecked => "SecondFactorChecked",
            Self::RecoveryCodeUsed => "RecoveryCodeUsed",
            Self::RecoveryCodesReplaced => "RecoveryCodesReplaced",
            Self::UserDisabled => "UserDisabled",
            Self::UserEnabled => "UserEnabled",
            Self::UserDeleted => "UserDeleted",
            Self::MailRetried { .. } => "MailRetried",
            Self::AuditPruned { .. } => "AuditPruned",
            Self::RoleCreated { .. } => "RoleCreated",
            Self::RoleEdited { .. } => "RoleEdited",
            Self::RoleDeleted { .. } => "RoleDeleted",
            Self::RoleAssigned { .. } => "RoleAssigned",
            Self::RoleUnassigned { .. } => "RoleUnassigned",
        }
    }

    /// The class that the event is counted in.
    #[must_use]
    pub const fn class(&self) -> EventClass {
        let variant = match self {
            Self::LoginFailed { why, .. } => why.name(),
            Self::AccountLocked { network: Some(_) } => EventClass::ONE_NETWORK,
            Self::AccountLocked { network: None } => EventClass::EVERYWHERE,
            Self::DatabaseCreated
            | Self::DatabaseMigrated { .. }
            | Self::DatabaseBackedUp { .. }
            | Self::DatabaseRestored { .. }
            | Self::DatabasePruned { .. }
            | Self::SigningKeyCreated { .. }
            | Self::SigningKeyRotated { .. }
            | Self::SigningKeyRetired { .. }
            | Self::ApiKeyCreated { .. }
            | Self::ApiKeyChanged { .. }
            | Self::ApiKeyRevoked { .. }
            | Self::RegistrationRequested { .. }
            | Self::RegistrationDeleted { .. }
            | Self::UserRegistered { .. }
            | Self::RegistrationRepeated
            | Self::EmailVerificationRequested
            | Self::EmailVerified
            | Self::LoginSucceeded
            | Self::TokenRefreshed
            | Self::RefreshTokenReused
            | Self::LoggedOut
            | Self::LoggedOutEverywhere { .. }
            | Self::ProfileChanged
            | Self::SessionRevoked
            | Self::SessionReplaced
            | Self::TokenRevoked { .. }
            | Self::TokenMinted { .. }
            | Self::UserCreated
            | Self::UserImported { .. }
            | Self::CredentialsExported
            | Self::UserInvited
            | Self::PasswordResetRequested
            | Self::PasswordReset
            | Self::PasswordSet
            | Self::SecondStepAsked
            | Self::UserUnlocked
            | Self::PasswordChanged
            | Self::PasswordRehashed
            | Self::EmailChangeRequested
            | Self::EmailChanged
            | Self::SecondFactorEnrolled
            | Self::SecondFactorEnabled
            | Self::SecondFactorDisabled
            | Self::SecondFactorBlocked
            | Self::SecondFactorReset
            | Self::SecondFactorChecked
            | Self::RecoveryCodeUsed
            | Self::RecoveryCodesReplaced
            | Self::UserDisabled
            | Self::UserEnabled
            | Self::UserDeleted
            | Self::MailRetried { .. }
            | Self::AuditPruned { .. }
            | Self::RoleCreated { .. }
            | Self::RoleEdited { .. }
            | Self::RoleDeleted { .. }
            | Self::RoleAssigned { .. }
            | Self::RoleUnassigned { .. } => "",
        };
        EventClass { event: self.name(), variant }
    }

    /// The details that are logged beside the name; never a secret.
    #[must_use]
    pub fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::LoginFailed { why, email } => {
                let mut details = vec![("why", why.name().to_owned())];
                details.extend(email.as_ref().map(|email| ("email", email.clone())));
                details
            }
            Self::AccountLocked { network } => {
                network.iter().map(|network| ("network", network.clone())).collect()
            }
            Self::DatabaseMigrated { from, to } => {
                vec![("from", from.to_string()), ("to", to.to_string())]
            }
            Self::DatabaseBackedUp { file } => vec![("file", file.clone())],
            Self::DatabaseRestored { line, sessions, verified } => vec![
                ("line", line.to_string()),
                ("sessions", sessions.to_string()),
                ("verified", verified.to_string()),
            ],
            Self::DatabasePruned { rows } => vec![("rows", rows.to_string())],
            Self::RegistrationRequested { registration } | Self::RegistrationDeleted { registration } => {
                vec![("registration", registration.clone())]
            }
            Self::UserRegistered { registration } => {
                registration.iter().map(|registration| ("registration", registration.clone())).collect()
            }
            Self::UserImported { from } => vec![("from", (*from).to_owned())],
            Self::SigningKeyCreated { kid } => vec![("kid", kid.clone())],
            Self::SigningKeyRotated { kid, previous } => {
                let mut details = vec![("kid", kid.clone())];
                details.extend(previous.as_ref().map(|previous| ("previous", previous.clone())));
                details
            }
            Self::SigningKeyRetired { kid, keep_until } => {
                vec![("kid", kid.clone()), ("keep_until", keep_until.to_string())]
            }
            Self::ApiKeyCreated { name, id }
            | Self::ApiKeyChanged { name, id }
            | Self::ApiKeyRevoked { name, id } => vec![("name", name.clone()), ("id", id.clone())],
            Self::TokenMinted { jti, expires_at } => {
                vec![("jti", jti.clone()), ("expires_at", expires_at.to_string())]
            }
            Self::AuditPruned { lines, through } => {
                vec![("lines", lines.to_string()), ("through", through.to_string())]
            }
            Self::MailRetried { mail } => vec![("mail", mail.clone())],
            Self::LoggedOutEverywhere { sessions } => vec![("sessions", sessions.to_string())],
            Self::TokenRevoked { jti } => vec![("jti", jti.clone())],
            Self::RoleCreated { role } | Self::RoleAssigned { role } | Self::RoleUnassigned { role } => {
                vec![("role", role.clone())]
            }
            Self::RoleEdited { role, added, removed, described } => {
                let mut details = vec![("role", role.clone())];
                let lists = [("added", added), ("removed", removed)];
                details.extend(
                    lists
                        .iter()
                        .filter(|(_, list)| !list.is_empty())
                        .map(|(name, list)| (*name, list.join(" "))),
                );
                details.extend(described.then(|| ("description", "changed".to_owned())));
                details
            }
            Self::RoleDeleted { role, users } => {
                vec![("role", role.clone()), ("users", users.to_string())]
            }
            Self::DatabaseCreated
            | Self::RegistrationRepeated
            | Self::EmailVerificationRequested
            | Self::EmailVerified
            | Self::LoginSucceeded
            | Self::TokenRefreshed
            | Self::RefreshTokenReused
            | Self::LoggedOut
            | Self::ProfileChanged
            | Self::SessionRevoked
            | Self::SessionReplaced
            | Self::UserCreated
            | Self::CredentialsExported
            | Self::UserInvited
            | Self::PasswordResetRequested
            | Self::PasswordReset
            | Self::PasswordSet
            | Self::SecondStepAsked
            | Self::UserUnlocked
            | Self::PasswordChanged
            | Self::PasswordRehashed
            | Self::EmailChangeRequested
            | Self::EmailChanged
            | Self::SecondFactorEnrolled
            | Self::SecondFactorEnabled
            | Self::SecondFactorDisabled
            | Self::SecondFactorBlocked
            | Self::SecondFactorReset
            | Self::SecondFactorChecked
            | Self::RecoveryCodeUsed
            | Self::RecoveryCodesReplaced
            | Self::UserDisabled
            | Self::UserEnabled
            | Self::UserDeleted => Vec::new(),
        }
    }
}

/// The class in which an event is counted: one of few, whatever its details.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct EventClass {
    /// [`Event::name`].
    pub event: &'static str,
    /// Why a login failed, or for whom an account was locked; empty for other events.
    pub variant: &'static str,
}

impl EventClass {
    pub const ONE_NETWORK: &'static str = "network";
    pub const EVERYWHERE: &'static str = "account";
}
