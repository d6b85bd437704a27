//! A database file as a whole: looked at from outside, copied, and folded into one file.

use super::connection::{Connection, open_for_a_look, open_readable, open_writable};
use super::fault::{fault, interrupted};
use super::schema;
use super::version::{self, VERSION};
use crate::error::Fault;
use crate::store::tx::source::Source;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// Set by whoever wants a long piece of work to stop.
pub type Stop = Arc<AtomicBool>;

/// Checks whether somebody wants it to stop.
///
/// # Errors
/// [`Fault::StorageUnavailable`], when so.
pub fn check_stop(stop: &Stop) -> Result<(), Fault> {
    if stop.load(Ordering::Relaxed) { Err(interrupted()) } else { Ok(()) }
}

/// How many of SQLite's own steps go by between two looks at [`Stop`]: some hundred microseconds' worth.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

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
    stop: Stop,
}

impl DatabaseFile {
    /// Opens a file and looks whose it is. What goes on for long in it ends soon after `stop` is set.
    ///
    /// # Errors
    /// [`Fault::Storage`] for a damaged file, one of another program, or one of a newer authd.
    pub fn open(path: &Path, stop: &Stop) -> Result<Self, Fault> {
        Self::of(open_readable(path)?, stop)
    }

    /// Has `work` read a file, beside which nothing is made: it may lie where nobody can write. Where
    /// somebody has written to the file meanwhile, `work` begins again.
    ///
    /// # Errors
    /// Those of `work`, and as [`DatabaseFile::open`].
    pub fn look<T>(path: &Path, stop: &Stop, work: impl Fn(&Self) -> Result<T, Fault>) -> Result<T, Fault> {
        for _ in 0..LOOKS {
            let before = Stamp::of(path);
            let outcome =
                open_for_a_look(path).and_then(|file| Self::of(file, stop)).and_then(|file| work(&file));
            if before.has_log || before == Stamp::of(path) {
                return outcome;
            }
        }
        work(&Self::open(path, stop)?)
    }

    fn of(mut connection: Connection, stop: &Stop) -> Result<Self, Fault> {
        let (stop, stop_there) = (Arc::clone(stop), Arc::clone(stop));
        connection
            .driver
            .progress_handler(STEPS_BETWEEN_LOOKS, Some(move || stop_there.load(Ordering::Relaxed)))
            .map_err(fault)?;
        let version = version::version_of(&connection)?;
        version::check_not_newer(version)?;
        Ok(Self { connection, version, stop })
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
    pub fn copy_into(&self, to: &Path) -> Result<(), Fault> {
        check_stop(&self.stop)?;
        let to = to.to_str().ok_or_else(|| {
            Fault::Config(format!(
                "the name {} is not UTF-8, and SQLite takes no other; choose another",
                to.display()
            ))
        })?;
        self.connection.driver.execute("VACUUM INTO ?1", [to]).map(drop).map_err(fault)
    }
}

impl Source for DatabaseFile {
    fn connection(&self) -> &Connection {
        &self.connection
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
