//! Access tokens: JWTs of RFC 9068. A library checks the signature; every other check is made here, by
//! hand, against a time that is passed in. The crate's own defaults accept a missing `iss` or `aud`,
//! any `typ`, an unknown `crit`, a future `nbf` and 60 s of leeway.

use super::signing_key::{SigningKey, VerifyingKey, jose};
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::secret::Secret;
use crate::domain::session::Generation;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::Validation;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The `typ` of an access token (RFC 9068 §2.1).
const TYPE: &str = "at+jwt";

/// The longest token looked at, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// How far another machine's clock may run ahead, in seconds. Expiry has no leeway.
const LEEWAY_S: i64 = 5;

/// What an access token says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessClaims {
    pub issuer: String,
    pub audience: String,
    pub user: UserId,
    pub session: SessionId,
    /// The session's, when this was signed.
    pub generation: Generation,
    pub token: TokenId,
    pub client_id: String,
    pub issued_at: Timestamp,
    pub not_before: Timestamp,
    pub expires_at: Timestamp,
    /// When the person proved who they are. `None`: nobody did, and `amr` is empty.
    pub auth_time: Option<Timestamp>,
    pub amr: Vec<String>,
    /// `None`: they are too many for a token, which says so.
    pub roles: Option<Vec<String>>,
    /// As for `roles`.
    pub permissions: Option<Vec<String>>,
}

/// Whose tokens are taken, and when.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub now: Timestamp,
}

/// What is wrong with a token. Clients see `invalid_token`; operators see this.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenError {
    Malformed,
    Header,
    UnknownKey,
    Signature,
    Claims,
    Issuer,
    Audience,
    NotYet,
    Expired,
}

impl TokenError {
    /// The reason in words, for an operator.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "it is not a JWT in compact form",
            Self::Header => {
                "its header is not that of an access token (typ at+jwt, alg, kid and nothing else)"
            }
            Self::UnknownKey => "no key of this server has its kid and alg",
            Self::Signature => "its signature is wrong",
            Self::Claims => "a claim is missing or of the wrong type",
            Self::Issuer => "another issuer made it (iss)",
            Self::Audience => "it is for another audience (aud)",
            Self::NotYet => "it is not valid yet (nbf or iat)",
            Self::Expired => "it has expired (exp)",
        }
    }
}

/// The exact header: a token with any other parameter (`crit`, `jku`, `jwk`, `x5u`, …) is not ours.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    typ: String,
    alg: String,
    kid: String,
}

#[derive(Serialize, Deserialize)]
struct WireClaims {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    sid: String,
    generation: Generation,
    /// RFC 9068 §2.2.1 leaves it out where it has no meaning.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    amr: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Vec<String>>,
    /// Which of the two above are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    omitted: Vec<String>,
}

/// Which claims are left out, by their names.
fn omitted(roles: Option<&Vec<String>>, permissions: Option<&Vec<String>>) -> Vec<String> {
    let claims = [("roles", roles.is_none()), ("permissions", permissions.is_none())];
    claims.into_iter().filter(|(_, omitted)| *omitted).map(|(name, _)| name.to_owned()).collect()
}

/// Signs an access token.
///
/// # Errors
/// [`Fault::Internal`] when the crypto library refuses.
pub fn sign(key: &SigningKey, claims: &AccessClaims) -> Result<Secret<String>, Fault> {
    let header = StrictHeader { typ: TYPE.into(), alg: key.algorithm.name().into(), kid: key.kid.clone() };
    let wire = WireClaims {
        iss: claims.issuer.clone(),
        sub: claims.user.to_string(),
        aud: claims.audience.clone(),
        client_id: claims.client_id.clone(),
        iat: claims.issued_at.as_secs(),
        nbf: claims.not_before.as_secs(),
        exp: claims.expires_at.as_secs(),
        jti: claims.token.to_string(),
        sid: claims.session.to_string(),
        generation: claims.generation,
        auth_time: claims.auth_time.map(Timestamp::as_secs),
        amr: claims.amr.clone(),
        roles: claims.roles.clone(),
        permissions: claims.permissions.clone(),
        omitted: omitted(claims.roles.as_ref(), claims.permissions.as_ref()),
    };
    let message = format!("{}.{}", part(&header)?, part(&wire)?);
    let signature = BASE64URL_NOPAD.encode(&key.sign(message.as_bytes())?);
    Ok(Secret::new(format!("{message}.{signature}")))
}

