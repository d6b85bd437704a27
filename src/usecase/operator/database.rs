//! The database file as an operator looks after it.

use crate::domain::caller::Caller;
use crate::error::{Error, Fault};
use crate::ports::progress::{Progress, Unit};
use crate::store::sqlite::fault::{ADVICE, ADVICE_OF_ANOTHER, check_stop};
use crate::store::sqlite::file::DatabaseFile;
use crate::store::sqlite::inspect;
use crate::store::sqlite::inspect::FileStatus;
use crate::store::tables::row_counts;
use crate::usecase::app::App;
use crate::usecase::app::files;
use crate::usecase::app::folder::check_copy;
use crate::usecase::require;
use std::path::{Path, PathBuf};

/// What `db status` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub database: PathBuf,
    pub key_file: PathBuf,
    pub file: FileStatus,
    /// In bytes: the database, and its write-ahead log.
    pub database_bytes: u64,
    pub wal_bytes: u64,
    /// Rows by table.
    pub rows: Vec<(&'static str, i64)>,
}

/// Gives the file's size and version, and how many rows there are.
///
/// # Errors
/// `forbidden` for anybody but an operator; the store's.
pub fn status(app: &App, caller: &Caller) -> Result<Status, Error> {
    require(caller, "database:read")?;
    let (file, rows) =
        app.store.read(|query| Ok((inspect::file_status(query)?, row_counts::of_tables(query)?)))?;
    let [database_bytes, wal_bytes] = files::sizes(app.store.path());
    Ok(Status {
        database: app.config.database.file()?.to_owned(),
        key_file: app.config.key_file.clone(),
        file,
        database_bytes,
        wal_bytes,
        rows,
    })
}

/// What is wrong with the database; empty when all is well: SQLite's own check of every page and
/// index, and of every reference between tables.
///
/// # Errors
/// `forbidden` for anybody but an operator; [`Fault::Stopped`] when somebody asked for that. A file too
/// damaged to be read is a finding, not an error.
pub fn check(app: &App, caller: &Caller, progress: &Progress) -> Result<Vec<String>, Error> {
    require(caller, "database:read")?;
    let database = app.config.database.file()?;
    progress.begin("checking every page", Unit::Nothing, None);
    check_stop(progress)?;
    let look = || inspect::integrity_problems(&DatabaseFile::open(database, progress)?);
    match look() {
        Ok(problems) => Ok(problems),
        Err(Fault::Storage(text)) => Ok(vec![text]),
        Err(fault) => Err(fault.into()),
    }
}

/// What is wrong with a file that is not the configured database: a backup, or another copy. Neither a key
/// file nor a daemon's configuration is needed, and nothing is made beside it. A file of an older schema is
/// looked at as it is.
///
/// # Errors
/// `forbidden` for anybody but an operator; `not_found`; [`Fault::Permission`] for a file that can't be
/// read or that somebody else could change meanwhile; [`Fault::Stopped`] when somebody asked for that. A file
/// too damaged to be read is a finding, not an error.
pub fn check_file(caller: &Caller, file: &Path, progress: &Progress) -> Result<Vec<String>, Error> {
    require(caller, "database:read")?;
    if files::is_empty(file) {
        return Ok(vec!["the file is empty".into()]);
    }
    files::check_readable(file)?;
    check_copy(file)?;
    progress.begin("checking every page", Unit::Nothing, None);
    check_stop(progress)?;
    let found = DatabaseFile::look(file, progress, |file| {
        file.check_objects()?;
        inspect::integrity_problems(file)
    });
    match found {
        Err(Fault::Storage(text) | Fault::CheckFailed(text)) => Ok(vec![without_advice(&text).to_owned()]),
        other => Ok(other?),
    }
}

/// What is advised about the configured database helps nobody with another file, which may be its backup.
fn without_advice(text: &str) -> &str {
    [ADVICE, ADVICE_OF_ANOTHER].iter().find_map(|advice| text.strip_suffix(advice)).unwrap_or(text)
}
