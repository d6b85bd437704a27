//! Bringing an older schema up: by an operator, or by the daemon at its start. Nobody else may have the
//! database open meanwhile, above all no daemon of the older kind.

use super::database_lock::DatabaseLock;
use super::ports::Ports;
use super::root_key;
use super::{files, server_address};
use crate::config::{Config, Database, ServerUrl};
use crate::crypto::root_key::{Purpose, RootKey};
use crate::domain::caller::Caller;
use crate::error::{Error, Fault, Refusal};
use crate::ports::progress::Progress;
use crate::store::sqlite::file::DatabaseFile;
use crate::store::sqlite::schema;
pub use crate::store::sqlite::schema::MigrationStep;
use crate::store::version::VERSION;
use crate::store::{Connected, Store, look_on_server};
use crate::usecase::require;
use std::path::Path;
use std::time::Duration;

/// How long the server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether to do it, or only to say what would be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MigrateMode {
    Do,
    Rehearse,
}

/// What was done, or would be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Migrated {
    /// The schema's version before.
    pub from: i64,
    /// In their order; empty when the schema is this binary's.
    pub steps: Vec<MigrationStep>,
}

/// Brings the schema up where it is older.
///
/// # Errors
/// `not_found` where there is no database; [`Fault::Storage`] for one of a newer authd;
/// [`Fault::StorageUnavailable`] while a daemon or another command has it open; [`Fault::Stopped`] when
/// somebody asked for that, after which the steps that were taken stay; as `App::open`.
pub fn migrate(
    config: &Config,
    ports: &Ports,
    caller: &Caller,
    mode: MigrateMode,
    progress: &Progress,
) -> Result<Migrated, Error> {
    require(caller, "database:write")?;
    let database = match &config.database {
        Database::File(path) => path,
        Database::Server(url) => return on_server(config, url),
    };
    if !files::exists(database)? {
        return Err(Refusal::not_found("database", database.display().to_string()).into());
    }
    files::check(config)?;
    let lock = DatabaseLock::share(database)?;
    let root = root_key::existing(config)?;
    let from = version(lock.database(), Some(&root))?;
    let steps = match mode {
        MigrateMode::Do => {
            let brought = bring_up(&lock, ports, &root, caller, progress);
            brought.map_err(|fault| stopped_at(fault, lock.database(), from))?
        }
        MigrateMode::Rehearse => schema::steps_from(from),
    };
    Ok(Migrated { from, steps })
}

/// On a server there is nothing to do yet: the first schema that authd made there is this one.
fn on_server(config: &Config, url: &ServerUrl) -> Result<Migrated, Error> {
    files::check(config)?;
    let address = server_address::address(config, url)?;
    if !Connected::to(&address)?.has_schema()? {
        return Err(Refusal::not_found("database", config.database.to_string()).into());
    }
    // Another version is refused by whoever looks.
    look_on_server(&address, PATIENCE, |_| Ok(()))?;
    Ok(Migrated { from: VERSION, steps: Vec::new() })
}

/// Takes the steps that are missing, if any are.
pub(in crate::usecase) fn bring_up(
    lock: &DatabaseLock,
    ports: &Ports,
    root: &RootKey,
    caller: &Caller,
    progress: &Progress,
) -> Result<Vec<MigrationStep>, Fault> {
    let database = lock.database();
    if schema::steps_from(version(database, None)?).is_empty() {
        return Ok(Vec::new());
    }
    lock.keep_others_out()?;
    // With the wrong key, the audit log would be continued by lines that nobody can prove.
    version(database, Some(root))?;
    let chain_key = root.derive(Purpose::AuditChain);
    let steps = Store::migrate(database, &*ports.clock, caller, &chain_key, progress)?;
    lock.share_again()?;
    Ok(steps)
}

/// Says of a migration that was stopped how far it has come.
fn stopped_at(fault: Fault, database: &Path, from: i64) -> Fault {
    match (fault, version(database, None)) {
        (Fault::Stopped(_), Ok(now)) if now > from => {
            Fault::Stopped(format!("the schema is {now} now; run it again to go on"))
        }
        (fault, _) => fault,
    }
}

/// The schema's version; `root` must be the database's own, where it is given.
fn version(database: &Path, root: Option<&RootKey>) -> Result<i64, Fault> {
    let file = DatabaseFile::open(database, &Progress::default())?;
    if let Some(root) = root {
        root_key::check(&file, root)?;
    }
    Ok(file.version())
}
