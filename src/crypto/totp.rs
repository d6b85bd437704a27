//! Time-based one-time codes (RFC 6238): SHA-1, 6 digits, 30 s, one step of tolerance either side.

use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use totp_rs::{Algorithm, Builder, Totp};

/// A step of 30 s since the epoch.
pub type TimeStep = u64;

/// The shared secret: 160 bits, as RFC 4226 §4 recommends.
pub type TotpSecret = Secret<[u8; 20]>;

const STEP_S: u64 = 30;

/// Accepts a code for the step of `now`, or one step (30 s) either side.
///
/// Each step counts once: `last_step` is the newest accepted (RFC 6238 §5.2). Returns the step to
/// store, or `None` if the code is wrong or replayed. Pure.
#[must_use]
pub fn accept(
    secret: &TotpSecret,
    code: &str,
    now: Timestamp,
    last_step: Option<TimeStep>,
) -> Option<TimeStep> {
    if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let current = u64::try_from(now.as_secs()).ok()? / STEP_S;
    let totp = plain(secret);
    let steps = current.saturating_sub(1)..=current.saturating_add(1);
    // All three are computed whichever matches, and compared in constant time.
    let matching = steps.filter(|step| {
        let expected = totp.generate(step.saturating_mul(STEP_S)).to_string();
        aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_bytes(), code.as_bytes()).is_ok()
    });
    matching.filter(|step| last_step.is_none_or(|last| *step > last)).max()
}

/// The newest step whose code is accepted at `now`.
#[must_use]
pub fn newest_acceptable(now: Timestamp) -> TimeStep {
    u64::try_from(now.as_secs()).unwrap_or(0) / STEP_S + 1
}

/// What an authenticator app needs, in the forms that apps take.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// For typing.
    pub base32: Secret<String>,
    /// `otpauth://totp/…`
    pub uri: Secret<String>,
}

/// Describes a secret for an app, under the name of the site and of the account.
///
/// # Errors
/// [`Fault::Config`] when `totp.issuer` can't stand in a URI.
pub fn enrolment(secret: &TotpSecret, issuer: &str, account: &str) -> Result<Enrolment, Fault> {
    let totp = builder(secret)
        // A colon separates the two in the label.
        .with_issuer(Some(issuer.replace(':', " ")))
        .with_account_name(account.replace(':', " "))
        .build()
        .and_then(|totp| Ok((totp.secret().to_base32(), totp.to_url()?)));
    let (base32, uri) = totp.map_err(|error| Fault::Config(format!("totp.issuer: {error}")))?;
    Ok(Enrolment { base32: Secret::new(base32), uri: Secret::new(uri) })
}

fn builder(secret: &TotpSecret) -> Builder {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(STEP_S)
        .with_secret(secret.expose().to_vec())
}

fn plain(secret: &TotpSecret) -> Totp {
    builder(secret).build_noncompliant()
}
