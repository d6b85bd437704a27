//! The cost of the hash that is made for an address without an account. After the configured cost was raised
//! there are accounts of the old cost, until each logs in: so an address without one takes after some account
//! or other, always the same cost while the accounts' shares stay.

use crate::crypto::password;
use crate::crypto::password::PasswordHashText;
use crate::domain::password::HashCost;
use crate::error::{Error, Fault};
use crate::store::tables::users;
use crate::usecase::app::App;
use crate::usecase::app::wakeup::Wakeup;
use crate::usecase::app::worker::{FirstRound, Rounds, Schedule, Worker};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// An hour's logins change the shares by little.
const SCHEDULE: Schedule = Schedule {
    name: "hash costs",
    first: FirstRound::AtOnce,
    every: Duration::from_secs(3600),
    patience: None,
};

/// Accounts in one short read, and how long the worker waits after each, so that nobody waits for it.
const PAGE: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(10);

/// The cost for an address (as it is compared) that has no account, or whose account has no password.
pub(in crate::usecase) fn of_nobody(app: &App, account: &str) -> HashCost {
    app.hash_costs.at(app.stand_in_key.number(account)).unwrap_or(app.gate.cost())
}

/// Counts what the hashes in the database cost; `rest` is asked after each page whether to go on. Hashes of
/// other systems are left out: they cost another time than any of these.
///
/// # Errors
/// The store's; what was known before still counts then.
pub fn count(app: &App, mut rest: impl FnMut() -> bool) -> Result<(), Error> {
    let (mut costs, mut after) = (HashMap::new(), None);
    loop {
        let page = app.store.read(|query| users::list_hashes(query, after, PAGE))?;
        for hash in page.iter().filter_map(|(_, hash)| hash.clone()) {
            if let Some(cost) = password::cost_of(&PasswordHashText(hash)) {
                *costs.entry(cost).or_insert(0) += 1;
            }
        }
        after = page.last().map(|(id, _)| *id);
        if page.len() < PAGE as usize {
            break;
        }
        if !rest() {
            return Ok(());
        }
    }
    app.hash_costs.replace(costs.into_iter().collect());
    Ok(())
}

/// Starts the worker that counts them. It ends after the page that it is at.
///
/// # Errors
/// [`Fault::Internal`] when the machine has no thread to give.
pub fn start(app: &Arc<App>) -> Result<Worker, Fault> {
    let app = Arc::clone(app);
    Worker::start(SCHEDULE, &Wakeup::new(), move |rounds: &Rounds| {
        rounds.run(|_| {
            if rounds.is_stopping() {
                return Ok(());
            }
            count(&app, || {
                rounds.wait(PAUSE);
                !rounds.is_stopping()
            })
        });
    })
}
