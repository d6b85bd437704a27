//! A database file as a whole: looked at from outside, copied, and folded into one file.

use super::connection::{Connection, open_readable, open_writable};
use super::fault::{fault, interrupted};
use super::version;
use crate::error::Fault;
use crate::store::tx::source::Source;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
        let mut connection = open_readable(path)?;
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
