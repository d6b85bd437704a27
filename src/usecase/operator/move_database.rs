//! Moving the whole database to another place, from a file to a server or back: all rows, the audit log with
//! them, so that whoever is signed in stays so. The key file stays.

use super::alone;
use crate::config::{Config, Database};
use crate::crypto::root_key::Purpose;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::secret::Secret;
use crate::error::{Error, Fault, Refusal};
use crate::ports::progress::Progress;
pub use crate::store::copy::TableDigest;
use crate::store::copy::copy;
use crate::store::sqlite::file::fold;
use crate::store::tx::{Reader, Tx};
use crate::store::{Connected, Store};
use crate::usecase::app::database_lock::DatabaseLock;
use crate::usecase::app::temp_file::{TempFile, taken};
use crate::usecase::app::{Ports, files, root_key, server_address};
use crate::usecase::audit::verify;
use crate::usecase::require;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What was moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    pub from: Database,
    pub to: Database,
    /// What the file is called now that it was moved from. `None`: that was on a server, where nobody opens
    /// it any more.
    pub kept: Option<PathBuf>,
    /// What each table holds, the same on both sides.
    pub tables: Vec<TableDigest>,
}

/// Moves the configured database to where `target` says, which is the same configuration but for `database`.
/// There must be nothing yet.
///
/// # Errors
/// `not_found` where there is no database; `already_exists` where there is one already;
/// [`Fault::StorageUnavailable`] while a daemon or another command has it open; [`Fault::Storage`] when not
/// all arrived; [`Fault::CheckFailed`] when the audit log is not whole; [`Fault::Stopped`] when somebody
/// asked for that. Then nothing was changed.
pub fn move_to(
    config: &Config,
    target: &Config,
    ports: &Ports,
    caller: &Caller,
    progress: &Progress,
) -> Result<Moved, Error> {
    require(caller, "database:write")?;
    if config.database == target.database {
        return Err(Refusal::invalid("target", "invalid", "the database is there already").into());
    }
    files::check(config)?;
    alone::check(config)?;
    let root = root_key::existing(config)?;
    let chain_key = root.derive(Purpose::AuditChain);
    let (source, lock) = open(config, ports, &chain_key)?;
    source.read(|query| root_key::check(query, &root))?;
    let moving = Moving { config, target, ports, caller, chain_key: &chain_key, progress };
    let tables = source.move_away(|from| moving.make(from))?;
    drop(source);
    let kept = lock.map(|lock| put_away(lock.database(), ports)).transpose()?;
    Ok(Moved { from: config.database.clone(), to: target.database.clone(), kept, tables })
}

/// Opens what is moved, alone.
fn open(
    config: &Config,
    ports: &Ports,
    chain_key: &Secret<[u8; 32]>,
) -> Result<(Store, Option<DatabaseLock>), Error> {
    match &config.database {
        Database::File(path) => {
            if !files::exists(path)? {
                let advice = format!("{}; set `database`, or name another with --database", path.display());
                return Err(Refusal::not_found("database", advice).into());
            }
            let lock = DatabaseLock::alone(path)?;
            let store = Store::open(lock.database(), Arc::clone(&ports.clock), chain_key, 2)?;
            Ok((store, Some(lock)))
        }
        Database::Server(url) => {
            let connected = Connected::to(&server_address::address(config, url)?)?;
            if !connected.has_schema()? {
                let advice = format!("{}; set `database`, or name another with --database", config.database);
                return Err(Refusal::not_found("database", advice).into());
            }
            Ok((Store::open_on_server(connected, Arc::clone(&ports.clock), chain_key)?, None))
        }
    }
}

/// What goes into a database that is made.
struct Moving<'a> {
    config: &'a Config,
    target: &'a Config,
    ports: &'a Ports,
    caller: &'a Caller,
    chain_key: &'a Secret<[u8; 32]>,
    progress: &'a Progress,
}

impl Moving<'_> {
    fn make(&self, from: &Reader<'_>) -> Result<Vec<TableDigest>, Error> {
        let now = self.ports.clock.now();
        match &self.target.database {
            Database::Server(url) => {
                let address = server_address::address(self.target, url)?;
                let made = Store::make_on_server(&address, now, self.caller, self.chain_key, |tx| {
                    self.fill(from, tx)
                })?;
                made.ok_or_else(|| exists(&self.target.database))
            }
            Database::File(path) => self.make_file(from, path),
        }
    }

    fn make_file(&self, from: &Reader<'_>, path: &Path) -> Result<Vec<TableDigest>, Error> {
        files::prepare_folder(self.target)?;
        if path.symlink_metadata().is_ok() {
            return Err(taken(path).into());
        }
        let made = TempFile::beside(path, path)?;
        let mut tables = Vec::new();
        Store::make(made.path(), self.ports.clock.now(), self.caller, self.chain_key, |tx| {
            tables = self.fill(from, tx)?;
            Ok(())
        })?;
        made.name(path)?;
        Ok(tables)
    }

    /// Copies all, proves the log as it arrived, and lets it tell of the move.
    fn fill(&self, from: &Reader<'_>, tx: &mut Tx<'_>) -> Result<Vec<TableDigest>, Fault> {
        let tables = copy(from, tx, self.progress)?;
        let verdict = verify::verdict(tx, tx.chain(), None, self.progress)?;
        if let Some(flaw) = verdict.flaw {
            return Err(Fault::CheckFailed(format!(
                "the audit log is not whole: {flaw}; nothing was changed"
            )));
        }
        let (from, to) = (self.config.database.to_string(), self.target.database.to_string());
        let event = Event::DatabaseMoved { from, to };
        tx.audit(&event, Subject::default())?;
        Ok(tables)
    }
}

fn exists(database: &Database) -> Error {
    Refusal::AlreadyExists { what: "database", name: database.to_string() }.into()
}

/// Gives the file that was moved a name under which nobody looks for it.
fn put_away(database: &Path, ports: &Ports) -> Result<PathBuf, Error> {
    let kept = files::kept_name(database, "moved", ports.clock.now());
    fold(database)?;
    for (file, kept) in files::database_files(database).into_iter().zip(files::database_files(&kept)) {
        if file.exists() {
            fs::rename(&file, &kept).map_err(|error| files::cannot_write(&kept, &error))?;
        }
    }
    files::sync_folder_of(database)?;
    Ok(kept)
}
