//! Each check of a new credential (Level 3 §7.1), broken one at a time.

use super::breaks::{AUTHENTICATOR_DATA, Bend, Break, CLIENT_DATA, SHAPES, set};
use super::device::{AT, BE, BS, Parts, UV, ec2, encode, okp, rsa_key};
use super::scene::Scene;
use authd::webauthn::{Algorithm, Fault, Member, RegistrationResponse, UserVerification};
use serde_json::{Value, json};

/// What only a new credential has.
pub const SHAPES_OF_NEW: &[Break<Value>] = &[
    ("no attestation object", Fault::Malformed(Member::AttestationObject), |v| {
        v["response"]["attestationObject"] = Value::Null;
    }),
    ("an attestation object of more than 16 KiB", Fault::Malformed(Member::AttestationObject), |v| {
        v["response"]["attestationObject"] = encode(&[0; 16_385]).into();
    }),
    ("a transport that is a number", Fault::Malformed(Member::Transports), |v| {
        v["response"]["transports"] = json!(["usb", 1]);
    }),
    ("transports that are one text", Fault::Malformed(Member::Transports), |v| {
        v["response"]["transports"] = "usb".into();
    }),
    ("seventeen transports", Fault::Malformed(Member::Transports), |v| {
        v["response"]["transports"] = vec!["usb"; 17].into();
    }),
];

