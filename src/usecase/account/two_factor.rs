//! One's own second factor: setting it up, turning it on and off, recovery codes.

use super::password::void_old_proofs;
use super::qr::Qr;
use crate::crypto::opaque::{self, OpaqueHash};
use crate::crypto::totp::{self, TotpSecret};
use crate::domain::audit::{Event, LoginFailure, Subject};
use crate::domain::caller::Caller;
use crate::domain::id::{SessionId, UserId};
use crate::domain::mail::MailKind;
use crate::domain::password::Password;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::draw;
use crate::store::tables::sessions;
use crate::store::tables::{second_factor, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::mail::compose;
use crate::usecase::reauthenticate::{Fresh, require_fresh, require_fresh_of_any};
use crate::usecase::require_any_user;
use crate::usecase::signin::factor::{Factor, FactorCheck, FactorVerdict};
use crate::usecase::signin::password;
use crate::usecase::signin::proof::{FirstFactor, Proof, SecondFactor};
use crate::usecase::signin::session_cookie::{self, SessionCookie};
use crate::usecase::signin::session_start::{life, prove_anew};

/// How many recovery codes a person gets.
pub const RECOVERY_CODES: usize = 10;

/// Whether a second factor is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
    /// `None`: the app is off.
    pub enabled_at: Option<Timestamp>,
    /// How many passkeys there are, of whatever domain.
    pub passkeys: u32,
    pub recovery_codes_left: u32,
}

/// Gives how the caller's second factor stands.
///
/// # Errors
/// `unauthenticated`; the store's.
pub fn status(app: &App, caller: &Caller) -> Result<Status, Error> {
    let me = require_any_user(caller)?;
    Ok(app.store.read(|query| {
        Ok(Status {
            enabled_at: second_factor::find(query, me.account.id)?.and_then(|factor| factor.enabled_at),
            passkeys: me.account.passkeys,
            recovery_codes_left: second_factor::count_recovery_codes(query, me.account.id)?,
        })
    })?)
}

/// A new secret, in every form that an app takes.
#[derive(Clone, Debug)]
pub struct Setup {
    pub secret: Secret<String>,
    pub otpauth_uri: Secret<String>,
    pub qr_svg: Secret<String>,
}

/// Hands out a new secret. Nothing is on until a code for it comes back: see [`enable`]. Whoever has not
/// shown that the address is theirs gets none: the owner of the address would be locked out of it.
///
/// # Errors
/// `fresh_login_required`; `email_not_verified`; `already_enabled`; the store's.
pub fn setup(app: &App, caller: &Caller) -> Result<Setup, Error> {
    let fresh = require_fresh_of_any(app, caller)?;
    let me = fresh.me.account.id;
    let user = app.store.read(|query| users::find(query, me))?.ok_or(Refusal::InvalidToken)?;
    if user.email_verified_at.is_none() {
        return Err(Refusal::EmailNotVerified.into());
    }
    let Draft { setup, sealed } = draft(app, &user)?;
    app.store.write(caller, move |tx| {
        if let Some(refusal) = fresh.lapsed(tx, tx.now())? {
            return Ok(Decision::Refuse(refusal));
        }
        enrol(tx, me, &sealed)
    })?;
    Ok(setup)
}

/// A secret that nobody has been given yet.
pub(in crate::usecase) struct Draft {
    pub setup: Setup,
    /// As the store keeps it.
    pub sealed: Vec<u8>,
}

pub(in crate::usecase) fn draft(app: &App, user: &User) -> Result<Draft, Error> {
    let secret: TotpSecret = Secret::new(draw(app.entropy()));
    let enrolment = totp::enrolment(&secret, &app.config.totp.issuer, user.email.as_str())?;
    let qr_svg = Secret::new(Qr::of(&enrolment.uri)?.svg());
    let sealed = app.totp_sealer.seal(app.entropy(), user.id.as_bytes(), secret.expose());
    Ok(Draft { setup: Setup { secret: enrolment.base32, otpauth_uri: enrolment.uri, qr_svg }, sealed })
}

pub(in crate::usecase) fn enrol(tx: &mut Tx<'_>, user: UserId, sealed: &[u8]) -> Result<Decision<()>, Fault> {
    if !second_factor::enrol(tx, user, sealed)? {
        return Ok(Decision::Refuse(Refusal::AlreadyEnabled));
    }
    tx.audit(&Event::SecondFactorEnrolled, user)?;
    Ok(Decision::Grant(()))
}

