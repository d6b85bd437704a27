//! Wakes a worker: whoever leaves it something to do calls, and it begins a round.

use crate::error::Fault;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

/// Both ends of one worker's wake-ups.
#[derive(Debug)]
pub(in crate::usecase) struct Wakeup {
    waker: Waker,
    /// `None`: a worker waits on it already.
    woken: Mutex<Option<Receiver<()>>>,
}

impl Wakeup {
    /// A wake-up on which nobody waits yet.
    pub(in crate::usecase) fn new() -> Self {
        let (waker, woken) = sync_channel(1);
        Self { waker: Waker(waker), woken: Mutex::new(Some(woken)) }
    }

    /// The end that wakes, for whoever leaves work behind.
    pub(in crate::usecase) fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Hands out the end that is woken.
    ///
    /// # Errors
    /// [`Fault::Internal`] when a worker has it: two would do the same work.
    pub(super) fn listen(&self) -> Result<Receiver<()>, Fault> {
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner).take();
        woken.ok_or_else(|| Fault::Internal("this work has its thread already".into()))
    }
}

/// Wakes a worker, from any thread.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct Waker(SyncSender<()>);

impl Waker {
    /// Wakes it. Once is enough until it has seen that; where no worker waits, nothing happens.
    pub(in crate::usecase) fn wake(&self) {
        let _ = self.0.try_send(());
    }
}
