//! Whatever a browser sends, or somebody in its stead: nothing panics, nothing but a signature of the right
//! key over what was asked is taken, and what a device makes comes through whole.

use super::device::{BE, BS, NamesUser, Parts, UP, UV, decode, encode};
use super::scene::{CHALLENGE, HANDLE, Scene, kept};
use authd::webauthn::{
    AuthenticationResponse, RegistrationResponse, Stored, UserHandle, UserVerification, authenticate,
    register,
};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

/// JSON of any form, with the names that mean something here.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "(public-key|AAAA|AA==|o2NmbXRkbm9uZQ|usb|.{0,20})".prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 0..60).prop_map(|bytes| encode(&bytes).into()),
    ];
    let name = "(id|rawId|type|response|clientDataJSON|attestationObject|authenticatorData|signature|userHandle|\
        transports|.{0,6})";
    leaf.prop_recursive(3, 32, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(name, inner, 0..8).prop_map(|members| json!(members)),
        ]
    })
}

/// Bytes put in the place of others, and some that go or come.
#[derive(Clone, Debug)]
enum Change {
    Bits(Index, u8),
    Cut(Index),
    Gone(Index),
    More(Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), 1..=u8::MAX).prop_map(|(at, bits)| Change::Bits(at, bits)),
        any::<Index>().prop_map(Change::Cut),
        any::<Index>().prop_map(Change::Gone),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::More(at, byte)),
    ]
}

impl Change {
    fn of(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Bits(at, bits) => {
                let at = at.index(bytes.len());
                bytes[at] ^= bits;
            }
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Gone(at) => drop(bytes.remove(at.index(bytes.len()))),
            Self::More(at, byte) => bytes.insert(at.index(bytes.len() + 1), *byte),
        }
    }

    fn of_member(&self, answer: &mut Value, name: &str) {
        let mut bytes = decode(&answer["response"][name]);
        self.of(&mut bytes);
        answer["response"][name] = encode(&bytes).into();
    }
}

fn algorithm() -> impl Strategy<Value = i64> {
    prop_oneof![Just(-8), Just(-7), Just(-257)]
}

