//! Damage that a statement has met, for whoever asks how the database is.

use crate::error::Fault;
use std::sync::OnceLock;

/// The first damage that any statement met. It stays: what is mended needs the file for itself.
#[derive(Debug, Default)]
pub(in crate::store) struct Damage(OnceLock<String>);

impl Damage {
    /// Notes what damage says of itself, and gives it on.
    pub(super) fn noting(&self, fault: Fault) -> Fault {
        if let Fault::Storage(text) = &fault {
            let _ = self.0.set(text.clone());
        }
        fault
    }

    /// Fails where damage was met.
    ///
    /// # Errors
    /// [`Fault::Storage`], as the statement did that met it.
    pub(in crate::store) fn check(&self) -> Result<(), Fault> {
        self.0.get().map_or(Ok(()), |text| Err(Fault::Storage(text.clone())))
    }
}
