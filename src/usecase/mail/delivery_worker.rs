//! The daemon's thread that sends mail.

use super::delivery::{Courier, mailer};
use crate::error::{Error, Fault};
use crate::ports::Mailer;
use crate::usecase::app::App;
use crate::usecase::app::wakeup::Ringer;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// How often the outbox is looked into unasked: another process may have queued something, or an
/// attempt may be due again.
const ROUND: Duration = Duration::from_secs(5);

/// The daemon's thread that sends. A server that hangs makes it wait, and nobody else.
#[derive(Debug)]
pub struct Sender {
    stopping: Arc<AtomicBool>,
    ringer: Ringer,
    ended: Receiver<()>,
}

impl Sender {
    /// Starts sending as the configuration says. `None`: mail stays in the outbox.
    ///
    /// # Errors
    /// [`Fault::Config`] when mail could not be sent like that; [`Fault::Internal`] when the app has a
    /// sender already, or no thread can be had.
    pub fn start(app: &Arc<App>) -> Result<Option<Self>, Fault> {
        mailer(&app.config)?.map(|mailer| Self::start_with(app, Arc::new(mailer))).transpose()
    }

    /// The same by a given way out.
    ///
    /// # Errors
    /// As [`Sender::start`].
    pub fn start_with(app: &Arc<App>, mailer: Arc<dyn Mailer>) -> Result<Self, Fault> {
        let heard = app.mail_bell.listen()?;
        let stopping = Arc::new(AtomicBool::new(false));
        let (end, ended) = sync_channel(1);
        let (app_there, stopping_there) = (Arc::clone(app), Arc::clone(&stopping));
        let rounds = move || {
            send_in_rounds(&app_there, &*mailer, &heard, &stopping_there);
            // Whoever stopped it may not have waited.
            let _ = end.send(());
        };
        let spawned = thread::Builder::new().name("mail".into()).spawn(rounds);
        spawned.map_err(|error| Fault::Internal(format!("can't start the thread for mail: {error}")))?;
        Ok(Self { stopping, ringer: app.mail_bell.ringer(), ended })
    }

    /// Ends the thread after the mail that is under way, for which it waits as long as `patience`. A mail
    /// that takes longer keeps its claim, and is sent after that.
    pub fn stop(self, patience: Duration) {
        self.stopping.store(true, Ordering::SeqCst);
        self.ringer.ring();
        let _ = self.ended.recv_timeout(patience);
    }
}

fn send_in_rounds(app: &App, mailer: &dyn Mailer, heard: &Receiver<()>, stopping: &AtomicBool) {
    let mut courier = Courier::new(app, mailer);
    let is_stopping = || stopping.load(Ordering::SeqCst);
    while !is_stopping() {
        let round = AssertUnwindSafe(|| {
            while !is_stopping() && courier.deliver_next()?.is_some() {}
            Ok::<(), Error>(())
        });
        match catch_unwind(round) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the outbox can't be worked on; trying again soon"),
            // The mail keeps its claim, so that the next round begins with another one.
            Err(_) => tracing::error!("sending a mail panicked"),
        }
        if heard.recv_timeout(ROUND) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}
