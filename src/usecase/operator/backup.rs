//! A copy of the whole database in one file, taken while the daemon works, and looked at before it gets
//! its name. The key file is not in it: whoever finds a backup alone opens nothing with it.

use crate::config::Config;
use crate::crypto::root_key::Purpose;
use crate::domain::audit::{Event, Mark, Subject};
use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::audit::chain::Chain;
use crate::store::audit::check;
use crate::store::sqlite::file::DatabaseFile;
use crate::store::sqlite::inspect;
use crate::store::sqlite::version::VERSION;
use crate::store::tx::Query;
use crate::usecase::app::database_lock::DatabaseLock;
use crate::usecase::app::files;
use crate::usecase::app::{App, IfMissing, Ports, root_key};
use crate::usecase::require;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub use crate::store::sqlite::file::Stop;

/// A backup that was made and checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backup {
    pub file: PathBuf,
    pub bytes: u64,
    pub schema_version: i64,
    /// The newest line of the audit log.
    pub head: Mark,
    /// Whether the audit log has a line of it; it has none where the schema is an older one, or where the
    /// database can be read but not written.
    pub audited: bool,
}

/// Backs the database up to a new file. A database of an older schema is backed up as it is.
///
/// # Errors
/// `not_found` where there is no database, `already_exists` for a file that is there already;
/// [`Fault::Storage`] when the copy is not sound; [`Fault::StorageUnavailable`] on a full disk, and when
/// `stop` is set. Nothing is left of a backup that failed.
pub fn backup(
    config: &Config,
    ports: &Ports,
    caller: &Caller,
    file: &Path,
    stop: &Stop,
) -> Result<Backup, Error> {
    require(caller, "database:read")?;
    if !files::exists(&config.database)? {
        return Err(Refusal::not_found("database", config.database.display().to_string()).into());
    }
    files::check(config)?;
    let lock = DatabaseLock::share(&config.database)?;
    let source = DatabaseFile::open(lock.database(), stop)?;
    let root = root_key::existing(config)?;
    root_key::check(&source, &root)?;
    let chain = Chain::new(&root.derive(Purpose::AuditChain));
    if file.symlink_metadata().is_ok() {
        return Err(taken(file).into());
    }
    let copy = TempFile::beside(file, lock.database())?;
    let before = sound_end(&source, &chain)?;
    source.copy_into(copy.path())?;
    let head = check(&copy, &source, &chain, stop)?;
    if head.seq < before.seq {
        return Err(wrong_end().into());
    }
    let bytes = copy.name(file)?;
    let schema_version = source.version();
    let audited = schema_version == VERSION && write_line(config, ports, caller, file).is_ok();
    Ok(Backup { file: file.to_owned(), bytes, schema_version, head, audited })
}

fn taken(file: &Path) -> Refusal {
    Refusal::AlreadyExists { what: "file", name: file.display().to_string() }
}

/// Reads the whole copy; gives the newest line of its log.
fn check(copy: &TempFile, source: &DatabaseFile, chain: &Chain, stop: &Stop) -> Result<Mark, Fault> {
    let found = DatabaseFile::open(copy.path(), stop)?;
    let problems = inspect::integrity_problems(&found)?;
    if let Some(problem) = problems.first() {
        return Err(Fault::Storage(format!(
            "the copy is not sound ({problem}), and was thrown away; run `authctl db check`"
        )));
    }
    if found.version() != source.version() {
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

fn write_line(config: &Config, ports: &Ports, caller: &Caller, file: &Path) -> Result<(), Error> {
    let file = file.display().to_string();
    App::open(config.clone(), ports.clone(), IfMissing::Refuse)?.store.write(caller, move |tx| {
        tx.audit(&Event::DatabaseBackedUp { file: file.clone() }, Subject::default())?;
        Ok(Decision::Grant(()))
    })
}

/// A file that is gone with its SQLite files when it is dropped, unless it got its name before.
#[derive(Debug)]
pub(in crate::usecase) struct TempFile {
    path: PathBuf,
    made: File,
}

impl TempFile {
    /// Makes an empty file for the owner alone, in the folder of the file that it is to become. In the folder
    /// of `database` it belongs to whom that belongs.
    pub(in crate::usecase) fn beside(file: &Path, database: &Path) -> Result<Self, Fault> {
        let path = files::beside(file, &format!(".part-{}", std::process::id()));
        // What is named is what was asked for, not the name it has meanwhile.
        let made = files::make_private(&path).map_err(|error| files::cannot_write(file, &error))?;
        let temp = Self { path, made };
        let folders = [file, database].map(|path| fs::canonicalize(files::folder_of(path)).ok());
        if folders[0] == folders[1] {
            let owner = if database.exists() { database.to_owned() } else { files::folder_of(database) };
            files::give_to_owner(&temp.made, &owner)?;
        }
        Ok(temp)
    }

    pub(in crate::usecase) fn path(&self) -> &Path {
        &self.path
    }

    /// Has it on disk, and gives it a name that nothing has; gives its size.
    fn name(self, file: &Path) -> Result<u64, Error> {
        let bytes = self.sync()?;
        fs::hard_link(&self.path, file).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Error::from(taken(file)),
            _ => files::cannot_write(file, &error).into(),
        })?;
        files::sync_folder_of(file)?;
        Ok(bytes)
    }

    /// Puts it in the place of `file`, from one moment to the next.
    pub(in crate::usecase) fn replace(self, file: &Path) -> Result<(), Fault> {
        self.sync()?;
        fs::rename(&self.path, file).map_err(|error| files::cannot_write(file, &error))?;
        files::sync_folder_of(file)
    }

    fn sync(&self) -> Result<u64, Fault> {
        let synced = self.made.sync_all().and_then(|()| self.made.metadata());
        synced.map(|metadata| metadata.len()).map_err(|error| files::cannot_write(&self.path, &error))
    }
}

impl Drop for TempFile {
    /// What has its name already is not there under this one any more, or is a second name of it.
    fn drop(&mut self) {
        for left in files::database_files(&self.path) {
            let _ = fs::remove_file(left);
        }
    }
}
