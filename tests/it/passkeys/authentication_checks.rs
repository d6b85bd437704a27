//! Each check of a signature (Level 3 §7.2), broken one at a time.

use super::breaks::{AUTHENTICATOR_DATA, Break, CLIENT_DATA, SHAPES, set};
use super::device::{AT, Attested, BE, BS, Key, Parts, UV, decode, encode};
use super::registration_checks;
use super::scene::{HANDLE, Scene, kept};
use authd::webauthn::{AuthenticationResponse, Fault, Member, Stored, UserHandle, UserVerification};
use serde_json::{Value, json};

/// What only a signature has.
pub const SHAPES_OF_SIGNED: &[Break<Value>] = &[
    ("no authenticator data", Fault::Malformed(Member::AuthenticatorData), |v| {
        v["response"]["authenticatorData"] = Value::Null;
    }),
    ("authenticator data of more than 4 KiB", Fault::Malformed(Member::AuthenticatorData), |v| {
        v["response"]["authenticatorData"] = encode(&[0; 4097]).into();
    }),
    ("no signature", Fault::Malformed(Member::Signature), |v| v["response"]["signature"] = Value::Null),
    ("a signature of 1,025 bytes", Fault::Malformed(Member::Signature), |v| {
        v["response"]["signature"] = encode(&[0; 1025]).into();
    }),
    ("a user handle that is a number", Fault::Malformed(Member::UserHandle), |v| {
        v["response"]["userHandle"] = 1.into();
    }),
    ("a user handle of 65 bytes", Fault::Malformed(Member::UserHandle), |v| {
        v["response"]["userHandle"] = encode(&[7; 65]).into();
    }),
    ("another credential", Fault::CredentialId, |v| {
        (v["id"], v["rawId"]) = ("AAAA".into(), "AAAA".into());
    }),
    ("another user", Fault::UserHandle, |v| v["response"]["userHandle"] = encode(&[8; 64]).into()),
    ("a part of the user's handle", Fault::UserHandle, |v| {
        v["response"]["userHandle"] = encode(&HANDLE[..63]).into();
    }),
    ("no user", Fault::UserHandleMissing, |v| v["response"]["userHandle"] = Value::Null),
    ("a user without a handle", Fault::UserHandleMissing, |v| v["response"]["userHandle"] = "".into()),
    ("an empty signature", Fault::Signature, |v| v["response"]["signature"] = "".into()),
    ("a bit of the signature", Fault::Signature, |v| flip(v, "signature", 9)),
    ("a byte more in the signature", Fault::Signature, |v| {
        v["response"]["signature"] = encode(&[decode(&v["response"]["signature"]), vec![0]].concat()).into();
    }),
    ("another counter than was signed", Fault::Signature, |v| flip(v, "authenticatorData", 36)),
    ("another text than was signed", Fault::Signature, |v| {
        let mut client_data = decode(&v["response"]["clientDataJSON"]);
        client_data.push(b' ');
        v["response"]["clientDataJSON"] = encode(&client_data).into();
    }),
];

pub const SIGNED: &[Break<Parts>] = &[
    ("a new credential's client data", Fault::ClientDataType, |p| set(p, "type", "webauthn.create".into())),
    ("a credential in it", Fault::AttestedDataUnexpected, |p| {
        p.flags |= AT;
        let public_key = Key::generate(-8).cose();
        p.attested = Some(Attested { aaguid: [0; 16], id: vec![1; 16], id_length: 16, public_key });
    }),
    ("it can be backed up now", Fault::BackupEligibilityChanged, |p| p.flags |= BE),
    ("it can be backed up now, and is", Fault::BackupEligibilityChanged, |p| p.flags |= BE | BS),
    ("the same counter again", Fault::Counter, |p| p.counter = 1),
    ("a counter that stopped", Fault::Counter, |p| p.counter = 0),
];

/// Flips a bit of a value.
fn flip(answer: &mut Value, name: &str, at: usize) {
    let mut bytes = decode(&answer["response"][name]);
    bytes[at] ^= 1;
    answer["response"][name] = encode(&bytes).into();
}