proptest! {
    #[test]
    fn no_json_panics_a_reader(value in any_json()) {
        let scene = Scene::new();
        if let Ok(response) = RegistrationResponse::parse(&value) {
            prop_assert!(register(&scene.rp(), CHALLENGE, UserVerification::Preferred, &response).is_err());
        }
        if let Ok(response) = AuthenticationResponse::parse(&value) {
            let id = response.credential_id().to_vec();
            let stored = Stored {
                id: &id,
                public_key: &[],
                sign_count: 0,
                backup_eligible: false,
                user_handle: UserHandle::Known(&[7]),
            };
            let uv = UserVerification::Preferred;
            prop_assert!(authenticate(&scene.rp(), CHALLENGE, uv, &stored, &response).is_err());
        }
    }

    #[test]
    fn no_bytes_panic_a_reader(
        object in proptest::collection::vec(any::<u8>(), 0..300),
        key in proptest::collection::vec(any::<u8>(), 0..120),
        client_data in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..120)),
    ) {
        let any_object = |p: &mut Parts| {
            p.attestation_object = Some(object.clone());
            p.client_data_bytes = client_data.clone();
        };
        prop_assert!(Scene::with(-8).register_bent(any_object).is_err());
        prop_assert!(Scene::with(-8).register_bent(|p| p.attested().public_key = key.clone()).is_err());
        let mut scene = Scene::with(-8);
        let new = scene.register();
        let signed = scene.sign_bent(&kept(&new), |p| p.authenticator_data = Some(object.clone()));
        prop_assert!(signed.is_err());
        let stored = Stored { public_key: &key, ..kept(&new) };
        let signed = scene.sign_bent(&stored, |_| ());
        prop_assert!(signed.is_err());
    }

    #[test]
    fn a_changed_object_is_another_credential_or_none(algorithm in algorithm(), change in change()) {
        let mut scene = Scene::with(algorithm);
        let options = scene.creation();
        let mut answer = scene.device.create(&options);
        change.of_member(&mut answer, "attestationObject");
        if let Ok(new) = scene.judge_new(&answer) {
            prop_assert_eq!(new.id, decode(&answer["id"]));
        }
    }

    #[test]
    fn nothing_that_is_signed_can_be_changed(
        algorithm in algorithm(),
        name in prop_oneof![Just("clientDataJSON"), Just("authenticatorData"), Just("signature")],
        change in change(),
    ) {
        let mut scene = Scene::with(algorithm);
        let new = scene.register();
        let good = scene.device.get(&Scene::request(&[]));
        prop_assert!(scene.judge(&kept(&new), &good).is_ok());
        let mut answer = good.clone();
        change.of_member(&mut answer, name);
        if answer != good {
            prop_assert!(scene.judge(&kept(&new), &answer).is_err());
        }
    }

    #[test]
    fn what_a_device_makes_comes_through_whole(
        algorithm in algorithm(),
        verified in any::<bool>(),
        backup in prop_oneof![Just(0), Just(BE), Just(BE | BS)],
        counter in any::<u32>(),
        id_length in 1_usize..=1023,
        aaguid in any::<[u8; 16]>(),
        extension in proptest::option::of("[a-z]{1,20}"),
        named in any::<bool>(),
    ) {
        let mut scene = Scene::with(algorithm);
        scene.uv = UserVerification::Preferred;
        scene.device.flags = UP | backup | if verified { UV } else { 0 };
        scene.device.counter = counter;
        scene.device.id_length = id_length;
        scene.device.aaguid = aaguid;
        scene.device.names_user = if named { NamesUser::Always } else { NamesUser::Never };
        let extend = |p: &mut Parts| {
            if let Some(name) = &extension {
                let length = u8::try_from(name.len()).unwrap();
                p.extend([&[0xa1, 0x60 + length], name.as_bytes(), &[0xf5]].concat());
            }
        };
        let new = scene.register_bent(extend).unwrap();
        prop_assert_eq!((new.algorithm.cose(), new.sign_count, new.aaguid), (algorithm, counter, aaguid));
        prop_assert_eq!((new.user_verified, new.backup_eligible), (verified, backup & BE != 0));
        prop_assert_eq!((new.backed_up, new.id.len()), (backup & BS != 0, id_length));
        let next = if counter == 0 { 0 } else { counter.wrapping_add(1) };
        let stored = Stored { user_handle: UserHandle::Known(HANDLE), ..kept(&new) };
        let assertion = scene.sign_bent(&stored, extend);
        // At its end a counter can't go on.
        prop_assert_eq!(assertion.is_ok(), counter != u32::MAX);
        if let Ok(assertion) = assertion {
            prop_assert_eq!((assertion.sign_count, assertion.user_verified), (next, verified));
            prop_assert_eq!(assertion.backed_up, backup & BS != 0);
        }
    }
}

#[test]
fn nothing_that_is_cut_off_is_taken() {
    let mut scene = Scene::with(-7);
    let options = scene.creation();
    let answer = scene.device.create(&options);
    let new = scene.judge_new(&answer).unwrap();
    let cut = |answer: &Value, name: &str| {
        let bytes = decode(&answer["response"][name]);
        let short = move |length: usize| encode(&bytes[..length]).into();
        let whole = decode(&answer["response"][name]).len();
        let bend = |length| {
            let mut bent = answer.clone();
            bent["response"][name] = short(length);
            bent
        };
        (0..whole).map(bend).collect::<Vec<Value>>()
    };
    for name in ["clientDataJSON", "attestationObject"] {
        assert!(cut(&answer, name).iter().all(|answer| scene.judge_new(answer).is_err()), "{name}");
    }
    let answer = scene.device.get(&Scene::request(&[]));
    for name in ["clientDataJSON", "authenticatorData", "signature", "userHandle"] {
        let cut = cut(&answer, name);
        assert!(cut.iter().all(|answer| scene.judge(&kept(&new), answer).is_err()), "{name}");
    }
}
