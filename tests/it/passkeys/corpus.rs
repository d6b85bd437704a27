//! Some 2,000 answers, most of them bent in one place by chance, with what authd says of each: for another
//! implementation to say what it thinks (see tests/passkeys/second_opinion.py).
//!
//! The places are drawn from a fixed seed; keys and ids are new each time.

use super::authentication_checks::{SHAPES_OF_SIGNED, SIGNED};
use super::breaks::{AUTHENTICATOR_DATA, Break, CLIENT_DATA, SHAPES};
use super::device::{BE, Parts, decode, encode};
use super::registration_checks::{NEW, SHAPES_OF_NEW};
use super::scene::{CHALLENGE, HANDLE, RP_ID, Scene, kept};
use authd::webauthn::{
    AuthenticationResponse, Fault, Member, NewCredential, RegistrationResponse, Stored, UserHandle,
    UserVerification, authenticate, register,
};
use serde_json::{Value, json};
use std::{env, fs};

/// Where to write them.
const FILE: &str = "AUTHD_PASSKEYS_CORPUS";

const ALGORITHMS: [i64; 3] = [-8, -7, -257];

/// How many of each ceremony are bent by chance.
const EACH: usize = 700;

/// Chance that repeats (SplitMix64).
struct Chance(u64);

impl Chance {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    /// Changes bytes in one place.
    fn bend(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        match self.below(5) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            1 if !bytes.is_empty() => bytes[at] = self.byte(),
            2 if !bytes.is_empty() => drop(bytes.remove(at)),
            3 => bytes.truncate(at),
            _ => bytes.insert(at, self.byte()),
        }
    }
}

/// A part, bent by chance before the answer is put together and signed.
fn bend_parts(chance: &mut Chance, parts: &mut Parts) -> &'static str {
    match chance.below(9) {
        0 => {
            parts.flags ^= 1 << chance.below(8);
            "a flag"
        }
        1 => {
            parts.counter = chance.of(&[0, 1, 2, 3, u32::MAX]);
            "the counter"
        }
        2 => {
            let mut bytes = parts.client_data();
            chance.bend(&mut bytes);
            parts.client_data_bytes = Some(bytes);
            "client data"
        }
        3 => {
            chance.bend(&mut parts.rp_id_hash);
            "the hash of the RP id"
        }
        4 => {
            let name =
                chance.of(&["type", "challenge", "origin", "crossOrigin", "topOrigin", "tokenBinding"]);
            let value =
                chance.of(&["", "null", "true", "1", "\"webauthn.get\"", "\"https://example.com\"", "{}"]);
            match serde_json::from_str(value) {
                Ok(value) => drop(parts.client_data.insert(name.into(), value)),
                Err(_) => drop(parts.client_data.remove(name)),
            }
            "a member of client data"
        }
        5 => {
            let extensions =
                chance.of(&[&b"\xa0"[..], b"\xa1\x61a\x01", b"\xa1\x61a\x18\x01", b"\x80", b"\xbf\xff"]);
            parts.extend(extensions.to_vec());
            if chance.below(3) == 0 {
                chance.bend(&mut parts.extensions);
            }
            "extensions"
        }
        6 => {
            parts.format = chance.of(&["packed", "fido-u2f", "apple", "none", "None", ""]).into();
            let statements = [&b"\xa0"[..], b"\xa2\x63alg\x26\x63sig\x41\x00", b"\x80", b"\xa1\x63x5c\x80"];
            parts.statement = chance.of(&statements).to_vec();
            "the attestation"
        }
        7 => {
            let mut bytes = parts.authenticator_data();
            chance.bend(&mut bytes);
            parts.authenticator_data = Some(bytes);
            "authenticator data"
        }
        _ => match &mut parts.attested {
            Some(attested) => {
                // The key is what has most ways to be wrong.
                let is_id = chance.below(8) == 0;
                chance.bend(if is_id { &mut attested.id } else { &mut attested.public_key });
                "the new credential"
            }
            None => {
                parts.tail = vec![chance.byte()];
                "a byte more"
            }
        },
    }
}

