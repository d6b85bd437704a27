//! Second factors, as their owner and as operators see them.

use super::text::{AllRevealed, Id, Revealed, Time};
use crate::domain::id::UserId;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::usecase::account::admin_two_factor;
use crate::usecase::account::two_factor as own;
use schemars::JsonSchema;
use serde::Serialize;

/// Whether the caller's second factor is on.
#[derive(Serialize, JsonSchema, Debug)]
pub struct TwoFactor {
    /// The authenticator app.
    totp: Totp,
    /// How many passkeys there are.
    passkeys: u32,
    /// Unspent ones.
    recovery_codes_left: u32,
}

/// An authenticator app.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Totp {
    /// Whether logins ask for it.
    enabled: bool,
    /// Null: it is off.
    enabled_at: Option<Time>,
}

/// Shows whether the caller's second factor is on.
#[must_use]
pub fn two_factor(status: &own::Status) -> TwoFactor {
    shown(status.enabled_at, status.passkeys, status.recovery_codes_left)
}

fn shown(enabled_at: Option<Timestamp>, passkeys: u32, recovery_codes_left: u32) -> TwoFactor {
    let totp = Totp { enabled: enabled_at.is_some(), enabled_at: enabled_at.map(Time) };
    TwoFactor { totp, passkeys, recovery_codes_left }
}

/// A new secret for an app.
#[derive(Serialize, JsonSchema, Debug)]
pub struct TwoFactorSetup<'a> {
    /// Base32, for typing.
    secret: Revealed<'a>,
    /// For an app on the same device.
    #[schemars(url)]
    otpauth_uri: Revealed<'a>,
    /// The same as a QR code: an SVG document.
    qr_svg: Revealed<'a>,
}

/// Shows a new secret for an app.
#[must_use]
pub fn two_factor_setup(setup: &own::Setup) -> TwoFactorSetup<'_> {
    TwoFactorSetup {
        secret: Revealed(&setup.secret),
        otpauth_uri: Revealed(&setup.otpauth_uri),
        qr_svg: Revealed(&setup.qr_svg),
    }
}

/// New recovery codes, which are shown once.
#[derive(Serialize, JsonSchema, Debug)]
pub struct RecoveryCodes<'a> {
    /// Ten, each good once in the place of a code.
    recovery_codes: AllRevealed<'a>,
}

/// Shows the caller's new recovery codes.
#[must_use]
pub fn recovery_codes(codes: &[Secret<String>]) -> RecoveryCodes<'_> {
    RecoveryCodes { recovery_codes: AllRevealed(codes) }
}

/// A user's second factor, as an operator sees it.
#[derive(Serialize, JsonSchema, Debug)]
pub struct SecondFactor<'a> {
    /// As its owner sees it: whether it is on, and how many recovery codes are left.
    #[serde(flatten)]
    seen: TwoFactor,
    /// Whose it is.
    user_id: Id<UserId>,
    /// Their address.
    email: &'a str,
    /// Wrong codes in a row.
    failures: u32,
    /// Too many of them: it answers no more until it is reset.
    blocked: bool,
}

/// Shows a user's second factor to an operator.
#[must_use]
pub fn second_factor(factor: &admin_two_factor::SecondFactor) -> SecondFactor<'_> {
    SecondFactor {
        seen: shown(factor.enabled_at, factor.user.passkeys, factor.recovery_codes_left),
        user_id: Id(factor.user.id),
        email: factor.user.email.as_str(),
        failures: factor.failures,
        blocked: factor.blocked,
    }
}

/// What checking a code came to, and how the factor stands then.
#[derive(Serialize, JsonSchema, Debug)]
pub struct CheckedCode<'a> {
    #[serde(flatten)]
    factor: SecondFactor<'a>,
    /// Whether the code was accepted.
    good: bool,
}

/// Shows what checking a code came to.
#[must_use]
pub fn checked_code(factor: &admin_two_factor::SecondFactor, good: bool) -> CheckedCode<'_> {
    CheckedCode { factor: second_factor(factor), good }
}

/// A secret that an operator hands out.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Enrolment<'a> {
    user_id: Id<UserId>,
    email: &'a str,
    /// Base32, for typing.
    secret: Revealed<'a>,
    #[schemars(url)]
    otpauth_uri: Revealed<'a>,
    /// Whether the factor is on already.
    enabled: bool,
    /// Empty where it isn't.
    recovery_codes: AllRevealed<'a>,
}

/// Shows a secret that an operator hands out, with the recovery codes where the factor is on already.
#[must_use]
pub fn enrolment<'a>(
    enrolment: &'a admin_two_factor::Enrolment,
    codes: &'a [Secret<String>],
) -> Enrolment<'a> {
    Enrolment {
        user_id: Id(enrolment.user.id),
        email: enrolment.user.email.as_str(),
        secret: Revealed(&enrolment.setup.secret),
        otpauth_uri: Revealed(&enrolment.setup.otpauth_uri),
        enabled: !codes.is_empty(),
        recovery_codes: AllRevealed(codes),
    }
}

/// Recovery codes that an operator hands out.
#[derive(Serialize, JsonSchema, Debug)]
pub struct NewRecoveryCodes<'a> {
    user_id: Id<UserId>,
    email: &'a str,
    recovery_codes: AllRevealed<'a>,
}

/// Shows recovery codes that an operator hands out.
#[must_use]
pub fn new_recovery_codes<'a>(of: &'a User, codes: &'a [Secret<String>]) -> NewRecoveryCodes<'a> {
    NewRecoveryCodes { user_id: Id(of.id), email: of.email.as_str(), recovery_codes: AllRevealed(codes) }
}
