//! Proving again who one is: a login that is fresh, with the password where an action asks for it.

use crate::domain::access::{Actor, FRESH, SignedIn};
use crate::domain::caller::Caller;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::{second_factor, sessions, users};
use crate::store::tx::{Query, Tx};
use crate::usecase::app::App;
use crate::usecase::{require_any_user, require_user};
use std::time::Duration;

/// A caller whose login is fresh: at most 5 minutes old, and with the second factor where one is on.
///
/// Judged at once, to refuse early, and again by [`Fresh::lapsed`] inside the transaction that acts on it:
/// hashing takes its time, and the session may have ended meanwhile.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct Fresh {
    pub me: SignedIn,
    idle: Duration,
    proven: Proven,
}

/// What was shown of the caller's password.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Proven {
    NotAsked,
    /// The hash that it matched. `None`: the account has none.
    Hash(Option<String>),
}

pub(in crate::usecase) fn require_fresh(app: &App, caller: &Caller) -> Result<Fresh, Error> {
    fresh(app, require_user(caller)?)
}

/// As [`require_fresh`], of a user who must set up a second factor first, too.
pub(in crate::usecase) fn require_fresh_of_any(app: &App, caller: &Caller) -> Result<Fresh, Error> {
    fresh(app, require_any_user(caller)?)
}

fn fresh(app: &App, me: &SignedIn) -> Result<Fresh, Error> {
    let me = me.clone();
    let fresh = Fresh { me, idle: app.lifetime().idle, proven: Proven::NotAsked };
    let now = app.now();
    match app.store.read(|query| fresh.lapsed(query, now))? {
        Some(refusal) => Err(refusal.into()),
        None => Ok(fresh),
    }
}

/// Who may do what wants a fresh login of a user: of a service, which never logs in, and of an operator it
/// is not asked.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct FreshIfUser(Option<Fresh>);

impl FreshIfUser {
    /// For what any login will do.
    pub(in crate::usecase) const NOT_ASKED: Self = Self(None);

    /// Runs `work` as one transaction, unless the login has lapsed meanwhile: see [`Fresh::lapsed`].
    pub(in crate::usecase) fn write<T: Send + 'static>(
        self,
        app: &App,
        caller: &Caller,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<Decision<T>, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        app.store.write(caller, move |tx| {
            if let Some(fresh) = &self.0
                && let Some(refusal) = fresh.lapsed(tx, tx.now())?
            {
                return Ok(Decision::Refuse(refusal));
            }
            work(tx)
        })
    }
}

pub(in crate::usecase) fn require_fresh_if_user(app: &App, caller: &Caller) -> Result<FreshIfUser, Error> {
    match &caller.actor {
        Actor::User(_) => Ok(FreshIfUser(Some(require_fresh(app, caller)?))),
        Actor::ApiKey(_) | Actor::Operator(_) | Actor::System => Ok(FreshIfUser::NOT_ASKED),
        Actor::Anonymous => Err(Refusal::Unauthenticated.into()),
    }
}

/// Refuses a user whose login is not fresh, before anything else of a request is looked at. The use-case asks
/// again.
///
/// # Errors
/// `unauthenticated` for nobody; `fresh_login_required`; the store's.
pub fn check(app: &App, caller: &Caller) -> Result<(), Error> {
    match &caller.actor {
        Actor::User(me) => fresh(app, me).map(drop),
        Actor::ApiKey(_) | Actor::Operator(_) | Actor::System => Ok(()),
        Actor::Anonymous => Err(Refusal::Unauthenticated.into()),
    }
}

impl Fresh {
    /// The same, with a password that was proved, or (`None`) of an account without one: see
    /// `signin::password`.
    pub(in crate::usecase) fn with_password(self, proven: Option<String>) -> Self {
        Self { proven: Proven::Hash(proven), ..self }
    }

    /// Why it does not count any more: the session has ended, the cookie that was shown of it was replaced,
    /// the proof is too old. `None`: it does.
    pub(in crate::usecase) fn lapsed(
        &self,
        query: &impl Query,
        now: Timestamp,
    ) -> Result<Option<Refusal>, Fault> {
        let session = sessions::find(query, self.me.session)?;
        let carrier = self.me.carrier;
        let counts =
            |session: &Session| session.is_alive(now, self.idle) && carrier.counts(session.generation);
        let Some(session) = session.filter(counts) else {
            return Ok(Some(Refusal::InvalidToken));
        };
        let two_factor = second_factor::is_on(query, self.me.account.id)?;
        let strongest = !two_factor || session.amr.iter().any(|method| method == "mfa");
        if !strongest || session.auth_time.is_none_or(|proved| now >= proved.plus(FRESH)) {
            return Ok(Some(Refusal::FreshLoginRequired));
        }
        let changed = match &self.proven {
            Proven::NotAsked => false,
            Proven::Hash(proven) => users::find_password_hash(query, self.me.account.id)? != *proven,
        };
        Ok(changed.then_some(Refusal::WrongPassword))
    }
}
