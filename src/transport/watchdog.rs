//! Whether the I/O threads still run: each is asked, and must answer in time.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Asks all I/O threads, from any other.
#[derive(Clone, Debug, Default)]
pub struct Watchdog(Vec<UnboundedSender<Question>>);

/// Where the answer goes.
type Question = SyncSender<()>;

/// One I/O thread's end.
#[derive(Debug)]
pub struct Responder(UnboundedReceiver<Question>);

impl Watchdog {
    /// For one more thread.
    pub(super) fn responder(&mut self) -> Responder {
        let (ask, asked) = unbounded_channel();
        self.0.push(ask);
        Responder(asked)
    }

    /// Whether each answers within `patience`: it is there, and nothing holds it up.
    #[must_use]
    pub fn all_respond(&self, patience: Duration) -> bool {
        self.0.iter().all(|ask| {
            let (answer, answered) = sync_channel(1);
            ask.send(answer).is_ok() && answered.recv_timeout(patience).is_ok()
        })
    }
}

impl Responder {
    /// Answers for as long as anybody can ask.
    pub async fn respond(mut self) {
        while let Some(answer) = self.0.recv().await {
            // Who asked may have lost patience.
            let _ = answer.try_send(());
        }
    }
}