pub const NEW: &[Break<Parts>] = &[
    ("a signature's client data", Fault::ClientDataType, |p| set(p, "type", "webauthn.get".into())),
    ("no CBOR", Fault::AttestationObject, |p| p.attestation_object = Some(vec![0xff])),
    ("empty", Fault::AttestationObject, |p| p.attestation_object = Some(vec![])),
    ("a list", Fault::AttestationObject, |p| p.attestation_object = Some(vec![0x80])),
    ("cut off", Fault::AttestationObject, |p| object(p, |bytes| bytes.truncate(100))),
    ("no format", Fault::AttestationObject, |p| object(p, |bytes| bytes[2] = b'F')),
    ("no statement", Fault::AttestationObject, |p| object(p, |bytes| bytes[11] = b'A')),
    ("no authenticator data", Fault::AttestationObject, |p| object(p, |bytes| bytes[20] = b'A')),
    ("a map without an end", Fault::AttestationObject, |p| {
        object(p, |bytes| *bytes = [&[0xbf], &bytes[1..], &[0xff]].concat());
    }),
    ("a member with a number for a name", Fault::AttestationObject, |p| member(p, &[1, 1])),
    ("a format twice", Fault::AttestationObject, |p| member(p, b"\x63fmt\x64none")),
    ("unknown members, two of them", Fault::AttestationObject, |p| {
        member(p, &[0x61, b'a', 1]);
        let once = p.attestation_object.take();
        p.attestation_object = once.map(|bytes| [&[0xa5], &bytes[1..], &[0x61, b'b', 1]].concat());
    }),
    ("a byte after it", Fault::AttestationObjectTrailing, |p| p.object_tail = vec![0]),
    ("an object after it", Fault::AttestationObjectTrailing, |p| p.object_tail = vec![0xa0]),
    ("a statement of none", Fault::AttestationStatement, |p| p.statement = vec![0xa1, 0x61, b'a', 1]),
    ("a statement of none that is no map", Fault::AttestationStatement, |p| p.statement = vec![0x80]),
    ("a statement that is no CBOR", Fault::AttestationObject, |p| p.statement = vec![0xff]),
    ("a statement with no CBOR in it", Fault::AttestationObject, |p| p.statement = vec![0x81, 0xff]),
    ("a statement without an end", Fault::AttestationObject, |p| p.statement = vec![0x9f, 0xff]),
    ("a text in pieces", Fault::AttestationObject, |p| p.statement = vec![0x7f, 0x60, 0xff]),
    ("a statement of any number", Fault::AttestationObject, |p| {
        p.statement = [&[0xbb][..], &[0xff; 8]].concat();
    }),
    ("a tag of nothing", Fault::AttestationObject, |p| p.statement = vec![0xc1, 0xff]),
    ("a statement that swallows the rest", Fault::AttestationObject, |p| p.statement = vec![0xa1]),
    ("no flag for the credential", Fault::AuthenticatorDataTrailing, |p| p.flags &= !AT),
    ("no credential", Fault::AttestedDataMissing, |p| {
        p.flags &= !AT;
        p.attested = None;
    }),
    ("another id", Fault::AttestedCredentialId, |p| p.attested().id[0] ^= 1),
    ("a shorter id", Fault::PublicKey, |p| {
        p.attested().id_length -= 1;
        *p.attested().id.last_mut().unwrap() = 0xff;
    }),
    ("no key", Fault::PublicKey, |p| p.attested().public_key.clear()),
    ("a key that is cut off", Fault::PublicKey, |p| p.attested().public_key.truncate(30)),
    ("ES384", Fault::Algorithm, |p| key(p, ec2(-35, 2, &[1; 48], &[1; 48]))),
    ("ES256 by its other name", Fault::Algorithm, |p| key(p, ec2(-9, 1, &[1; 32], &[1; 32]))),
    ("Ed25519 by its other name", Fault::Algorithm, |p| key(p, okp(-19, 6, &[1; 32]))),
    ("secp256k1", Fault::Algorithm, |p| key(p, ec2(-47, 8, &[1; 32], &[1; 32]))),
    ("RSA with PSS", Fault::Algorithm, |p| key(p, rsa_key(-37, &[0xff; 256], &[1, 0, 1]))),
    ("RSA with SHA-1", Fault::Algorithm, |p| key(p, rsa_key(-65_535, &[0xff; 256], &[1, 0, 1]))),
    ("no algorithm", Fault::PublicKey, |p| key(p, vec![0xa1, 1, 1])),
    ("an algorithm that is bytes", Fault::PublicKey, |p| key(p, vec![0xa1, 3, 0x41, 7])),
    ("a key that is a list", Fault::PublicKey, |p| key(p, vec![0x81, 1])),
    ("a key without an end", Fault::PublicKey, |p| key(p, vec![0xbf, 3, 0x27, 0xff])),
    ("a point of Ed25519 for ES256", Fault::PublicKey, |p| key(p, okp(-7, 6, &[1; 32]))),
    ("a point of P-256 for EdDSA", Fault::PublicKey, |p| key(p, ec2(-8, 1, &[1; 32], &[1; 32]))),
    ("a key of Ed25519 of another type", Fault::PublicKey, |p| p.attested().public_key[2] = 2),
    ("a point of P-256 of another type", Fault::PublicKey, |p| {
        key(p, Scene::with(-7).register().public_key);
        p.attested().public_key[2] = 1;
    }),
    ("an RSA key for ES256", Fault::PublicKey, |p| key(p, rsa_key(-7, &[0xff; 256], &[1, 0, 1]))),
    ("a point of P-256 for RS256", Fault::PublicKey, |p| key(p, ec2(-257, 1, &[1; 32], &[1; 32]))),
    ("another curve for ES256", Fault::PublicKey, |p| curve(p, -7, 2)),
    ("another curve for EdDSA", Fault::PublicKey, |p| curve(p, -8, 4)),
    ("a point that is not on P-256", Fault::PublicKey, |p| key(p, ec2(-7, 1, &[1; 32], &[1; 32]))),
    ("half a point of P-256", Fault::PublicKey, |p| key(p, ec2(-7, 1, &[1; 32], &[]))),
    ("x and y of other lengths", Fault::PublicKey, |p| moved(p)),
    ("31 bytes for Ed25519", Fault::PublicKey, |p| key(p, okp(-8, 6, &[1; 31]))),
    ("33 bytes for Ed25519", Fault::PublicKey, |p| key(p, okp(-8, 6, &[1; 33]))),
    ("RSA of 2,047 bits", Fault::PublicKey, |p| {
        key(p, rsa_key(-257, &[&[0x7f][..], &[0xff; 255]].concat(), &[3]));
    }),
    ("RSA of 1,024 bits", Fault::PublicKey, |p| key(p, rsa_key(-257, &[0xff; 128], &[1, 0, 1]))),
    ("RSA of 8,200 bits", Fault::PublicKey, |p| key(p, rsa_key(-257, &[0xff; 1025], &[1, 0, 1]))),
    ("RSA with a zero before it", Fault::PublicKey, |p| {
        key(p, rsa_key(-257, &[&[0][..], &[0xff; 256]].concat(), &[3]));
    }),
    ("RSA without a modulus", Fault::PublicKey, |p| key(p, rsa_key(-257, &[], &[1, 0, 1]))),
    ("RSA with the exponent 1", Fault::PublicKey, |p| key(p, rsa_key(-257, &[0xff; 256], &[1]))),
    ("RSA with an even exponent", Fault::PublicKey, |p| key(p, rsa_key(-257, &[0xff; 256], &[2]))),
    ("RSA of another type", Fault::PublicKey, |p| {
        key(p, rsa_key(-257, &[0xff; 256], &[1, 0, 1]));
        p.attested().public_key[2] = 2;
    }),
    ("RSA with no exponent", Fault::PublicKey, |p| key(p, rsa_key(-257, &[0xff; 256], &[]))),
    ("a key with a member more", Fault::PublicKey, |p| more(p, &[2, 0x41, 1])),
    ("a key with a member twice", Fault::PublicKey, |p| more(p, &[3, 0x27])),
    ("a key with a text for a name", Fault::PublicKey, |p| more(p, &[0x61, b'a', 1])),
];

