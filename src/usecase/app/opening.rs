//! Opening the database that the configuration names, be it a file or on a server, with the root key that
//! belongs to it.

use super::database_lock::DatabaseLock;
use super::keyring::Keyring;
use super::ports::Ports;
use super::server_address::address;
use super::{Created, IfMissing, files, fresh, migrate, root_key};
use crate::config::{Config, Database, ServerUrl};
use crate::crypto::root_key::{Purpose, RootKey};
use crate::crypto::seal::Sealer;
use crate::domain::caller::Caller;
use crate::error::{Error, Refusal};
use crate::ports::progress::Progress;
use crate::store::{Connected, Store};
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;

/// A database that is open, and what belongs to it.
pub(super) struct Opened {
    pub store: Store,
    pub root: RootKey,
    pub keyring: Keyring,
    pub created: Created,
    /// `None`: nobody can replace a database on a server under its name.
    pub lock: Option<DatabaseLock>,
}

/// Opens the database, and makes it where `if_missing` says so.
pub(super) fn open(config: &Config, ports: &Ports, if_missing: IfMissing) -> Result<Opened, Error> {
    let opened = match &config.database {
        Database::File(path) => open_file(config, path, ports, if_missing)?,
        Database::Server(url) => open_on_server(config, url, ports, if_missing)?,
    };
    root_key::seal_check(&opened.store, &opened.root, ports)?;
    Ok(opened)
}

fn open_file(config: &Config, path: &Path, ports: &Ports, if_missing: IfMissing) -> Result<Opened, Error> {
    let mut created = Created::default();
    let exists = files::exists(path)?;
    if !exists && if_missing == IfMissing::Refuse {
        return Err(missing(&config.database));
    }
    if if_missing == IfMissing::Create {
        files::prepare_folder(config)?;
    }
    files::check(config)?;
    let lock = DatabaseLock::share(path)?;
    let root = root_key::open(config, ports, exists, &mut created.key_file)?;
    let chain_key = root.derive(Purpose::AuditChain);
    let keyring = keyring_of(config, &root);
    if !exists {
        created.database = fresh::make(path, ports, &root, &keyring)?;
        created.signing_key = created.database;
    }
    if if_missing == IfMissing::Create && !created.database {
        created.database = Store::create(path, &chain_key)?;
        migrate::bring_up(&lock, ports, &root, &Caller::system(), &Progress::default())?;
    }
    let store = Store::open(path, Arc::clone(&ports.clock), &chain_key, readers())?;
    Ok(Opened { store, root, keyring, created, lock: Some(lock) })
}

fn open_on_server(
    config: &Config,
    url: &ServerUrl,
    ports: &Ports,
    if_missing: IfMissing,
) -> Result<Opened, Error> {
    let mut created = Created::default();
    if if_missing == IfMissing::Create {
        files::prepare_folder(config)?;
    }
    files::check(config)?;
    let address = address(config, url)?;
    let connected = Connected::to(&address)?;
    let exists = connected.has_schema()?;
    if !exists && if_missing == IfMissing::Refuse {
        return Err(missing(&config.database));
    }
    let root = root_key::open(config, ports, exists, &mut created.key_file)?;
    let chain_key = root.derive(Purpose::AuditChain);
    if !exists {
        created.database = Store::create_on_server(&address, ports.clock.now(), &chain_key)?;
    }
    let keyring = keyring_of(config, &root);
    let store = Store::open_on_server(connected, Arc::clone(&ports.clock), &chain_key)?;
    Ok(Opened { store, root, keyring, created, lock: None })
}

fn keyring_of(config: &Config, root: &RootKey) -> Keyring {
    Keyring::new(Sealer::new(root, Purpose::SigningKeys), &config.tokens)
}

fn missing(database: &Database) -> Error {
    let advice = format!("{database}; run `authctl db init` or `authd serve` to make one, or set `database`");
    Refusal::not_found("database", advice).into()
}

/// Four threads of the daemon may read for long. For those that must not wait, its I/O threads, there is
/// always a connection left; all others hold one for a moment.
fn readers() -> u32 {
    let cores = available_parallelism().map_or(1, usize::from);
    u32::try_from(cores).unwrap_or(1).clamp(1, 4) + 8
}
