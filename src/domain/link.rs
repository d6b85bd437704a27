//! One-time links: what they are for, and the prefix that says so in their secret.

use std::time::Duration;

/// What a link does once its button is pressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkKind {
    VerifyEmail,
    /// Sets a new password: anybody may ask for one to be sent.
    ResetPassword,
    /// Sets the first password: sent by an operator, and not voided when a stranger asks for a reset.
    Invitation,
    /// Gives the account another address.
    ChangeEmail,
    /// Signs somebody in, in the browser that asked for it.
    MagicLink,
    /// Brings back whoever has lost everything: made by an operator, and never mailed.
    Recovery,
}

impl LinkKind {
    pub const ALL: [Self; 6] = [
        Self::VerifyEmail,
        Self::ResetPassword,
        Self::Invitation,
        Self::ChangeEmail,
        Self::MagicLink,
        Self::Recovery,
    ];

    /// As the database names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::Invitation => "invitation",
            Self::ChangeEmail => "change_email",
            Self::MagicLink => "magic_link",
            Self::Recovery => "recovery",
        }
    }

    /// Finds the kind of this name. `None`: there is none.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// All kinds that do the same once pressed, this one included: they share a prefix.
    #[must_use]
    pub const fn same_effect(self) -> &'static [Self] {
        match self {
            Self::VerifyEmail => &[Self::VerifyEmail],
            Self::ResetPassword | Self::Invitation => &[Self::ResetPassword, Self::Invitation],
            Self::ChangeEmail => &[Self::ChangeEmail],
            Self::MagicLink => &[Self::MagicLink],
            Self::Recovery => &[Self::Recovery],
        }
    }

    /// The prefix of its secret, so that a link of one effect is never taken for one of another.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::VerifyEmail => "authd_ev_",
            Self::ResetPassword | Self::Invitation => "authd_pr_",
            Self::ChangeEmail => "authd_ec_",
            Self::MagicLink => "authd_ml_",
            Self::Recovery => "authd_rl_",
        }
    }
}

/// What a browser's wish to sign in by mail begins with: it shows it beside what comes in the mail.
pub const MAGIC_REQUEST_PREFIX: &str = "authd_mr_";

/// How long such a wish waits, and so the link and the code in its mail are good.
pub const MAGIC_REQUEST_WAITS: Duration = Duration::from_secs(10 * 60);
