//! The second step of a login: a ticket and a code for a session.

use super::factor::{Factor, FactorCheck, FactorVerdict};
use super::first_step::{
    LoggedIn, PASSWORD_TICKET_PREFIX, TICKET_PREFIX, ask_for_password, must_change_password,
};
use super::locked_tries;
use super::lockout;
use super::lockout::Attempt;
use super::proof::FirstFactor;
use super::session_start::Start;
use super::started::Started;
use crate::crypto::opaque::{self, OpaqueHash};
use crate::domain::caller::Caller;
use crate::domain::identity::ProviderProof;
use crate::domain::mail::MailKind;
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::{tickets, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::keys::current_key;
use crate::usecase::mail::compose::MailWriter;

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
    let start = Start::new(app, caller, first.and(factor.kind())).with_provider_proof(provider);
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

/// Whether a ticket still waits for its code: it is neither wrong nor spent, burnt or too old.
///
/// # Errors
/// The store's.
pub fn is_open(app: &App, ticket: &str) -> Result<bool, Error> {
    let Some(ticket) = opaque::parse(TICKET_PREFIX, ticket) else {
        return Ok(false);
    };
    let now = app.now();
    Ok(app.store.read(|query| tickets::find(query, &ticket, now, TICKET_FAILURES_MAX))?.is_some())
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
        if self.check.spend(tx, &user, &self.factor)? == FactorVerdict::Wrong {
            if tickets::count_failure(tx, &self.ticket)? == TICKET_FAILURES_MAX {
                // Whoever it is has shown the right password.
                let notice = self.writer.notice(tx, MailKind::SecondFactorFailed);
                notice.queue(tx, user.id, &user.email)?;
            }
            return refused;
        }
        if !tickets::spend(tx, &self.ticket)? {
            return refused;
        }
        if must_change_password(tx, self.first, user.id)? {
            ask_for_password(tx, &self.password_ticket, user.id, &self.start.amr())?;
            return Ok(Decision::Grant(None));
        }
        Ok(Decision::Grant(Some(self.start.run(tx, &self.attempt, user)?)))
    }
}
