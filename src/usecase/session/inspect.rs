//! Saying what a token is and whether it is good, without spending or changing anything.

use super::tokens::find_authentic;
use super::{authenticate, browser};
use crate::crypto::jwt::AccessClaims;
use crate::crypto::opaque;
use crate::crypto::refresh::{self, RefreshToken};
use crate::crypto::session_cookie;
use crate::domain::api_key;
use crate::domain::caller::Caller;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::link::LinkKind;
use crate::domain::session::{Rotation, Session};
use crate::domain::time::Timestamp;
use crate::error::{Error, Fault};
use crate::store::tables::{api_keys, links};
use crate::usecase::app::App;
use crate::usecase::require;

/// What a token is, and whether it is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// `access_token`, `refresh_token`, `session_cookie`, `app_session_cookie`, `api_key`, the name of a
    /// link's kind (`verify_email`, `reset_password` and so on), or `unknown`.
    pub kind: &'static str,
    /// `None`: it is good. Else why it isn't, in words.
    pub flaw: Option<String>,
    /// Of a token that isn't good mostly nothing.
    pub facts: Facts,
}

/// What could be read of a token. `None`: tokens of its kind don't say it, or it could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub user: Option<UserId>,
    pub session: Option<SessionId>,
    /// An access token's own id.
    pub token: Option<TokenId>,
    /// An API key's, or that of the application that a cookie counts for.
    pub name: Option<String>,
    pub issued_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    /// `None` of an API key: never.
    pub expires_at: Option<Timestamp>,
    /// When its owner proved who they are. `None`: nobody did.
    pub auth_time: Option<Timestamp>,
    /// How (RFC 8176); empty where nobody did.
    pub amr: Vec<String>,
    pub roles: Option<Vec<String>>,
    pub permissions: Option<Vec<String>>,
    /// Which of these two it leaves out, as they are too many.
    pub omitted: Vec<&'static str>,
}

impl Inspection {
    fn bad(kind: &'static str, flaw: impl Into<String>) -> Self {
        Self { kind, flaw: Some(flaw.into()), facts: Facts::default() }
    }

    const fn good(kind: &'static str, facts: Facts) -> Self {
        Self { kind, flaw: None, facts }
    }
}

/// Says what a token is and whether it is good, without spending or changing anything.
///
/// # Errors
/// `forbidden` without `sessions:read`; the store's.
pub fn inspect(app: &App, caller: &Caller, text: &str) -> Result<Inspection, Error> {
    require(caller, "sessions:read")?;
    if text.starts_with(refresh::PREFIX) {
        return Ok(refresh_token(app, text)?);
    }
    if text.starts_with(session_cookie::PREFIX) {
        return Ok(cookie(app, text)?);
    }
    if text.starts_with(session_cookie::APP_PREFIX) {
        return Ok(app_cookie(app, text)?);
    }
    if let Some(kind) = LinkKind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix())) {
        return Ok(link(app, kind, text)?);
    }
    if text.starts_with(api_key::PREFIX) {
        return Ok(key(app, text)?);
    }
    if text.contains('.') {
        return Ok(access_token(app, text)?);
    }
    Ok(Inspection::bad("unknown", "it has the form of none of this server's tokens"))
}

fn access_token(app: &App, text: &str) -> Result<Inspection, Fault> {
    let kind = "access_token";
    Ok(match authenticate::inspect(app, text)? {
        Err(why) => Inspection::bad(kind, why.reason()),
        Ok((token, _)) => Inspection::good(kind, facts(&token.claims)),
    })
}

fn facts(claims: &AccessClaims) -> Facts {
    let lists = [("roles", &claims.roles), ("permissions", &claims.permissions)];
    Facts {
        user: Some(claims.user),
        session: Some(claims.session),
        token: Some(claims.token),
        issued_at: Some(claims.issued_at),
        expires_at: Some(claims.expires_at),
        auth_time: claims.auth_time,
        amr: claims.amr.clone(),
        roles: claims.roles.clone(),
        permissions: claims.permissions.clone(),
        omitted: lists.into_iter().filter(|(_, list)| list.is_none()).map(|(name, _)| name).collect(),
        ..Facts::default()
    }
}

