//! Sealing the audit log where several write it: lines that were left with their changes get their numbers
//! and hashes. Where the database is a file, its one writer does that with each change.

use crate::error::Fault;
use crate::store::Gather;
use crate::usecase::app::App;
use crate::usecase::app::worker::{FirstRound, Schedule, Worker};
use std::sync::Arc;
use std::time::Duration;

/// Unasked, too: a daemon that died may have left lines.
const SCHEDULE: Schedule = Schedule {
    name: "sealer",
    first: FirstRound::AtOnce,
    every: Duration::from_secs(5),
    patience: Some(Duration::from_secs(2)),
};

/// Starts the worker that seals. `None`: there is nothing for one to do.
///
/// # Errors
/// [`Fault::Internal`] when the machine has no thread to give.
pub fn start(app: &Arc<App>) -> Result<Option<Worker>, Fault> {
    if !app.store.is_shared() {
        return Ok(None);
    }
    let waker = app.seal_wakeup.waker();
    app.store.when_logged(move || waker.wake());
    let seals = Arc::clone(app);
    let worker = Worker::start(SCHEDULE, &app.seal_wakeup, move |rounds| {
        rounds.run(|_| {
            let gather = if rounds.is_stopping() { Gather::Nothing } else { Gather::Awhile };
            let sealed = seals.store.seal_log(gather)?;
            if sealed.strange > 0 {
                tracing::error!(
                    lines = sealed.strange,
                    "somebody has put lines into the audit log's inbox; they stay there, and `authctl audit verify` tells"
                );
            }
            Ok(())
        });
    });
    worker.map(Some)
}
