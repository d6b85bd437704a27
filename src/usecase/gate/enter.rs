//! A sign-in, carried from authd's pages to an application's host: a one-time code that the browser takes
//! there, for which it gets a cookie of that host.
//!
//! The browser that began has drawn a state at the application's host, and the code is good for that state
//! alone: a stranger who sends somebody theirs signs nobody in (RFC 6749 §10.12), and one who gets hold of a
//! code can't spend it.

use super::judge;
use crate::crypto::opaque;
use crate::crypto::session_cookie::{Named, Place};
use crate::domain::access::{Carrier, Standing};
use crate::domain::application::Application;
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::secret::Secret;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal, whole_secs};
use crate::store::tables::app_codes::{self, AppCode};
use crate::store::tables::sessions::{self, SaltedSession};
use crate::store::tables::{apps, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::require_user;
use crate::usecase::signin::required_factor;
use std::time::Duration;

/// What a code begins with.
const CODE_PREFIX: &str = "authd_ag_";

/// What the state of a browser at an application's host begins with.
const STATE_PREFIX: &str = "authd_st_";

/// How long a code is good.
pub const CODE_TTL: Duration = Duration::from_secs(60);

/// How many codes of one session for one application count at once: one a window.
const CODES_MAX: usize = 8;

/// How long a browser that began may take to come back.
pub const STATE_TTL: Duration = Duration::from_secs(10 * 60);

/// SHA-256 of a browser's state, as it travels through the sign-in page.
pub type StateHash = [u8; 32];

/// Draws the state of a browser that begins: what it keeps, and the hash that travels.
#[must_use]
pub fn new_state(app: &App) -> (Secret<String>, StateHash) {
    opaque::generate(STATE_PREFIX, app.entropy())
}

/// The hash of a state that a browser kept. `None`: it is none of ours.
#[must_use]
pub fn hash_of_state(state: &str) -> Option<StateHash> {
    opaque::parse(STATE_PREFIX, state)
}

/// Gives whoever is signed in in this browser a code for an application, if they may use it. `return_to`: the
/// path of its host that they want to come to, which was looked at before.
///
/// # Errors
/// `unauthenticated`; `forbidden`; `not_found` where the application has gone meanwhile; the store's.
pub fn issue_code(
    app: &App,
    caller: &Caller,
    application: &Application,
    state_hash: StateHash,
    return_to: &str,
) -> Result<Secret<String>, Error> {
    let me = require_user(caller)?;
    judge::check(application, me)?;
    let Carrier::SessionCookie { generation, remembered } = me.carrier else {
        return Err(Refusal::Unauthenticated.into());
    };
    let (code, code_hash) = opaque::generate(CODE_PREFIX, app.entropy());
    let return_to = return_to.to_owned();
    let stands_for = AppCode { session: me.session, generation, remembered, state_hash, return_to };
    let (name, expires_at) = (application.name.clone(), app.now().plus(CODE_TTL));
    app.store.write(caller, move |tx| {
        if apps::find(tx, &name)?.is_none() {
            return Ok(Decision::Refuse(super::apps::missing(&name)));
        }
        app_codes::insert(tx, &code_hash, &name, &stands_for, expires_at)?;
        app_codes::keep_newest(tx, stands_for.session, &name, CODES_MAX)?;
        Ok(Decision::Grant(()))
    })?;
    Ok(code)
}

/// What a browser keeps of its session at an application's host, and where it goes on to.
#[derive(Clone, Debug)]
pub struct Entered {
    pub cookie: Secret<String>,
    /// The rest of the session's life, in seconds. `None`: until the browser is closed.
    pub max_age_s: Option<u64>,
    /// A path of that host.
    pub return_to: String,
}

/// Spends a code at the host of its application, in the browser that has its state.
///
/// # Errors
/// `invalid_token` when the code is wrong, spent or too old, of another application or another browser, or
/// its session is over; `forbidden` where the rule has changed meanwhile; the store's.
pub fn spend_code(
    app: &App,
    caller: &Caller,
    application: &Application,
    code: &str,
    state: &str,
) -> Result<Entered, Error> {
    let code = opaque::parse(CODE_PREFIX, code).ok_or(Refusal::InvalidToken)?;
    // A browser that has not begun has none; the code is spent all the same.
    let state = hash_of_state(state);
    let (application, idle, config) = (application.clone(), app.lifetime().idle, app.config.clone());
    let place = place_of(&application);
    let (found, code) = app.store.write(caller, move |tx| {
        let standing = |user: &_| required_factor::standing(&config, user);
        spend_in(tx, &application, &code, state.as_ref(), idle, standing)
    })?;
    let SaltedSession { session, salt } = found;
    let named = Named { session: session.id, generation: session.generation, remembered: code.remembered };
    Ok(Entered {
        cookie: app.session_cookie_key.value(named, &salt, Place::App(&place)),
        max_age_s: code.remembered.then(|| whole_secs(session.expires_at.since(app.now()))),
        return_to: code.return_to,
    })
}

fn spend_in(
    tx: &mut Tx<'_>,
    application: &Application,
    code: &StateHash,
    state: Option<&StateHash>,
    idle: Duration,
    standing: impl Fn(&User) -> Standing,
) -> Result<Decision<(SaltedSession, AppCode)>, Fault> {
    let refused = Ok(Decision::Refuse(Refusal::InvalidToken));
    // It is spent also where it comes from another browser: whoever sends it there has seen it.
    let Some(code) = app_codes::spend(tx, code, &application.name)? else {
        return refused;
    };
    if Some(&code.state_hash) != state {
        return refused;
    }
    let now = tx.now();
    let found = sessions::find_salted(tx, code.session)?;
    let Some(found) = found
        .filter(|found| found.session.is_alive(now, idle) && found.session.generation == code.generation)
    else {
        return refused;
    };
    let Some(user) = users::find(tx, found.session.user)?.filter(|user| user.disabled_at.is_none()) else {
        return refused;
    };
    if !application.judge(&user, standing(&user)).allows() {
        return Ok(Decision::Refuse(Refusal::AppNotAllowed { app: application.name.to_string() }));
    }
    let app = application.name.to_string();
    tx.audit(&Event::AppSignedIn { app }, (user.id, found.session.id))?;
    Ok(Decision::Grant((found, code)))
}

/// What names an application in its cookies: an application that is made anew under an old name is another
/// one.
pub(in crate::usecase) fn place_of(application: &Application) -> String {
    format!("{}@{}", application.name, application.created_at.as_millis())
}
