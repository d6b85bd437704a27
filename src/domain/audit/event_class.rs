//! The classes in which events are counted.

use super::event::Event;

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

impl Event {
    /// The class that the event is counted in.
    #[must_use]
    pub const fn class(&self) -> EventClass {
        let variant = match self {
            Self::LoginFailed { why, .. } => why.name(),
            Self::AccountLocked { network: Some(_) } => EventClass::ONE_NETWORK,
            Self::AccountLocked { network: None } => EventClass::EVERYWHERE,
            Self::DaemonStarted { .. }
            | Self::DaemonStopped
            | Self::DatabaseCreated
            | Self::DatabaseMigrated { .. }
            | Self::DatabaseBackedUp { .. }
            | Self::DatabaseRestored { .. }
            | Self::DatabaseMoved { .. }
            | Self::DatabasePruned { .. }
            | Self::SigningKeyCreated { .. }
            | Self::SigningKeyRotated { .. }
            | Self::SigningKeyRetired { .. }
            | Self::ApiKeyCreated { .. }
            | Self::ApiKeyChanged { .. }
            | Self::ApiKeyRevoked { .. }
            | Self::ApiKeyUsed { .. }
            | Self::RegistrationRequested { .. }
            | Self::RegistrationDeleted { .. }
            | Self::UserRegistered { .. }
            | Self::RegistrationRepeated
            | Self::EmailVerificationRequested
            | Self::EmailVerified
            | Self::LoginSucceeded { .. }
            | Self::TokenRefreshed
            | Self::RefreshTokenReused
            | Self::LoggedOut
            | Self::LoggedOutEverywhere { .. }
            | Self::LoggedOutElsewhere { .. }
            | Self::Reauthenticated { .. }
            | Self::ProfileChanged { .. }
            | Self::SessionRevoked
            | Self::SessionReplaced
            | Self::SessionEvicted { .. }
            | Self::TokenRevoked { .. }
            | Self::TokenMinted { .. }
            | Self::UserCreated
            | Self::UserImported { .. }
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
            | Self::PasskeyAdded { .. }
            | Self::PasskeyRemoved { .. }
            | Self::PasskeyRefused { .. }
            | Self::RecoveryLinkMade
            | Self::AccountRecovered
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
            | Self::RoleUnassigned { .. }
            | Self::IdentityLinked { .. }
            | Self::IdentityUnlinked { .. }
            | Self::IdentityFirstUsed { .. }
            | Self::AccountClaimed { .. }
            | Self::RoleGranted { .. }
            | Self::RoleWithdrawn { .. }
            | Self::RoleKept { .. }
            | Self::AppCreated { .. }
            | Self::AppEdited { .. }
            | Self::AppDeleted { .. }
            | Self::AppSignedIn { .. } => "",
        };
        EventClass { event: self.name(), variant }
    }
}
