//! The names of events and their tones, in one list that the compiler holds complete: an event that is not in
//! it has no name.

use super::event::Event;

/// How an event wants to be looked at, whatever its details. It is not logged; people see it as a colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventTone {
    /// What happens all day, and whatever is changed in the ordinary way.
    Ordinary,
    /// Somebody was refused, or something left the house: worth a look.
    Warning,
    /// Something has ended, is locked, or is gone.
    Ended,
}

/// Writes the list's events down under their tones. A variant's own name is the one that is logged.
macro_rules! events {
    ($($tone:ident: $($event:ident)+;)+) => {
        impl Event {
            /// The names of all events.
            pub const NAMES: [&str; [$($(stringify!($event),)+)+].len()] = [$($(stringify!($event),)+)+];

            /// The event's name as logged, shown and filtered by.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $($(Self::$event { .. } => stringify!($event),)+)+
                }
            }
        }

        impl EventTone {
            /// Gives the tone of the event of a name. `None`: no event has it, in this version of authd.
            #[must_use]
            pub fn of(name: &str) -> Option<Self> {
                $(if [$(stringify!($event)),+].contains(&name) {
                    return Some(Self::$tone);
                })+
                None
            }
        }
    };
}

events! {
    Ordinary:
        DaemonStarted DaemonStopped DatabaseCreated DatabaseMigrated DatabaseBackedUp DatabasePruned
        DatabaseMoved
        SigningKeyCreated SigningKeyRotated ApiKeyCreated ApiKeyChanged ApiKeyUsed
        RegistrationRequested UserRegistered EmailVerificationRequested EmailVerified
        LoginSucceeded Reauthenticated SecondStepAsked PasswordChangeAsked TokenRefreshed LoggedOut
        SessionReplaced
        TokenMinted UserCreated UserImported UserInvited UserEnabled UserUnlocked ProfileChanged
        PasswordResetRequested PasswordReset PasswordSet PasswordChanged PasswordRehashed MagicLinkRequested
        EmailChangeRequested EmailChanged
        SecondFactorEnrolled SecondFactorEnabled SecondFactorChecked RecoveryCodeUsed RecoveryCodesReplaced
        PasskeyAdded
        MailRetried RoleCreated RoleEdited RoleAssigned RoleUnassigned
        IdentityLinked IdentityUnlinked IdentityFirstUsed RoleGranted RoleWithdrawn
        AppCreated AppEdited AppDeleted AppSignedIn;
    Warning:
        LoginFailed PasskeyRefused RecoveryLinkMade AccountRecovered AccountClaimed RoleKept
        RegistrationRepeated DatabaseRestored CredentialsExported UsersExported AuditExported;
    Ended:
        AccountLocked UserDisabled UserDeleted RegistrationDeleted PasswordVoided
        RefreshTokenReused SessionRevoked SessionEvicted LoggedOutEverywhere LoggedOutElsewhere TokenRevoked
        SecondFactorDisabled SecondFactorBlocked SecondFactorReset PasskeyRemoved
        SigningKeyRetired ApiKeyRevoked RoleDeleted AuditPruned;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_tone_each_and_stand_once() {
        for name in Event::NAMES {
            assert!(EventTone::of(name).is_some(), "{name}");
            assert_eq!(Event::NAMES.into_iter().filter(|other| *other == name).count(), 1, "{name}");
        }
        assert_eq!(EventTone::of(Event::UserDisabled.name()), Some(EventTone::Ended));
        assert_eq!(EventTone::of("Nonsense"), None);
    }
}
