//! What a browser brings, as `PublicKeyCredential.toJSON()` gives it (§5.1). Members that are not known are
//! passed over, since browsers add some. Binary values are base64url without padding, and bounded.

use super::fault::{Fault, Member};
use data_encoding::BASE64URL_NOPAD;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::{Map, Value};

/// The longest credential id, in bytes (§5.8.3).
pub const CREDENTIAL_ID_MAX: usize = 1023;

/// The longest of each that is looked at, in bytes.
const CLIENT_DATA_MAX: usize = 4 * 1024;
/// A statement with a chain of certificates has some 6 KiB.
const ATTESTATION_OBJECT_MAX: usize = 16 * 1024;
const AUTHENTICATOR_DATA_MAX: usize = 4 * 1024;
/// That of an RSA key of 8192 bits.
const SIGNATURE_MAX: usize = 1024;
/// §5.4.3.
const USER_HANDLE_MAX: usize = 64;

/// The most transports that are looked at.
const TRANSPORTS_MAX: usize = 16;

/// The ways to a device that the standard knows (§5.8.4).
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// A new credential: `RegistrationResponseJSON`. What it repeats of the attestation object for those who
/// can't read that, is not looked at.
#[derive(Clone, Debug)]
pub struct RegistrationResponse {
    pub(super) id: Vec<u8>,
    pub(super) client_data: Vec<u8>,
    pub(super) attestation_object: Vec<u8>,
    pub(super) transports: Vec<String>,
}

/// A signature: `AuthenticationResponseJSON`.
#[derive(Clone, Debug)]
pub struct AuthenticationResponse {
    pub(super) id: Vec<u8>,
    pub(super) client_data: Vec<u8>,
    pub(super) authenticator_data: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) user_handle: Option<Vec<u8>>,
}

impl RegistrationResponse {
    /// Reads it from JSON, with the fault's own place in it.
    ///
    /// # Errors
    /// [`Fault::Malformed`], [`Fault::CredentialType`], [`Fault::CredentialIdLength`], [`Fault::RawId`].
    pub fn parse(credential: &Value) -> Result<Self, Fault> {
        let (id, response) = credential_of(credential)?;
        Ok(Self {
            id,
            client_data: bytes(response, "clientDataJSON", CLIENT_DATA_MAX, Member::ClientData)?,
            attestation_object: bytes(
                response,
                "attestationObject",
                ATTESTATION_OBJECT_MAX,
                Member::AttestationObject,
            )?,
            transports: transports(response)?,
        })
    }

    /// The new credential's id.
    #[must_use]
    pub fn credential_id(&self) -> &[u8] {
        &self.id
    }
}

impl AuthenticationResponse {
    /// Reads it from JSON, with the fault's own place in it.
    ///
    /// # Errors
    /// As [`RegistrationResponse::parse`].
    pub fn parse(credential: &Value) -> Result<Self, Fault> {
        let (id, response) = credential_of(credential)?;
        let user_handle = match response.get("userHandle") {
            None | Some(Value::Null) => None,
            Some(_) => Some(bytes(response, "userHandle", USER_HANDLE_MAX, Member::UserHandle)?),
        };
        Ok(Self {
            id,
            client_data: bytes(response, "clientDataJSON", CLIENT_DATA_MAX, Member::ClientData)?,
            authenticator_data: bytes(
                response,
                "authenticatorData",
                AUTHENTICATOR_DATA_MAX,
                Member::AuthenticatorData,
            )?,
            signature: bytes(response, "signature", SIGNATURE_MAX, Member::Signature)?,
            // Some browsers say so that there is none.
            user_handle: user_handle.filter(|handle| !handle.is_empty()),
        })
    }

    /// The id of the credential that signed.
    #[must_use]
    pub fn credential_id(&self) -> &[u8] {
        &self.id
    }

    /// Whose credential the device says it is. `None`: it doesn't say.
    #[must_use]
    pub fn user_handle(&self) -> Option<&[u8]> {
        self.user_handle.as_deref()
    }
}

impl<'de> Deserialize<'de> for RegistrationResponse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for AuthenticationResponse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// What both have in common: the credential's id, and what the device answered.
fn credential_of(credential: &Value) -> Result<(Vec<u8>, &Map<String, Value>), Fault> {
    let credential = credential.as_object().ok_or(Fault::Malformed(Member::Credential))?;
    match credential.get("type").and_then(Value::as_str) {
        Some("public-key") => {}
        Some(_) => return Err(Fault::CredentialType),
        None => return Err(Fault::Malformed(Member::Type)),
    }
    let id = decoded(credential, "id", Member::Id)?;
    if id.is_empty() || id.len() > CREDENTIAL_ID_MAX {
        return Err(Fault::CredentialIdLength);
    }
    if decoded(credential, "rawId", Member::RawId)? != id {
        return Err(Fault::RawId);
    }
    let response = credential.get("response").and_then(Value::as_object);
    Ok((id, response.ok_or(Fault::Malformed(Member::Response))?))
}

fn bytes(of: &Map<String, Value>, name: &str, most: usize, member: Member) -> Result<Vec<u8>, Fault> {
    let bytes = decoded(of, name, member)?;
    if bytes.len() > most { Err(Fault::Malformed(member)) } else { Ok(bytes) }
}

fn decoded(of: &Map<String, Value>, name: &str, member: Member) -> Result<Vec<u8>, Fault> {
    let text = of.get(name).and_then(Value::as_str);
    let bytes = text.and_then(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok());
    bytes.ok_or(Fault::Malformed(member))
}

/// Those that are known, sorted, each once. Others are passed over (§5.2.1.1).
fn transports(response: &Map<String, Value>) -> Result<Vec<String>, Fault> {
    let fault = Fault::Malformed(Member::Transports);
    let named = match response.get("transports") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(named)) if named.len() <= TRANSPORTS_MAX => named,
        Some(_) => return Err(fault),
    };
    if !named.iter().all(Value::is_string) {
        return Err(fault);
    }
    let known = TRANSPORTS.iter().filter(|known| named.iter().any(|name| name == *known));
    Ok(known.map(|known| (*known).to_owned()).collect())
}
