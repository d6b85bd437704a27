//! Writes when each API key was used last, and how often: into its row and, once a minute at most, as a line
//! of the audit log. What a crash loses is at most a round of it.

use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault};
use crate::store::tables::api_keys;
use crate::usecase::app::App;
use crate::usecase::app::key_uses::KeyUse;
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
        for (id, KeyUse { last_at, uses }) in &rows {
            // One that was revoked meanwhile has had its last line.
            let Some(key) = api_keys::find_by_id(tx, *id)? else { continue };
            api_keys::save_use(tx, *id, *last_at)?;
            let used = Event::ApiKeyUsed { name: key.name.to_string(), id: key.id.to_string(), uses: *uses };
            tx.audit(&used, Subject::default())?;
        }
        Ok(Decision::Grant(()))
    });
    if written.is_err() {
        for (key, noted) in uses {
            app.key_uses.add(key, noted);
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
