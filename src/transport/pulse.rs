//! Whether the I/O threads still turn: they are asked, and must answer in time.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Asks all I/O threads, from any other.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Vec<UnboundedSender<Question>>);

/// Where the answer goes.
type Question = SyncSender<()>;

/// One I/O thread's end.
#[derive(Debug)]
pub struct Heart(UnboundedReceiver<Question>);

impl Pulse {
    /// For one more thread.
    pub(super) fn heart(&mut self) -> Heart {
        let (ask, asked) = unbounded_channel();
        self.0.push(ask);
        Heart(asked)
    }

    /// Whether each answers within `patience`: it is there, and nothing holds it up.
    #[must_use]
    pub fn beats(&self, patience: Duration) -> bool {
        self.0.iter().all(|ask| {
            let (answer, answered) = sync_channel(1);
            ask.send(answer).is_ok() && answered.recv_timeout(patience).is_ok()
        })
    }
}

impl Heart {
    /// Answers for as long as anybody can ask.
    pub async fn beat(mut self) {
        while let Some(answer) = self.0.recv().await {
            // Who asked may have lost patience.
            let _ = answer.try_send(());
        }
    }
}