/// A part of a JWS in its compact form (RFC 7515 §3.1).
fn part(value: &impl Serialize) -> Result<String, Fault> {
    let json = serde_json::to_vec(value)
        .map_err(|error| Fault::Internal(format!("an access token can't be written: {error}")))?;
    Ok(BASE64URL_NOPAD.encode(&json))
}

/// The claims of an access token, and the key that signed it. Whether that key still counts, and whether the
/// token is valid at this time, is checked at every use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authentic {
    pub kid: String,
    pub claims: AccessClaims,
}

/// Checks all of a token that never changes: form, header, signature, and that the claims are there
/// (RFC 9068 §4, RFC 8725). `find_key` looks a `kid` up among our own keys and nowhere else.
///
/// # Errors
/// Outside: what `find_key` said. Inside: the first [`TokenError`] found.
pub fn authenticate<E>(
    token: &str,
    find_key: impl FnOnce(&str) -> Result<Option<VerifyingKey>, E>,
) -> Result<Result<Authentic, TokenError>, E> {
    let header = match read_header(token) {
        Ok(header) if header.typ == TYPE => header,
        Ok(_) => return Ok(Err(TokenError::Header)),
        Err(flaw) => return Ok(Err(flaw)),
    };
    let Some(key) = find_key(&header.kid)?.filter(|key| key.algorithm.name() == header.alg) else {
        return Ok(Err(TokenError::UnknownKey));
    };
    let claims = verified_claims(token, &key).and_then(|wire| typed(wire).ok_or(TokenError::Claims));
    Ok(claims.map(|claims| Authentic { kid: header.kid, claims }))
}

fn read_header(token: &str) -> Result<StrictHeader, TokenError> {
    let mut parts = token.split('.');
    let (Some(header), Some(_), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Malformed);
    };
    if token.len() > MAX_BYTES {
        return Err(TokenError::Malformed);
    }
    let header = BASE64URL_NOPAD.decode(header.as_bytes()).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&header).map_err(|_| TokenError::Header)
}

fn verified_claims(token: &str, key: &VerifyingKey) -> Result<WireClaims, TokenError> {
    let mut signature_only = Validation::new(jose(key.algorithm));
    signature_only.required_spec_claims = HashSet::new();
    signature_only.validate_exp = false;
    signature_only.validate_nbf = false;
    signature_only.validate_aud = false;
    match jsonwebtoken::decode::<WireClaims>(token, &key.decoding, &signature_only) {
        Ok(data) => Ok(data.claims),
        Err(error) => Err(match error.kind() {
            jsonwebtoken::errors::ErrorKind::Json(_) | jsonwebtoken::errors::ErrorKind::Utf8(_) => {
                TokenError::Claims
            }
            _ => TokenError::Signature,
        }),
    }
}

fn typed(wire: WireClaims) -> Option<AccessClaims> {
    if wire.auth_time.is_none() != wire.amr.is_empty() {
        return None;
    }
    if wire.omitted != omitted(wire.roles.as_ref(), wire.permissions.as_ref()) {
        return None;
    }
    Some(AccessClaims {
        user: UserId::parse(&wire.sub)?,
        session: SessionId::parse(&wire.sid)?,
        generation: wire.generation,
        token: TokenId::parse(&wire.jti)?,
        issuer: wire.iss,
        audience: wire.aud,
        client_id: wire.client_id,
        issued_at: Timestamp::from_secs(wire.iat),
        not_before: Timestamp::from_secs(wire.nbf),
        expires_at: Timestamp::from_secs(wire.exp),
        auth_time: wire.auth_time.map(Timestamp::from_secs),
        amr: wire.amr,
        roles: wire.roles,
        permissions: wire.permissions,
    })
}

impl AccessClaims {
    /// Checks issuer, audience and times against what is expected now.
    ///
    /// # Errors
    /// The first [`TokenError`] found.
    pub fn validate(&self, expected: Expected<'_>) -> Result<(), TokenError> {
        let latest_start = Timestamp::from_secs(expected.now.as_secs().saturating_add(LEEWAY_S));
        if self.issuer != expected.issuer {
            Err(TokenError::Issuer)
        } else if self.audience != expected.audience {
            Err(TokenError::Audience)
        } else if self.not_before > latest_start || self.issued_at > latest_start {
            Err(TokenError::NotYet)
        } else if expected.now >= self.expires_at {
            Err(TokenError::Expired)
        } else {
            Ok(())
        }
    }
}
