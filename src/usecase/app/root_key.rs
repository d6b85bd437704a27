//! The root key in its file, and the proof that it belongs to the database beside it.

use super::files;
use super::ports::Ports;
use super::temp_file::TempFile;
use crate::config::Config;
use crate::crypto::root_key::{Purpose, RootKey};
use crate::crypto::seal::Sealer;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::Store;
use crate::store::tables::meta;
use crate::store::tx::{Query, Tx};
use std::io::Write;

/// What proves that a key file belongs to a database.
const ROOT_KEY_CHECK: &str = "root_key_check";

/// The root key of the configured database; where there is neither database nor key file, a new one, and
/// `created_key_file` says so.
pub(super) fn open(
    config: &Config,
    ports: &Ports,
    database_exists: bool,
    created_key_file: &mut bool,
) -> Result<RootKey, Error> {
    if database_exists || files::exists(&config.key_file)? {
        return existing(config);
    }
    files::prepare_folder(config)?;
    let root = RootKey::generate(&*ports.entropy);
    let made = TempFile::beside(&config.key_file, &config.key_file)?;
    made.content()
        .write_all(root.line().expose().as_bytes())
        .map_err(|error| files::cannot_write(&config.key_file, &error))?;
    match made.name(&config.key_file) {
        Ok(_) => {
            *created_key_file = true;
            Ok(root)
        }
        // Another process was faster, and its key is the one.
        Err(Error::Refused(_)) => existing(config),
        Err(fault) => Err(fault),
    }
}

/// The root key of a database that is there.
///
/// # Errors
/// `not_found` when its file is missing; [`Fault::Config`] when it is none; [`Fault::Permission`].
pub(in crate::usecase) fn existing(config: &Config) -> Result<RootKey, Error> {
    if files::exists(&config.key_file)? {
        return Ok(RootKey::read(&config.key_file)?);
    }
    let without = format!(
        "{}, and the database {} can't be opened without it; bring it back from the backup, or set `key_file`",
        config.key_file.display(),
        config.database
    );
    Err(Refusal::not_found("key file", without).into())
}

/// Holds the key file against a database: a value sealed when that was made must open. `false`: there is
/// none yet, in a database that was just made.
///
/// # Errors
/// [`Fault::Config`] for the key file of another database; the driver's.
pub(in crate::usecase) fn check(query: &impl Query, root: &RootKey) -> Result<bool, Fault> {
    check_by(query, &Sealer::new(root, Purpose::Check))
}

fn check_by(query: &impl Query, sealer: &Sealer) -> Result<bool, Fault> {
    let Some(sealed) = meta::find(query, ROOT_KEY_CHECK)? else {
        return Ok(false);
    };
    sealer.open(ROOT_KEY_CHECK.as_bytes(), &sealed).map_err(|_| {
        Fault::Config(
            "the key file belongs to another database; set `key_file` to the one made with this".into(),
        )
    })?;
    Ok(true)
}

/// As [`check`], and seals that value in a database that was just made.
pub(super) fn seal_check(store: &Store, root: &RootKey, ports: &Ports) -> Result<(), Error> {
    if store.read(|query| check(query, root))? {
        return Ok(());
    }
    let (sealed, sealer) = (sealed_check(root, ports), Sealer::new(root, Purpose::Check));
    store.write(&Caller::system(), move |tx| {
        // Another process may have been faster, with a key file of its own.
        if !check_by(tx, &sealer)? {
            save_check(tx, &sealed)?;
        }
        Ok(Decision::Grant(()))
    })
}

/// The value that [`check`] opens, for a new database.
pub(super) fn sealed_check(root: &RootKey, ports: &Ports) -> Vec<u8> {
    Sealer::new(root, Purpose::Check).seal(&*ports.entropy, ROOT_KEY_CHECK.as_bytes(), b"authd")
}

/// Saves that value; from here on the database is there.
pub(super) fn save_check(tx: &mut Tx<'_>, sealed: &[u8]) -> Result<(), Fault> {
    meta::save(tx, ROOT_KEY_CHECK, sealed)?;
    tx.audit(&Event::DatabaseCreated, Subject::default())
}
