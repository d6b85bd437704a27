//! A lasting password in the place of one that must be changed: the end of a login that waits for it.

use super::password::{Owner, check_policy, void_old_proofs};
use crate::crypto::opaque::{self, OpaqueHash};
use crate::crypto::password::PasswordHashText;
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::mail::MailKind;
use crate::domain::password::Password;
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::draw;
use crate::store::tables::tickets::PasswordTicket;
use crate::store::tables::{tickets, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::keys::current_key;
use crate::usecase::mail::compose;
use crate::usecase::mail::compose::QueuedMail;
use crate::usecase::signin::lockout::Attempt;
use crate::usecase::signin::login::PASSWORD_TICKET_PREFIX;
use crate::usecase::signin::proof::Proof;
use crate::usecase::signin::session_start::Start;
use crate::usecase::signin::started::Started;

/// Sets the password that stays, and finishes the login that the ticket stands for. Whatever the old one has
/// begun ends.
///
/// # Errors
/// `invalid_token` when the ticket is wrong, spent or too old; `account_disabled`; `weak_password`, also for
/// the password that must be changed, which leaves the ticket good; `overloaded`; the store's.
pub fn change_required(app: &App, caller: &Caller, ticket: &str, new: &Password) -> Result<Started, Error> {
    let ticket = opaque::parse(PASSWORD_TICKET_PREFIX, ticket).ok_or(Refusal::InvalidTicket)?;
    let now = app.now();
    let found = app.store.read(|query| {
        let Some(PasswordTicket { user, amr }) = tickets::find_for_password(query, &ticket, now)? else {
            return Ok(None);
        };
        let hash = users::find_password_hash(query, user)?;
        Ok(users::find(query, user)?.map(|user| (user, amr, hash)))
    })?;
    let (owner, amr, old) = found.ok_or(Refusal::InvalidTicket)?;
    let proof = Proof::of_amr(&amr).ok_or(Refusal::InvalidTicket)?;
    check_policy(app, new, Owner { email: &owner.email, name: &owner.name })?;
    if let Some(old) = old
        && app.gate.verify(&PasswordHashText(old), new)?
    {
        let reason = "it is the password that must be changed".into();
        return Err(Refusal::WeakPassword { reason }.into());
    }
    let change = RequiredChange {
        ticket,
        new_hash: app.gate.hash(new, draw(app.entropy()))?,
        start: Start::new(app, caller, proof),
        attempt: Attempt::new(app, caller, owner.email.key()),
        notice: compose::notice(app, caller, MailKind::PasswordChanged),
    };
    let (salt, signer) = (change.start.salt, current_key::current(app)?);
    let (user, session) = app.store.write(caller, move |tx| change.decide(tx))?;
    Ok(Started { user, session, salt, signer })
}

/// What is drawn, hashed and composed before the transaction.
struct RequiredChange {
    ticket: OpaqueHash,
    new_hash: PasswordHashText,
    start: Start,
    attempt: Attempt,
    notice: QueuedMail,
}

impl RequiredChange {
    fn decide(&self, tx: &mut Tx<'_>) -> Result<Decision<(User, Session)>, Fault> {
        let refused = Ok(Decision::Refuse(Refusal::InvalidTicket));
        let now = tx.now();
        // Whatever set another password meanwhile, or turned a factor on, has taken the ticket along.
        let Some(PasswordTicket { user: id, .. }) = tickets::find_for_password(tx, &self.ticket, now)? else {
            return refused;
        };
        let Some(user) = users::find(tx, id)? else {
            return refused;
        };
        if user.disabled_at.is_some() {
            return Ok(Decision::Refuse(Refusal::AccountDisabled));
        }
        if !tickets::spend(tx, &self.ticket)? {
            return refused;
        }
        users::save_password(tx, id, &self.new_hash.0)?;
        void_old_proofs(tx, id, None)?;
        tx.audit(&Event::PasswordChanged, id)?;
        self.notice.queue(tx, id, &user.email)?;
        Ok(Decision::Grant(self.start.run(tx, &self.attempt, user)?))
    }
}