fn key(parts: &mut Parts, public_key: Vec<u8>) {
    parts.attested().public_key = public_key;
}

/// The same point, said to be on another curve.
fn curve(parts: &mut Parts, algorithm: i64, number: i64) {
    let mut scene = Scene::with(algorithm);
    let mut public_key = scene.register().public_key;
    assert_eq!(public_key[5], 0x20, "the curve's label, after `kty` and `alg`");
    public_key[6] = u8::try_from(number).unwrap();
    key(parts, public_key);
}

/// A point of P-256 with a byte of `y` counted to `x`.
fn moved(parts: &mut Parts) {
    let public_key = Scene::with(-7).register().public_key;
    let (x, y) = (&public_key[10..42], &public_key[45..]);
    let point = [x, y].concat();
    key(parts, ec2(-7, 1, &point[..33], &point[33..]));
}

/// One member more.
fn more(parts: &mut Parts, member: &[u8]) {
    let public_key = &mut parts.attested().public_key;
    public_key[0] += 1;
    public_key.extend(member);
}

/// Changes the attestation object's bytes.
fn object(parts: &mut Parts, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = parts.attestation_object();
    change(&mut bytes);
    parts.attestation_object = Some(bytes);
}

/// Adds a member to the attestation object.
fn member(parts: &mut Parts, member: &[u8]) {
    object(parts, |bytes| {
        bytes[0] += 1;
        bytes.extend(member);
    });
}

/// Every fault that the tables bring about, for whoever asks whether one is left out.
pub fn faults() -> Vec<Fault> {
    let of_json = SHAPES.iter().chain(SHAPES_OF_NEW).map(|case| case.1);
    let of_parts = [CLIENT_DATA, AUTHENTICATOR_DATA, NEW].concat();
    of_json.chain(of_parts.into_iter().map(|case| case.1)).collect()
}

#[test]
fn every_check_of_a_new_credential_refuses_what_it_is_for() {
    for (what, fault, bend) in SHAPES.iter().chain(SHAPES_OF_NEW) {
        let mut scene = Scene::with(-8);
        let options = scene.creation();
        let mut answer = scene.device.create(&options);
        assert!(scene.judge_new(&answer).is_ok(), "{what}: it is good before");
        bend(&mut answer);
        assert_eq!(scene.judge_new(&answer).err(), Some(*fault), "{what}");
    }
    for (what, fault, bend) in [CLIENT_DATA, AUTHENTICATOR_DATA, NEW].concat() {
        let new = Scene::with(-8).register_bent(bend);
        assert_eq!(new.err(), Some(fault), "{what}");
    }
}

