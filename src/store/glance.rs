//! Reads by threads that answer at once, many in a row. What a read of one row costs is mostly SQLite's locks: two
//! system calls, under a mutex that all connections of a process share. So such a thread has a connection of its own and
//! keeps its snapshot open for as long as it is busy, and while nobody has committed since.
//!
//! Whether somebody has, the header of the WAL-index tells (<https://sqlite.org/walformat.html>): every commit of every
//! process changes it before it is acknowledged. It is compared, not understood. Who reads it before a snapshot is
//! begun, and finds it the same later, has a snapshot of what is the newest state still.

use super::connection::{fault, open_readable};
use super::tx::Reader;
use crate::error::Fault;
use rusqlite::Connection;
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The header stands twice at the beginning of the file, 48 bytes each.
const HEADER: usize = 96;

thread_local! {
    /// Whether this thread tells when it rests: one that doesn't reads like all others, from the pool.
    static RESTS: Cell<bool> = const { Cell::new(false) };
    /// Taken at its first glance.
    static SEAT: RefCell<Option<Seat>> = const { RefCell::new(None) };
}

/// What a thread keeps from one read to the next.
struct Seat {
    database: PathBuf,
    connection: Connection,
    index: File,
    /// The header from before the snapshot; `None`: no snapshot is open.
    begun_at: Option<[u8; HEADER]>,
}

/// Lets go of this thread's snapshot: to be called before each rest, since the write-ahead log can't begin anew while
/// an old one is held. From the first time on the thread takes a seat of its own when it glances.
///
/// # Errors
/// The driver's.
pub(super) fn rest() -> Result<(), Fault> {
    // Elsewhere a file that is mapped and the same file when it is read may differ.
    RESTS.set(cfg!(target_os = "linux"));
    SEAT.with_borrow_mut(|seat| seat.as_mut().map_or(Ok(()), Seat::end))
}

/// Reads the newest state on this thread's own connection. `None`, and `work` was not called: it has none.
///
/// # Errors
/// Those of `work`, and the driver's.
pub(super) fn glance<T>(
    database: &Path,
    work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>,
) -> Option<Result<T, Fault>> {
    let read = |seat: &mut Option<Seat>| {
        let seat = match seat {
            Some(seat) if seat.is_of(database) => seat,
            other => other.insert(Seat::take(database)?),
        };
        seat.renew()?;
        work(&Reader::new(&seat.connection))
    };
    RESTS.get().then(|| SEAT.with_borrow_mut(read))
}

impl Seat {
    fn take(database: &Path) -> Result<Self, Fault> {
        let connection = open_readable(database)?;
        // The first read makes the index, where nobody had the database open.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(fault)?;
        let mut index = database.as_os_str().to_owned();
        index.push("-shm");
        let index = File::open(&index)
            .map_err(|error| Fault::StorageUnavailable(format!("the database's WAL-index can't be read: {error}")))?;
        Ok(Self { database: database.to_owned(), connection, index, begun_at: None })
    }

    /// Compared by the bytes, since it is asked at every read.
    fn is_of(&self, database: &Path) -> bool {
        self.database.as_os_str() == database.as_os_str()
    }

    /// Begins another snapshot unless the one that is open is of the newest state.
    fn renew(&mut self) -> Result<(), Fault> {
        let mut header = [0; HEADER];
        let is_whole = self.index.read_exact_at(&mut header, 0).is_ok();
        if is_whole && self.begun_at == Some(header) {
            return Ok(());
        }
        self.end()?;
        self.execute("BEGIN")?;
        // One that can't be read is as good as one that always differs.
        self.begun_at = Some(if is_whole { header } else { [0; HEADER] });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        match self.begun_at.take() {
            Some(_) if !self.connection.is_autocommit() => self.execute("COMMIT"),
            _ => Ok(()),
        }
    }

    fn execute(&self, sql: &str) -> Result<(), Fault> {
        self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(drop).map_err(fault)
    }
}
