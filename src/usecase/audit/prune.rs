//! Pruning the audit log: a plan, and small steps after it, so that the daemon's own changes come in between.

use crate::domain::audit::ChainError;
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::audit::{log, prune};
use crate::usecase::app::App;
use crate::usecase::require;

/// How many lines go in one transaction, in which nobody else writes: some hundredths of a second.
pub const STEP: i64 = 1_000;

/// How many lines are looked at in one read.
const PAGE: i64 = 10_000;

/// What would go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Only lines older than that.
    pub before: Timestamp,
    pub first: i64,
    /// The last to go, before the first that stays; less than `first` when nothing is old enough.
    pub through: i64,
}

impl Plan {
    /// Gives how many lines would go; 0 or less when nothing is old enough.
    #[must_use]
    pub const fn lines(&self) -> i64 {
        self.through - self.first + 1
    }
}

/// Looks which lines are older than `before`. Only those at the beginning can go: where the clock was set
/// back, older ones behind a younger one stay with it. The newest always stays.
///
/// # Errors
/// `forbidden` without `audit:write`; `validation_failed` for a time to come; the store's.
pub fn plan(app: &App, caller: &Caller, before: Timestamp) -> Result<Plan, Error> {
    require(caller, "audit:write")?;
    if before > app.now() {
        return Err(Refusal::invalid("keep", "out_of_range", "a time that has been is needed").into());
    }
    let (first, newest) = app.store.read(|query| log::span(query, log::ALL))?.into_inner();
    let kept = first_kept(app, before, first, newest)?;
    Ok(Plan { before, first, through: kept - 1 })
}

fn first_kept(app: &App, before: Timestamp, first: i64, newest: i64) -> Result<i64, Fault> {
    let mut from = first;
    while from < newest {
        let there = app.store.read(|query| log::span(query, from..=newest))?;
        let through = newest.min(there.start().saturating_add(PAGE - 1));
        if let Some(kept) = app.store.read(|query| log::find_not_older(query, before, from..=through))? {
            return Ok(kept);
        }
        from = through.saturating_add(1);
    }
    Ok(newest)
}

/// Does the next [`STEP`] lines of a plan, in one transaction with its line in the log. Gives how many; 0
/// when all is done. A log that is not whole is left as it is.
///
/// # Errors
/// `forbidden` without `audit:write`; the store's.
pub fn step(app: &App, caller: &Caller, plan: &Plan) -> Result<Result<i64, ChainError>, Error> {
    require(caller, "audit:write")?;
    let through = plan.through;
    app.store.write(caller, move |tx| Ok(Decision::Grant(prune::prune(tx, through, STEP)?)))
}
