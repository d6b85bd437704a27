//! The daemons of one database on a server: each says that it lives, and how far its clock is off. Where the
//! database is a file there is one, and nothing of this.

use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault};
use crate::ports::process;
use crate::store::schema;
use crate::store::tables::daemons;
use crate::usecase::app::App;
use crate::usecase::app::wakeup::Wakeup;
use crate::usecase::app::worker::{FirstRound, Schedule, Worker};
use std::sync::Arc;
use std::time::Duration;

const SCHEDULE: Schedule = Schedule {
    name: "fleet",
    first: FirstRound::AtOnce,
    every: Duration::from_secs(10),
    patience: Some(Duration::from_secs(1)),
};

/// A clock that is so far off is worth a warning; by so much, what expires and what is locked would differ
/// from one daemon to the next.
pub(super) const SKEW_TO_WARN_MS: i64 = 2_000;
const SKEW_TO_REFUSE: Duration = Duration::from_secs(30);

/// Says that this daemon lives, in a write that shows that the database takes one.
///
/// # Errors
/// The store's; [`Fault::Storage`] where the schema is not this binary's any more.
pub(super) fn report(app: &App) -> Result<Duration, Error> {
    let (id, host) = (app.process_id, process::host_name());
    let skew = app.store.write(&Caller::system(), move |tx| {
        schema::check(tx)?;
        daemons::save(tx, &id, &host, env!("CARGO_PKG_VERSION")).map(Decision::Grant)
    })?;
    Ok(Duration::from_millis(skew.unsigned_abs()))
}

/// Says that this daemon is gone, in order.
///
/// # Errors
/// The store's.
pub(super) fn leave(app: &App) -> Result<(), Error> {
    if !app.store.is_shared() {
        return Ok(());
    }
    let id = app.process_id;
    app.store.write(&Caller::system(), move |tx| daemons::delete(tx, &id).map(Decision::Grant))
}

/// Starts the worker that reports. `None`: there is nobody to tell.
///
/// # Errors
/// [`Fault::Internal`] when the machine has no thread to give.
pub fn start(app: &Arc<App>) -> Result<Option<Worker>, Fault> {
    if !app.store.is_shared() {
        return Ok(None);
    }
    let reports = Arc::clone(app);
    let worker = Worker::start(SCHEDULE, &Wakeup::new(), move |rounds| {
        rounds.run(|_| {
            if rounds.is_stopping() {
                return Ok(());
            }
            let skew = report(&reports)?;
            reports.clock_is_off.store(skew > SKEW_TO_REFUSE, std::sync::atomic::Ordering::Relaxed);
            if skew > Duration::from_millis(SKEW_TO_WARN_MS.unsigned_abs()) {
                tracing::warn!(
                    seconds = skew.as_secs(),
                    "this machine's clock and the database server's are apart; set both by NTP"
                );
            }
            Ok(())
        });
    });
    worker.map(Some)
}
