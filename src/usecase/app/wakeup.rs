//! What wakes a thread that works in the background: rung by whoever leaves it something to do.

use crate::error::Fault;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

/// One bell, which one thread hears.
#[derive(Debug)]
pub(in crate::usecase) struct Bell {
    ringer: Ringer,
    /// `None`: somebody listens already.
    heard: Mutex<Option<Receiver<()>>>,
}

impl Bell {
    pub(in crate::usecase) fn new() -> Self {
        let (ringer, heard) = sync_channel(1);
        Self { ringer: Ringer(ringer), heard: Mutex::new(Some(heard)) }
    }

    pub(in crate::usecase) fn ringer(&self) -> Ringer {
        self.ringer.clone()
    }

    /// Hands out the other end.
    ///
    /// # Errors
    /// [`Fault::Internal`] when somebody has it: two would do the same work.
    pub(in crate::usecase) fn listen(&self) -> Result<Receiver<()>, Fault> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).take();
        heard.ok_or_else(|| Fault::Internal("this work has its thread already".into()))
    }
}

/// Rings a [`Bell`], from anywhere.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct Ringer(SyncSender<()>);

impl Ringer {
    /// Once is enough until it is heard; where nobody listens, nothing happens.
    pub(in crate::usecase) fn ring(&self) {
        let _ = self.0.try_send(());
    }
}
