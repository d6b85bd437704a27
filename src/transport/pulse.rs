//! Whether the I/O thread still turns: it is asked, and must answer in time.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Asks the I/O thread, from any other.
#[derive(Clone, Debug)]
pub struct Pulse(UnboundedSender<Question>);

/// Where the answer goes.
type Question = SyncSender<()>;

/// The I/O thread's end.
#[derive(Debug)]
pub struct Heart(UnboundedReceiver<Question>);

pub fn pair() -> (Pulse, Heart) {
    let (ask, asked) = unbounded_channel();
    (Pulse(ask), Heart(asked))
}

impl Pulse {
    /// Whether the thread answers within `patience`: it is there, and nothing holds it up.
    #[must_use]
    pub fn beats(&self, patience: Duration) -> bool {
        let (answer, answered) = sync_channel(1);
        self.0.send(answer).is_ok() && answered.recv_timeout(patience).is_ok()
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
