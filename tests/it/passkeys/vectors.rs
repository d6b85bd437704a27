//! The W3C's test vectors (Level 3, section Test Vectors): taken where the algorithm is offered and the
//! page is authd's own, refused where not.

use super::device::encode;
use authd::webauthn::{
    AuthenticationResponse, Fault, RegistrationResponse, RelyingParty, Stored, UserHandle, UserVerification,
    authenticate, register,
};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../fixtures/webauthn_vectors.json");

/// What becomes of each, by its title. With attestations of all formats that there are, none of which is
/// asked for.
const OUTCOMES: [(&str, Option<Fault>); 15] = [
    ("ES256 Credential with No Attestation", None),
    ("ES256 Credential with Self Attestation", None),
    ("ES256 Credential with \"crossOrigin\": true in clientDataJSON", Some(Fault::CrossOrigin)),
    ("ES256 Credential with \"topOrigin\" in clientDataJSON", Some(Fault::TopOrigin)),
    ("ES256 Credential with very long credential ID", None),
    ("Packed Attestation with ES256 Credential", None),
    ("Packed Attestation with ES384 Credential", Some(Fault::Algorithm)),
    ("Packed Attestation with ES512 Credential", Some(Fault::Algorithm)),
    ("Packed Attestation with RS256 Credential", None),
    ("Packed Attestation with Ed25519 Credential", None),
    ("Packed Attestation with Ed448 Credential", Some(Fault::Algorithm)),
    ("TPM Attestation with ES256 Credential", None),
    ("Android Key Attestation with ES256 Credential", None),
    ("Apple Anonymous Attestation with ES256 Credential", None),
    ("FIDO U2F Attestation with ES256 Credential", None),
];

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

fn answer(id: &[u8], response: &Value) -> Value {
    json!({"id": encode(id), "rawId": encode(id), "type": "public-key", "response": response})
}

/// The authenticator data's flags, and the key, found without the code under test.
fn attested(object: &[u8], id: &[u8]) -> (u8, Vec<u8>) {
    let at = object.windows(id.len()).rposition(|window| window == id).unwrap();
    (object[at - 23], object[at + id.len()..].to_vec())
}

#[test]
fn the_standards_vectors_come_out_as_stated() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let origins = [vectors["origin"].as_str().unwrap().to_owned()];
    let rp = RelyingParty { rp_id: vectors["rp_id"].as_str().unwrap(), origins: &origins };
    let examples = vectors["examples"].as_array().unwrap();
    let titles = examples.iter().map(|example| example["title"].as_str().unwrap());
    assert!(titles.eq(OUTCOMES.iter().map(|(title, _)| *title)), "each is stated, in order");
    for (example, (title, refused)) in examples.iter().zip(OUTCOMES) {
        let (made, signed) = (&example["registration"], &example["authentication"]);
        let (id, object) = (hex(&made["credential_id"]), hex(&made["attestationObject"]));
        let (flags, public_key) = attested(&object, &id);
        let response = json!({
            "clientDataJSON": encode(&hex(&made["clientDataJSON"])),
            "attestationObject": encode(&object),
        });
        let response = RegistrationResponse::parse(&answer(&id, &response)).unwrap();
        let new = register(&rp, &hex(&made["challenge"]), UserVerification::Preferred, &response);
        assert_eq!(new.as_ref().err(), refused.as_ref(), "{title}");
        if let Ok(new) = new {
            assert_eq!((&new.id, &new.public_key), (&id, &public_key), "{title}");
            assert_eq!(new.aaguid[..], hex(&made["aaguid"]), "{title}");
            let flagged = [1 << 2, 1 << 3, 1 << 4].map(|flag| flags & flag != 0);
            assert_eq!([new.user_verified, new.backup_eligible, new.backed_up], flagged, "{title}");
        }
        let data = hex(&signed["authenticatorData"]);
        let response = json!({
            "clientDataJSON": encode(&hex(&signed["clientDataJSON"])),
            "authenticatorData": encode(&data),
            "signature": encode(&hex(&signed["signature"])),
        });
        let response = AuthenticationResponse::parse(&answer(&id, &response)).unwrap();
        let stored = Stored {
            id: &id,
            public_key: &public_key,
            sign_count: 0,
            backup_eligible: flags & 1 << 3 != 0,
            user_handle: UserHandle::Known(&[7]),
        };
        let challenge = hex(&signed["challenge"]);
        let assertion = authenticate(&rp, &challenge, UserVerification::Preferred, &stored, &response);
        assert_eq!(assertion.as_ref().err(), refused.as_ref(), "{title}, signed");
        if let Ok(assertion) = assertion {
            let flagged = [1 << 2, 1 << 4].map(|flag| data[32] & flag != 0);
            assert_eq!([assertion.user_verified, assertion.backed_up], flagged, "{title}, signed");
        }
    }
}
