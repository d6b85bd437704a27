//! What the browser says that was asked (§5.8.1): read from JSON, and judged.

use super::fault::Fault;
use super::relying_party::RelyingParty;
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::Value;

/// The two ceremonies, as client data names them.
#[derive(Clone, Copy)]
pub(super) enum Ceremony {
    Registration,
    Authentication,
}

impl Ceremony {
    const fn client_data_type(self) -> &'static str {
        match self {
            Self::Registration => "webauthn.create",
            Self::Authentication => "webauthn.get",
        }
    }
}

/// Members that are not known are passed over: there will be more (§5.8.1.2).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: Option<bool>,
    #[serde(default)]
    top_origin: Option<Value>,
}

/// Reads client data and makes the checks of it (§7.1 steps 5 to 11, §7.2 steps 8 to 14).
pub(super) fn check(
    bytes: &[u8],
    ceremony: Ceremony,
    rp: &RelyingParty<'_>,
    challenge: &[u8],
) -> Result<(), Fault> {
    let wire = read(bytes)?;
    if wire.r#type != ceremony.client_data_type() {
        return Err(Fault::ClientDataType);
    }
    // Compared as it stands there, so that no two texts are one challenge.
    if wire.challenge != BASE64URL_NOPAD.encode(challenge) {
        return Err(Fault::Challenge);
    }
    if !rp.origins.contains(&wire.origin) {
        return Err(Fault::Origin);
    }
    // It is there in an embedded page alone, and authd's are never embedded.
    if wire.top_origin.is_some() {
        return Err(Fault::TopOrigin);
    }
    if wire.cross_origin == Some(true) {
        return Err(Fault::CrossOrigin);
    }
    Ok(())
}

/// A byte order mark is passed over, as the standard's UTF-8 decoding has it; bytes that are no UTF-8 are
/// refused, where that would replace them.
fn read(bytes: &[u8]) -> Result<Wire, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = str::from_utf8(bytes).map_err(|_| Fault::ClientData)?;
    serde_json::from_str(text).map_err(|_| Fault::ClientData)
}
