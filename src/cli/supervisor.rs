//! Tells the service manager that the daemon is ready, alive, and about to stop (sd_notify(3)). Where no
//! service manager listens, nothing is sent and no thread runs.
//!
//! The watchdog is fed only while a restart would mend nothing. A disk that is full or a write lock that
//! somebody else holds is no better after one, so it stands in the status and the daemon goes on refusing. An
//! I/O thread or a writer that gives no answer, a damaged database, or the schema of a newer program want
//! one.

use crate::error::{Error, Fault};
use crate::usecase::app::App;
use crate::usecase::operator::health;
use sd_notify::{NotifyState, notify, watchdog_enabled};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// The service manager, after it was told that the daemon is ready.
#[derive(Debug)]
pub struct Supervisor {
    /// `None`: it set no watchdog.
    watch: Option<Watch>,
}

/// The thread that feeds the watchdog, until its end of the channel is dropped.
#[derive(Debug)]
struct Watch {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Supervisor {
    /// Says that the daemon takes connections at `address`, and feeds the watchdog from then on.
    /// `all_respond` asks whether all I/O threads answer within a time.
    ///
    /// # Errors
    /// [`Fault::Internal`] when the machine has no thread to give.
    pub fn ready(
        app: &Arc<App>,
        all_respond: impl Fn(Duration) -> bool + Send + 'static,
        address: &str,
    ) -> Result<Self, Fault> {
        tell(&[NotifyState::Ready, NotifyState::Status(&serving(address))]);
        let Some(patience) = watchdog_enabled() else {
            return Ok(Self { watch: None });
        };
        let (stop, stopped) = channel();
        let (app, address) = (Arc::clone(app), address.to_owned());
        // Twice in its time, so that a late one is not yet a missed one.
        let pause = patience / 2;
        let feed = move || {
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                if all_respond(pause) {
                    report(&app, &address);
                } else {
                    tell(&[NotifyState::Status("a restart is needed: the I/O thread gives no answer")]);
                }
            }
        };
        let thread = Builder::new()
            .name("watchdog".into())
            .spawn(feed)
            .map_err(|error| Fault::Internal(format!("can't start the watchdog's thread: {error}")))?;
        Ok(Self { watch: Some(Watch { stop, thread }) })
    }

    /// Tells the manager that the daemon stops. From here on its stop timeout counts, not the watchdog.
    pub fn stopping(self) {
        tell(&[NotifyState::Stopping, NotifyState::Status("finishing the requests under way")]);
        if let Some(Watch { stop, thread }) = self.watch {
            drop(stop);
            // Even if it panicked, it had nothing left to do.
            let _ = thread.join();
        }
    }
}

/// Looks at the database, and feeds the watchdog unless a restart is what the daemon needs.
fn report(app: &App, address: &str) {
    match health::ready(app) {
        Ok(()) => tell(&[NotifyState::Watchdog, NotifyState::Status(&serving(address))]),
        Err(Error::Failed(fault @ (Fault::StorageUnavailable(_) | Fault::Overloaded { .. }))) => {
            tell(&[NotifyState::Watchdog, NotifyState::Status(&format!("changes are refused: {fault}"))]);
        }
        Err(error) => tell(&[NotifyState::Status(&format!("a restart is needed: {error}"))]),
    }
}

fn serving(address: &str) -> String {
    format!("serving at {address}")
}

/// Ignores a manager that doesn't listen: the daemon serves all the same.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = notify(state) {
        tracing::debug!(%error, "the service manager can't be told");
    }
}
