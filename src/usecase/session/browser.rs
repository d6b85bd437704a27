//! A browser's session: who it is that shows its cookie, and the access token that a script of its pages may
//! have for other services.

use super::authenticate::{check_session, signed_in};
use crate::crypto::session_cookie::{APP_PREFIX, Named, PREFIX, Place, SessionCookie as ShownCookie};
use crate::domain::access::{Carrier, SignedIn};
use crate::domain::application::{AppName, Application};
use crate::domain::caller::Caller;
use crate::domain::secret::Secret;
use crate::domain::session::Session;
use crate::error::{Error, Fault, Refusal};
use crate::store::page::Page;
use crate::store::tables::{apps, sessions};
use crate::usecase::app::App;
use crate::usecase::gate::enter::place_of;
use crate::usecase::keys::current_key;
use crate::usecase::require_user;
use crate::usecase::signin::session_start;

pub use crate::usecase::signin::session_cookie::SessionCookie;

/// Finds who shows this value of the cookie, in one read, and notes that the session is used. `None`: it is
/// no cookie of ours, or counts no more: its session has ended or run out, its user is disabled, or the
/// password or the factors were changed since.
///
/// # Errors
/// The store's.
pub fn authenticate(app: &App, cookie: &str) -> Result<Option<SignedIn>, Error> {
    authenticate_at(app, cookie, Place::Own)
}

/// As [`authenticate`], for the cookie of an application's host. `None` also for one that was made for
/// another application.
///
/// # Errors
/// The store's.
pub fn authenticate_at_app(
    app: &App,
    application: &Application,
    cookie: &str,
) -> Result<Option<SignedIn>, Error> {
    authenticate_at(app, cookie, Place::App(&place_of(application)))
}

fn authenticate_at(app: &App, cookie: &str, place: Place<'_>) -> Result<Option<SignedIn>, Error> {
    let Some(shown) = ShownCookie::parse(cookie, place) else {
        return Ok(None);
    };
    let named = shown.named;
    let found = app.store.read_snapshot(|query| sessions::find_cookie_status(query, named.session))?;
    let ours = found.filter(|found| app.session_cookie_key.is_authentic(&shown, &found.salt, place));
    let Some(status) = ours.filter(|found| found.generation == named.generation) else {
        return Ok(None);
    };
    if check_session(app, &status.session).is_err() {
        return Ok(None);
    }
    let (now, idle) = (app.now(), app.lifetime().idle);
    app.session_uses.note(named.session, now, &status.session.bounds, idle);
    let Named { generation, remembered, .. } = named;
    let carrier = match place {
        Place::Own => Carrier::SessionCookie { generation, remembered },
        Place::App(_) => Carrier::AppCookie { generation },
    };
    Ok(Some(signed_in(app, named.session, carrier, status.session)))
}

/// An access token by itself.
#[derive(Clone, Debug)]
pub struct AccessToken {
    pub access_token: Secret<String>,
    /// Its life, in seconds.
    pub expires_in: u64,
}

/// Makes an access token of the caller's session, as it stands: no fresher than that, and dead when it ends.
///
/// # Errors
/// `unauthenticated`; `invalid_token` where the session has ended, or gone on without the caller's cookie,
/// meanwhile; the store's.
pub fn access_token(app: &App, caller: &Caller) -> Result<AccessToken, Error> {
    let me = require_user(caller)?;
    let (signer, now, idle) = (current_key::current(app)?, app.now(), app.lifetime().idle);
    let counts = |session: &Session| session.is_alive(now, idle) && me.carrier.counts(session.generation);
    let session = app.store.read(|query| sessions::find(query, me.session))?.filter(counts);
    let session = session.ok_or(Refusal::InvalidToken)?;
    let (access_token, expires_in) = session_start::issue_access(app, &signer, &me.account, &session)?;
    Ok(AccessToken { access_token, expires_in })
}

/// Whether it looks like a cookie that authd gives browsers: at its own host, or at an application's.
pub(in crate::usecase) fn is_cookie(text: &str) -> bool {
    [PREFIX, APP_PREFIX].iter().any(|prefix| text.starts_with(prefix))
}

/// As [`find_session`], also of the cookie of an application's host.
pub(in crate::usecase) fn find_session_anywhere(app: &App, cookie: &str) -> Result<Option<Session>, Fault> {
    if cookie.starts_with(APP_PREFIX) {
        return Ok(find_session_at_app(app, cookie)?.map(|(session, _)| session));
    }
    find_session(app, cookie)
}

/// As [`find_session`], of the cookie of an application's host; with that application, which its tag alone
/// tells.
pub(in crate::usecase) fn find_session_at_app(
    app: &App,
    cookie: &str,
) -> Result<Option<(Session, AppName)>, Fault> {
    let Some(shown) = ShownCookie::parse(cookie, Place::App("")) else {
        return Ok(None);
    };
    let named = shown.named;
    let all = Page { limit: u32::MAX, after: None };
    let (found, applications) = app.store.read(|query| {
        Ok((sessions::find_salted(query, named.session)?, apps::list_page(query, &all)?.items))
    })?;
    let Some(found) = found.filter(|found| found.session.generation == named.generation) else {
        return Ok(None);
    };
    let made_for = |application: &Application| {
        app.session_cookie_key.is_authentic(&shown, &found.salt, Place::App(&place_of(application)))
    };
    Ok(applications.into_iter().find(made_for).map(|application| (found.session, application.name)))
}

/// Finds the session whose cookie has this value, whether or not it lives. `None`: it is no cookie of ours,
/// or another has taken its place.
pub(in crate::usecase) fn find_session(app: &App, cookie: &str) -> Result<Option<Session>, Fault> {
    let Some(shown) = ShownCookie::parse(cookie, Place::Own) else {
        return Ok(None);
    };
    let named = shown.named;
    let found = app.store.read(|query| sessions::find_salted(query, named.session))?;
    let key = &app.session_cookie_key;
    let ours = found.filter(|found| key.is_authentic(&shown, &found.salt, Place::Own));
    Ok(ours.map(|found| found.session).filter(|session| session.generation == named.generation))
}
