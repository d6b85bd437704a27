//! What authd writes to people, and what becomes of it.

use super::id::{MailId, UserId};
use super::time::Timestamp;

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
}

impl MailKind {
    pub const ALL: [Self; 4] = [Self::VerifyEmail, Self::AlreadyRegistered, Self::ResetPassword, Self::Invitation];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::AlreadyRegistered => "already_registered",
            Self::ResetPassword => "reset_password",
            Self::Invitation => "invitation",
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

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

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