fn refresh_token(app: &App, text: &str) -> Result<Inspection, Fault> {
    let kind = "refresh_token";
    let Some(token) = RefreshToken::parse(text) else {
        return Ok(Inspection::bad(kind, "it is cut, or changed"));
    };
    let Some(salted) = find_authentic(app, &token)? else {
        return Ok(Inspection::bad(kind, "this server did not make it"));
    };
    let session = salted.session;
    let flaw = match session.rotation(token.generation, app.now(), app.lifetime()) {
        Rotation::Rotate | Rotation::SameSuccessor => None,
        Rotation::Reuse => Some("it has been used already".to_owned()),
        Rotation::Dead => Some("its session has ended or run out".to_owned()),
    };
    Ok(Inspection { kind, flaw, facts: facts_of_session(&session) })
}

fn cookie(app: &App, text: &str) -> Result<Inspection, Fault> {
    let kind = "session_cookie";
    let Some(session) = browser::find_session(app, text)? else {
        return Ok(Inspection::bad(kind, "this server did not make it, or another has taken its place"));
    };
    let ended = !session.is_alive(app.now(), app.lifetime().idle);
    let flaw = ended.then(|| "its session has ended or run out".to_owned());
    Ok(Inspection { kind, flaw, facts: facts_of_session(&session) })
}

fn app_cookie(app: &App, text: &str) -> Result<Inspection, Fault> {
    let kind = "app_session_cookie";
    let Some((session, application)) = browser::find_session_at_app(app, text)? else {
        let flaw = "this server did not make it, or another has taken its place, or its application is gone";
        return Ok(Inspection::bad(kind, flaw));
    };
    let ended = !session.is_alive(app.now(), app.lifetime().idle);
    let flaw = ended.then(|| "its session has ended or run out".to_owned());
    let facts = Facts { name: Some(application.to_string()), ..facts_of_session(&session) };
    Ok(Inspection { kind, flaw, facts })
}

fn facts_of_session(session: &Session) -> Facts {
    Facts {
        user: Some(session.user),
        session: Some(session.id),
        last_used_at: Some(session.last_used_at),
        expires_at: Some(session.expires_at),
        ..Facts::default()
    }
}

fn key(app: &App, text: &str) -> Result<Inspection, Fault> {
    let kind = "api_key";
    let found = match opaque::parse(api_key::PREFIX, text) {
        Some(hash) => app.store.read(|query| api_keys::find_by_hash(query, &hash))?,
        None => None,
    };
    let Some(key) = found else {
        return Ok(Inspection::bad(kind, "it is wrong, or was revoked"));
    };
    let flaw = (!key.counts(app.now())).then(|| "it has expired".to_owned());
    let facts = Facts {
        name: Some(key.name.to_string()),
        issued_at: Some(key.created_at),
        last_used_at: key.last_used_at,
        expires_at: key.expires_at,
        permissions: Some(key.permissions.iter().map(ToString::to_string).collect()),
        ..Facts::default()
    };
    Ok(Inspection { kind, flaw, facts })
}

fn link(app: &App, kind: LinkKind, text: &str) -> Result<Inspection, Fault> {
    let now = app.now();
    let owner = match opaque::parse(kind.prefix(), text) {
        Some(hash) => app.store.read(|query| links::find_owner(query, kind.same_effect(), &hash, now))?,
        None => None,
    };
    Ok(match owner {
        Some(owner) => Inspection::good(kind.name(), Facts { user: Some(owner), ..Facts::default() }),
        None => Inspection::bad(kind.name(), "it is wrong, spent, replaced or too old"),
    })
}