#[test]
fn every_check_of_a_signature_refuses_what_it_is_for() {
    for algorithm in [-8, -7, -257] {
        for (what, fault, bend) in SHAPES.iter().chain(SHAPES_OF_SIGNED) {
            let mut scene = Scene::with(algorithm);
            let new = scene.register();
            let mut answer = scene.device.get(&Scene::request(&[]));
            assert!(scene.judge(&kept(&new), &answer).is_ok(), "{what}: it is good before");
            bend(&mut answer);
            assert_eq!(scene.judge(&kept(&new), &answer).err(), Some(*fault), "{algorithm}: {what}");
        }
    }
    for (what, fault, bend) in [CLIENT_DATA, AUTHENTICATOR_DATA, SIGNED].concat() {
        let mut scene = Scene::with(-8);
        let new = scene.register();
        assert_eq!(scene.sign_bent(&kept(&new), bend).err(), Some(fault), "{what}");
    }
}

#[test]
fn no_fault_is_left_untried() {
    let tried = registration_checks::faults();
    let of_json = SHAPES_OF_SIGNED.iter().map(|case| case.1);
    let tried: Vec<Fault> =
        tried.into_iter().chain(of_json).chain(SIGNED.iter().map(|case| case.1)).collect();
    for fault in Fault::ALL {
        assert!(tried.iter().any(|one| one.code() == fault.code()), "{}", fault.code());
    }
    let members = tried.iter().filter_map(|fault| match fault {
        Fault::Malformed(member) => Some(member),
        _ => None,
    });
    let members: Vec<&Member> = members.collect();
    assert!(Member::ALL.iter().all(|member| members.contains(&member)), "{members:?}");
}

#[test]
fn faults_are_told_apart_by_code_and_say_where_they_are() {
    let mut codes = Fault::ALL.map(Fault::code).to_vec();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Fault::ALL.len());
    for fault in Fault::ALL {
        let snake_case = fault.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(snake_case && fault.field().starts_with("credential"), "{fault:?}");
        assert!(!fault.sentence().is_empty() && !fault.sentence().ends_with('.'), "{fault:?}");
    }
    let said = (Fault::Counter.field(), Fault::Signature.to_string());
    let signature = "credential.response.signature is not the passkey's".to_owned();
    assert_eq!(said, ("credential.response.authenticatorData", signature));
}

#[test]
fn another_keys_signature_is_refused() {
    for algorithm in [-8, -7] {
        let mut scene = Scene::with(algorithm);
        let new = scene.register();
        scene.device.credentials[0].key = Key::generate(algorithm);
        assert_eq!(scene.sign_bent(&kept(&new), |_| {}).err(), Some(Fault::Signature));
    }
}

/// ES256 is ASN.1 in DER (§6.5.5), and nothing that means the same.
#[test]
fn a_signature_of_es256_is_der_alone() {
    let mut scene = Scene::with(-7);
    let new = scene.register();
    let answer = scene.device.get(&Scene::request(&[]));
    let der = decode(&answer["response"]["signature"]);
    let r = &der[4..4 + usize::from(der[3])];
    let s = &der[6 + r.len()..];
    let fixed = |half: &[u8]| [vec![0; 32], half.to_vec()].concat()[half.len()..].to_vec();
    let long_form = [&[0x30, 0x81][..], &der[1..]].concat();
    for signature in [[fixed(r), fixed(s)].concat(), long_form] {
        let mut bent = answer.clone();
        bent["response"]["signature"] = encode(&signature).into();
        assert_eq!(scene.judge(&kept(&new), &bent).err(), Some(Fault::Signature));
    }
    assert!(scene.judge(&kept(&new), &answer).is_ok());
}

