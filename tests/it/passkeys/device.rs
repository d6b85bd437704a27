//! A browser and a passkey in one: makes credentials and signs with them, from the options' JSON to the JSON
//! that `toJSON()` gives, with keys of its own. Each part can be bent before it is put together. It asks the
//! code under test for nothing.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use data_encoding::BASE64URL_NOPAD;
use minicbor::Encoder;
use serde_json::{Map, Value, json};
use std::sync::{Arc, OnceLock};

pub const UP: u8 = 1;
pub const UV: u8 = 1 << 2;
pub const BE: u8 = 1 << 3;
pub const BS: u8 = 1 << 4;
pub const AT: u8 = 1 << 6;
pub const ED: u8 = 1 << 7;

/// A device in a browser that stands at `origin`. What it says of itself is as its fields are when it is
/// asked.
#[derive(Debug)]
pub struct Device {
    pub origin: String,
    pub rp_id: String,
    /// The algorithm that it prefers, by COSE's number. `None`: the first one offered that it has.
    pub algorithm: Option<i64>,
    /// [`UP`], [`UV`], [`BE`] and [`BS`], as it will say. [`AT`] and [`ED`] come by themselves.
    pub flags: u8,
    /// What it says next. Above zero it counts on by itself; at zero it doesn't count.
    pub counter: u32,
    pub cross_origin: Option<bool>,
    pub top_origin: Option<String>,
    pub transports: Vec<String>,
    pub aaguid: [u8; 16],
    /// The length of the ids that it gives, in bytes.
    pub id_length: usize,
    pub names_user: NamesUser,
    pub credentials: Vec<Credential>,
}

/// Whether a device says whose credential it signed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NamesUser {
    Always,
    Never,
}

#[derive(Debug)]
pub struct Credential {
    pub id: Vec<u8>,
    pub rp_id: String,
    pub user_handle: Vec<u8>,
    pub key: Key,
}

/// What an answer is put together from.
#[derive(Clone, Debug)]
pub struct Parts {
    pub client_data: Map<String, Value>,
    /// The client data's bytes, in place of the members.
    pub client_data_bytes: Option<Vec<u8>>,
    pub rp_id_hash: Vec<u8>,
    pub flags: u8,
    pub counter: u32,
    /// Written whether or not the flags say [`AT`].
    pub attested: Option<Attested>,
    /// Written whether or not the flags say [`ED`].
    pub extensions: Vec<u8>,
    /// What follows in the authenticator data.
    pub tail: Vec<u8>,
    /// The authenticator data's bytes, in place of all that.
    pub authenticator_data: Option<Vec<u8>>,
    pub format: String,
    /// The attestation statement, as CBOR.
    pub statement: Vec<u8>,
    /// What follows the attestation object.
    pub object_tail: Vec<u8>,
    /// The attestation object's bytes, in place of all that.
    pub attestation_object: Option<Vec<u8>>,
}

#[derive(Clone, Debug)]
pub struct Attested {
    pub aaguid: [u8; 16],
    pub id: Vec<u8>,
    /// Its length as it is written down, which may be another.
    pub id_length: usize,
    /// A COSE_Key.
    pub public_key: Vec<u8>,
}

impl Device {
    /// A device that verifies who is there, keeps its credentials to itself and counts from 1.
    pub fn new(origin: &str, rp_id: &str) -> Self {
        Self {
            origin: origin.into(),
            rp_id: rp_id.into(),
            algorithm: None,
            flags: UP | UV,
            counter: 1,
            cross_origin: Some(false),
            top_origin: None,
            transports: vec!["internal".into()],
            aaguid: [0; 16],
            id_length: 32,
            names_user: NamesUser::Always,
            credentials: Vec::new(),
        }
    }

    /// Makes a credential: `navigator.credentials.create` with `PublicKeyCredentialCreationOptionsJSON`.
    pub fn create(&mut self, options: &Value) -> Value {
        self.create_bent(options, |_| {})
    }

