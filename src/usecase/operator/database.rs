//! The database as an operator looks after it.

use crate::config::Database;
use crate::domain::audit::ChainError;
use crate::domain::caller::Caller;
use crate::error::{Error, Fault};
use crate::ports::progress::{Progress, Unit};
use crate::store::audit::check::end;
use crate::store::audit::inbox;
use crate::store::postgres::inspect::{ServerStatus, server_problems, server_status};
use crate::store::sqlite::fault::{ADVICE, ADVICE_OF_ANOTHER, check_stop};
use crate::store::sqlite::file::DatabaseFile;
use crate::store::sqlite::inspect;
use crate::store::sqlite::inspect::FileStatus;
pub use crate::store::tables::daemons::Daemon;
use crate::store::tables::{daemons, row_counts};
use crate::store::tx::Query;
pub use crate::store::version::VERSION;
use crate::usecase::app::App;
use crate::usecase::app::files;
use crate::usecase::app::folder::check_copy;
use crate::usecase::require;
use std::path::{Path, PathBuf};

/// What `db status` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub database: Database,
    pub key_file: PathBuf,
    pub place: PlaceStatus,
    /// Rows by table.
    pub rows: Vec<(&'static str, i64)>,
}

/// What there is to say of where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceStatus {
    File {
        file: FileStatus,
        /// The file's, and its write-ahead log's.
        database_bytes: u64,
        wal_bytes: u64,
    },
    Server {
        server: ServerStatus,
        daemons: Vec<Daemon>,
        /// Lines of the audit log that wait to be numbered.
        unsealed: u64,
    },
}

impl PlaceStatus {
    /// Gives the schema's version.
    #[must_use]
    pub const fn schema_version(&self) -> i64 {
        match self {
            Self::File { file, .. } => file.schema_version,
            Self::Server { server, .. } => server.schema_version,
        }
    }

    /// Gives what the tables take, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        match self {
            Self::File { database_bytes, .. } => *database_bytes,
            Self::Server { server, .. } => server.bytes,
        }
    }
}

/// Gives the database's size and version, and how many rows there are.
///
/// # Errors
/// `forbidden` for anybody but an operator; the store's.
pub fn status(app: &App, caller: &Caller) -> Result<Status, Error> {
    require(caller, "database:read")?;
    let (place, rows) = app.store.read(|query| {
        let place = match app.store.path() {
            Some(path) => {
                let [database_bytes, wal_bytes] = files::sizes(path);
                PlaceStatus::File { file: inspect::file_status(query)?, database_bytes, wal_bytes }
            }
            None => {
                let (unsealed, _) = inbox::count(query)?;
                PlaceStatus::Server {
                    server: server_status(query)?,
                    daemons: daemons::list(query)?,
                    unsealed,
                }
            }
        };
        Ok((place, row_counts::of_tables(query)?))
    })?;
    Ok(Status { database: app.config.database.clone(), key_file: app.config.key_file.clone(), place, rows })
}

/// What is wrong with the database; empty when all is well: of a file SQLite's own check of every page and
/// index, and of every reference between tables; of a database on a server whether its schema and settings
/// are as they must be, and the audit log ends where it should.
///
/// # Errors
/// `forbidden` for anybody but an operator; [`Fault::Stopped`] when somebody asked for that. A file too
/// damaged to be read is a finding, not an error.
pub fn check(app: &App, caller: &Caller, progress: &Progress) -> Result<Vec<String>, Error> {
    require(caller, "database:read")?;
    check_stop(progress)?;
    let Some(database) = app.config.database.path() else {
        return Ok(check_server(app)?);
    };
    progress.begin("checking every page", Unit::Nothing, None);
    let look = || inspect::integrity_problems(&DatabaseFile::open(database, progress)?);
    match look() {
        Ok(problems) => Ok(problems),
        Err(Fault::Storage(text)) => Ok(vec![text]),
        Err(fault) => Err(fault.into()),
    }
}

fn check_server(app: &App) -> Result<Vec<String>, Fault> {
    app.store.read_log(|query| {
        let mut problems = server_problems(query)?;
        if let Err(flaw) = end(query, app.store.chain())? {
            problems.push(flaw.to_string());
        }
        problems.extend(strange_lines(query)?);
        Ok(problems)
    })
}

/// What is in the audit log's inbox and none of authd's. `None`: nothing.
pub(super) fn strange_lines(query: &impl Query) -> Result<Option<String>, Fault> {
    let (_, strange) = inbox::count(query)?;
    Ok((strange > 0).then(|| ChainError::Inbox { lines: strange }.to_string()))
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