/// Codes as a person keeps them, and as the store does.
pub(in crate::usecase) struct NewCodes {
    pub shown: Vec<Secret<String>>,
    pub hashes: Vec<OpaqueHash>,
}

pub(in crate::usecase) fn new_codes(app: &App) -> NewCodes {
    let (shown, hashes) = (0..RECOVERY_CODES).map(|_| opaque::generate_recovery_code(app.entropy())).unzip();
    NewCodes { shown, hashes }
}

/// What a person is given once, when the factors change.
#[derive(Clone, Debug)]
pub struct RecoveryCodes {
    pub codes: Vec<Secret<String>>,
    /// In the place of the cookie that the person has shown, which counts no more. `None`: they showed none.
    pub cookie: Option<SessionCookie>,
}

/// Turns the second factor on with a code for the secret of [`setup`]; gives the recovery codes, this
/// once. That code's step is spent, other sessions end, and this one counts as proved with both factors; its
/// access tokens from before the last refresh count no more.
///
/// # Errors
/// `fresh_login_required`; `email_not_verified`; `already_enabled`; `invalid_code`; the store's.
pub fn enable(app: &App, caller: &Caller, code: &Secret<String>) -> Result<RecoveryCodes, Error> {
    let fresh = require_fresh_of_any(app, caller)?;
    let me = fresh.me.clone();
    let (enabling, codes) = Enabling::new(app, caller, code);
    let life = life(&app.config, FirstFactor::Password.and(SecondFactor::Code));
    let next = app.store.write(caller, move |tx| {
        if let Some(refusal) = fresh.lapsed(tx, tx.now())? {
            return Ok(Decision::Refuse(refusal));
        }
        let Some(user) = users::find(tx, me.account.id)? else {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        };
        if user.email_verified_at.is_none() {
            return Ok(Decision::Refuse(Refusal::EmailNotVerified));
        }
        if let Decision::Refuse(refusal) = enabling.run(tx, &user, Some(me.session))? {
            return Ok(Decision::Refuse(refusal));
        }
        let proof = first_factor(tx, me.session)?.and(SecondFactor::Code);
        prove_anew(tx, me.session, proof, life)?;
        Ok(Decision::Grant(session_cookie::rotate(tx, &me)?))
    })?;
    Ok(RecoveryCodes { codes, cookie: next.map(|next| next.cookie(app)) })
}

/// What the person of a session has shown first.
pub(super) fn first_factor(tx: &Tx<'_>, session: SessionId) -> Result<FirstFactor, Fault> {
    let proof = sessions::find(tx, session)?.and_then(|session| Proof::of_amr(&session.amr));
    Ok(proof.map_or(FirstFactor::Password, |proof| proof.first))
}

/// Turning an enrolled factor on, whoever does it: what is drawn and composed before the transaction.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct Enabling {
    check: FactorCheck,
    code: Secret<String>,
    hashes: Vec<OpaqueHash>,
    notice: compose::QueuedMail,
}

impl Enabling {
    /// With the recovery codes to show once it has happened.
    pub(in crate::usecase) fn new(
        app: &App,
        caller: &Caller,
        code: &Secret<String>,
    ) -> (Self, Vec<Secret<String>>) {
        let NewCodes { shown, hashes } = new_codes(app);
        let notice = compose::notice(app, caller, MailKind::TwoFactorEnabled);
        (Self { check: FactorCheck::new(app, caller), code: code.clone(), hashes, notice }, shown)
    }

    /// Judges the code, spends its step, and ends every session but `session`.
    pub(in crate::usecase) fn run(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        session: Option<SessionId>,
    ) -> Result<Decision<()>, Fault> {
        if user.totp_at.is_some() {
            return Ok(Decision::Refuse(Refusal::AlreadyEnabled));
        }
        let (now, subject) = (tx.now(), Subject { user: Some(user.id), session });
        let Some(step) = self.check.step_of_pending(tx, user.id, &self.code, now)? else {
            tx.audit(&Event::LoginFailed { why: LoginFailure::WrongCode, email: None }, subject)?;
            return Ok(Decision::Refuse(Refusal::InvalidCode));
        };
        if !second_factor::enable(tx, user.id, step)? {
            return Ok(Decision::Refuse(Refusal::InvalidCode));
        }
        second_factor::replace_recovery_codes(tx, user.id, &self.hashes)?;
        void_old_proofs(tx, user.id, session)?;
        tx.audit(&Event::SecondFactorEnabled, subject)?;
        self.notice.queue(tx, user.id, &user.email)?;
        Ok(Decision::Grant(()))
    }
}