/// The answer's JSON, or its bytes, bent by chance after the answer was put together.
fn bend_answer(chance: &mut Chance, answer: &Value) -> (&'static str, String) {
    let mut bent = answer.clone();
    let names: Vec<String> = answer["response"].as_object().unwrap().keys().cloned().collect();
    let name = &names[chance.below(names.len())];
    let place = bent["response"][name].as_str().map(str::to_owned);
    match (chance.below(6), place) {
        (0, _) => {
            let mut text = answer.to_string().into_bytes();
            chance.bend(&mut text);
            ("the JSON's text", String::from_utf8_lossy(&text).into_owned())
        }
        (1, _) => {
            let value = chance.of(&["null", "1", "\"\"", "[]", "{}", "\"AAAA\"", "\"public-key\""]);
            let value: Value = serde_json::from_str(value).unwrap();
            if chance.below(2) == 0 {
                bent[chance.of(&["id", "rawId", "type", "response", "authenticatorAttachment"])] = value;
            } else {
                bent["response"][name] = value;
            }
            ("a member of the JSON", bent.to_string())
        }
        (2, Some(text)) => {
            let mut text = text.into_bytes();
            let at = chance.below(text.len());
            match chance.below(4) {
                0 => text.insert(at, chance.of(b"+/=-_ \n.")),
                1 => text.push(chance.of(b"=A+")),
                2 if !text.is_empty() => text[at] = chance.of(b"+/=-_ ABCz09"),
                _ => drop(text.pop()),
            }
            bent["response"][name] = String::from_utf8(text).unwrap().into();
            ("base64url", bent.to_string())
        }
        (_, Some(_)) if name != "authenticatorData" || answer["response"]["signature"].is_string() => {
            let mut bytes = decode(&answer["response"][name]);
            chance.bend(&mut bytes);
            bent["response"][name] = encode(&bytes).into();
            ("a member's bytes", bent.to_string())
        }
        _ => ("nothing", answer.to_string()),
    }
}

/// What authd says of it.
fn verdict<T>(outcome: Result<T, Fault>, tell: impl FnOnce(T) -> Value) -> Value {
    match outcome {
        Ok(taken) => json!({"taken": tell(taken)}),
        Err(fault) => json!({"refused": fault.code()}),
    }
}

/// A text that is not even JSON is refused before anything here is asked.
fn parsed<T>(text: &str, parse: fn(&Value) -> Result<T, Fault>) -> Result<T, Fault> {
    let value = serde_json::from_str(text).map_err(|_| Fault::Malformed(Member::Credential))?;
    parse(&value)
}

fn of_new(scene: &Scene, bent: &str, text: String) -> Value {
    let outcome = parsed(&text, RegistrationResponse::parse)
        .and_then(|response| register(&scene.rp(), CHALLENGE, scene.uv, &response));
    let authd = verdict(outcome, |new| {
        json!({"id": encode(&new.id), "public_key": encode(&new.public_key), "sign_count": new.sign_count,
            "user_verified": new.user_verified, "backup_eligible": new.backup_eligible,
            "backed_up": new.backed_up, "aaguid": encode(&new.aaguid)})
    });
    case("registration", scene, bent, text, json!({"authd": authd}))
}

fn of_signed(scene: &Scene, stored: &Stored<'_>, bent: &str, text: String) -> Value {
    let outcome = parsed(&text, AuthenticationResponse::parse)
        .and_then(|response| authenticate(&scene.rp(), CHALLENGE, scene.uv, stored, &response));
    let authd = verdict(outcome, |assertion| {
        json!({"sign_count": assertion.sign_count, "user_verified": assertion.user_verified,
            "backed_up": assertion.backed_up})
    });
    let stored = json!({"id": encode(stored.id), "public_key": encode(stored.public_key),
        "sign_count": stored.sign_count, "backup_eligible": stored.backup_eligible});
    case("authentication", scene, bent, text, json!({"authd": authd, "stored": stored}))
}

fn case(ceremony: &str, scene: &Scene, bent: &str, text: String, more: Value) -> Value {
    let mut case = json!({"ceremony": ceremony, "bent": bent, "credential": text,
        "user_verification": scene.uv == UserVerification::Required});
    case.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    case
}

fn kept_of_known(new: &NewCredential) -> Stored<'_> {
    Stored { user_handle: UserHandle::Known(HANDLE), ..kept(new) }
}

