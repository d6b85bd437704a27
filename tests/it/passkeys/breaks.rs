//! What can be wrong with a browser's answer, whatever the ceremony: tables of one broken thing each, with
//! the fault that it must be.

use super::device::{AT, BE, BS, ED, Parts, UP, UV, encode};
use super::scene::ORIGIN;
use authd::webauthn::{Fault, Member};
use serde_json::{Value, json};

/// Breaks one thing.
pub type Bend<T> = fn(&mut T);

/// What is broken, which fault that is, and how it is done.
pub type Break<T> = (&'static str, Fault, Bend<T>);

/// All that a browser's JSON can have wrong.
pub const SHAPES: &[Break<Value>] = &[
    ("an array", Fault::Malformed(Member::Credential), |v| *v = json!([])),
    ("no id", Fault::Malformed(Member::Id), |v| drop(v.as_object_mut().unwrap().remove("id"))),
    ("an id that is a number", Fault::Malformed(Member::Id), |v| v["id"] = 1.into()),
    ("a padded id", Fault::Malformed(Member::Id), |v| v["id"] = "AAAAAA==".into()),
    ("an id of base64's other alphabet", Fault::Malformed(Member::Id), |v| v["id"] = "+/+/".into()),
    ("an id with bits left over", Fault::Malformed(Member::Id), |v| v["id"] = "AB".into()),
    ("no rawId", Fault::Malformed(Member::RawId), |v| v["rawId"] = Value::Null),
    ("another rawId", Fault::RawId, |v| v["rawId"] = "AAAA".into()),
    ("no type", Fault::Malformed(Member::Type), |v| v["type"] = Value::Null),
    ("a password", Fault::CredentialType, |v| v["type"] = "password".into()),
    ("an empty id", Fault::CredentialIdLength, |v| set_id(v, &[])),
    ("an id of 1,024 bytes", Fault::CredentialIdLength, |v| set_id(v, &[1; 1024])),
    ("no response", Fault::Malformed(Member::Response), |v| v["response"] = "x".into()),
    ("no client data", Fault::Malformed(Member::ClientData), |v| {
        v["response"]["clientDataJSON"] = Value::Null;
    }),
    ("client data of more than 4 KiB", Fault::Malformed(Member::ClientData), |v| {
        v["response"]["clientDataJSON"] = encode(&[b' '; 4097]).into();
    }),
];

fn set_id(answer: &mut Value, id: &[u8]) {
    for name in ["id", "rawId"] {
        answer[name] = encode(id).into();
    }
}

/// Client data, for both ceremonies alike.
pub const CLIENT_DATA: &[Break<Parts>] = &[
    ("not JSON", Fault::ClientData, |p| p.client_data_bytes = Some(b"{".to_vec())),
    ("an array", Fault::ClientData, |p| p.client_data_bytes = Some(b"[]".to_vec())),
    ("not UTF-8", Fault::ClientData, |p| with(p, b"{\"x\":\"\xff\",", 1)),
    ("a text after it", Fault::ClientData, |p| {
        p.client_data_bytes = Some([p.client_data(), b"{}".to_vec()].concat());
    }),
    ("no type", Fault::ClientData, |p| drop(p.client_data.remove("type"))),
    ("no challenge", Fault::ClientData, |p| drop(p.client_data.remove("challenge"))),
    ("no origin", Fault::ClientData, |p| drop(p.client_data.remove("origin"))),
    ("a challenge that is a number", Fault::ClientData, |p| set(p, "challenge", 1.into())),
    ("the type twice", Fault::ClientData, |p| with(p, br#"{"type":"webauthn.create","#, 1)),
    ("the origin twice", Fault::ClientData, |p| with(p, br#"{"origin":"https://auth.example.com","#, 1)),
    ("crossOrigin that is a text", Fault::ClientData, |p| set(p, "crossOrigin", "false".into())),
    ("no type that there is", Fault::ClientDataType, |p| set(p, "type", "webauthn".into())),
    ("a payment", Fault::ClientDataType, |p| set(p, "type", "payment.get".into())),
    ("another challenge", Fault::Challenge, |p| set(p, "challenge", encode(&[1; 32]).into())),
    ("an empty challenge", Fault::Challenge, |p| set(p, "challenge", "".into())),
    ("a challenge that is padded", Fault::Challenge, |p| {
        let challenge = format!("{}=", p.client_data["challenge"].as_str().unwrap());
        set(p, "challenge", challenge.into());
    }),
    ("another site", Fault::Origin, |p| set(p, "origin", "https://evil.example".into())),
    ("a subdomain", Fault::Origin, |p| set(p, "origin", "https://a.auth.example.com".into())),
    ("another scheme", Fault::Origin, |p| set(p, "origin", "http://auth.example.com".into())),
    ("another port", Fault::Origin, |p| set(p, "origin", "https://auth.example.com:8443".into())),
    ("the RP id alone", Fault::Origin, |p| set(p, "origin", "example.com".into())),
    ("a slash more", Fault::Origin, |p| set(p, "origin", "https://auth.example.com/".into())),
    ("in capitals", Fault::Origin, |p| set(p, "origin", "https://AUTH.example.com".into())),
    ("no site at all", Fault::Origin, |p| set(p, "origin", "null".into())),
    ("an app", Fault::Origin, |p| set(p, "origin", "android:apk-key-hash:AAAA".into())),
    ("inside another page", Fault::CrossOrigin, |p| set(p, "crossOrigin", true.into())),
    ("with the page around it", Fault::TopOrigin, |p| set(p, "topOrigin", ORIGIN.into())),
];

/// Authenticator data, for both ceremonies alike.
pub const AUTHENTICATOR_DATA: &[Break<Parts>] = &[
    ("empty", Fault::AuthenticatorData, |p| p.authenticator_data = Some(vec![])),
    ("36 bytes", Fault::AuthenticatorData, |p| {
        p.authenticator_data = Some(p.authenticator_data()[..36].to_vec());
    }),
    ("a model that is cut off", Fault::AuthenticatorData, |p| {
        p.flags |= AT;
        p.attested = None;
        p.tail = vec![0; 17];
    }),
    ("an id that is cut off", Fault::AuthenticatorData, |p| {
        p.flags |= AT;
        p.attested = None;
        p.tail = [&[0; 16][..], &[0xff, 0xff], &[1; 100]].concat();
    }),
    ("a byte more", Fault::AuthenticatorDataTrailing, |p| p.tail = vec![0]),
    ("extensions that no flag tells of", Fault::AuthenticatorDataTrailing, |p| p.extensions = vec![0xa0]),
    ("a byte after extensions", Fault::AuthenticatorDataTrailing, |p| p.extend(vec![0xa0, 0])),
    ("a flag for extensions that are not there", Fault::Extensions, |p| p.flags |= ED),
    ("extensions that are an array", Fault::Extensions, |p| p.extend(vec![0x80])),
    ("an extension with a number for a name", Fault::Extensions, |p| p.extend(vec![0xa1, 1, 1])),
    ("an extension twice", Fault::Extensions, |p| p.extend(vec![0xa2, 0x61, b'a', 1, 0x61, b'a', 1])),
    ("extensions without an end", Fault::Extensions, |p| p.extend(vec![0xbf, 0xff])),
    ("extensions that are cut off", Fault::Extensions, |p| p.extend(vec![0xa1, 0x61, b'a'])),
    ("an extension with nothing in it", Fault::Extensions, |p| p.extend(vec![0xa1, 0x61, b'a', 0xff])),
    ("extensions of any number", Fault::Extensions, |p| p.extend(vec![0xbb, 255, 0, 0, 0, 0, 0, 0, 0])),
    ("seventeen extensions", Fault::Extensions, |p| {
        p.extend([vec![0xb1], (b'a'..=b'q').flat_map(|name| [0x61, name, 1]).collect()].concat());
    }),
    ("another relying party", Fault::RpIdHash, |p| p.rp_id_hash[31] ^= 1),
    ("nobody there", Fault::UserPresence, |p| p.flags &= !UP),
    ("nobody verified", Fault::UserVerification, |p| p.flags &= !UV),
    ("backed up, which can't be", Fault::BackupState, |p| p.flags = (p.flags | BS) & !BE),
];

pub fn set(parts: &mut Parts, name: &str, value: Value) {
    parts.client_data.insert(name.into(), value);
}

/// Puts a text in the place of the client data's first bytes.
fn with(parts: &mut Parts, text: &[u8], from: usize) {
    let client_data = parts.client_data();
    parts.client_data_bytes = Some([text, &client_data[from..]].concat());
}
