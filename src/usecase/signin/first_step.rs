//! What follows a first factor that was shown right, whichever it was: the second step, another password,
//! or the session at once.

use super::lockout::Attempt;
use super::methods::{Methods, UsablePasskeys};
use super::proof::FirstFactor;
use super::session_start::Start;
use super::started::Started;
use crate::crypto::opaque::{self, OpaqueHash};
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::id::UserId;
use crate::domain::identity::ProviderProof;
use crate::domain::password::PasswordTerm;
use crate::domain::secret::Secret;
use crate::domain::user::User;
use crate::error::Fault;
use crate::store::tables::tickets::{self, FirstShown};
use crate::store::tables::users;
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::app::keyring::Keyring;
use std::sync::Arc;
use std::time::Duration;

/// What a ticket begins with.
pub const TICKET_PREFIX: &str = "authd_2fa_";

/// What a ticket for another password begins with.
pub const PASSWORD_TICKET_PREFIX: &str = "authd_pc_";

/// How long a ticket lives.
pub const TICKET_TTL: Duration = Duration::from_secs(5 * 60);

/// What a first factor that was shown right leads to.
#[derive(Clone, Debug)]
pub enum LoggedIn {
    /// A session has begun; what is handed out of it, the face chooses.
    Started(Box<Started>),
    /// The second step is due, within [`TICKET_TTL`], with this ticket.
    SecondStep(Secret<String>, Methods),
    /// The password must be changed, within [`TICKET_TTL`], with this ticket.
    PasswordChange(Secret<String>),
}

impl LoggedIn {
    /// The session, where nothing is due before. `None`: something is.
    #[must_use]
    pub fn started(self) -> Option<Started> {
        match self {
            Self::Started(started) => Some(*started),
            Self::SecondStep(..) | Self::PasswordChange(_) => None,
        }
    }
}

/// What the transaction needs: drawn before it.
#[derive(Debug)]
pub(in crate::usecase) struct FirstStep {
    first: FirstFactor,
    start: Start,
    ticket: OpaqueHash,
    password_ticket: OpaqueHash,
    keyring: Arc<Keyring>,
    passkeys: UsablePasskeys,
}

/// The tickets themselves, of which one is handed out at most.
pub(in crate::usecase) struct Tickets {
    second_step: Secret<String>,
    password: Secret<String>,
}

/// What the transaction decided.
pub(in crate::usecase) enum Passed {
    Started(Box<Started>),
    SecondStep(Methods),
    PasswordChange,
}

impl FirstStep {
    /// Draws what may be needed.
    pub(in crate::usecase) fn new(app: &App, caller: &Caller, first: FirstFactor) -> (Self, Tickets) {
        let (second_step, ticket) = opaque::generate(TICKET_PREFIX, app.entropy());
        let (password, password_ticket) = opaque::generate(PASSWORD_TICKET_PREFIX, app.entropy());
        let step = Self {
            first,
            start: Start::new(app, caller, first.alone()),
            ticket,
            password_ticket,
            keyring: Arc::clone(&app.keyring),
            passkeys: UsablePasskeys::of(&app.config),
        };
        (step, Tickets { second_step, password })
    }

    /// Goes on with somebody who may sign in, and whose first factor was right. Only who showed a password
    /// that must be changed is asked for another. `provider`: what their provider says of how they proved who
    /// they are; nothing where they come from none.
    pub(in crate::usecase) fn pass(
        &self,
        tx: &mut Tx<'_>,
        attempt: &Attempt,
        user: User,
        provider: &ProviderProof,
    ) -> Result<Passed, Fault> {
        if user.has_two_factor() {
            let shown = FirstShown { user: user.id, first: self.first.name(), provider_amr: &provider.amr };
            tickets::insert(tx, &self.ticket, shown, tx.now().plus(TICKET_TTL))?;
            tx.audit(&Event::SecondStepAsked, user.id)?;
            return Ok(Passed::SecondStep(Methods::of(tx, &user, &self.passkeys)?));
        }
        if must_change_password(tx, self.first, user.id)? {
            ask_for_password(tx, &self.password_ticket, user.id, &self.start.amr())?;
            return Ok(Passed::PasswordChange);
        }
        let signer = self.keyring.current(tx)?;
        let start = self.start.clone().with_provider_proof(provider.clone());
        let (user, session) = start.run(tx, attempt, user)?;
        Ok(Passed::Started(Box::new(Started { user, session, salt: self.start.salt, signer })))
    }
}

impl Tickets {
    /// What is handed out after the transaction.
    pub(in crate::usecase) fn logged_in(self, passed: Passed) -> LoggedIn {
        match passed {
            Passed::Started(started) => LoggedIn::Started(started),
            Passed::SecondStep(methods) => LoggedIn::SecondStep(self.second_step, methods),
            Passed::PasswordChange => LoggedIn::PasswordChange(self.password),
        }
    }
}

/// Whether somebody who has shown all their factors must choose another password before anything else.
pub(super) fn must_change_password(tx: &Tx<'_>, first: FirstFactor, user: UserId) -> Result<bool, Fault> {
    match first {
        FirstFactor::Password => Ok(users::find_password_term(tx, user)? != Some(PasswordTerm::Lasting)),
        FirstFactor::Email | FirstFactor::Federated | FirstFactor::Passkey(_) => Ok(false),
    }
}

/// Gives whoever has proved who they are a ticket for another password, and nothing else.
pub(super) fn ask_for_password(
    tx: &mut Tx<'_>,
    ticket: &OpaqueHash,
    user: UserId,
    amr: &[String],
) -> Result<(), Fault> {
    let expires_at = tx.now().plus(TICKET_TTL);
    tickets::insert_for_password(tx, ticket, user, expires_at, amr)?;
    tx.audit(&Event::PasswordChangeAsked, user)
}