/// A device of either kind, and a relying party that demands much or little.
fn scene(chance: &mut Chance) -> Scene {
    let mut scene = Scene::with(chance.of(&ALGORITHMS));
    scene.device.flags |= chance.of(&[0, BE]);
    scene.device.counter = chance.of(&[0, 1, 1000]);
    if chance.below(2) == 0 {
        scene.uv = UserVerification::Preferred;
    }
    scene
}

fn by_chance(chance: &mut Chance) -> Vec<Value> {
    let mut cases = Vec::new();
    for turn in 0..EACH {
        let mut scene = scene(chance);
        let mut what = "nothing";
        let options = scene.creation();
        let answer = scene.device.create_bent(&options, |parts| {
            if turn % 2 == 0 {
                what = bend_parts(chance, parts);
            }
        });
        let (what, text) =
            if turn % 2 == 0 { (what, answer.to_string()) } else { bend_answer(chance, &answer) };
        cases.push(of_new(&scene, what, text));

        let mut scene = self::scene(chance);
        let new = scene.register();
        let mut what = "nothing";
        let answer = scene.device.get_bent(&Scene::request(&[]), |parts| {
            if turn % 2 == 0 {
                what = bend_parts(chance, parts);
            }
        });
        let (what, text) =
            if turn % 2 == 0 { (what, answer.to_string()) } else { bend_answer(chance, &answer) };
        cases.push(of_signed(&scene, &kept_of_known(&new), what, text));
    }
    cases
}

/// The tables of broken things, and nothing broken.
fn by_table() -> Vec<Value> {
    let nothing: Break<Parts> = ("nothing", Fault::Counter, |_| {});
    let strange: Break<Value> = ("an attachment that is not known", Fault::Counter, |v| {
        v["authenticatorAttachment"] = "implant".into();
    });
    let mut cases = Vec::new();
    for algorithm in ALGORITHMS {
        let both = [CLIENT_DATA, AUTHENTICATOR_DATA, &[nothing]].concat();
        for (what, _, bend) in both.iter().chain(NEW) {
            let mut scene = Scene::with(algorithm);
            let options = scene.creation();
            let answer = scene.device.create_bent(&options, bend);
            cases.push(of_new(&scene, what, answer.to_string()));
        }
        for (what, _, bend) in both.iter().chain(SIGNED) {
            let mut scene = Scene::with(algorithm);
            let new = scene.register();
            let answer = scene.device.get_bent(&Scene::request(&[]), bend);
            cases.push(of_signed(&scene, &kept_of_known(&new), what, answer.to_string()));
        }
        for (what, _, bend) in SHAPES.iter().chain(SHAPES_OF_NEW).chain(&[strange]) {
            let mut scene = Scene::with(algorithm);
            let options = scene.creation();
            let mut answer = scene.device.create(&options);
            bend(&mut answer);
            cases.push(of_new(&scene, what, answer.to_string()));
        }
        for (what, _, bend) in SHAPES.iter().chain(SHAPES_OF_SIGNED).chain(&[strange]) {
            let mut scene = Scene::with(algorithm);
            let new = scene.register();
            let mut answer = scene.device.get(&Scene::request(&[]));
            bend(&mut answer);
            cases.push(of_signed(&scene, &kept_of_known(&new), what, answer.to_string()));
        }
    }
    cases
}

#[test]
fn bent_answers_are_judged_for_another_judge() {
    let cases = [by_table(), by_chance(&mut Chance(44))].concat();
    let count = |ceremony: &str, outcome: &str| {
        let is = |case: &&Value| case["ceremony"] == ceremony && !case["authd"][outcome].is_null();
        cases.iter().filter(is).count()
    };
    for ceremony in ["registration", "authentication"] {
        let (taken, refused) = (count(ceremony, "taken"), count(ceremony, "refused"));
        assert!(taken + refused >= 500 && taken >= 50 && refused >= 250, "{ceremony}: {taken}, {refused}");
    }
    let unbent = cases.iter().filter(|case| case["bent"] == "nothing");
    assert!(unbent.clone().count() >= 6);
    for case in unbent {
        assert!(!case["authd"]["taken"].is_null(), "{case}");
    }
    if let Some(file) = env::var_os(FILE) {
        let origins = Scene::new().origins;
        let corpus = json!({"rp_id": RP_ID, "origins": origins, "challenge": encode(CHALLENGE),
            "user_handle": encode(HANDLE), "cases": cases});
        fs::write(file, corpus.to_string()).unwrap();
    }
}
