//! The events that the audit log records, named in the past tense. docs/audit-events.md is written from this
//! enum: the comment of a variant is its description there, and its fields are the details of its lines.

use super::login_failure::LoginFailure;
use crate::domain::identity::Identity;
use crate::domain::passkey::Passkey;
use crate::domain::time::Timestamp;

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The daemon takes requests at `address`.
    DaemonStarted { version: &'static str, address: String },
    /// It has stopped in order. Where a start follows a start, it was killed, or the machine died.
    DaemonStopped,
    /// The first start, or `db init`, made the database.
    DatabaseCreated,
    /// An older schema was brought up.
    DatabaseMigrated { from: i64, to: i64 },
    /// A copy of everything was made.
    DatabaseBackedUp { file: String },
    /// The database is a backup from here on; `line` is the newest that stood in it, and `verified` says
    /// whether its MAC has proven that authd wrote it.
    DatabaseRestored { line: i64, sessions: u64, verified: bool },
    /// The database was moved here, from a file to a server or back.
    DatabaseMoved { from: String, to: String },
    /// An operator had expired rows deleted; the daemon does the same unasked, and writes no line.
    DatabasePruned { rows: u64 },
    /// The first key was made.
    SigningKeyCreated { kid: String },
    /// A new key signs; `previous` only verifies from now on.
    SigningKeyRotated { kid: String, previous: Option<String> },
    /// A key is gone. Before `keep_until` that was for a leak.
    SigningKeyRetired { kid: String, keep_until: Timestamp },
    /// An API key was made.
    ApiKeyCreated { name: String, id: String },
    /// What an API key may do, or how long.
    ApiKeyChanged { name: String, id: String },
    /// An API key was deleted; it opens nothing any more.
    ApiKeyRevoked { name: String, id: String },
    /// An API key was used, so many times since its last such line: one a minute and key at most.
    ApiKeyUsed { name: String, id: String, uses: u64 },
    /// Somebody registered; no account is made before the link in the mail is opened.
    RegistrationRequested { registration: String },
    /// One that waited was deleted, by an operator or an administrator.
    RegistrationDeleted { registration: String },
    /// An account was made: of a registration that waited, or at once where addresses are not verified.
    UserRegistered { registration: Option<String> },
    /// Somebody tried to register an address that has an account.
    RegistrationRepeated,
    /// A link that verifies the address was asked for once more.
    EmailVerificationRequested,
    /// The address is its owner's: a link that went to it came back.
    EmailVerified,
    /// Somebody is signed in. `amr` says how they proved who they are (RFC 8176).
    LoginSucceeded { amr: Vec<String> },
    /// Somebody is not. `email` is what was typed, for an address without an account.
    LoginFailed { why: LoginFailure, email: Option<String> },
    /// Somebody who is signed in has proved who they are once more; `amr` says how (RFC 8176).
    Reauthenticated { amr: Vec<String> },
    /// A refresh token was exchanged for the next.
    TokenRefreshed,
    /// A refresh token was used a second time; its session has ended.
    RefreshTokenReused,
    /// A session was ended by its owner from within.
    LoggedOut,
    /// All sessions of a user ended, so many.
    LoggedOutEverywhere { sessions: u64 },
    /// All sessions of a user ended but the one that asked for it, so many.
    LoggedOutElsewhere { sessions: u64 },
    /// What an account says of its owner was changed: `fields` names what, without the values.
    ProfileChanged { fields: Vec<&'static str> },
    /// A session was ended from elsewhere, by its owner or an operator.
    SessionRevoked,
    /// Somebody logged in anew in the browser that had this session in its cookies.
    SessionReplaced,
    /// A session made room for a new one of its user: it was unused for longest. Where several had to, it is
    /// the longest unused of `sessions`.
    SessionEvicted { sessions: u64 },
    /// One access token was revoked before its end.
    TokenRevoked { jti: String },
    /// An operator made an access token for somebody.
    TokenMinted { jti: String, expires_at: Timestamp },
    /// An operator made an account.
    UserCreated,
    /// Taken over from another system, or another authd. `from` is the format that it came in.
    UserImported { from: &'static str },
    /// An operator took out the users with their password hashes and second factors.
    CredentialsExported,
    /// An operator took out the users without those.
    UsersExported,
    /// An operator took out the audit log.
    AuditExported,
    /// A link to set the first password was mailed.
    UserInvited,
    /// A link to set a new password was asked for.
    PasswordResetRequested,
    /// A link to set a new password was used; all sessions ended.
    PasswordReset,
    /// A link and a code to sign in with were asked for.
    MagicLinkRequested,
    /// By an operator; all sessions ended.
    PasswordSet,
    /// The password was right; the second factor is asked for.
    SecondStepAsked,
    /// The password was right, and must be changed first.
    PasswordChangeAsked,
    /// Too many failures from one network, or (without `network`) from anywhere.
    AccountLocked { network: Option<String> },
    /// An operator ended the locks of an account.
    UserUnlocked,
    /// By its owner; other sessions ended.
    PasswordChanged,
    /// It was set before anybody had verified the address, which somebody did who signed in by mail; all that
    /// it had begun ended with it.
    PasswordVoided,
    /// A login had the same password hashed at the cost that is configured now.
    PasswordRehashed,
    /// A link was mailed to an address that is to take the place of the old.
    EmailChangeRequested,
    /// The account has another address.
    EmailChanged,
    /// A new secret was handed out; nothing is on yet.
    SecondFactorEnrolled,
    /// A code of the new secret was shown: logins ask for one from now on.
    SecondFactorEnabled,
    /// By its owner, with the factor.
    SecondFactorDisabled,
    /// Too many wrong codes: the factor takes none until an operator resets it.
    SecondFactorBlocked,
    /// An operator took the factor away.
    SecondFactorReset,
    /// An operator had a code checked; it was good, and its step is spent.
    SecondFactorChecked,
    /// A passkey signs somebody in from now on, and is their second factor.
    PasskeyAdded { passkey: String },
    /// It does so no more, by its owner, an operator, or as all factors of the account were taken away.
    PasskeyRemoved { passkey: String },
    /// A passkey was shown, and one of the checks failed: `check` says which. `counter` means that there
    /// may be a copy of it.
    PasskeyRefused { passkey: String, check: &'static str },
    /// An operator made a link by which somebody who has lost everything gets back in.
    RecoveryLinkMade,
    /// It was used: the account has a new password, and its factors and sessions are gone.
    AccountRecovered,
    /// In the place of a code from the app.
    RecoveryCodeUsed,
    /// New codes were made, and the old ones count no more.
    RecoveryCodesReplaced,
    /// The account can't log in; its sessions ended.
    UserDisabled,
    /// It can again.
    UserEnabled,
    /// By its owner or an operator. The log alone remembers the id.
    UserDeleted,
    /// A mail that failed was queued once more.
    MailRetried { mail: String },
    /// The oldest lines were deleted, up to this number.
    AuditPruned { lines: i64, through: i64 },
    /// A role was made.
    RoleCreated { role: String },
    /// The permissions that were added and removed, and whether the description changed.
    RoleEdited { role: String, added: Vec<String>, removed: Vec<String>, description: bool },
    /// A role is gone; so many users had it.
    RoleDeleted { role: String, users: u64 },
    /// A user has a role from now on.
    RoleAssigned { role: String },
    /// A user has it no more.
    RoleUnassigned { role: String },
    /// An account at a provider signs in to this one from now on: by its owner, an operator, or as the
    /// account was made or claimed by it. `email` is what the provider stated, if anything.
    IdentityLinked { provider: String, issuer: String, subject: String, email: Option<String> },
    /// It does so no more.
    IdentityUnlinked { provider: String, issuer: String, subject: String },
    /// Somebody signed in by an identity for the first time since an operator linked it.
    IdentityFirstUsed { provider: String },
    /// Somebody whose provider vouches for the address has claimed an account whose address nobody had
    /// verified: whatever was set up on it is gone, and its sessions ended.
    AccountClaimed { provider: String },
    /// A user has a role from now on, for as long as their provider says so.
    RoleGranted { role: String, provider: String },
    /// A user has it no more: their provider doesn't say so any longer, or doesn't sign them in.
    RoleWithdrawn { role: String, provider: String },
    /// A provider would have taken the role from the last enabled admin, who keeps it.
    RoleKept { role: String, provider: String },
    /// An application is behind the gate; `rule` is `everyone`, or the roles that may use it.
    AppCreated { app: String, url: String, rule: String },
    /// Its address, or who may use it, as they are from now on.
    AppEdited { app: String, url: String, rule: String },
    /// An application is gone; the gate lets nobody into it.
    AppDeleted { app: String },
    /// Somebody who is signed in has come to an application's host, and gets its cookie.
    AppSignedIn { app: String },
}

impl Event {
    /// That an identity is linked from now on.
    #[must_use]
    pub fn identity_linked(identity: &Identity) -> Self {
        let Identity { provider, key, email, .. } = identity;
        let (issuer, subject) = (key.issuer.clone(), key.subject.clone());
        Self::IdentityLinked { provider: provider.to_string(), issuer, subject, email: email.clone() }
    }

    /// That it is no more.
    #[must_use]
    pub fn identity_unlinked(identity: &Identity) -> Self {
        let (issuer, subject) = (identity.key.issuer.clone(), identity.key.subject.clone());
        Self::IdentityUnlinked { provider: identity.provider.to_string(), issuer, subject }
    }

    /// That somebody has a passkey from now on.
    #[must_use]
    pub fn passkey_added(passkey: &Passkey) -> Self {
        Self::PasskeyAdded { passkey: passkey.id.to_string() }
    }

    /// That they have it no more.
    #[must_use]
    pub fn passkey_removed(passkey: &Passkey) -> Self {
        Self::PasskeyRemoved { passkey: passkey.id.to_string() }
    }

    /// How often it happened, where one line tells of many.
    #[must_use]
    pub const fn times(&self) -> u64 {
        if let Self::LoginFailed { why: LoginFailure::Locked { tries }, .. } = self { *tries } else { 1 }
    }

    /// The details that are logged beside the name; never a secret.
    #[must_use]
    pub fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::LoginFailed { why, email } => {
                let mut details = vec![("why", why.name().to_owned())];
                if let LoginFailure::Locked { tries: tries @ 2.. } = why {
                    details.push(("tries", tries.to_string()));
                }
                details.extend(email.as_ref().map(|email| ("email", email.clone())));
                details
            }
            Self::AccountLocked { network } => {
                network.iter().map(|network| ("network", network.clone())).collect()
            }
            Self::DaemonStarted { version, address } => {
                vec![("version", (*version).to_owned()), ("address", address.clone())]
            }
            Self::LoginSucceeded { amr } | Self::Reauthenticated { amr } => vec![("amr", amr.join(" "))],
            Self::ApiKeyUsed { name, id, uses } => {
                vec![("name", name.clone()), ("id", id.clone()), ("uses", uses.to_string())]
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
            Self::DatabaseMoved { from, to } => vec![("from", from.clone()), ("to", to.clone())],
            Self::DatabasePruned { rows } => vec![("rows", rows.to_string())],
            Self::RegistrationRequested { registration } | Self::RegistrationDeleted { registration } => {
                vec![("registration", registration.clone())]
            }
            Self::UserRegistered { registration } => {
                registration.iter().map(|registration| ("registration", registration.clone())).collect()
            }
            Self::ProfileChanged { fields } => vec![("fields", fields.join(" "))],
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
            Self::LoggedOutEverywhere { sessions }
            | Self::LoggedOutElsewhere { sessions }
            | Self::SessionEvicted { sessions } => vec![("sessions", sessions.to_string())],
            Self::TokenRevoked { jti } => vec![("jti", jti.clone())],
            Self::RoleCreated { role } | Self::RoleAssigned { role } | Self::RoleUnassigned { role } => {
                vec![("role", role.clone())]
            }
            Self::RoleEdited { role, added, removed, description } => {
                let mut details = vec![("role", role.clone())];
                let lists = [("added", added), ("removed", removed)];
                details.extend(
                    lists
                        .iter()
                        .filter(|(_, list)| !list.is_empty())
                        .map(|(name, list)| (*name, list.join(" "))),
                );
                details.extend(description.then(|| ("description", "changed".to_owned())));
                details
            }
            Self::RoleDeleted { role, users } => {
                vec![("role", role.clone()), ("users", users.to_string())]
            }
            Self::AppCreated { app, url, rule } | Self::AppEdited { app, url, rule } => {
                vec![("app", app.clone()), ("url", url.clone()), ("rule", rule.clone())]
            }
            Self::IdentityLinked { provider, issuer, subject, email } => {
                let mut details = identity(provider, issuer, subject);
                details.extend(email.as_ref().map(|email| ("email", email.clone())));
                details
            }
            Self::IdentityUnlinked { provider, issuer, subject } => identity(provider, issuer, subject),
            Self::IdentityFirstUsed { provider } | Self::AccountClaimed { provider } => {
                vec![("provider", provider.clone())]
            }
            Self::RoleGranted { role, provider }
            | Self::RoleWithdrawn { role, provider }
            | Self::RoleKept { role, provider } => {
                vec![("role", role.clone()), ("provider", provider.clone())]
            }
            Self::AppDeleted { app } | Self::AppSignedIn { app } => vec![("app", app.clone())],
            Self::PasskeyAdded { passkey } | Self::PasskeyRemoved { passkey } => {
                vec![("passkey", passkey.clone())]
            }
            Self::PasskeyRefused { passkey, check } => {
                vec![("passkey", passkey.clone()), ("check", (*check).to_owned())]
            }
            Self::DaemonStopped
            | Self::RecoveryLinkMade
            | Self::AccountRecovered
            | Self::DatabaseCreated
            | Self::RegistrationRepeated
            | Self::EmailVerificationRequested
            | Self::EmailVerified
            | Self::TokenRefreshed
            | Self::RefreshTokenReused
            | Self::LoggedOut
            | Self::SessionRevoked
            | Self::SessionReplaced
            | Self::UserCreated
            | Self::CredentialsExported
            | Self::UsersExported
            | Self::AuditExported
            | Self::UserInvited
            | Self::PasswordResetRequested
            | Self::PasswordReset
            | Self::MagicLinkRequested
            | Self::PasswordVoided
            | Self::PasswordSet
            | Self::SecondStepAsked
            | Self::PasswordChangeAsked
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

fn identity(provider: &str, issuer: &str, subject: &str) -> Vec<(&'static str, String)> {
    vec![("provider", provider.to_owned()), ("issuer", issuer.to_owned()), ("subject", subject.to_owned())]
}
