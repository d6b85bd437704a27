//! Proving again who one is: with the password, with the second factor, or by a login that is fresh.

use super::lockout;
use super::lockout::{Attempt, Counted};
use crate::crypto::opaque;
use crate::crypto::password::PasswordHashText;
use crate::crypto::seal::Sealer;
use crate::crypto::totp::{self, TotpSecret};
use crate::domain::access::{FRESH, SignedIn};
use crate::domain::audit::{Event, LoginFailure};
use crate::domain::caller::Caller;
use crate::domain::id::UserId;
use crate::domain::mail::MailKind;
use crate::domain::password::Password;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::{second_factor, sessions, users};
use crate::store::tx::{Query, Tx};
use crate::usecase::app::App;
use crate::usecase::mail::compose;
use crate::usecase::require_user;
use std::sync::Arc;
use std::time::Duration;

/// After this many wrong codes in a row a factor answers no more, until an operator resets it
/// (NIST SP 800-63B-4 §3.2.2).
pub const FACTOR_FAILURES_MAX: u32 = 100;

/// A caller whose login is fresh: at most 5 minutes old, and with the second factor where one is on.
///
/// Judged at once, to refuse early, and again by [`Fresh::lapsed`] inside the transaction that acts on it:
/// hashing takes its time, and the session may have ended meanwhile.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct Fresh {
    pub me: SignedIn,
    idle: Duration,
    /// The hash that the caller's password matched; `None`: it was not asked for.
    proven: Option<String>,
}

pub(in crate::usecase) fn require_fresh(app: &App, caller: &Caller) -> Result<Fresh, Error> {
    let me = require_user(caller)?.clone();
    let fresh = Fresh { me, idle: app.lifetime().idle, proven: None };
    let now = app.now();
    match app.store.read(|query| fresh.lapsed(query, now))? {
        Some(refusal) => Err(refusal.into()),
        None => Ok(fresh),
    }
}

impl Fresh {
    /// The same, with a password that was proved: see [`password`].
    pub(in crate::usecase) fn with_password(self, proven: String) -> Self {
        Self { proven: Some(proven), ..self }
    }

    /// Why it does not count any more. `None`: it does.
    pub(in crate::usecase) fn lapsed(&self, query: &impl Query, now: Timestamp) -> Result<Option<Refusal>, Fault> {
        let session = sessions::find(query, self.me.session)?;
        let Some(session) = session.filter(|session| session.is_alive(now, self.idle)) else {
            return Ok(Some(Refusal::InvalidToken));
        };
        let factor = second_factor::find(query, self.me.account.id)?;
        let two_factor = factor.is_some_and(|factor| factor.enabled_at.is_some());
        let strongest = !two_factor || session.amr.iter().any(|method| method == "mfa");
        if !strongest || session.auth_time.is_none_or(|proved| now >= proved.plus(FRESH)) {
            return Ok(Some(Refusal::FreshLoginRequired));
        }
        let changed = self.proven.is_some() && users::find_password_hash(query, self.me.account.id)? != self.proven;
        Ok(changed.then_some(Refusal::WrongPassword))
    }
}

/// Checks the caller's own password, counted by the lockout like a login.
///
/// Gives the hash that it matched: whoever acts on this proof makes sure that it still stands.
pub(in crate::usecase) fn password(
    app: &App,
    caller: &Caller,
    user: &User,
    password: &Password,
) -> Result<String, Error> {
    let attempt = Attempt::new(app, caller, user.email.key());
    let (id, now) = (user.id, app.now());
    let (stored, until) = app
        .store
        .read(|query| Ok((users::find_password_hash(query, id)?, attempt.locked_until(query, Some(id), now)?)))?;
    if until.is_some() {
        return refuse_unseen(app, caller, attempt, id);
    }
    let stored = stored.map(PasswordHashText);
    let matched = match &stored {
        Some(hash) => app.gate.verify(hash, password)?,
        None => app.gate.verify_nobody(password)?,
    };
    let (notice, to) = (compose::notice(app, caller, MailKind::AccountLocked), user.email.clone());
    app.store.write(caller, move |tx| {
        let now = tx.now();
        if let Some(until) = attempt.locked_until(tx, Some(id), now)? {
            return Ok(Decision::Refuse(lockout::refuse(tx, id, None, until)?));
        }
        if let (Some(hash), true) = (&stored, matched) {
            return Ok(Decision::Grant(hash.0.clone()));
        }
        tx.audit(&Event::LoginFailed { why: LoginFailure::WrongPassword, email: None }, id)?;
        if attempt.count(tx, Some(id))? == Counted::AccountLocked {
            notice.queue(tx, id, &to)?;
        }
        Ok(Decision::Refuse(Refusal::WrongPassword))
    })
}

