//! What authd writes to people, and what becomes of it.

use super::id::{MailId, UserId};
use super::link::LinkKind;
use super::time::Timestamp;
use std::time::Duration;

/// A mail is given up after failing for this long.
pub const GIVE_UP: Duration = Duration::from_secs(24 * 3600);

/// How long to wait after `attempts` that failed: 1 minute, 2, 4 and so on, at most an hour.
#[must_use]
pub fn pause_after(attempts: u32) -> Duration {
    let minutes = 1_u64.checked_shl(attempts.saturating_sub(1)).map_or(60, |minutes| minutes.min(60));
    Duration::from_secs(60 * minutes)
}

/// How many notices of one kind an address gets in an hour at once.
pub const NOTICES_PER_HOUR: u32 = 4;

/// Against which of an address's hourly bounds a mail counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MailBudget {
    /// A notice, whose bound is another.
    None,
    /// Anybody may ask for it.
    Strangers,
    /// It was asked for from a network that the account knows.
    KnownNetwork,
}

impl MailBudget {
    /// As the database numbers it.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Strangers => 1,
            Self::KnownNetwork => 2,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MailKind {
    /// The link that verifies an address.
    VerifyEmail,
    /// Somebody tried to register an address that has an account.
    AlreadyRegistered,
    /// The link that sets a new password.
    ResetPassword,
    /// The link with which an invited person sets the first password.
    Invitation,
    /// The link that gives an account this address.
    ChangeEmail,
    /// The link, and the code, that sign somebody in.
    MagicLink,
    /// To the old address: a change was asked for.
    EmailChangeRequested,
    /// To the old address: an operator gave the account another.
    EmailChanged,
    /// The password was changed, by whatever way.
    PasswordChanged,
    /// One that was set before anybody had verified the address counts no more.
    PasswordVoided,
    /// A login from a network not seen before.
    NewLogin,
    /// The second factor was turned on.
    TwoFactorEnabled,
    /// The second factor was turned off.
    TwoFactorDisabled,
    /// A recovery code was used in the place of the second factor.
    RecoveryCodeUsed,
    /// New recovery codes were made; the old ones count no more.
    RecoveryCodesReplaced,
    /// After the right password the second factor was wrong, again and again.
    SecondFactorFailed,
    /// A refresh token was used twice: one of two copies is somebody else's.
    RefreshTokenReused,
    /// Too many failed logins.
    AccountLocked,
    /// An account at a provider signs in from now on.
    IdentityLinked,
    /// It does so no more.
    IdentityUnlinked,
    /// It did so for the first time.
    IdentityFirstUsed,
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
    /// A passkey was shown whose counter says that there may be a copy of it.
    PasskeyRefused,
    /// Somebody got back in by an operator's link; everything that was set up is gone.
    AccountRecovered,
    /// An operator asked whether mail gets through. It is sent at once, past the outbox.
    Test,
}

impl MailKind {
    pub const ALL: [Self; 26] = [
        Self::VerifyEmail,
        Self::AlreadyRegistered,
        Self::ResetPassword,
        Self::Invitation,
        Self::ChangeEmail,
        Self::MagicLink,
        Self::EmailChangeRequested,
        Self::EmailChanged,
        Self::PasswordChanged,
        Self::PasswordVoided,
        Self::NewLogin,
        Self::TwoFactorEnabled,
        Self::TwoFactorDisabled,
        Self::RecoveryCodeUsed,
        Self::RecoveryCodesReplaced,
        Self::SecondFactorFailed,
        Self::RefreshTokenReused,
        Self::AccountLocked,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
        Self::IdentityFirstUsed,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::PasskeyRefused,
        Self::AccountRecovered,
        Self::Test,
    ];

