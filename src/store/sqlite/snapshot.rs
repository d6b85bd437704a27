//! Reads by threads that answer at once, many in a row. What a read of one row costs is mostly SQLite's
//! locks: two system calls, under a mutex that all connections of a process share. So such a thread has a
//! connection of its own and keeps its snapshot open for as long as it is busy, and while nobody has
//! committed since.
//!
//! Whether somebody has, the header of the WAL-index tells (<https://sqlite.org/walformat.html>): every
//! commit of every process changes it before it is acknowledged. It is compared, not understood. Who reads it
//! before a snapshot is begun, and finds it the same later, has a snapshot of what is the newest state still.
//!
//! The index is opened once more for that, and **never closed**: to close any descriptor of a file takes away
//! all locks that the process holds on it (<https://sqlite.org/howtocorrupt.html>, 2.2), and SQLite's are
//! there.

use super::connection::{CACHE_KIB, Connection, open_readable};
use super::damage::Damage;
use super::fault::fault;
use crate::error::Fault;
use crate::store::driver::Driver;
use crate::store::tx::Reader;
use std::cell::RefCell;
use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The header stands twice at the beginning of the file, 48 bytes each.
const HEADER: usize = 96;

thread_local! {
    static ACCESS: RefCell<Access> = const { RefCell::new(Access::Pool) };
}

/// How this thread reads.
enum Access {
    /// From the pool, as all others do: it never told that it rests.
    Pool,
    /// By a reader of its own, which it gets at its next read.
    OwnFromNow,
    Own(Box<SnapshotReader>),
    /// From the pool, for good: something went wrong with its own reader. Another one would cost another
    /// descriptor.
    PoolForGood,
}

/// A connection of one thread, and what it keeps from one read to the next.
struct SnapshotReader {
    database: PathBuf,
    connection: Connection,
    /// See above why it is never closed.
    index: ManuallyDrop<File>,
    /// The header from before the snapshot that is open. `None`: none is, or it is not known of what state.
    begun_at: Option<[u8; HEADER]>,
}

/// Lets go of this thread's snapshot: to be called before each rest, since the write-ahead log can't begin
/// anew while an old one is held. From the first time on the thread gets a reader of its own with its next
/// read.
pub(in crate::store) fn release() {
    ACCESS.with_borrow_mut(|access| match access {
        // Elsewhere a file that is mapped and the same file when it is read may differ.
        Access::Pool if cfg!(target_os = "linux") => *access = Access::OwnFromNow,
        Access::Own(reader) => {
            if reader.end().is_err() {
                *access = Access::PoolForGood;
            }
        }
        Access::Pool | Access::OwnFromNow | Access::PoolForGood => {}
    });
}

/// Reads the newest state on this thread's own connection. `None`, and `work` was not called: it has none for
/// this database.
///
/// # Errors
/// Those of `work`.
pub(in crate::store) fn read<T>(
    database: &Path,
    damage: &Arc<Damage>,
    work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>,
) -> Option<Result<T, Fault>> {
    ACCESS.with_borrow_mut(|access| {
        if matches!(access, Access::OwnFromNow) {
            let opened = SnapshotReader::open(database, damage);
            *access = opened.map_or(Access::PoolForGood, |reader| Access::Own(Box::new(reader)));
        }
        let Access::Own(reader) = access else {
            return None;
        };
        if !reader.is_of(database) {
            return None;
        }
        if reader.renew().is_err() {
            *access = Access::PoolForGood;
            return None;
        }
        Some(work(&Reader::new(Driver::Sqlite(&reader.connection))))
    })
}

impl SnapshotReader {
    fn open(database: &Path, damage: &Arc<Damage>) -> Result<Self, Fault> {
        let connection = open_readable(database)?.noting_in(damage);
        connection.driver.pragma_update(None, "cache_size", CACHE_KIB).map_err(fault)?;
        // The first read makes the index, where nobody had the database open.
        connection.driver.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(fault)?;
        // As SQLite calls the file, which has followed a link to it.
        let index = format!("{}-shm", connection.driver.path().unwrap_or_default());
        let index = File::open(&index).map_err(|error| {
            Fault::StorageUnavailable(format!("the database's WAL-index can't be read: {error}"))
        })?;
        Ok(Self {
            database: database.to_owned(),
            connection,
            index: ManuallyDrop::new(index),
            begun_at: None,
        })
    }

    /// Compared by the bytes, since it is asked at every read.
    fn is_of(&self, database: &Path) -> bool {
        self.database.as_os_str() == database.as_os_str()
    }

    /// Begins another snapshot unless the one that is open is of the newest state.
    fn renew(&mut self) -> Result<(), Fault> {
        let mut header = [0; HEADER];
        let header = self.index.read_exact_at(&mut header, 0).is_ok().then_some(header);
        if header.is_some() && self.begun_at == header {
            return Ok(());
        }
        self.end()?;
        self.connection.run("BEGIN")?;
        self.begun_at = header;
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.begun_at = None;
        if self.connection.driver.is_autocommit() { Ok(()) } else { self.connection.run("COMMIT") }
    }
}
