//! The registration ceremony's end (§7.1): what must hold of a new credential.

use super::algorithm::Algorithm;
use super::attestation;
use super::authenticator_data::AuthenticatorData;
use super::client_data::{self, Ceremony};
use super::fault::Fault;
use super::public_key::PublicKey;
use super::relying_party::{RelyingParty, UserVerification};
use super::response::RegistrationResponse;

/// A credential to keep (§4, credential record).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCredential {
    pub id: Vec<u8>,
    /// A COSE_Key, as it came.
    pub public_key: Vec<u8>,
    pub algorithm: Algorithm,
    /// How often the device says that it signed. 0 with devices that don't count.
    pub sign_count: u32,
    /// Whether it can be backed up. That never changes.
    pub backup_eligible: bool,
    pub backed_up: bool,
    pub user_verified: bool,
    /// The known ways to the device, sorted, each once.
    pub transports: Vec<String>,
    /// The model of the device, if it says so; nothing vouches for it. Zero: it doesn't say.
    pub aaguid: [u8; 16],
}

/// Makes every check of a new credential. Whether the challenge is good for once, and whether somebody has
/// the credential's id already, is for the caller to see to.
///
/// # Errors
/// The first [`Fault`] found.
pub fn register(
    rp: &RelyingParty<'_>,
    challenge: &[u8],
    uv: UserVerification,
    response: &RegistrationResponse,
) -> Result<NewCredential, Fault> {
    client_data::check(&response.client_data, Ceremony::Registration, rp, challenge)?;
    let data = AuthenticatorData::parse(attestation::authenticator_data(&response.attestation_object)?)?;
    data.check(rp, uv)?;
    let attested = data.attested.as_ref().ok_or(Fault::AttestedDataMissing)?;
    if attested.id != response.id {
        return Err(Fault::AttestedCredentialId);
    }
    let key = PublicKey::parse(attested.public_key)?;
    Ok(NewCredential {
        id: attested.id.to_vec(),
        public_key: attested.public_key.to_vec(),
        algorithm: key.algorithm,
        sign_count: data.sign_count,
        backup_eligible: data.backup_eligible(),
        backed_up: data.backed_up(),
        user_verified: data.user_verified(),
        transports: response.transports.clone(),
        aaguid: attested.aaguid,
    })
}
