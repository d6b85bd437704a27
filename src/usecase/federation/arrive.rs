//! Somebody comes back from a provider.

use super::admit::Newcomer;
use super::attempt::{GoesOn, Kept, STATE_PREFIX, hash_of_browser};
use super::complete;
use super::exchange::{CODE_PREFIX, CODE_TTL};
use super::provider::{self, Awaited, Callback};
use crate::config::Provider;
use crate::crypto::opaque::{self, OpaqueHash};
use crate::domain::audit::{Event, LoginFailure, Subject};
use crate::domain::caller::Caller;
use crate::domain::id::{SessionId, UserId};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::oidc::fault::ProviderFault;
use crate::store::tables::oauth_attempts::{self, Attempt as Begun};
use crate::store::tables::oauth_codes::{self, OauthCode};
use crate::store::tables::{sessions, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::signin::browser_session::BrowserSession;
use crate::usecase::signin::first_step::{FirstStep, Passed};
use crate::usecase::signin::lockout::Attempt;
use crate::usecase::signin::login::LoggedIn;
use crate::usecase::signin::proof::FirstFactor;
use std::time::Duration;

/// What a browser brings, unjudged.
#[derive(Clone, Copy, Debug)]
pub struct Returned<'a> {
    pub state: &'a str,
    pub code: Option<&'a str>,
    /// Why there is none.
    pub error: Option<&'a str>,
    /// Who says that it sent the browser back (RFC 9207).
    pub iss: Option<&'a str>,
    /// Apple's field with the name, JSON.
    pub user: Option<&'a str>,
    /// What the browser has kept since it was sent there.
    pub browser: Option<&'a str>,
}

/// Where the browser goes on to, and with what.
#[derive(Debug)]
pub struct Arrival {
    pub goes_on: GoesOn,
    pub outcome: Result<Outcome, Error>,
}

#[derive(Debug)]
pub enum Outcome {
    /// For the pages: signed in, or the second step is due.
    LoggedIn(LoggedIn),
    /// For a front end, which exchanges it.
    Code(Secret<String>),
    Linked,
    /// The provider states no address: the pages ask for one, and the browser carries this meanwhile.
    AddressDue(String),
}

/// Takes somebody back. The state is spent whatever comes of it.
///
/// # Errors
/// `state_mismatch` where nobody was sent to this provider from this browser with this state; the store's.
/// What goes wrong after that is the [`Arrival`]'s: `provider_failed`, `provider_refused`, `link_required`,
/// `identity_in_use`, `email_not_verified`, `email_required`, `domain_not_allowed`, `registration_closed`,
/// `account_disabled`.
pub fn arrive(
    app: &App,
    caller: &Caller,
    provider: &Provider,
    returned: &Returned<'_>,
) -> Result<Arrival, Error> {
    let mismatch = || Error::from(Refusal::StateMismatch);
    let state = opaque::parse(STATE_PREFIX, returned.state).ok_or_else(mismatch)?;
    let browser = returned.browser.and_then(hash_of_browser).ok_or_else(mismatch)?;
    let begun = spend(app, caller, provider, state, browser)?;
    let kept = Kept::open(app, &state, &begun.sealed)?;
    let outcome = claimed(app, caller, provider, returned, &kept).and_then(|claimed| match begun.links {
        Some(links) => link(app, caller, claimed, links),
        None => sign_in(app, caller, provider, claimed, &kept),
    });
    Ok(Arrival { goes_on: kept.goes_on, outcome })
}

fn spend(
    app: &App,
    caller: &Caller,
    provider: &Provider,
    state: OpaqueHash,
    browser: OpaqueHash,
) -> Result<Begun, Error> {
    let name = provider.name.clone();
    app.store.write(caller, move |tx| {
        let begun = oauth_attempts::spend(tx, &state, &name, &browser)?;
        Ok(begun.map_or(Decision::Refuse(Refusal::StateMismatch), Decision::Grant))
    })
}

/// Asks the provider who it is, outside of any transaction.
fn claimed(
    app: &App,
    caller: &Caller,
    provider: &Provider,
    returned: &Returned<'_>,
    kept: &Kept,
) -> Result<Newcomer, Error> {
    let verifier = Secret::new(kept.verifier.clone());
    let awaited = Awaited {
        nonce: &kept.nonce,
        verifier: &verifier,
        redirect_uri: &provider.redirect_uri(&app.config.public_url),
        asked_again_at: kept.asked_again_at.map(Timestamp::from_millis),
    };
    let said = match (returned.error, returned.code) {
        (Some(error), _) => Err(provider::refusal(app, provider, error, returned.iss)),
        (None, None) => Err(ProviderFault::Refused { error: "neither a code nor an error".into() }),
        (None, Some(code)) => {
            let callback = Callback { code, iss: returned.iss, user: returned.user };
            provider::claimed(app, provider, &callback, &awaited)
        }
    };
    match said {
        Ok(claimed) => Ok(Newcomer::new(app, caller, provider, claimed)),
        Err(fault) => Err(refuse(app, caller, provider, &fault)),
    }
}

/// What went wrong at a provider: a line in the daemon's log with why, one in the audit log, and little to
/// the browser.
fn refuse(app: &App, caller: &Caller, provider: &Provider, fault: &ProviderFault) -> Error {
    let (why, refusal) = match fault {
        ProviderFault::Refused { .. } => (LoginFailure::ProviderRefused, Refusal::ProviderRefused),
        _ => (LoginFailure::ProviderFailed, Refusal::ProviderFailed),
    };
    tracing::warn!(provider = %provider.name, why = %fault, "a sign-in with a provider failed");
    let noted = app.store.write(caller, move |tx| {
        tx.audit(&Event::LoginFailed { why, email: None }, Subject::default())?;
        Ok(Decision::Grant(()))
    });
    noted.err().unwrap_or_else(|| refusal.into())
}

