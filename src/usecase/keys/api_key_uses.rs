//! When each API key was last used.
//!
//! A request notes it in memory; a thread of the daemon writes what was noted, once a round, so that a busy
//! service costs a write a minute and not one a request. What a crash loses is at most a round of it.

use crate::domain::caller::Caller;
use crate::domain::id::ApiKeyId;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Fault};
use crate::store::tables::api_keys;
use crate::usecase::app::App;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often what was noted is written.
const ROUND: Duration = Duration::from_secs(60);

/// The latest use of each key that is not in the database yet.
#[derive(Debug, Default)]
pub(in crate::usecase) struct KeyUses(Mutex<HashMap<ApiKeyId, Timestamp>>);

impl KeyUses {
    fn noted(&self) -> MutexGuard<'_, HashMap<ApiKeyId, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(in crate::usecase) fn note(app: &App, key: ApiKeyId, at: Timestamp) {
    let mut noted = app.key_uses.noted();
    let latest = noted.entry(key).or_insert(at);
    *latest = at.max(*latest);
}

/// Writes what was noted. Nothing was: nothing is written.
///
/// # Errors
/// The store's; what was noted waits for the next time.
pub fn write(app: &App) -> Result<(), Error> {
    let uses = std::mem::take(&mut *app.key_uses.noted());
    if uses.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = uses.iter().map(|(key, at)| (*key, *at)).collect();
    let written = app.store.write(&Caller::system(), move |tx| {
        for (key, at) in &rows {
            api_keys::save_use(tx, *key, *at)?;
        }
        Ok(Decision::Grant(()))
    });
    if written.is_err() {
        for (key, at) in uses {
            note(app, key, at);
        }
    }
    written
}

/// The daemon's thread that writes them.
#[derive(Debug)]
pub struct Recorder {
    app: Arc<App>,
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Recorder {
    /// # Errors
    /// [`Fault::Internal`] when the machine has no thread to give.
    pub fn start(app: &Arc<App>) -> Result<Self, Fault> {
        let (stop, stopped) = sync_channel(1);
        let works = Arc::clone(app);
        let thread = thread::Builder::new().name("key uses".into()).spawn(move || work(&works, &stopped));
        let thread =
            thread.map_err(|error| Fault::Internal(format!("the thread for key uses can't be started: {error}")))?;
        Ok(Self { app: Arc::clone(app), stop, thread })
    }

    /// Ends it, and writes what was noted last.
    pub fn stop(self) {
        let _ = self.stop.try_send(());
        // A thread that panicked has ended, too.
        let _ = self.thread.join();
        round(&self.app);
    }
}

fn work(app: &App, stopped: &Receiver<()>) {
    while stopped.recv_timeout(ROUND) == Err(RecvTimeoutError::Timeout) {
        round(app);
    }
}

fn round(app: &App) {
    match catch_unwind(AssertUnwindSafe(|| write(app))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "when API keys were used has to wait"),
        Err(_) => tracing::error!("writing when API keys were used panicked; trying again at the next round"),
    }
}
