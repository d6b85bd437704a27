//! What a browser is asked, as `parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON` take it
//! (§5.1.9, §5.1.10).

use super::algorithm::Algorithm;
use super::relying_party::{RelyingParty, UserVerification};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;

/// How long a browser waits, in milliseconds: the life of a ceremony.
const TIMEOUT_MS: u32 = 300_000;

const PUBLIC_KEY: &str = "public-key";

/// Whom a new credential is for.
#[derive(Clone, Copy, Debug)]
pub struct OptionsUser<'a> {
    /// Random bytes that say nothing of the user, 64 at most.
    pub handle: &'a [u8],
    /// What the user signs in with.
    pub name: &'a str,
    pub display_name: &'a str,
}

/// A credential that there is.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor<'a> {
    pub id: &'a [u8],
    /// As [`NewCredential`](super::NewCredential) gave them.
    pub transports: &'a [String],
}

/// `PublicKeyCredentialCreationOptionsJSON`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    rp: RpEntity,
    user: UserEntity,
    challenge: String,
    pub_key_cred_params: Vec<CredentialParameters>,
    timeout: u32,
    exclude_credentials: Vec<CredentialDescriptor>,
    authenticator_selection: AuthenticatorSelection,
    attestation: &'static str,
}

/// `PublicKeyCredentialRequestOptionsJSON`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions {
    challenge: String,
    timeout: u32,
    rp_id: String,
    /// Empty: whichever the browser has for this relying party.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow_credentials: Vec<CredentialDescriptor>,
    user_verification: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct RpEntity {
    id: String,
    name: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UserEntity {
    id: String,
    name: String,
    display_name: String,
}

#[derive(Clone, Debug, Serialize)]
struct CredentialParameters {
    r#type: &'static str,
    alg: i64,
}

#[derive(Clone, Debug, Serialize)]
struct CredentialDescriptor {
    r#type: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transports: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthenticatorSelection {
    resident_key: &'static str,
    /// For browsers of Level 1.
    require_resident_key: bool,
    user_verification: &'static str,
}

impl UserVerification {
    const fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Preferred => "preferred",
        }
    }
}

impl CredentialDescriptor {
    fn of(descriptor: &Descriptor<'_>) -> Self {
        Self {
            r#type: PUBLIC_KEY,
            id: BASE64URL_NOPAD.encode(descriptor.id),
            transports: descriptor.transports.to_vec(),
        }
    }
}

/// What a browser is asked that is to make a credential: one that the device keeps and finds by itself, and
/// opens only to whom it knows. A device that has one of `exclude` makes no other.
#[must_use]
pub fn creation_options(
    rp: &RelyingParty<'_>,
    rp_name: &str,
    user: &OptionsUser<'_>,
    challenge: &[u8],
    exclude: &[Descriptor<'_>],
) -> CreationOptions {
    let parameters =
        Algorithm::ALL.map(|algorithm| CredentialParameters { r#type: PUBLIC_KEY, alg: algorithm.cose() });
    CreationOptions {
        rp: RpEntity { id: rp.rp_id.to_owned(), name: rp_name.to_owned() },
        user: UserEntity {
            id: BASE64URL_NOPAD.encode(user.handle),
            name: user.name.to_owned(),
            display_name: user.display_name.to_owned(),
        },
        challenge: BASE64URL_NOPAD.encode(challenge),
        pub_key_cred_params: parameters.to_vec(),
        timeout: TIMEOUT_MS,
        exclude_credentials: exclude.iter().map(CredentialDescriptor::of).collect(),
        authenticator_selection: AuthenticatorSelection {
            resident_key: "required",
            require_resident_key: true,
            user_verification: UserVerification::Required.name(),
        },
        attestation: "none",
    }
}

/// What a browser is asked that is to sign. With no `allow` it offers those that it has.
#[must_use]
pub fn request_options(
    rp_id: &str,
    challenge: &[u8],
    allow: &[Descriptor<'_>],
    uv: UserVerification,
) -> RequestOptions {
    RequestOptions {
        challenge: BASE64URL_NOPAD.encode(challenge),
        timeout: TIMEOUT_MS,
        rp_id: rp_id.to_owned(),
        allow_credentials: allow.iter().map(CredentialDescriptor::of).collect(),
        user_verification: uv.name(),
    }
}
