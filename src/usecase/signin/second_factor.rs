//! The second step of a login: a ticket and a code for a session.

use super::factor::{Factor, FactorCheck, FactorVerdict};
use super::first_step::{
    LoggedIn, PASSWORD_TICKET_PREFIX, TICKET_PREFIX, ask_for_password, must_change_password,
};
use super::locked_tries;
use super::lockout;
use super::lockout::Attempt;
use super::methods::{Methods, UsablePasskeys};
use super::passkey::ceremony::{self, Begun, Purpose, require_enabled};
use super::proof::{FirstFactor, SecondFactor};
use super::session_start::Start;
use super::started::Started;
use crate::crypto::opaque::{self, OpaqueHash};
use crate::domain::caller::Caller;
use crate::domain::id::UserId;
use crate::domain::identity::ProviderProof;
use crate::domain::mail::MailKind;
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::{passkeys, tickets, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::keys::current_key;
use crate::usecase::mail::compose::MailWriter;
use crate::usecase::require_any_user;
use crate::webauthn::{Descriptor, RequestOptions, UserVerification, request_options};

/// A ticket is burnt by this many wrong codes.
pub const TICKET_FAILURES_MAX: u32 = 5;

/// Finishes a login with the second factor. Where the password must be changed, that is due then: no
/// [`LoggedIn::SecondStep`] comes of it.
///
/// # Errors
/// `invalid_code` when the ticket or the code is wrong, used or too old, or the factor answers no more;
/// `too_many_attempts` while the account is locked for this network; `account_disabled`.
pub fn verify(app: &App, caller: &Caller, ticket: &str, factor: &Factor) -> Result<LoggedIn, Error> {
    let ticket = opaque::parse(TICKET_PREFIX, ticket).ok_or(Refusal::InvalidCode)?;
    let now = app.now();
    let owner = app.store.read(|query| match tickets::find(query, &ticket, now, TICKET_FAILURES_MAX)? {
        Some(waiting) => Ok(users::find(query, waiting.user)?.map(|user| (user, waiting))),
        None => Ok(None),
    })?;
    let (owner, waiting) = owner.ok_or(Refusal::InvalidCode)?;
    let attempt = Attempt::new(app, caller, owner.email.key());
    let locked = app.store.read(|query| attempt.locked_until(query, Some(owner.id), now))?;
    if let Some(until) = locked.filter(|_| owner.disabled_at.is_none()) {
        return Err(locked_tries::refuse(app, caller, &attempt, owner.id.into(), None, until));
    }
    let first = FirstFactor::of_name(&waiting.first).ok_or(Refusal::InvalidCode)?;
    // The second factor is shown now, whenever the provider was told the first.
    let provider = ProviderProof { amr: waiting.provider_amr, at: None };
    let start = Start::new(app, caller, first.and(SecondFactor::Code)).with_provider_proof(provider);
    let (password_ticket, password_ticket_hash) = opaque::generate(PASSWORD_TICKET_PREFIX, app.entropy());
    let step = SecondStep {
        ticket,
        password_ticket: password_ticket_hash,
        factor: factor.clone(),
        check: FactorCheck::new(app, caller),
        first,
        start,
        attempt,
        writer: MailWriter::new(app),
    };
    let (salt, signer) = (step.start.salt, current_key::current(app)?);
    match app.store.write(caller, move |tx| step.decide(tx))? {
        None => Ok(LoggedIn::PasswordChange(password_ticket)),
        Some((user, session)) => Ok(LoggedIn::Started(Box::new(Started { user, session, salt, signer }))),
    }
}

/// What a ticket waits for. `None`: it is wrong, spent, burnt or too old.
///
/// # Errors
/// The store's.
pub fn methods(app: &App, ticket: &str) -> Result<Option<Methods>, Error> {
    Ok(owner(app, ticket)?.map(|(_, methods)| methods))
}

/// Whose second step a ticket is, and by what they can do it.
fn owner(app: &App, ticket: &str) -> Result<Option<(UserId, Methods)>, Error> {
    let Some(ticket) = opaque::parse(TICKET_PREFIX, ticket) else {
        return Ok(None);
    };
    let (now, passkeys) = (app.now(), UsablePasskeys::of(&app.config));
    Ok(app.store.read(|query| {
        let Some(waiting) = tickets::find(query, &ticket, now, TICKET_FAILURES_MAX)? else {
            return Ok(None);
        };
        let Some(user) = users::find(query, waiting.user)? else {
            return Ok(None);
        };
        Ok(Some((user.id, Methods::of(query, &user, &passkeys)?)))
    })?)
}

/// Begins the second step by a passkey: the browser is told which ones its user has.
///
/// # Errors
/// `invalid_code` when the ticket is wrong, spent, burnt or too old, or its user has no passkey that could be
/// used; `not_found` while passkeys are off; the store's.
pub fn start_passkey(app: &App, ticket: &str) -> Result<Begun<RequestOptions>, Error> {
    require_enabled(app)?;
    let (user, _) = owner(app, ticket)?.ok_or(Refusal::InvalidCode)?;
    begin_passkey(app, user)
}

/// Begins to show a passkey as the second factor of somebody who is signed in, where that is asked for again.
///
/// # Errors
/// `unauthenticated`; `invalid_code` where they have no passkey that could be used; `not_found` while
/// passkeys are off; the store's.
pub fn start_own_passkey(app: &App, caller: &Caller) -> Result<Begun<RequestOptions>, Error> {
    require_enabled(app)?;
    begin_passkey(app, require_any_user(caller)?.account.id)
}

fn begin_passkey(app: &App, user: UserId) -> Result<Begun<RequestOptions>, Error> {
    let rp_id = &app.config.passkeys.rp_id;
    let all = app.store.read(|query| passkeys::list_of(query, user))?;
    let usable: Vec<_> = all.iter().filter(|one| one.passkey.rp_id == *rp_id).collect();
    if usable.is_empty() {
        return Err(Refusal::InvalidCode.into());
    }
    let allow: Vec<Descriptor<'_>> = usable
        .iter()
        .map(|one| Descriptor { id: &one.credential_id, transports: &one.passkey.transports })
        .collect();
    let options = |challenge: &[u8]| request_options(rp_id, challenge, &allow, UserVerification::Preferred);
    Ok(ceremony::begin(app, Purpose::SecondStep { user }, options))
}

struct SecondStep {
    ticket: OpaqueHash,
    password_ticket: OpaqueHash,
    factor: Factor,
    check: FactorCheck,
    /// What was shown before.
    first: FirstFactor,
    start: Start,
    attempt: Attempt,
    writer: MailWriter,
}

impl SecondStep {
    /// Whose session begins. `None`: the password must be changed first.
    fn decide(&self, tx: &mut Tx<'_>) -> Result<Decision<Option<(User, Session)>>, Fault> {
        let refused = Ok(Decision::Refuse(Refusal::InvalidCode));
        let now = tx.now();
        let Some(waiting) = tickets::find(tx, &self.ticket, now, TICKET_FAILURES_MAX)? else {
            return refused;
        };
        let id = waiting.user;
        let Some(user) = users::find(tx, id)? else {
            return refused;
        };
        if user.disabled_at.is_some() {
            return Ok(Decision::Refuse(Refusal::AccountDisabled));
        }
        if let Some(until) = self.attempt.locked_until(tx, Some(id), now)? {
            return Ok(Decision::Refuse(lockout::refuse(tx, id, None, until)?));
        }
        let FactorVerdict::Right(second) = self.check.spend(tx, &user, &self.factor)? else {
            if tickets::count_failure(tx, &self.ticket)? == TICKET_FAILURES_MAX {
                // Whoever it is has shown the right password.
                let notice = self.writer.notice(tx, MailKind::SecondFactorFailed);
                notice.queue(tx, user.id, &user.email)?;
            }
            return refused;
        };
        let start = self.start.proved_by(self.first.and(second));
        if !tickets::spend(tx, &self.ticket)? {
            return refused;
        }
        if must_change_password(tx, self.first, user.id)? {
            ask_for_password(tx, &self.password_ticket, user.id, &start.amr())?;
            return Ok(Decision::Grant(None));
        }
        Ok(Decision::Grant(Some(start.run(tx, &self.attempt, user)?)))
    }
}
