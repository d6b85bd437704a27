//! What must hold of an ID token (OpenID Connect Core §3.1.3.7, RFC 8725). One claim that is wrong, and
//! nothing of the token counts.

use super::algorithm::SigningAlgorithm;
use super::document::Document;
use super::fault::{TokenFlaw, quoted};
use super::issuer::{ExpectedIssuer, of};
use super::jwks::{Key, KeySet};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::Validation;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The longest token looked at, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// How far the provider's clock may be off, in seconds.
const LEEWAY_S: i64 = 60;

/// How old a token may be, in seconds: it was made for this sign-in, just now.
const OLDEST_S: i64 = 600;

/// Parameters of a header that bring a key along, or say where one is, or what else must be understood
/// (RFC 7515 §4.1). The keys that count are the provider's, from its own address.
const NOT_TAKEN: [&str; 6] = ["jwk", "jku", "x5u", "x5c", "crit", "b64"];

/// What a token must be, to count.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub issuer: &'a ExpectedIssuer,
    pub client_id: &'a str,
    pub nonce: &'a str,
    /// What the provider's metadata name.
    pub algorithms: &'a [SigningAlgorithm],
    /// That came beside it. `None`: none did.
    pub access_token: Option<&'a Secret<String>>,
    pub now: Timestamp,
    /// Since when the person must have proved who they are. `None`: that may be long ago.
    pub proved_since: Option<ProvedSince>,
}

/// See [`Expected`].
#[derive(Clone, Copy, Debug)]
pub struct ProvedSince {
    pub at: Timestamp,
    /// Whether a token that doesn't say when they did is refused: the provider has promised that it would.
    pub must_be_told: bool,
}

/// Checks a token whole, and gives its claims.
///
/// # Errors
/// The first [`TokenFlaw`] found. With [`TokenFlaw::UnknownKey`] the provider may have new keys.
pub fn verify(token: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<Document, TokenFlaw> {
    let header = header(token)?;
    let algorithm = header.text("alg").ok_or(TokenFlaw::Header("alg"))?;
    let algorithm = SigningAlgorithm::parse(algorithm)
        .filter(|algorithm| expected.algorithms.contains(algorithm))
        .ok_or_else(|| TokenFlaw::Algorithm(quoted(algorithm)))?;
    let kid = match header.value("kid") {
        None => None,
        Some(kid) => Some(kid.as_str().ok_or(TokenFlaw::Header("kid"))?),
    };
    let key = keys.find(kid, algorithm).ok_or(TokenFlaw::UnknownKey)?;
    let claims = signed(token, key, algorithm)?;
    judge(&claims, key, algorithm, expected)?;
    Ok(claims)
}

fn header(token: &str) -> Result<Document, TokenFlaw> {
    let mut parts = token.split('.');
    let (Some(header), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenFlaw::Malformed);
    };
    if token.len() > MAX_BYTES {
        return Err(TokenFlaw::Malformed);
    }
    let header = BASE64URL_NOPAD.decode(header.as_bytes()).map_err(|_| TokenFlaw::Malformed)?;
    let header = String::from_utf8(header).map_err(|_| TokenFlaw::Malformed)?;
    let header = Document::parse(&header).ok_or(TokenFlaw::Malformed)?;
    if let Some(name) = NOT_TAKEN.into_iter().find(|name| header.value(name).is_some()) {
        return Err(TokenFlaw::Header(name));
    }
    // Another kind of token by the same issuer says so (RFC 8725 §3.11): `at+jwt`, `logout+jwt`.
    match header.value("typ") {
        None => Ok(header),
        Some(Value::String(typ)) if typ.eq_ignore_ascii_case("JWT") => Ok(header),
        Some(_) => Err(TokenFlaw::Header("typ")),
    }
}