/// What the transaction ends with.
enum Ending {
    Code { hash: OpaqueHash, challenge: String },
    Session { step: Box<FirstStep>, attempt: Attempt },
}

/// As [`sign_in_as`]; who lacks an address alone is asked for it, where there is a page to do so.
fn sign_in(
    app: &App,
    caller: &Caller,
    provider: &Provider,
    newcomer: Newcomer,
    kept: &Kept,
) -> Result<Outcome, Error> {
    let may_ask = newcomer.claimed.email.is_none() && matches!(kept.goes_on, GoesOn::Pages { .. });
    let carried = may_ask.then(|| complete::seal(app, provider, &newcomer.claimed));
    match (sign_in_as(app, caller, newcomer, kept), carried) {
        (Err(Error::Refused(Refusal::EmailRequired)), Some(carried)) => Ok(Outcome::AddressDue(carried)),
        (outcome, _) => outcome,
    }
}

fn sign_in_as(app: &App, caller: &Caller, newcomer: Newcomer, kept: &Kept) -> Result<Outcome, Error> {
    let asked = AskedAgain::of(app, caller, kept);
    match &kept.goes_on {
        GoesOn::FrontEnd { code_challenge, .. } => {
            let (code, hash) = opaque::generate(CODE_PREFIX, app.entropy());
            let ending = Ending::Code { hash, challenge: code_challenge.clone() };
            app.store.write(caller, move |tx| enter(tx, &newcomer, &asked, &ending))?;
            Ok(Outcome::Code(code))
        }
        GoesOn::Pages { .. } | GoesOn::Linked { .. } => {
            let (step, tickets) = FirstStep::new(app, caller, FirstFactor::Federated);
            let attempt = Attempt::new(app, caller, String::new());
            let ending = Ending::Session { step: Box::new(step), attempt };
            let passed = app.store.write(caller, move |tx| enter(tx, &newcomer, &asked, &ending))?;
            let passed = passed.ok_or_else(|| Fault::Internal("a sign-in ended in nothing".into()))?;
            Ok(Outcome::LoggedIn(tickets.logged_in(passed)))
        }
    }
}

/// The sessions of a browser whose person was to prove once more who they are; none where nobody was.
struct AskedAgain {
    sessions: Vec<BrowserSession>,
    idle: Duration,
}

impl AskedAgain {
    fn of(app: &App, caller: &Caller, kept: &Kept) -> Self {
        let sessions = kept.asked_again_at.map(|_| BrowserSession::all_of(app, caller));
        Self { sessions: sessions.unwrap_or_default(), idle: app.lifetime().idle }
    }

    /// Why somebody else came back. `None`: it is the same person, or nobody is signed in there any more.
    fn refuse_another(&self, tx: &Tx<'_>, newcomer: &Newcomer) -> Result<Option<Refusal>, Fault> {
        for session in &self.sessions {
            if let Some(asked) = session.owner(tx, self.idle)? {
                return newcomer.refuse_another_than(tx, asked);
            }
        }
        Ok(None)
    }
}

fn enter(
    tx: &mut Tx<'_>,
    newcomer: &Newcomer,
    asked: &AskedAgain,
    ending: &Ending,
) -> Result<Decision<Option<Passed>>, Fault> {
    if let Some(refusal) = asked.refuse_another(tx, newcomer)? {
        return Ok(Decision::Refuse(refusal));
    }
    let user = match newcomer.admit(tx)? {
        Ok(user) => user,
        Err(refusal) => return Ok(Decision::Refuse(refusal)),
    };
    let proof = newcomer.told_proof();
    match ending {
        Ending::Code { hash, challenge } => {
            let code = OauthCode { user: user.id, code_challenge: challenge.clone(), provider: proof };
            oauth_codes::insert(tx, hash, &code, tx.now().plus(CODE_TTL))?;
            Ok(Decision::Grant(None))
        }
        Ending::Session { step, attempt } => {
            let attempt = attempt.at(user.email.key());
            Ok(Decision::Grant(Some(step.pass(tx, &attempt, user, &proof)?)))
        }
    }
}

/// Links, for the session that asked, as long as that lives.
fn link(
    app: &App,
    caller: &Caller,
    newcomer: Newcomer,
    (user, session): (UserId, SessionId),
) -> Result<Outcome, Error> {
    let idle = app.lifetime().idle;
    app.store.write(caller, move |tx| link_in(tx, &newcomer, user, session, idle))?;
    Ok(Outcome::Linked)
}

fn link_in(
    tx: &mut Tx<'_>,
    newcomer: &Newcomer,
    user: UserId,
    session: SessionId,
    idle: Duration,
) -> Result<Decision<()>, Fault> {
    let lives = sessions::find(tx, session)?.is_some_and(|session| session.is_alive(tx.now(), idle));
    // No session outlives the disabling of its account.
    let Some(user) = users::find(tx, user)?.filter(|_| lives) else {
        return Ok(Decision::Refuse(Refusal::StateMismatch));
    };
    Ok(match newcomer.link_to(tx, &user)? {
        Ok(()) => Decision::Grant(()),
        Err(refusal) => Decision::Refuse(refusal),
    })
}
