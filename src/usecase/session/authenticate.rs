//! Who is asking? An access token is honoured only while its session lives, its user is enabled, its
//! key is there and it was not revoked: what an operator changes counts on the very next request.

use crate::crypto::jwt::{self, AccessClaims, Authentic, Expected, TokenError};
use crate::crypto::opaque;
use crate::domain::access::{Carrier, Service, SignedIn};
use crate::domain::api_key;
use crate::domain::id::SessionId;
use crate::domain::secret::Secret;
use crate::error::{Error, Fault, Refusal};
use crate::store::tables::api_keys;
use crate::store::tables::sessions;
use crate::store::tables::sessions::{SessionStatus, ShownToken, TokenStatus};
use crate::usecase::app::App;
use crate::usecase::app::token_cache::Fingerprint;
use crate::usecase::keys::current_key;
use crate::usecase::signin::required_factor;
use std::sync::Arc;

/// Why a token of the right form is refused all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RejectReason {
    Invalid(TokenError),
    KeyGone,
    SessionEnded,
    UserDisabled,
    Revoked,
    /// The password was changed since, or the second factor turned on and the token was an older one.
    Replaced,
}

impl RejectReason {
    /// For an operator's eyes.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Invalid(flaw) => flaw.reason(),
            Self::KeyGone => "the key that signed it is not there any more",
            Self::SessionEnded => "its session has ended or run out",
            Self::UserDisabled => "its user is disabled or gone",
            Self::Revoked => "it was revoked",
            Self::Replaced => "it was made before the password was changed, or the second factor turned on",
        }
    }
}

/// Checks a bearer token in full.
///
/// # Errors
/// `invalid_token`; the store's.
pub fn bearer(app: &App, token: &str) -> Result<SignedIn, Error> {
    match inspect(app, token)? {
        Ok((_, signed_in)) => Ok(signed_in),
        Err(_) => Err(Refusal::InvalidToken.into()),
    }
}

/// Checks an API key: one read by the hash of its secret, whatever an operator has changed since. That it was
/// used is noted in memory.
///
/// # Errors
/// `invalid_token` for one that is wrong, revoked or expired; the store's.
pub fn api_key(app: &App, secret: &str) -> Result<Service, Error> {
    let service = service(app, secret)?;
    app.key_uses.note(service.key, app.now());
    Ok(service)
}

/// As [`api_key()`], where it comes as an OAuth client's secret (RFC 6749 §2.3.1): the client's id is the
/// key's name.
///
/// # Errors
/// As [`api_key()`]; `invalid_token`, too, for the name of another key, or of none.
pub fn client(app: &App, id: &str, secret: &Secret<String>) -> Result<Service, Error> {
    let service = service(app, secret.expose())?;
    if service.name.as_str() != id {
        return Err(Refusal::InvalidToken.into());
    }
    app.key_uses.note(service.key, app.now());
    Ok(service)
}

/// Whose key it is, if it counts.
fn service(app: &App, secret: &str) -> Result<Service, Error> {
    let hash = opaque::parse(api_key::PREFIX, secret).ok_or(Refusal::InvalidToken)?;
    let now = app.now();
    let found = app.store.read_snapshot(|query| api_keys::find_by_hash(query, &hash))?;
    let key = found.filter(|key| key.counts(now)).ok_or(Refusal::InvalidToken)?;
    Ok(Service { key: key.id, name: key.name, permissions: key.permissions })
}

/// As [`bearer`], but tells what is wrong.
pub(in crate::usecase) fn inspect(
    app: &App,
    token: &str,
) -> Result<Result<(Arc<Authentic>, SignedIn), RejectReason>, Fault> {
    let authentic = match authentic(app, token)? {
        Ok(authentic) => authentic,
        Err(flaw) => return Ok(Err(RejectReason::Invalid(flaw))),
    };
    let claims = &authentic.claims;
    let now = app.now();
    let audience = required_factor::expected_audience(&app.config, &claims.audience);
    let expected = Expected { issuer: &app.config.tokens.issuer, audience, now };
    if let Err(flaw) = claims.validate(expected) {
        return Ok(Err(RejectReason::Invalid(flaw)));
    }
    let shown = ShownToken { id: claims.token, kid: &authentic.kid, expires_at: claims.expires_at, now };
    let status =
        app.store.read_snapshot(|query| sessions::find_token_status(query, claims.session, shown))?;
    let Some(status) = status.filter(|status| status.session.account.id == claims.user) else {
        return Ok(Err(RejectReason::SessionEnded));
    };
    if !status.key_counts {
        app.token_cache.drop_key(&authentic.kid);
    }
    if let Err(standstill) = check_status(app, claims, &status) {
        return Ok(Err(standstill));
    }
    let signed_in = signed_in(app, claims.session, Carrier::AccessToken, status.session);
    Ok(Ok((authentic, signed_in)))
}

/// Who it is that has shown something good of a session.
pub(super) fn signed_in(
    app: &App,
    session: SessionId,
    carrier: Carrier,
    SessionStatus { account, auth_time, .. }: SessionStatus,
) -> SignedIn {
    let standing = required_factor::standing(&app.config, &account);
    SignedIn { session, carrier, auth_time, account, standing }
}

/// What never changes of a token, found out once.
fn authentic(app: &App, token: &str) -> Result<Result<Arc<Authentic>, TokenError>, Fault> {
    let fingerprint = Fingerprint::of(token);
    if let Some(remembered) = fingerprint.and_then(|token| app.token_cache.find(token)) {
        return Ok(Ok(remembered));
    }
    let found = jwt::authenticate(token, |kid| current_key::verifying(app, kid))?.map(Arc::new);
    if let (Ok(authentic), Some(token)) = (&found, fingerprint) {
        app.token_cache.keep(token, authentic);
    }
    Ok(found)
}

fn check_status(app: &App, claims: &AccessClaims, status: &TokenStatus) -> Result<(), RejectReason> {
    if claims.generation < status.oldest {
        Err(RejectReason::Replaced)
    } else if !status.key_counts {
        Err(RejectReason::KeyGone)
    } else if status.token_is_revoked {
        Err(RejectReason::Revoked)
    } else {
        check_session(app, &status.session)
    }
}

/// What holds for whatever is shown of a session: it lives, and its user is enabled.
pub(super) fn check_session(app: &App, status: &SessionStatus) -> Result<(), RejectReason> {
    if status.account.disabled_at.is_some() {
        Err(RejectReason::UserDisabled)
    } else if !status.bounds.are_kept(app.now(), app.lifetime().idle) {
        Err(RejectReason::SessionEnded)
    } else {
        Ok(())
    }
}
