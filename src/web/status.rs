//! The HTTP status of everything that can go wrong, and what a problem document says of it (RFC 9457 §3.1).
//! The command line prints the same object.
//!
//! Nothing here has a `_` arm: a new refusal, fault or trouble doesn't compile until it has a status.

use crate::error::{Fault, Refusal};
use crate::transport::Trouble;

/// The status of a refusal.
#[must_use]
pub const fn of_refusal(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::InvalidLink
        | Refusal::InvalidTicket
        | Refusal::BadCursor
        | Refusal::ProviderRefused
        | Refusal::StateMismatch
        | Refusal::EmailRequired => 400,
        Refusal::InvalidToken
        | Refusal::Unauthenticated
        | Refusal::InvalidCredentials
        | Refusal::InvalidCode => 401,
        Refusal::WrongPassword
        | Refusal::FreshLoginRequired
        | Refusal::TwoFactorSetupRequired
        | Refusal::Forbidden { .. }
        | Refusal::RoleRequired { .. }
        | Refusal::AppNotAllowed { .. }
        | Refusal::EmailNotVerified
        | Refusal::AccountDisabled
        | Refusal::RegistrationClosed
        | Refusal::DomainNotAllowed => 403,
        Refusal::NotFound { .. } => 404,
        Refusal::EmailTaken
        | Refusal::AlreadyEnabled
        | Refusal::AlreadyExists { .. }
        | Refusal::Conflict { .. }
        | Refusal::LastAdmin
        | Refusal::LinkRequired
        | Refusal::IdentityInUse
        | Refusal::LastWayIn
        | Refusal::BuiltInRole { .. } => 409,
        Refusal::Invalid(_) | Refusal::PasswordRequired | Refusal::WeakPassword { .. } => 422,
        Refusal::TooManyAttempts { .. } => 429,
        Refusal::ProviderFailed => 502,
    }
}

/// The title of a refusal: the same for all of one code.
#[must_use]
pub const fn title_of_refusal(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::InvalidToken | Refusal::InvalidLink | Refusal::InvalidTicket => "Invalid token",
        Refusal::Unauthenticated => "Unauthenticated",
        Refusal::InvalidCredentials | Refusal::WrongPassword => "Invalid credentials",
        Refusal::InvalidCode => "Invalid code",
        Refusal::FreshLoginRequired => "Fresh login required",
        Refusal::TwoFactorSetupRequired => "Second factor required",
        Refusal::TooManyAttempts { .. } => "Too many attempts",
        Refusal::Forbidden { .. } | Refusal::RoleRequired { .. } | Refusal::AppNotAllowed { .. } => {
            "Forbidden"
        }
        Refusal::EmailNotVerified => "E-mail address not verified",
        Refusal::AccountDisabled => "Account disabled",
        Refusal::RegistrationClosed => "Registration closed",
        Refusal::NotFound { .. } => "Not found",
        Refusal::EmailTaken => "E-mail address taken",
        Refusal::AlreadyEnabled => "Already enabled",
        Refusal::AlreadyExists { .. } => "Already exists",
        Refusal::Conflict { .. } => "Conflict",
        Refusal::LastAdmin => "Last admin",
        Refusal::BuiltInRole { .. } => "Built-in role",
        Refusal::Invalid(_) => "Validation failed",
        Refusal::BadCursor => "Invalid cursor",
        Refusal::ProviderFailed => "Provider failed",
        Refusal::ProviderRefused => "Provider refused",
        Refusal::StateMismatch => "State mismatch",
        Refusal::LinkRequired => "Link required",
        Refusal::IdentityInUse => "Identity in use",
        Refusal::EmailRequired => "E-mail address required",
        Refusal::DomainNotAllowed => "Domain not allowed",
        Refusal::LastWayIn => "Last way in",
        Refusal::PasswordRequired => "Password required",
        Refusal::WeakPassword { .. } => "Weak password",
    }
}

/// What a refusal says to a client: its own words, and how to say over HTTP what is missing.
#[must_use]
pub fn detail_of_refusal(refusal: &Refusal) -> String {
    let missing = if *refusal == Refusal::Unauthenticated {
        "; send `Authorization: Bearer <access token>`"
    } else if *refusal == Refusal::TwoFactorSetupRequired {
        " with `/2fa/setup` and `/2fa/enable`"
    } else {
        ""
    };
    format!("{refusal}{missing}")
}

/// The status of a fault.
#[must_use]
pub const fn of_fault(fault: &Fault) -> u16 {
    match fault {
        Fault::Storage(_)
        | Fault::CheckFailed(_)
        | Fault::Permission(_)
        | Fault::Config(_)
        | Fault::Stopped(_)
        | Fault::Internal(_) => 500,
        Fault::Overloaded { .. } | Fault::StorageUnavailable(_) => 503,
    }
}

/// The status of what the transport doesn't let through.
#[must_use]
pub const fn of_trouble(trouble: Trouble) -> u16 {
    match trouble {
        Trouble::BadRequest(_) => 400,
        Trouble::MethodRefused => 405,
        Trouble::RequestTimeout => 408,
        Trouble::BodyTooLarge => 413,
        Trouble::ExpectationFailed => 417,
        Trouble::HeadersTooLarge => 431,
        Trouble::Panicked => 500,
        Trouble::Crowded | Trouble::Overloaded => 503,
    }
}