/// The claims, once the library has found the signature to be the key's, by this algorithm.
fn signed(token: &str, key: &Key, algorithm: SigningAlgorithm) -> Result<Document, TokenFlaw> {
    let mut signature_only = Validation::new(algorithm.jose());
    signature_only.required_spec_claims = HashSet::new();
    signature_only.validate_exp = false;
    signature_only.validate_nbf = false;
    signature_only.validate_aud = false;
    match jsonwebtoken::decode::<Map<String, Value>>(token, &key.decoding, &signature_only) {
        Ok(data) => Ok(Document::new(data.claims)),
        Err(error) => Err(match error.kind() {
            jsonwebtoken::errors::ErrorKind::Json(_) | jsonwebtoken::errors::ErrorKind::Utf8(_) => {
                TokenFlaw::Malformed
            }
            _ => TokenFlaw::Signature,
        }),
    }
}

fn judge(
    claims: &Document,
    key: &Key,
    algorithm: SigningAlgorithm,
    expected: &Expected<'_>,
) -> Result<(), TokenFlaw> {
    let demand = |holds: bool, name: &'static str| if holds { Ok(()) } else { Err(TokenFlaw::Claim(name)) };
    let (issuer, tenant) = (claims.text("iss").unwrap_or_default(), claims.text("tid"));
    demand(expected.issuer.admits(issuer, tenant), "iss")?;
    let of_key = key.issuer.as_ref().map(|template| of(template, tenant.unwrap_or_default()));
    demand(of_key.is_none_or(|of_key| of_key == issuer), "iss")?;
    demand(claims.text("sub").is_some_and(|subject| !subject.is_empty()), "sub")?;
    demand(is_for(claims, expected.client_id), "aud")?;
    demand(is_by(claims, expected.client_id), "azp")?;
    let now = expected.now.as_secs();
    let is_before = |seconds: i64| seconds <= now.saturating_add(LEEWAY_S);
    demand(claims.seconds("exp").is_some_and(|end| end.saturating_add(LEEWAY_S) > now), "exp")?;
    let made = claims.seconds("iat");
    demand(made.is_some_and(|made| is_before(made) && made >= now.saturating_sub(OLDEST_S)), "iat")?;
    demand(claims.value("nbf").is_none() || claims.seconds("nbf").is_some_and(is_before), "nbf")?;
    demand(claims.text("nonce").is_some_and(|nonce| equal(nonce, expected.nonce)), "nonce")?;
    demand(is_proved(claims, expected.proved_since), "auth_time")?;
    demand(binds(claims, algorithm, expected.access_token), "at_hash")
}

/// `aud` names this client: alone, or among others.
fn is_for(claims: &Document, client_id: &str) -> bool {
    match claims.value("aud") {
        Some(Value::String(audience)) => audience == client_id,
        Some(Value::Array(audiences)) => {
            audiences.iter().all(Value::is_string) && audiences.iter().any(|audience| audience == client_id)
        }
        _ => false,
    }
}

/// `azp` is this client where it is there, and where the token is for others as well.
fn is_by(claims: &Document, client_id: &str) -> bool {
    let for_others = claims.texts("aud").iter().any(|audience| audience != client_id);
    match claims.value("azp") {
        Some(party) => party == client_id,
        None => !for_others,
    }
}

/// `auth_time` is a time where it is there, and one within what is asked for.
fn is_proved(claims: &Document, since: Option<ProvedSince>) -> bool {
    if claims.value("auth_time").is_none() {
        return since.is_none_or(|since| !since.must_be_told);
    }
    let is_within =
        |proved: i64| since.is_none_or(|since| proved.saturating_add(LEEWAY_S) >= since.at.as_secs());
    claims.seconds("auth_time").is_some_and(is_within)
}

/// `at_hash`, where it is there, is that of the access token.
fn binds(claims: &Document, algorithm: SigningAlgorithm, access_token: Option<&Secret<String>>) -> bool {
    let Some(hash) = claims.value("at_hash") else { return true };
    let Some((hash, token)) = hash.as_str().zip(access_token) else { return false };
    equal(hash, &BASE64URL_NOPAD.encode(&algorithm.half_hash(token.expose())))
}

fn equal(a: &str, b: &str) -> bool {
    verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests;
