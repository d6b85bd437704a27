//! Writes when each API key was used last. What a crash loses is at most a round of it.

use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault};
use crate::store::tables::api_keys;
use crate::usecase::app::App;
use crate::usecase::app::wakeup::Wakeup;
use crate::usecase::app::worker::{FirstRound, Schedule, Worker};
use std::sync::Arc;
use std::time::Duration;

const SCHEDULE: Schedule =
    Schedule { name: "key uses", first: FirstRound::Later, every: Duration::from_secs(60), patience: None };

/// Writes what was noted. Nothing was: nothing is written.
///
/// # Errors
/// The store's; what was noted waits for the next time.
pub fn write(app: &App) -> Result<(), Error> {
    let uses = app.key_uses.take();
    if uses.is_empty() {
        return Ok(());
    }
    let rows = uses.clone();
    let written = app.store.write(&Caller::system(), move |tx| {
        for (key, at) in &rows {
            api_keys::save_use(tx, *key, *at)?;
        }
        Ok(Decision::Grant(()))
    });
    if written.is_err() {
        for (key, at) in uses {
            app.key_uses.note(key, at);
        }
    }
    written
}

/// Starts the worker that writes them. Its last round writes what was noted last.
///
/// # Errors
/// [`Fault::Internal`] when the machine has no thread to give.
pub fn start(app: &Arc<App>) -> Result<Worker, Fault> {
    let app = Arc::clone(app);
    Worker::start(SCHEDULE, &Wakeup::new(), move |rounds| rounds.run(|_| write(&app)))
}