/// While a lock holds, a try leaves its line and is refused, whatever the password.
fn refuse_unseen<T: Send + 'static>(app: &App, caller: &Caller, attempt: Attempt, user: UserId) -> Result<T, Error> {
    app.store.write(caller, move |tx| {
        let now = tx.now();
        // A lock that ended this very moment: as good as the last millisecond of it.
        let until = attempt.locked_until(tx, Some(user), now)?.unwrap_or(now);
        Ok(Decision::Refuse(lockout::refuse(tx, user, None, until)?))
    })
}

/// What a person shows of their second factor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Factor {
    /// Six digits from the app.
    Code(Secret<String>),
    RecoveryCode(Secret<String>),
}

/// Checks and spends second factors inside a transaction.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct FactorCheck {
    sealer: Arc<Sealer>,
    recovery_notice: compose::Letter,
}

/// What a factor came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) enum FactorVerdict {
    Right,
    Wrong,
}

impl FactorCheck {
    pub(in crate::usecase) fn new(app: &App, caller: &Caller) -> Self {
        Self {
            sealer: Arc::clone(&app.totp_sealer),
            recovery_notice: compose::notice(app, caller, MailKind::RecoveryCodeUsed),
        }
    }

    /// Spends what was shown, or counts a failure. A factor that is off, or that has failed too often,
    /// is never right: it fails closed.
    pub(in crate::usecase) fn spend(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        shown: &Factor,
    ) -> Result<FactorVerdict, Fault> {
        let Some(factor) = second_factor::find(tx, user.id)?.filter(|factor| factor.enabled_at.is_some()) else {
            return Ok(FactorVerdict::Wrong);
        };
        if factor.failures >= FACTOR_FAILURES_MAX {
            return Ok(FactorVerdict::Wrong);
        }
        let right = match shown {
            Factor::Code(code) => self.spend_code(tx, user.id, &factor, code)?,
            Factor::RecoveryCode(code) => self.spend_recovery_code(tx, user, code)?,
        };
        if right {
            return Ok(FactorVerdict::Right);
        }
        tx.audit(&Event::LoginFailed { why: LoginFailure::WrongCode, email: None }, user.id)?;
        if second_factor::count_failure(tx, user.id)? == FACTOR_FAILURES_MAX {
            tx.audit(&Event::SecondFactorBlocked, user.id)?;
        }
        Ok(FactorVerdict::Wrong)
    }

    fn spend_code(
        &self,
        tx: &mut Tx<'_>,
        user: UserId,
        factor: &second_factor::Totp,
        code: &Secret<String>,
    ) -> Result<bool, Fault> {
        let secret = open_secret(&self.sealer, user, &factor.secret_sealed)?;
        match totp::accept(&secret, code.expose(), tx.now(), factor.last_step) {
            Some(step) => second_factor::spend_step(tx, user, step),
            None => Ok(false),
        }
    }

    fn spend_recovery_code(&self, tx: &mut Tx<'_>, user: &User, code: &Secret<String>) -> Result<bool, Fault> {
        let Some(hash) = opaque::parse_recovery_code(code.expose()) else {
            return Ok(false);
        };
        if !second_factor::spend_recovery_code(tx, user.id, &hash)? {
            return Ok(false);
        }
        tx.audit(&Event::RecoveryCodeUsed, user.id)?;
        self.recovery_notice.queue(tx, user.id, &user.email)?;
        Ok(true)
    }

    /// The step that a code for a secret which is not on yet belongs to. `None`: it is wrong.
    pub(in crate::usecase) fn step_of_pending(
        &self,
        query: &impl Query,
        user: UserId,
        code: &Secret<String>,
        now: Timestamp,
    ) -> Result<Option<u64>, Fault> {
        match second_factor::find(query, user)?.filter(|factor| factor.enabled_at.is_none()) {
            Some(factor) => {
                let secret = open_secret(&self.sealer, user, &factor.secret_sealed)?;
                Ok(totp::accept(&secret, code.expose(), now, None))
            }
            None => Ok(None),
        }
    }
}

fn open_secret(sealer: &Sealer, user: UserId, sealed: &[u8]) -> Result<TotpSecret, Fault> {
    let bytes = sealer.open(user.as_bytes(), sealed)?;
    let secret = bytes.expose().as_slice().try_into().map(Secret::new);
    secret.map_err(|_| Fault::Storage("a second factor's secret has the wrong length".into()))
}
