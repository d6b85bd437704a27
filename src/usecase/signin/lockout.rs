//! The lockout as every route that checks a credential uses it: judged before anything is hashed, and
//! once more inside the transaction, so that guesses made at once count one after the other. Whoever
//! is locked out learns nothing, not even by the right password.

use crate::config::Config;
use crate::domain::audit::{Event, LoginFailure, Subject};
use crate::domain::caller::Caller;
use crate::domain::id::UserId;
use crate::domain::lockout::{Account, Familiarity, Rules, refused_until};
use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::error::{Fault, Refusal};
use crate::store::tables::failures;
use crate::store::tx::{Query, Tx};
use crate::usecase::app::App;
use std::time::Duration;

/// Somebody's try at proving who they are.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct Attempt {
    /// The address as it is compared, whether or not anybody has it.
    pub account: String,
    pub network: Network,
    rules: Rules,
    known_network: Duration,
}

/// What one more failure came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) enum Counted {
    Open,
    /// It locked the account for every network it isn't known from.
    AccountLocked,
}

impl Attempt {
    pub(in crate::usecase) fn new(app: &App, caller: &Caller, account: String) -> Self {
        let config = &app.config;
        Self {
            account,
            network: Network::of(caller.ip),
            rules: rules(config),
            known_network: config.lockout.known_network,
        }
    }

    /// The same at another account.
    pub(in crate::usecase) fn at(&self, account: String) -> Self {
        Self { account, ..self.clone() }
    }

    /// Until when attempts are refused; `None`: this one may be made. `user`: whose address it is, if
    /// anybody's.
    pub(in crate::usecase) fn locked_until(
        &self,
        query: &impl Query,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Fault> {
        let pair = failures::find_pair(query, &self.account, self.network, now)?;
        let account = failures::find_account(query, &self.account, now)?;
        let familiarity = self.familiarity(query, user, now)?;
        Ok(refused_until(pair, account, familiarity, now))
    }

    /// Until when this network's own failures keep it out, whatever others did; `None`: they don't.
    pub(in crate::usecase) fn network_locked_until(
        &self,
        query: &impl Query,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Fault> {
        let pair = failures::find_pair(query, &self.account, self.network, now)?;
        Ok(refused_until(pair, Account::default(), Familiarity::Known, now))
    }

    /// Whether this network has seen a login of the user lately.
    pub(in crate::usecase) fn familiarity(
        &self,
        query: &impl Query,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Result<Familiarity, Fault> {
        let since = now.minus(self.known_network);
        // A name that nobody has costs the same question.
        let user = user.unwrap_or_else(|| UserId::from_bytes([0; 16]));
        failures::familiarity(query, user, self.network, since)
    }

    /// Counts a failure, and tells the audit log of the locks that it brings.
    pub(in crate::usecase) fn count(&self, tx: &mut Tx<'_>, user: Option<UserId>) -> Result<Counted, Fault> {
        let now = tx.now();
        let subject = || user.map_or_else(Subject::default, Subject::from);
        let before = failures::find_pair(tx, &self.account, self.network, now)?;
        let pair = before.fail(now, &self.rules);
        failures::save_pair(tx, &self.account, self.network, &pair)?;
        if pair.locks > before.locks {
            tx.audit(&Event::AccountLocked { network: Some(self.network.to_string()) }, subject())?;
        }
        let account = failures::find_account(tx, &self.account, now)?.fail(now, &self.rules);
        failures::save_account(tx, &self.account, &account)?;
        if account.failures > 0 {
            return Ok(Counted::Open);
        }
        tx.audit(&Event::AccountLocked { network: None }, subject())?;
        Ok(Counted::AccountLocked)
    }

    /// After a success the counters begin anew.
    pub(in crate::usecase) fn clear(&self, tx: &mut Tx<'_>) -> Result<(), Fault> {
        failures::clear_for(tx, &self.account, self.network)
    }
}

/// Refuses a try under a lock that came while its password was being hashed, and leaves its line: as many as
/// are hashed at once. Others are refused unseen: see `locked_tries`. `typed`: the address, where nobody has
/// it.
pub(in crate::usecase) fn refuse(
    tx: &mut Tx<'_>,
    subject: impl Into<Subject>,
    typed: Option<String>,
    until: Timestamp,
) -> Result<Refusal, Fault> {
    tx.audit(&Event::LoginFailed { why: LoginFailure::Locked { tries: 1 }, email: typed }, subject)?;
    Ok(Refusal::TooManyAttempts { retry_after: until.since(tx.now()) })
}

fn rules(config: &Config) -> Rules {
    Rules {
        pair_failures: config.lockout.pair_failures,
        pair_lock: config.lockout.pair_lock,
        pair_lock_max: config.lockout.pair_lock_max,
        account_failures: config.lockout.account_failures,
        account_lock: config.lockout.account_lock,
    }
}