#[test]
fn a_counter_goes_on_or_was_never_there() {
    for (stored, sent, good) in [
        (0, 0, true),
        (0, 1, true),
        (0, u32::MAX, true),
        (5, 6, true),
        (5, 500, true),
        (u32::MAX - 1, u32::MAX, true),
        (5, 5, false),
        (5, 4, false),
        (5, 0, false),
        (u32::MAX, u32::MAX, false),
        (u32::MAX, 0, false),
    ] {
        let mut scene = Scene::with(-8);
        let new = scene.register();
        let stored = Stored { sign_count: stored, ..kept(&new) };
        let outcome = scene.sign_bent(&stored, |p| p.counter = sent);
        let expected = if good { Ok(sent) } else { Err(Fault::Counter) };
        assert_eq!(outcome.map(|assertion| assertion.sign_count), expected, "{stored:?}");
    }
}

#[test]
fn what_can_be_backed_up_stays_so() {
    let mut scene = Scene::with(-8);
    scene.device.flags |= BE;
    let new = scene.register();
    let backed_up = scene.sign_bent(&kept(&new), |p| p.flags |= BS);
    assert!(backed_up.unwrap().backed_up);
    let outcome = scene.sign_bent(&kept(&new), |p| p.flags &= !BE);
    assert_eq!(outcome.err(), Some(Fault::BackupEligibilityChanged));
}

/// Else anybody could have an account's owner told of a copied device.
#[test]
fn nobody_without_the_key_can_accuse_a_device() {
    let mut scene = Scene::with(-7);
    let new = scene.register();
    scene.device.credentials[0].key = Key::generate(-7);
    for bend in [|p: &mut Parts| p.counter = 0, |p: &mut Parts| p.flags |= BE] {
        assert_eq!(scene.sign_bent(&kept(&new), bend).err(), Some(Fault::Signature));
    }
}

#[test]
fn a_user_who_is_known_already_need_not_be_named() {
    let mut scene = Scene::with(-8);
    let new = scene.register();
    let known = Stored { user_handle: UserHandle::Known(HANDLE), ..kept(&new) };
    let named = scene.device.get(&Scene::request(&[]));
    let mut unnamed = named.clone();
    unnamed["response"]["userHandle"] = Value::Null;
    let mut other = named.clone();
    other["response"]["userHandle"] = encode(&[8; 64]).into();
    assert!(scene.judge(&known, &named).is_ok());
    assert!(scene.judge(&known, &unnamed).is_ok());
    assert_eq!(scene.judge(&known, &other).err(), Some(Fault::UserHandle));
}

#[test]
fn a_user_is_verified_where_that_is_demanded() {
    let mut scene = Scene::with(-8);
    let new = scene.register();
    scene.uv = UserVerification::Preferred;
    assert!(!scene.sign_bent(&kept(&new), |p| p.flags &= !UV).unwrap().user_verified);
    assert!(scene.sign_bent(&kept(&new), |_| {}).unwrap().user_verified);
}

#[test]
fn a_stored_key_that_can_not_be_read_is_no_signature() {
    let mut scene = Scene::with(-8);
    let new = scene.register();
    let longer = [&new.public_key[..], &[0]].concat();
    for public_key in [&new.public_key[1..], &[], &longer] {
        let stored = Stored { public_key, ..kept(&new) };
        assert_eq!(scene.sign_bent(&stored, |_| {}).err(), Some(Fault::PublicKey));
    }
}

#[test]
fn a_response_tells_whose_credential_it_is() {
    let mut scene = Scene::with(-8);
    let new = scene.register();
    let mut answer = scene.device.get(&Scene::request(&[]));
    let response: AuthenticationResponse = serde_json::from_value(answer.clone()).unwrap();
    assert_eq!((response.credential_id(), response.user_handle()), (&new.id[..], Some(HANDLE)));
    for nobody in [Value::Null, json!("")] {
        answer["response"]["userHandle"] = nobody;
        assert_eq!(AuthenticationResponse::parse(&answer).unwrap().user_handle(), None);
    }
    answer["type"] = "password".into();
    let error = serde_json::from_value::<AuthenticationResponse>(answer).unwrap_err();
    assert_eq!(error.to_string(), "credential.type is not `public-key`");
}