/// Turns the second factor off, with the password, where the account has one, and the factor itself; gives
/// the next cookie where the person has shown one.
///
/// # Errors
/// `fresh_login_required`; `invalid_credentials`; `too_many_attempts`; `invalid_code`, also when none
/// is on; the store's.
pub fn disable(
    app: &App,
    caller: &Caller,
    password: Option<&Password>,
    factor: &Factor,
) -> Result<Option<SessionCookie>, Error> {
    let fresh = require_fresh(app, caller)?;
    let me = fresh.me.clone();
    let user = app.store.read(|query| users::find(query, me.account.id))?.ok_or(Refusal::InvalidToken)?;
    let fresh = fresh.with_password(password::check_if_any(app, caller, &user, password)?);
    let notice = compose::notice(app, caller, MailKind::TwoFactorDisabled);
    let next = with_factor(
        app,
        caller,
        fresh,
        factor,
        |user| user.totp_at.is_some(),
        move |tx, user| {
            second_factor::delete(tx, user.id)?;
            void_old_proofs(tx, user.id, Some(me.session))?;
            // What this session has shown is the proof of a factor that is no more.
            let first = first_factor(tx, me.session)?;
            sessions::save_amr(tx, me.session, &first.alone().amr())?;
            tx.audit(&Event::SecondFactorDisabled, (user.id, me.session))?;
            notice.queue(tx, user.id, &user.email)?;
            session_cookie::rotate(tx, &me)
        },
    )?;
    Ok(next.map(|next| next.cookie(app)))
}

/// Gives ten new recovery codes, this once, for a code of the app; the old ones die.
///
/// # Errors
/// `fresh_login_required`; `invalid_code`, also when no factor is on; the store's.
pub fn new_recovery_codes(app: &App, caller: &Caller, code: &Secret<String>) -> Result<RecoveryCodes, Error> {
    new_recovery_codes_by(app, caller, &Factor::Code(code.clone()))
}

/// The same for a factor of any kind.
///
/// # Errors
/// As [`new_recovery_codes`].
pub fn new_recovery_codes_by(app: &App, caller: &Caller, factor: &Factor) -> Result<RecoveryCodes, Error> {
    let fresh = require_fresh(app, caller)?;
    let me = fresh.me.clone();
    let NewCodes { shown: codes, hashes } = new_codes(app);
    let notice = compose::notice(app, caller, MailKind::RecoveryCodesReplaced);
    let is_on = |user: &User| user.has_two_factor();
    let next = with_factor(app, caller, fresh, factor, is_on, move |tx, user| {
        second_factor::replace_recovery_codes(tx, user.id, &hashes)?;
        tx.audit(&Event::RecoveryCodesReplaced, (user.id, me.session))?;
        notice.queue(tx, user.id, &user.email)?;
        session_cookie::rotate(tx, &me)
    })?;
    Ok(RecoveryCodes { codes, cookie: next.map(|next| next.cookie(app)) })
}

/// Spends the caller's factor and does `work`, in one transaction; nothing is spent unless `is_on` says so.
fn with_factor<T: Send + 'static>(
    app: &App,
    caller: &Caller,
    fresh: Fresh,
    factor: &Factor,
    is_on: fn(&User) -> bool,
    mut work: impl FnMut(&mut Tx<'_>, &User) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Error> {
    let me = fresh.me.account.id;
    let (check, factor) = (FactorCheck::new(app, caller), factor.clone());
    app.store.write(caller, move |tx| {
        if let Some(refusal) = fresh.lapsed(tx, tx.now())? {
            return Ok(Decision::Refuse(refusal));
        }
        let Some(user) = users::find(tx, me)? else {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        };
        if !is_on(&user) || check.spend(tx, &user, &factor)? == FactorVerdict::Wrong {
            return Ok(Decision::Refuse(Refusal::InvalidCode));
        }
        Ok(Decision::Grant(work(tx, &user)?))
    })
}