    /// The same, with parts bent before they are put together.
    pub fn create_bent(&mut self, options: &Value, bend: impl FnOnce(&mut Parts)) -> Value {
        let offered = options["pubKeyCredParams"].as_array().unwrap();
        let mut offered = offered.iter().map(|parameters| parameters["alg"].as_i64().unwrap());
        let algorithm = self.algorithm.unwrap_or_else(|| offered.next().unwrap());
        let key = Key::generate(algorithm);
        let id = random(self.id_length);
        let mut parts = self.parts("webauthn.create", options);
        parts.flags |= AT;
        parts.attested = Some(Attested {
            aaguid: self.aaguid,
            id: id.clone(),
            id_length: id.len(),
            public_key: key.cose(),
        });
        bend(&mut parts);
        let user_handle = decode(&options["user"]["id"]);
        self.credentials.push(Credential { id: id.clone(), rp_id: self.rp_id.clone(), user_handle, key });
        self.count_on();
        json!({
            "id": encode(&id),
            "rawId": encode(&id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(&parts.client_data()),
                "attestationObject": encode(&parts.attestation_object()),
                "authenticatorData": encode(&parts.authenticator_data()),
                "publicKeyAlgorithm": algorithm,
                "transports": self.transports,
            },
        })
    }

    /// Signs: `navigator.credentials.get` with `PublicKeyCredentialRequestOptionsJSON`. With the newest
    /// credential of those that the options allow.
    pub fn get(&mut self, options: &Value) -> Value {
        self.get_bent(options, |_| {})
    }

    /// The same, with parts bent before they are put together and signed.
    pub fn get_bent(&mut self, options: &Value, bend: impl FnOnce(&mut Parts)) -> Value {
        let mut parts = self.parts("webauthn.get", options);
        bend(&mut parts);
        let allowed = options["allowCredentials"].as_array().filter(|allowed| !allowed.is_empty());
        let allows = |id: &[u8]| allowed.is_none_or(|all| all.iter().any(|one| decode(&one["id"]) == id));
        let mut usable = self.credentials.iter().rev().filter(|one| one.rp_id == self.rp_id);
        let credential = usable.find(|one| allows(&one.id)).expect("the device has one of those allowed");
        let (client_data, data) = (parts.client_data(), parts.authenticator_data());
        let signed = [&data[..], digest(&SHA256, &client_data).as_ref()].concat();
        let mut answer = json!({
            "id": encode(&credential.id),
            "rawId": encode(&credential.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(&client_data),
                "authenticatorData": encode(&data),
                "signature": encode(&credential.key.sign(&signed)),
            },
        });
        if self.names_user == NamesUser::Always {
            answer["response"]["userHandle"] = encode(&credential.user_handle).into();
        }
        self.count_on();
        answer
    }

    fn parts(&self, kind: &str, options: &Value) -> Parts {
        let mut client_data = Map::new();
        client_data.insert("type".into(), kind.into());
        client_data.insert("challenge".into(), options["challenge"].clone());
        client_data.insert("origin".into(), self.origin.clone().into());
        if let Some(cross_origin) = self.cross_origin {
            client_data.insert("crossOrigin".into(), cross_origin.into());
        }
        if let Some(top_origin) = &self.top_origin {
            client_data.insert("topOrigin".into(), top_origin.clone().into());
        }
        Parts {
            client_data,
            client_data_bytes: None,
            rp_id_hash: digest(&SHA256, self.rp_id.as_bytes()).as_ref().to_vec(),
            flags: self.flags,
            counter: self.counter,
            attested: None,
            extensions: Vec::new(),
            tail: Vec::new(),
            authenticator_data: None,
            format: "none".into(),
            statement: vec![0xa0],
            object_tail: Vec::new(),
            attestation_object: None,
        }
    }

    const fn count_on(&mut self) {
        if self.counter > 0 {
            self.counter = self.counter.wrapping_add(1);
        }
    }
}

impl Parts {
    pub fn client_data(&self) -> Vec<u8> {
        let members = || Value::Object(self.client_data.clone()).to_string().into_bytes();
        self.client_data_bytes.clone().unwrap_or_else(members)
    }

    pub fn authenticator_data(&self) -> Vec<u8> {
        if let Some(bytes) = &self.authenticator_data {
            return bytes.clone();
        }
        let mut data = self.rp_id_hash.clone();
        data.push(self.flags);
        data.extend(self.counter.to_be_bytes());
        if let Some(attested) = &self.attested {
            data.extend(attested.aaguid);
            data.extend(u16::try_from(attested.id_length).unwrap().to_be_bytes());
            data.extend(&attested.id);
            data.extend(&attested.public_key);
        }
        data.extend(&self.extensions);
        data.extend(&self.tail);
        data
    }

