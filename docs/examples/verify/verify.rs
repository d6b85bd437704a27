//! Verifies an access token of authd offline, with the crate `jsonwebtoken`.
//!
//! Reads a token from stdin and prints its claims; exits with 1 and the reason if it is not good. The key
//! set comes from the file that `AUTHD_JWKS` names: fetch it from `/.well-known/jwks.json` with the HTTP
//! client that you have, keep it for five minutes, and fetch it again for a key that it lacks.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::{env, fs, io};

/// What this service needs of a token. A claim that is missing or of another type is an error.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    client_id: String,
    jti: String,
    sid: String,
    iat: i64,
    roles: Vec<String>,
    permissions: Vec<String>,
}

fn verify(token: &str, keys: &JwkSet, issuer: &str, audience: &str) -> Result<Claims, Box<dyn Error>> {
    let header = decode_header(token)?;
    if header.typ.as_deref() != Some("at+jwt") {
        return Err("this is no access token (RFC 9068)".into());
    }
    let jwk = header.kid.and_then(|kid| keys.find(&kid)).ok_or("no key of the server has its kid")?;
    // What the key is made for, never what the token says it is.
    let algorithm: Algorithm =
        jwk.common.key_algorithm.ok_or("the key has no algorithm")?.to_string().parse()?;
    // The defaults take a token without issuer or audience, and one that ran out a minute ago; without the
    // last line, one that runs out this second.
    let mut checks = Validation::new(algorithm);
    checks.set_issuer(&[issuer]);
    checks.set_audience(&[audience]);
    checks.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
    checks.validate_nbf = true;
    checks.leeway = 0;
    checks.reject_tokens_expiring_in_less_than = 1;
    Ok(decode::<Claims>(token, &DecodingKey::from_jwk(jwk)?, &checks)?.claims)
}

fn main() -> Result<(), Box<dyn Error>> {
    let setting = |name: &str, otherwise: &str| env::var(name).unwrap_or_else(|_| otherwise.into());
    let keys: JwkSet = serde_json::from_str(&fs::read_to_string(setting("AUTHD_JWKS", "jwks.json"))?)?;
    let token = io::read_to_string(io::stdin())?;
    let issuer = setting("AUTHD_ISSUER", "http://127.0.0.1:8080");
    let claims = verify(token.trim(), &keys, &issuer, &setting("AUTHD_AUDIENCE", "authd"))?;
    serde_json::to_writer(io::stdout(), &claims)?;
    Ok(())
}
