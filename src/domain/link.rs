//! One-time links: what they are for, and the prefix that says so in their secret.

/// What a link does once its button is pressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkKind {
    VerifyEmail,
    /// Sets a password: after a reset was asked for, or with an invitation.
    ResetPassword,
}

impl LinkKind {
    pub const ALL: [Self; 2] = [Self::VerifyEmail, Self::ResetPassword];

    /// As the database names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }

    /// What its secret begins with, so that one kind is never taken for another.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::VerifyEmail => "authd_ev_",
            Self::ResetPassword => "authd_pr_",
        }
    }
}