    pub fn attestation_object(&self) -> Vec<u8> {
        if let Some(bytes) = &self.attestation_object {
            return bytes.clone();
        }
        let mut object = vec![0xa3];
        object.extend(cbor(|cbor| {
            cbor.str("fmt").unwrap().str(&self.format).unwrap().str("attStmt").unwrap();
        }));
        object.extend(&self.statement);
        let data = self.authenticator_data();
        object.extend(cbor(|cbor| {
            cbor.str("authData").unwrap().bytes(&data).unwrap();
        }));
        object.extend(&self.object_tail);
        object
    }

    /// Adds extensions, as CBOR, and says so.
    pub fn extend(&mut self, extensions: Vec<u8>) {
        self.flags |= ED;
        self.extensions = extensions;
    }

    /// The new credential's part.
    pub fn attested(&mut self) -> &mut Attested {
        self.attested.as_mut().expect("a credential is made")
    }
}

/// A key pair of one of the algorithms that authd offers.
pub enum Key {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Rs256(Arc<RsaKeyPair>),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[key of {}]", self.algorithm())
    }
}

impl Key {
    pub fn generate(algorithm: i64) -> Self {
        match algorithm {
            -8 => Self::EdDsa(Ed25519KeyPair::generate().unwrap()),
            -7 => Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()),
            -257 => Self::Rs256(rsa()),
            other => panic!("the device has no algorithm {other}"),
        }
    }

    pub const fn algorithm(&self) -> i64 {
        match self {
            Self::EdDsa(_) => -8,
            Self::Es256(_) => -7,
            Self::Rs256(_) => -257,
        }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::EdDsa(key) => key.sign(message).as_ref().to_vec(),
            Self::Es256(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// The public half as a COSE_Key (RFC 9052 §7).
    pub fn cose(&self) -> Vec<u8> {
        match self {
            Self::EdDsa(key) => okp(-8, 6, key.public_key().as_ref()),
            Self::Es256(key) => {
                let point = key.public_key().as_ref();
                ec2(-7, 1, &point[1..33], &point[33..])
            }
            Self::Rs256(key) => {
                let public = key.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                rsa_key(-257, n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero())
            }
        }
    }
}

/// One key for all, since finding its primes takes a while.
fn rsa() -> Arc<RsaKeyPair> {
    static KEY: OnceLock<Arc<RsaKeyPair>> = OnceLock::new();
    Arc::clone(KEY.get_or_init(|| Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())))
}

/// A COSE_Key of type OKP.
pub fn okp(alg: i64, crv: i64, x: &[u8]) -> Vec<u8> {
    cbor(|cbor| {
        let cbor = cbor.map(4).unwrap().i8(1).unwrap().i8(1).unwrap().i8(3).unwrap().i64(alg).unwrap();
        cbor.i8(-1).unwrap().i64(crv).unwrap().i8(-2).unwrap().bytes(x).unwrap();
    })
}

/// A COSE_Key of type EC2.
pub fn ec2(alg: i64, crv: i64, x: &[u8], y: &[u8]) -> Vec<u8> {
    cbor(|cbor| {
        let cbor = cbor.map(5).unwrap().i8(1).unwrap().i8(2).unwrap().i8(3).unwrap().i64(alg).unwrap();
        let cbor = cbor.i8(-1).unwrap().i64(crv).unwrap().i8(-2).unwrap().bytes(x).unwrap();
        cbor.i8(-3).unwrap().bytes(y).unwrap();
    })
}

/// A COSE_Key of type RSA.
pub fn rsa_key(alg: i64, n: &[u8], e: &[u8]) -> Vec<u8> {
    cbor(|cbor| {
        let cbor = cbor.map(4).unwrap().i8(1).unwrap().i8(3).unwrap().i8(3).unwrap().i64(alg).unwrap();
        cbor.i8(-1).unwrap().bytes(n).unwrap().i8(-2).unwrap().bytes(e).unwrap();
    })
}

/// CBOR as the closure writes it.
pub fn cbor(write: impl FnOnce(&mut Encoder<Vec<u8>>)) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder);
    encoder.into_writer()
}

pub fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// The bytes of a JSON text in base64url.
pub fn decode(value: &Value) -> Vec<u8> {
    BASE64URL_NOPAD.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

pub fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}
