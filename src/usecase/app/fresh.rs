//! A database where there was none, with all that the first start puts in it. It is made whole under another
//! name and synced once: a start that dies on the way has made nothing, and nobody waits for the disk once a
//! transaction.

use super::keyring::{self, Keyring};
use super::ports::Ports;
use super::root_key;
use super::temp_file::TempFile;
use crate::crypto::root_key::{Purpose, RootKey};
use crate::domain::caller::Caller;
use crate::error::{Error, Fault};
use crate::store::Store;
use std::path::Path;

/// Makes the database. `false`: another process was faster, or an empty file stands there.
///
/// # Errors
/// [`Fault::Permission`] and [`Fault::StorageUnavailable`] when it can't be written there.
pub(super) fn make(database: &Path, ports: &Ports, root: &RootKey, keyring: &Keyring) -> Result<bool, Error> {
    let made = TempFile::beside(database, database)?;
    let (check, first) = (root_key::sealed_check(root, ports), keyring.generate(ports)?);
    let chain_key = root.derive(Purpose::AuditChain);
    Store::make(made.path(), ports.clock.now(), &Caller::system(), &chain_key, |tx| {
        root_key::save_check(tx, &check)?;
        keyring::insert_first(tx, &first)
    })?;
    match made.name(database) {
        Ok(_) => Ok(true),
        Err(Error::Refused(_)) if database.exists() => Ok(false),
        Err(Error::Refused(_)) => Err(Fault::Permission(format!(
            "{} is a link that leads nowhere; remove it, or make what it leads to",
            database.display()
        ))
        .into()),
        Err(failed) => Err(failed),
    }
}
