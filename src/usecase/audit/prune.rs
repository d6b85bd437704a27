//! Pruning the audit log: a plan, and steps after it, so that the daemon's own changes come in between.

use crate::domain::audit::ChainError;
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::progress::{Progress, Unit};
use crate::store::audit::{log, prune};
use crate::usecase::app::App;
use crate::usecase::require;
use std::ops::RangeInclusive;
use std::thread;
use std::time::Duration;

/// How many lines go in the first transaction, in which nobody else writes; the next take more or fewer, as
/// the time asks that it took. Lines next to one another are of different users, so that each step writes
/// pages all over the index by user, and then waits for the disk: a large one costs little more than a small
/// one, and many small ones much more.
pub const STEP: i64 = 2_000;
const STEPS: RangeInclusive<i64> = STEP..=20_000;

/// How long a step should take: others wait for up to two seconds.
const WANTED: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_millis(350);

/// The longest time that is left to others after a step. Who waits looks for it at least every 100 ms, and
/// for a while much more often.
const PAUSE: Duration = Duration::from_millis(50);

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

/// What a pruning came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// How many lines went.
    pub lines: i64,
    /// What is wrong with the next line, which kept it and all behind it. `None`: all of the plan is done.
    pub flaw: Option<ChainError>,
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
    let (first, newest) = app.store.read_log(|query| log::span(query, log::ALL))?.into_inner();
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

/// Deletes the lines of a plan, in steps of one transaction each; the log gets one line of it, with the last
/// step. Between two steps the database is left to others for as long as the step has held it, within
/// 50 ms.
///
/// # Errors
/// `forbidden` without `audit:write`; [`Fault::Stopped`] after a step, when somebody asked for that: what
/// went stays gone, and the log has its line; the store's, after which the next call goes on.
pub fn prune(app: &App, caller: &Caller, plan: &Plan, progress: &Progress) -> Result<Pruned, Error> {
    require(caller, "audit:write")?;
    progress.begin("deleting", Unit::Things("lines"), u64::try_from(plan.lines()).ok());
    let (mut pruned, mut limit) = (Pruned { lines: 0, flaw: None }, STEP);
    loop {
        if progress.is_stopped() {
            tell_rest(app, caller)?;
            return Err(stopped(pruned.lines).into());
        }
        let begun = app.elapsed();
        match step(app, caller, plan, limit)? {
            Ok(0) => return Ok(pruned),
            Ok(lines) => pruned.lines += lines,
            Err(flaw) => {
                tell_rest(app, caller)?;
                return Ok(Pruned { flaw: Some(flaw), ..pruned });
            }
        }
        progress.set(pruned.lines.unsigned_abs());
        let took = app.elapsed().saturating_sub(begun);
        limit = next_limit(limit, took);
        // It may end early, which does no harm.
        thread::park_timeout(took.min(PAUSE));
    }
}

fn next_limit(limit: i64, took: Duration) -> i64 {
    let next = if took < *WANTED.start() {
        limit * 2
    } else if took > *WANTED.end() {
        limit / 2
    } else {
        limit
    };
    next.clamp(*STEPS.start(), *STEPS.end())
}

fn stopped(lines: i64) -> Fault {
    Fault::Stopped(match lines {
        0 => "nothing was changed; run it again".into(),
        1 => "1 line was deleted, the rest is as it was; run it again to go on".into(),
        lines => format!("{lines} lines were deleted, the rest is as it was; run it again to go on"),
    })
}

/// Does the next lines of a plan, `limit` at most, in one transaction. Gives how many; 0 when all is done. A
/// log that is not whole is left as it is.
///
/// # Errors
/// `forbidden` without `audit:write`; the store's.
pub fn step(app: &App, caller: &Caller, plan: &Plan, limit: i64) -> Result<Result<i64, ChainError>, Error> {
    require(caller, "audit:write")?;
    let through = plan.through;
    app.store.write(caller, move |tx| Ok(Decision::Grant(prune::prune(tx, through, limit)?)))
}

/// Writes the line of a pruning that died before it could, if there was one.
///
/// # Errors
/// `forbidden` without `audit:write`; the store's.
pub fn tell_rest(app: &App, caller: &Caller) -> Result<(), Error> {
    require(caller, "audit:write")?;
    // In a log with a flaw it stays to be told: whoever pruned is told of that.
    app.store.write(caller, |tx| Ok(Decision::Grant(prune::tell_rest(tx)?))).map(drop)
}
