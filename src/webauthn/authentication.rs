//! The authentication ceremony's end (§7.2): what must hold of a signature.

use super::authenticator_data::AuthenticatorData;
use super::client_data::{self, Ceremony};
use super::fault::Fault;
use super::public_key::PublicKey;
use super::relying_party::{RelyingParty, UserVerification};
use super::response::AuthenticationResponse;
use aws_lc_rs::digest::{SHA256, digest};

/// What is kept of the credential that is said to have signed.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    pub id: &'a [u8],
    /// As [`register`](super::register) gave it.
    pub public_key: &'a [u8],
    /// That of the last time.
    pub sign_count: u32,
    /// That of the registration.
    pub backup_eligible: bool,
    pub user_handle: UserHandle<'a>,
}

/// The handle of the user whose credential it is, and how the caller came to that user (§7.2 step 6).
#[derive(Clone, Copy, Debug)]
pub enum UserHandle<'a> {
    /// By something else than the response, such as a ticket: a device need not say whose credential it is,
    /// but may not say that it is another's.
    Known(&'a [u8]),
    /// By the response alone: it must say so.
    Discovered(&'a [u8]),
}

/// A signature that holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Assertion {
    /// To be stored with the credential, as the two others.
    pub sign_count: u32,
    pub backed_up: bool,
    pub user_verified: bool,
}

/// Makes every check of a signature. Whether the challenge is good for once, and for this user, is for the
/// caller to see to.
///
/// What accuses somebody, a counter or a changed flag, comes last: whoever causes it has the key.
///
/// # Errors
/// The first [`Fault`] found; [`Fault::PublicKey`] where the stored key can't be read.
pub fn authenticate(
    rp: &RelyingParty<'_>,
    challenge: &[u8],
    uv: UserVerification,
    stored: &Stored<'_>,
    response: &AuthenticationResponse,
) -> Result<Assertion, Fault> {
    if response.id != stored.id {
        return Err(Fault::CredentialId);
    }
    check_user_handle(stored.user_handle, response.user_handle())?;
    client_data::check(&response.client_data, Ceremony::Authentication, rp, challenge)?;
    let data = AuthenticatorData::parse(&response.authenticator_data)?;
    data.check(rp, uv)?;
    if data.attested.is_some() {
        return Err(Fault::AttestedDataUnexpected);
    }
    let mut signed = response.authenticator_data.clone();
    signed.extend_from_slice(digest(&SHA256, &response.client_data).as_ref());
    if !PublicKey::parse(stored.public_key)?.verifies(&signed, &response.signature) {
        return Err(Fault::Signature);
    }
    if data.backup_eligible() != stored.backup_eligible {
        return Err(Fault::BackupEligibilityChanged);
    }
    check_counter(stored.sign_count, data.sign_count)?;
    Ok(Assertion {
        sign_count: data.sign_count,
        backed_up: data.backed_up(),
        user_verified: data.user_verified(),
    })
}

fn check_user_handle(expected: UserHandle<'_>, sent: Option<&[u8]>) -> Result<(), Fault> {
    let (UserHandle::Known(handle) | UserHandle::Discovered(handle)) = expected;
    match (expected, sent) {
        (_, Some(sent)) if sent == handle => Ok(()),
        (_, Some(_)) => Err(Fault::UserHandle),
        (UserHandle::Known(_), None) => Ok(()),
        (UserHandle::Discovered(_), None) => Err(Fault::UserHandleMissing),
    }
}

/// A device that never counted may go on so; every other one must go on counting (§6.1.1).
fn check_counter(stored: u32, sent: u32) -> Result<(), Fault> {
    let counts = stored > 0 || sent > 0;
    if counts && sent <= stored { Err(Fault::Counter) } else { Ok(()) }
}
