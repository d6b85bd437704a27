//! Credential keys (§5.8.5, §6.5.1.1): a COSE_Key (RFC 9052 §7) of one of the algorithms that are offered,
//! with the members that it takes and no others.

use super::algorithm::Algorithm;
use super::cbor::Reader;
use super::fault::Fault;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};

/// The most members that any of these keys has.
const MEMBERS_MAX: usize = 5;

/// In bits, as the algorithm's name in the library says; that looks only when it verifies.
const RSA_MIN: usize = 2048;
const RSA_MAX: usize = 8192;

const KTY: i64 = 1;
const ALG: i64 = 3;
/// `crv`, or `n` of RSA.
const FIRST: i64 = -1;
/// `x`, or `e` of RSA.
const SECOND: i64 = -2;
const Y: i64 = -3;

const OKP: i64 = 1;
const EC2: i64 = 2;
const RSA: i64 = 3;
const P256: i64 = 1;
const CURVE_ED25519: i64 = 6;

/// A key that can verify.
pub(super) struct PublicKey {
    pub(super) algorithm: Algorithm,
    key: ParsedPublicKey,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Integer(i64),
    Bytes(&'a [u8]),
}

impl PublicKey {
    /// Reads a COSE_Key whole. A point must be on P-256, as the library finds; whether one is on Ed25519 it
    /// finds only with a signature, which then is wrong.
    ///
    /// # Errors
    /// [`Fault::Algorithm`], [`Fault::PublicKey`].
    pub(super) fn parse(cose: &[u8]) -> Result<Self, Fault> {
        let members = members(cose)?;
        let find = |label: i64| members.iter().find(|(name, _)| *name == label).map(|(_, value)| *value);
        let number = |label| match find(label) {
            Some(Value::Integer(number)) => Ok(number),
            _ => Err(Fault::PublicKey),
        };
        let bytes = |label| match find(label) {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            _ => Err(Fault::PublicKey),
        };
        let algorithm = Algorithm::of_cose(number(ALG)?).ok_or(Fault::Algorithm)?;
        let is_of = |kty, count| {
            if number(KTY)? == kty && members.len() == count { Ok(()) } else { Err(Fault::PublicKey) }
        };
        let is_on = |curve| if number(FIRST)? == curve { Ok(()) } else { Err(Fault::PublicKey) };
        let key = match algorithm {
            Algorithm::EdDsa => {
                is_of(OKP, 4)?;
                is_on(CURVE_ED25519)?;
                ed25519(bytes(SECOND)?)?
            }
            Algorithm::Es256 => {
                is_of(EC2, 5)?;
                is_on(P256)?;
                p256(bytes(SECOND)?, bytes(Y)?)?
            }
            Algorithm::Rs256 => {
                is_of(RSA, 4)?;
                rsa(bytes(FIRST)?, bytes(SECOND)?)?
            }
        };
        Ok(Self { algorithm, key })
    }

    /// Whether this key signed the message.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

fn members(cose: &[u8]) -> Result<Vec<(i64, Value<'_>)>, Fault> {
    let mut members = Vec::with_capacity(MEMBERS_MAX);
    let mut reader = Reader::new(cose, Fault::PublicKey);
    reader.map(MEMBERS_MAX, Reader::integer, |reader, label| {
        let value =
            if reader.is_bytes() { Value::Bytes(reader.bytes()?) } else { Value::Integer(reader.integer()?) };
        members.push((*label, value));
        Ok(())
    })?;
    if reader.rest().is_empty() { Ok(members) } else { Err(Fault::PublicKey) }
}

fn ed25519(x: &[u8]) -> Result<ParsedPublicKey, Fault> {
    ParsedPublicKey::new(&ED25519, x).map_err(|_| Fault::PublicKey)
}

/// Both halves of a point: the compressed form is not taken (§5.8.5).
fn p256(x: &[u8], y: &[u8]) -> Result<ParsedPublicKey, Fault> {
    if x.len() != 32 || y.len() != 32 {
        return Err(Fault::PublicKey);
    }
    let point = [&[4], x, y].concat();
    ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).map_err(|_| Fault::PublicKey)
}

fn rsa(n: &[u8], e: &[u8]) -> Result<ParsedPublicKey, Fault> {
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if !(RSA_MIN..=RSA_MAX).contains(&bits) {
        return Err(Fault::PublicKey);
    }
    // By way of DER, where the library looks at the exponent: 1 would make any text its own signature.
    let der: Result<PublicKeyX509Der<'_>, _> = RsaPublicKeyComponents { n, e }.as_der();
    let der = der.map_err(|_| Fault::PublicKey)?;
    ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der.as_ref()).map_err(|_| Fault::PublicKey)
}