    /// The name of the kind, which is also that of its templates.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::AlreadyRegistered => "already_registered",
            Self::ResetPassword => "reset_password",
            Self::Invitation => "invitation",
            Self::ChangeEmail => "change_email",
            Self::MagicLink => "magic_link",
            Self::EmailChangeRequested => "email_change_requested",
            Self::EmailChanged => "email_changed",
            Self::PasswordChanged => "password_changed",
            Self::PasswordVoided => "password_voided",
            Self::NewLogin => "new_login",
            Self::TwoFactorEnabled => "two_factor_enabled",
            Self::TwoFactorDisabled => "two_factor_disabled",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::RecoveryCodesReplaced => "recovery_codes_replaced",
            Self::SecondFactorFailed => "second_factor_failed",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::AccountLocked => "account_locked",
            Self::IdentityLinked => "identity_linked",
            Self::IdentityUnlinked => "identity_unlinked",
            Self::IdentityFirstUsed => "identity_first_used",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRemoved => "passkey_removed",
            Self::PasskeyRefused => "passkey_refused",
            Self::AccountRecovered => "account_recovered",
            Self::Test => "test",
        }
    }

    /// The mail that a one-time link goes by. `None`: it is never mailed.
    #[must_use]
    pub const fn of_link(kind: LinkKind) -> Option<Self> {
        Some(match kind {
            LinkKind::VerifyEmail => Self::VerifyEmail,
            LinkKind::ResetPassword => Self::ResetPassword,
            LinkKind::Invitation => Self::Invitation,
            LinkKind::ChangeEmail => Self::ChangeEmail,
            LinkKind::MagicLink => Self::MagicLink,
            LinkKind::Recovery => return None,
        })
    }

    /// Whether there is a one-time link in it.
    #[must_use]
    pub const fn has_link(self) -> bool {
        match self {
            Self::VerifyEmail
            | Self::ResetPassword
            | Self::Invitation
            | Self::ChangeEmail
            | Self::MagicLink => true,
            Self::AlreadyRegistered
            | Self::EmailChangeRequested
            | Self::EmailChanged
            | Self::PasswordChanged
            | Self::PasswordVoided
            | Self::NewLogin
            | Self::TwoFactorEnabled
            | Self::TwoFactorDisabled
            | Self::RecoveryCodeUsed
            | Self::RecoveryCodesReplaced
            | Self::SecondFactorFailed
            | Self::RefreshTokenReused
            | Self::AccountLocked
            | Self::IdentityLinked
            | Self::IdentityUnlinked
            | Self::IdentityFirstUsed
            | Self::PasskeyAdded
            | Self::PasskeyRemoved
            | Self::PasskeyRefused
            | Self::AccountRecovered
            | Self::Test => false,
        }
    }

    /// Against which bound it counts, unless whoever asks is known.
    #[must_use]
    pub const fn budget(self) -> MailBudget {
        if self.is_notice() { MailBudget::None } else { MailBudget::Strangers }
    }

    /// Whether it tells of something that happened, rather than being asked for. Notices are not
    /// counted against the mails that an address gets in an hour: nobody may silence them by asking.
    #[must_use]
    pub const fn is_notice(self) -> bool {
        match self {
            Self::VerifyEmail
            | Self::AlreadyRegistered
            | Self::ResetPassword
            | Self::Invitation
            | Self::ChangeEmail
            | Self::MagicLink => false,
            Self::EmailChangeRequested
            | Self::EmailChanged
            | Self::PasswordChanged
            | Self::PasswordVoided
            | Self::NewLogin
            | Self::TwoFactorEnabled
            | Self::TwoFactorDisabled
            | Self::RecoveryCodeUsed
            | Self::RecoveryCodesReplaced
            | Self::SecondFactorFailed
            | Self::RefreshTokenReused
            | Self::AccountLocked
            | Self::IdentityLinked
            | Self::IdentityUnlinked
            | Self::IdentityFirstUsed
            | Self::PasskeyAdded
            | Self::PasskeyRemoved
            | Self::PasskeyRefused
            | Self::AccountRecovered
            | Self::Test => true,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MailState {
    Queued,
    Sent,
    Failed,
}

impl MailState {
    pub const ALL: [Self; 3] = [Self::Queued, Self::Sent, Self::Failed];

    /// The name of the state, as shown and filtered by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    /// Finds the state of this name. `None`: there is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == text)
    }
}

/// A mail in the outbox, without its body, which is sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    pub id: MailId,
    /// `None`: the account is gone.
    pub user: Option<UserId>,
    pub to: String,
    /// The name of its [`MailKind`].
    pub kind: String,
    pub subject: String,
    pub state: MailState,
    pub created_at: Timestamp,
    /// `None`: not sent yet.
    pub sent_at: Option<Timestamp>,
    pub attempts: u32,
    /// Why the last attempt failed; `None`: it didn't.
    pub last_error: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let minutes = |attempts| pause_after(attempts).as_secs() / 60;
        assert_eq!([1, 2, 3, 6, 7, 8, 65, u32::MAX].map(minutes), [1, 2, 4, 32, 60, 60, 60, 60]);
    }
}
