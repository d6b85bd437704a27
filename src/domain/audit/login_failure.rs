//! Why logins fail, as the audit log and the counters name it.

/// Why a login failed. The client is told less.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoginFailure {
    /// Nobody has the address.
    UnknownEmail,
    /// It is another, or was changed while it was being checked.
    WrongPassword,
    /// It was right, but was made for somebody who didn't use it in time.
    PasswordEnded,
    /// The account has none: invited, or signs in with others.
    NoPassword,
    /// The password was right, and the address is not verified yet.
    Unverified,
    /// The password is that of a registration whose link was not opened yet.
    Pending,
    /// The password was right, and the account is disabled.
    Disabled,
    /// Too many failures before; the password was not looked at. Of one account the first such try of a
    /// minute is a line, and those after it are one: `tries` says how many.
    Locked { tries: u64 },
    /// The second step: a wrong or used code.
    WrongCode,
    /// Not the code that was mailed to sign in with.
    WrongMailedCode,
    /// Nobody has the passkey that was shown, or the ceremony was dead. One of somebody's that is refused is
    /// `PasskeyRefused`.
    UnknownPasskey,
    /// A provider didn't answer, or what it said can't be believed; the daemon's log has more.
    ProviderFailed,
    /// A provider said no, or the person did there.
    ProviderRefused,
    /// The address that a provider stated belongs to an account that it may not take.
    LinkRequired,
    /// A provider stated no address.
    EmailRequired,
    /// A provider stated an address of another domain than is allowed, or one that it hasn't verified.
    DomainNotAllowed,
    /// Nobody gets an account by this provider.
    SignUpClosed,
}

impl LoginFailure {
    pub const ALL: [Self; 17] = [
        Self::UnknownEmail,
        Self::WrongPassword,
        Self::PasswordEnded,
        Self::NoPassword,
        Self::Unverified,
        Self::Pending,
        Self::Disabled,
        Self::Locked { tries: 1 },
        Self::WrongCode,
        Self::WrongMailedCode,
        Self::UnknownPasskey,
        Self::ProviderFailed,
        Self::ProviderRefused,
        Self::LinkRequired,
        Self::EmailRequired,
        Self::DomainNotAllowed,
        Self::SignUpClosed,
    ];

    /// The reason as it is logged and counted.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownEmail => "unknown_email",
            Self::WrongPassword => "wrong_password",
            Self::PasswordEnded => "password_ended",
            Self::NoPassword => "no_password",
            Self::Unverified => "email_not_verified",
            Self::Pending => "registration_pending",
            Self::Disabled => "account_disabled",
            Self::Locked { .. } => "too_many_attempts",
            Self::WrongCode => "wrong_code",
            Self::WrongMailedCode => "wrong_mailed_code",
            Self::UnknownPasskey => "unknown_passkey",
            Self::ProviderFailed => "provider_failed",
            Self::ProviderRefused => "provider_refused",
            Self::LinkRequired => "link_required",
            Self::EmailRequired => "email_required",
            Self::DomainNotAllowed => "domain_not_allowed",
            Self::SignUpClosed => "registration_closed",
        }
    }
}
