//! A database file as a whole: looked at from outside, copied, and folded into one file.

use super::connection::{Connection, open_for_a_look, open_readable, open_writable};
use super::fault::{check_stop, fault};
use super::inspect;
use super::schema;
use super::version;
use crate::error::Fault;
use crate::ports::progress::{Progress, Unit};
use crate::store::driver::Driver;
use crate::store::tx::source::Source;
use crate::store::version::{VERSION, check_not_newer};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How often a file is looked at that somebody writes to, before it is opened as one of those who have it.
const LOOKS: u32 = 2;

/// What tells whether somebody has written to a file.
#[derive(PartialEq, Eq)]
struct Stamp {
    has_log: bool,
    bytes: Option<u64>,
    written_at: Option<SystemTime>,
}

impl Stamp {
    fn of(path: &Path) -> Self {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let found = fs::metadata(path).ok();
        Self {
            has_log: PathBuf::from(log).exists(),
            bytes: found.as_ref().map(fs::Metadata::len),
            written_at: found.and_then(|found| found.modified().ok()),
        }
    }
}

/// A file that may be a database of authd, of this schema or an older one. It can't be changed through this.
#[derive(Debug)]
pub struct DatabaseFile {
    connection: Connection,
    version: i64,
    progress: Progress,
}

impl DatabaseFile {
    /// Opens a file and looks whose it is. What goes on for long in it ends soon after somebody wants it to
    /// stop.
    ///
    /// # Errors
    /// [`Fault::Storage`] for a damaged file, one of another program, or one of a newer authd.
    pub fn open(path: &Path, progress: &Progress) -> Result<Self, Fault> {
        Self::of(open_readable(path)?, progress)
    }

    /// Has `work` read a file, beside which nothing is made: it may lie where nobody can write. Where
    /// somebody has written to the file meanwhile, `work` begins again.
    ///
    /// # Errors
    /// Those of `work`, and as [`DatabaseFile::open`].
    pub fn look<T>(
        path: &Path,
        progress: &Progress,
        work: impl Fn(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        for _ in 0..LOOKS {
            let before = Stamp::of(path);
            let found = open_for_a_look(path).and_then(|file| Self::of(file, progress));
            let outcome = found.and_then(|mut file| work(&mut file));
            if before.has_log || before == Stamp::of(path) {
                return outcome;
            }
        }
        work(&mut Self::open(path, progress)?)
    }

    fn of(mut connection: Connection, progress: &Progress) -> Result<Self, Fault> {
        connection.stop_with(progress)?;
        let version = version::version_of(&connection)?;
        check_not_newer(version)?;
        Ok(Self { connection, version, progress: progress.clone() })
    }

    /// The schema's.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// Checks that the schema is authd's own, where it is of this version.
    ///
    /// # Errors
    /// [`Fault::CheckFailed`], which names what differs.
    pub fn check_objects(&self) -> Result<(), Fault> {
        if self.version == VERSION { schema::check_objects(&self.connection) } else { Ok(()) }
    }

    /// Copies all that is committed at this moment into `to`, an empty file or none. It reads one snapshot,
    /// so that writers neither wait for it nor make it begin again; meanwhile the write-ahead log grows by
    /// what they write. What it wrote may not be on disk yet.
    ///
    /// # Errors
    /// Whatever it is, what stands in `to` is then worth nothing.
    pub fn copy_into(&mut self, to: &Path) -> Result<(), Fault> {
        check_stop(&self.progress)?;
        let status = inspect::file_status(self)?;
        let bytes = (status.page_count - status.free_pages).saturating_mul(status.page_size);
        self.progress.begin("copying", Unit::Bytes, u64::try_from(bytes).ok());
        let to = to.to_str().ok_or_else(|| {
            Fault::Config(format!(
                "the name {} is not UTF-8, and SQLite takes no other; choose another",
                to.display()
            ))
        })?;
        let (progress, copy) = (self.progress.clone(), PathBuf::from(to));
        self.connection.between_steps(move || {
            // What of it is in the file already; the rest is still in memory.
            progress.set(fs::metadata(&copy).map_or(0, |metadata| metadata.len()));
            progress.is_stopped()
        })?;
        let copied = self.connection.driver.execute("VACUUM INTO ?1", [to]).map(drop).map_err(fault);
        self.connection.stop_with(&self.progress)?;
        copied
    }
}

impl Source for DatabaseFile {
    fn driver(&self) -> Driver<'_> {
        Driver::Sqlite(&self.connection)
    }
}

/// Takes the write-ahead log of a database that nobody else has open into the file itself, so that the file
/// alone is the database.
///
/// # Errors
/// [`Fault::StorageUnavailable`] when another program has it open; [`Fault::Storage`] for a damaged file.
pub fn fold(path: &Path) -> Result<(), Fault> {
    let connection = open_writable(path)?;
    let busy: bool = connection
        .driver
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(fault)?;
    if busy {
        return Err(Fault::StorageUnavailable(format!(
            "another program has {} open; close it and try again",
            path.display()
        )));
    }
    connection.driver.close().map_err(|(_, error)| fault(error))
}