#[test]
fn what_is_not_forbidden_is_taken() {
    let taken: [(&str, Bend<Parts>); 14] = [
        ("no crossOrigin", |p| drop(p.client_data.remove("crossOrigin"))),
        ("members of client data that come later", |p| set(p, "extraData", json!({"type": [1, null]}))),
        ("a byte order mark", |p| {
            p.client_data_bytes = Some([&b"\xef\xbb\xbf"[..], &p.client_data()].concat());
        }),
        ("another origin of the list", |p| set(p, "origin", "http://localhost:8000".into())),
        ("an extension", |p| p.extend(b"\xa1\x6bcredProtect\x03".to_vec())),
        ("an extension in eight layers", |p| p.extend(b"\xa1\x61a\x81\x81\x81\x81\x81\x81\x81\x80".to_vec())),
        ("no extensions at all", |p| p.extend(vec![0xa0])),
        ("bits without a meaning", |p| p.flags |= 1 << 1 | 1 << 5),
        ("a member of the attestation object that comes later", |p| member(p, b"\x64epAt\xf5")),
        ("another format, which is not verified", |p| {
            p.format = "packed".into();
            p.statement = b"\xa3\x63alg\x26\x63sig\x41\x00\x63any\x84\xc1\xf9\x00\x00\xf6\xe0\x1b\x00\x00\x00\x01\x00\x00\x00\x00".to_vec();
        }),
        ("backed up", |p| p.flags |= BE | BS),
        ("not backed up yet", |p| p.flags |= BE),
        ("a counter at its end", |p| p.counter = u32::MAX),
        ("RSA of 8,192 bits", |p| key(p, rsa_key(-257, &[0xff; 1024], &[1, 0, 1]))),
    ];
    for (what, bend) in taken {
        let new = Scene::with(-8).register_bent(bend);
        assert!(new.is_ok(), "{what}: {:?}", new.err());
    }
    let mut scene = Scene::with(-8);
    scene.uv = UserVerification::Preferred;
    let new = scene.register_bent(|p| p.flags &= !UV).expect("it is not demanded");
    assert!(!new.user_verified);
}

#[test]
fn a_new_credential_is_kept_as_the_device_says() {
    let algorithms = [(-8, Algorithm::EdDsa), (-7, Algorithm::Es256), (-257, Algorithm::Rs256)];
    for (number, algorithm) in algorithms {
        let mut scene = Scene::with(number);
        scene.device.aaguid = [9; 16];
        scene.device.counter = 41;
        scene.device.flags |= BE | BS;
        scene.device.transports = ["usb", "nfc", "pigeon", "usb", "hybrid"].map(String::from).to_vec();
        let new = scene.register();
        let made = &scene.device.credentials[0];
        assert_eq!((&new.id, &new.public_key), (&made.id, &made.key.cose()));
        assert_eq!((new.algorithm, new.sign_count, new.aaguid), (algorithm, 41, [9; 16]));
        assert!(new.backup_eligible && new.backed_up && new.user_verified);
        assert_eq!(new.transports, ["hybrid", "nfc", "usb"]);
    }
}

#[test]
fn ids_of_any_length_up_to_the_bound_are_taken() {
    for length in [1, 16, 64, 1023] {
        let mut scene = Scene::with(-8);
        scene.device.id_length = length;
        assert_eq!(scene.register().id.len(), length);
    }
}

#[test]
fn a_response_is_read_by_serde_too() {
    let mut scene = Scene::with(-8);
    let options = scene.creation();
    let mut answer = scene.device.create(&options);
    let response: RegistrationResponse = serde_json::from_value(answer.clone()).unwrap();
    assert_eq!(encode(response.credential_id()), answer["id"]);
    answer["rawId"] = "AAAA".into();
    let error = serde_json::from_value::<RegistrationResponse>(answer).unwrap_err();
    assert_eq!(error.to_string(), "credential.rawId is not the same as `id`");
}
