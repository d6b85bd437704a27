//! The second factor: a code from an app, or a recovery code, spent inside a transaction.

use super::passkey::check::{PasskeyCheck, PasskeyVerdict, ShownPasskey, Use};
use super::proof::SecondFactor;
use crate::crypto::opaque;
use crate::crypto::seal::Sealer;
use crate::crypto::totp::{self, TotpSecret};
use crate::domain::audit::{Event, LoginFailure};
use crate::domain::caller::Caller;
use crate::domain::id::UserId;
use crate::domain::mail::MailKind;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::Fault;
use crate::store::tables::second_factor;
use crate::store::tx::{Query, Tx};
use crate::usecase::app::App;
use crate::usecase::mail::compose;
use std::sync::Arc;

/// After this many wrong codes in a row a factor answers no more, until an operator resets it
/// (NIST SP 800-63B-4 §3.2.2).
pub const FACTOR_FAILURES_MAX: u32 = 100;

/// What a person shows of their second factor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Factor {
    /// Six digits from the app.
    Code(Secret<String>),
    RecoveryCode(Secret<String>),
    Passkey(Box<ShownPasskey>),
}

/// Checks and spends second factors inside a transaction.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct FactorCheck {
    sealer: Arc<Sealer>,
    recovery_notice: compose::QueuedMail,
    passkeys: PasskeyCheck,
}

/// What a factor came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) enum FactorVerdict {
    /// What was shown.
    Right(SecondFactor),
    Wrong,
}

impl FactorCheck {
    pub(in crate::usecase) fn new(app: &App, caller: &Caller) -> Self {
        Self {
            sealer: Arc::clone(&app.totp_sealer),
            recovery_notice: compose::notice(app, caller, MailKind::RecoveryCodeUsed),
            passkeys: PasskeyCheck::new(app),
        }
    }

    /// Spends what was shown, or counts a failure. A factor that is off, or codes that have failed too often,
    /// are never right: it fails closed.
    pub(in crate::usecase) fn spend(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        shown: &Factor,
    ) -> Result<FactorVerdict, Fault> {
        let app = second_factor::find(tx, user.id)?.filter(|factor| factor.enabled_at.is_some());
        let blocked = app.as_ref().is_some_and(|app| app.failures >= FACTOR_FAILURES_MAX);
        let right = match (shown, app) {
            // Nothing is guessed at a signature: no number of wrong codes is in its way.
            (Factor::Passkey(shown), _) => self.spend_passkey(tx, user, shown)?,
            (Factor::Code(_), None) => return Ok(FactorVerdict::Wrong),
            (Factor::Code(_) | Factor::RecoveryCode(_), _) if blocked => return Ok(FactorVerdict::Wrong),
            (Factor::Code(code), Some(app)) => {
                self.spend_code(tx, user.id, &app, code)?.then_some(SecondFactor::Code)
            }
            (Factor::RecoveryCode(code), _) => {
                self.spend_recovery_code(tx, user, code)?.then_some(SecondFactor::RecoveryCode)
            }
        };
        if let Some(right) = right {
            return Ok(FactorVerdict::Right(right));
        }
        if !matches!(shown, Factor::Passkey(_)) {
            tx.audit(&Event::LoginFailed { why: LoginFailure::WrongCode, email: None }, user.id)?;
        }
        if second_factor::count_failure(tx, user.id)? == FACTOR_FAILURES_MAX {
            tx.audit(&Event::SecondFactorBlocked, user.id)?;
        }
        Ok(FactorVerdict::Wrong)
    }

    fn spend_passkey(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        shown: &ShownPasskey,
    ) -> Result<Option<SecondFactor>, Fault> {
        Ok(match self.passkeys.spend(tx, shown, Use::SecondStep(user.id))? {
            PasskeyVerdict::Right { storage, .. } => {
                second_factor::end_failures(tx, user.id, FACTOR_FAILURES_MAX)?;
                Some(SecondFactor::Passkey(storage))
            }
            PasskeyVerdict::Wrong => None,
        })
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

    fn spend_recovery_code(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        code: &Secret<String>,
    ) -> Result<bool, Fault> {
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
