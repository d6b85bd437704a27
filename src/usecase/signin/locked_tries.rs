//! Telling the audit log of tries that a lock refused: the first at once, the others by their number. What a
//! crash loses is that number, of two minutes at most.

use super::lockout::Attempt;
use crate::domain::audit::{Event, LoginFailure, Subject};
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::usecase::app::App;
use crate::usecase::app::locked_tries::{LockedTry, Take, Tally};
use crate::usecase::app::wakeup::Wakeup;
use crate::usecase::app::worker::{FirstRound, Schedule, Worker};
use std::sync::Arc;
use std::time::Duration;

const SCHEDULE: Schedule = Schedule {
    name: "locked tries",
    first: FirstRound::Later,
    every: Duration::from_secs(60),
    patience: None,
};

/// Refuses a try under a lock that holds until `until`, whatever was shown. `typed`: the address, where
/// nobody has it.
pub(in crate::usecase) fn refuse(
    app: &App,
    caller: &Caller,
    attempt: &Attempt,
    subject: Subject,
    typed: Option<String>,
    until: Timestamp,
) -> Error {
    let last = LockedTry { caller: caller.clone(), subject, typed };
    let due = app.locked_tries.count(&attempt.account, last, app.elapsed());
    match due.map_or(Ok(()), |tally| tell(app, tally)) {
        Ok(()) => Refusal::TooManyAttempts { retry_after: until.since(app.now()) }.into(),
        Err(error) => error,
    }
}

/// Writes the line of what was counted, as of the last try.
fn tell(app: &App, tally: Tally) -> Result<(), Error> {
    let LockedTry { caller, subject, typed } = tally.last.clone();
    let why = LoginFailure::Locked { tries: tally.tries };
    let written = app.store.write(&caller, move |tx| {
        tx.audit(&Event::LoginFailed { why, email: typed.clone() }, subject)?;
        Ok(Decision::Grant(()))
    });
    if written.is_err() {
        app.locked_tries.put_back(tally);
    }
    written
}

/// Writes the lines of what was counted. Nothing was: nothing is written.
///
/// # Errors
/// The store's; what was counted waits for the next time.
pub fn write(app: &App, which: Take) -> Result<(), Error> {
    let told: Vec<_> =
        app.locked_tries.take(which, app.elapsed()).into_iter().map(|tally| tell(app, tally)).collect();
    told.into_iter().collect()
}

/// Starts the worker that writes them. Its last round writes all.
///
/// # Errors
/// [`Fault::Internal`] when the machine has no thread to give.
pub fn start(app: &Arc<App>) -> Result<Worker, Fault> {
    let app = Arc::clone(app);
    Worker::start(SCHEDULE, &Wakeup::new(), move |rounds| {
        rounds.run(|_| write(&app, if rounds.is_stopping() { Take::All } else { Take::Due }));
    })
}
