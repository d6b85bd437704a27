//! A copy of the whole database in one file, taken while the daemon works, and looked at before it gets
//! its name. The key file is not in it: whoever finds a backup alone opens nothing with it, and who changes
//! it is found out by the MAC beside it.

use super::backup_mac;
use crate::config::{Config, Database};
use crate::crypto::root_key::{Purpose, RootKey};
use crate::domain::audit::{Event, Mark, Subject};
use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::progress::{Progress, Unit};
use crate::store::audit::chain::Chain;
use crate::store::audit::check;
use crate::store::audit::inbox::seal_into_copy;
use crate::store::copy::copy;
use crate::store::sqlite::file::DatabaseFile;
use crate::store::sqlite::inspect;
use crate::store::tx::Query;
use crate::store::version::VERSION;
use crate::store::{Gather, Store};
use crate::usecase::app::database_lock::DatabaseLock;
use crate::usecase::app::files;
use crate::usecase::app::temp_file::{TempFile, taken};
use crate::usecase::app::{App, IfMissing, Ports, root_key};
use crate::usecase::require;
use std::fs;
use std::path::{Path, PathBuf};

/// A backup that was made and checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backup {
    pub file: PathBuf,
    /// Where its MAC is, without which it is restored only unverified.
    pub mac_file: PathBuf,
    pub bytes: u64,
    pub schema_version: i64,
    /// The newest line of the audit log; on a server, the newest that was sealed.
    pub head: Mark,
    /// Whether the audit log has a line of it; it has none where the schema is an older one, or where the
    /// database can be read but not written.
    pub audited: bool,
}

/// Backs the database up to a new file. A database of an older schema is backed up as it is.
///
/// # Errors
/// `not_found` where there is no database, `already_exists` for a file that is there already, the MAC's too;
/// [`Fault::Storage`] when the copy is not sound; [`Fault::StorageUnavailable`] on a full disk;
/// [`Fault::Stopped`] when somebody asked for that. Nothing is left of a backup that failed.
pub fn backup(
    config: &Config,
    ports: &Ports,
    caller: &Caller,
    file: &Path,
    progress: &Progress,
) -> Result<Backup, Error> {
    require(caller, "database:read")?;
    match &config.database {
        Database::File(path) => backup_file(config, path, ports, caller, file, progress),
        Database::Server(_) => backup_server(config, ports, caller, file, progress),
    }
}

/// Of a server a file is made, with all rows as they are at one moment.
fn backup_server(
    config: &Config,
    ports: &Ports,
    caller: &Caller,
    file: &Path,
    progress: &Progress,
) -> Result<Backup, Error> {
    check_free(file)?;
    let app = App::open(config.clone(), ports.clone(), IfMissing::Refuse)?;
    let root = root_key::existing(config)?;
    let chain_key = root.derive(Purpose::AuditChain);
    let made = TempFile::beside(file, file)?;
    // So that few wait, and the line that is told is nearly the newest.
    app.store.seal_log(Gather::Nothing)?;
    let mut head = Mark::default();
    app.store.read_whole(|source| {
        Store::make(made.path(), ports.clock.now(), caller, &chain_key, |tx| {
            copy(source, tx, progress)?;
            head = seal_into_copy(source, tx)?;
            Ok(())
        })
    })?;
    check(&made, VERSION, app.store.chain(), progress)?;
    let (mac_file, bytes) = name(made, file, file, &root, progress)?;
    let audited = write_line(&app, caller, file).is_ok();
    Ok(Backup { file: file.to_owned(), mac_file, bytes, schema_version: VERSION, head, audited })
}

fn backup_file(
    config: &Config,
    database: &Path,
    ports: &Ports,
    caller: &Caller,
    file: &Path,
    progress: &Progress,
) -> Result<Backup, Error> {
    if !files::exists(database)? {
        return Err(Refusal::not_found("database", database.display().to_string()).into());
    }
    files::check(config)?;
    let lock = DatabaseLock::share(database)?;
    let mut source = DatabaseFile::open(lock.database(), progress)?;
    let root = root_key::existing(config)?;
    root_key::check(&source, &root)?;
    let chain = Chain::new(&root.derive(Purpose::AuditChain));
    check_free(file)?;
    let copy = TempFile::beside(file, lock.database())?;
    let before = sound_end(&source, &chain)?;
    source.copy_into(copy.path())?;
    let head = check(&copy, source.version(), &chain, progress)?;
    if head.seq < before.seq {
        return Err(wrong_end().into());
    }
    let (mac_file, bytes) = name(copy, file, lock.database(), &root, progress)?;
    let schema_version = source.version();
    let write = || write_line(&App::open(config.clone(), ports.clone(), IfMissing::Refuse)?, caller, file);
    let audited = schema_version == VERSION && write().is_ok();
    Ok(Backup { file: file.to_owned(), mac_file, bytes, schema_version, head, audited })
}

/// Gives a copy that was checked its name, and its MAC beside it; both belong to the owner of `model`. Gives
/// the MAC's file, and the copy's bytes.
fn name(
    copy: TempFile,
    file: &Path,
    model: &Path,
    root: &RootKey,
    progress: &Progress,
) -> Result<(PathBuf, u64), Error> {
    // First, so that there is never a backup without it. What is left of a failure proves nothing.
    let mac_file = backup_mac::write(&copy, file, model, root, progress)?;
    let bytes = copy.name(file).inspect_err(|_| drop(fs::remove_file(&mac_file)))?;
    Ok((mac_file, bytes))
}

/// Refuses a name that the backup, or its MAC, could not have.
fn check_free(file: &Path) -> Result<(), Error> {
    let names = [file, &backup_mac::file_of(file)];
    match names.iter().find(|path| path.symlink_metadata().is_ok()) {
        Some(there) => Err(taken(there).into()),
        None => Ok(()),
    }
}

/// Reads the whole copy; gives the newest line of its log.
fn check(copy: &TempFile, version: i64, chain: &Chain, progress: &Progress) -> Result<Mark, Fault> {
    progress.begin("checking the copy", Unit::Nothing, None);
    let found = DatabaseFile::open(copy.path(), progress)?;
    let problems = inspect::integrity_problems(&found)?;
    if let Some(problem) = problems.first() {
        return Err(Fault::Storage(format!(
            "the copy is not sound ({problem}), and was thrown away; run `authctl db check`"
        )));
    }
    if found.version() != version {
        return Err(Fault::StorageUnavailable("the schema was brought up meanwhile; run this again".into()));
    }
    sound_end(&found, chain)
}

/// The newest line of a log that ends where it should.
fn sound_end(query: &impl Query, chain: &Chain) -> Result<Mark, Fault> {
    check::end(query, chain)?.map_err(|_| wrong_end())
}

fn wrong_end() -> Fault {
    Fault::Storage(
        "the audit log doesn't end where it should, and no backup was made; run `authctl audit verify`"
            .into(),
    )
}

fn write_line(app: &App, caller: &Caller, file: &Path) -> Result<(), Error> {
    let file = file.display().to_string();
    app.store.write(caller, move |tx| {
        tx.audit(&Event::DatabaseBackedUp { file: file.clone() }, Subject::default())?;
        Ok(Decision::Grant(()))
    })
}
