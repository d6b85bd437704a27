//! Opening the database file: flags and pragmas.

use super::columns::ColumnCache;
use super::damage::Damage;
use super::fault::fault;
use crate::error::Fault;
use crate::ports::progress::Progress;
use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Two writers on an older one can corrupt the file (the WAL-reset bug, fixed in 3.51.3).
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a connection waits for another process's write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

const STATEMENTS_KEPT: usize = 64;

/// What the connections that are asked all the time may keep of the file, instead of SQLite's 2 MB: the
/// writer, and those of the I/O threads. With a million users the pages of a few hundred sessions are more
/// than that. SQLite takes a negative number for KiB.
pub(super) const CACHE_KIB: i32 = -16 * 1024;

/// How many of SQLite's own steps go by between two looks at a long statement: some hundred microseconds'
/// worth.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// A connection to the file. What is asked of it goes through `sqlite/statement.rs`, or is a question of
/// SQLite's own.
#[derive(Debug)]
pub struct Connection {
    pub(super) driver: rusqlite::Connection,
    pub(super) columns: ColumnCache,
    pub(super) damage: Arc<Damage>,
}

impl Connection {
    pub(super) fn new(driver: rusqlite::Connection) -> Self {
        Self { driver, columns: ColumnCache::new(), damage: Arc::default() }
    }

    /// The same, noting damage where all of one store's connections do.
    pub(in crate::store) fn noting_in(self, damage: &Arc<Damage>) -> Self {
        Self { damage: Arc::clone(damage), ..self }
    }

    /// Closes a file that is to be written to through a write-ahead log from now on, as its header says.
    pub(super) fn close_with_log(self) -> Result<(), Fault> {
        self.driver.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).map_err(fault)?;
        self.driver.close().map_err(|(_, error)| fault(error))
    }

    /// Ends any statement on this connection soon after somebody wants it to stop.
    pub(in crate::store) fn stop_with(&mut self, progress: &Progress) -> Result<(), Fault> {
        let progress = progress.clone();
        self.between_steps(move || progress.is_stopped())
    }

    /// Has `look` called again and again while a statement runs, and ends that where it gives `true`.
    pub(super) fn between_steps(&mut self, look: impl FnMut() -> bool + Send + 'static) -> Result<(), Fault> {
        self.driver.progress_handler(STEPS_BETWEEN_LOOKS, Some(look)).map_err(fault)
    }

    /// Lets no trigger run on this connection from here on: nobody has looked yet whose those of the file
    /// are.
    pub(super) fn still_triggers(&self) -> Result<(), Fault> {
        self.driver.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).map(drop).map_err(fault)
    }
}

/// Opens an existing file for reading and writing.
pub(in crate::store) fn open_writable(path: &Path) -> Result<Connection, Fault> {
    open(path, make_durable)
}

/// Opens an empty file that nobody else knows yet. Nothing is synced: a file that was not finished is thrown
/// away.
pub(in crate::store) fn open_unnamed(path: &Path) -> Result<Connection, Fault> {
    open(path, |driver| {
        driver.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))?;
        driver.pragma_update(None, "synchronous", "OFF")
    })
}

/// Opens an existing file for reading alone.
pub(in crate::store) fn open_readable(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let driver = rusqlite::Connection::open_with_flags(path, flags).map_err(fault)?;
    harden(&driver).map_err(fault)?;
    Ok(Connection::new(driver))
}

/// Opens an existing file for reading alone, and makes nothing beside it.
///
/// Without a write-ahead log nobody else has the database open. SQLite would make one even to read, so it is
/// told that the file stands still: what a writer changes meanwhile is at worst not seen, or not readable.
pub(in crate::store) fn open_for_a_look(path: &Path) -> Result<Connection, Fault> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if Path::new(&log).exists() {
        return open_readable(path);
    }
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let driver = rusqlite::Connection::open_with_flags(immutable(path), flags).map_err(fault)?;
    harden(&driver).map_err(fault)?;
    Ok(Connection::new(driver))
}

/// The file's name as SQLite's URI (<https://sqlite.org/uri.html>): these three are all that it reads more
/// into.
fn immutable(path: &Path) -> String {
    let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?immutable=1")
}

fn open(
    path: &Path,
    prepare: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<()>,
) -> Result<Connection, Fault> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(Fault::Internal(format!("SQLite {} is too old; 3.51.3 is needed", rusqlite::version())));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let driver = rusqlite::Connection::open_with_flags(path, flags).map_err(fault)?;
    harden(&driver).map_err(fault)?;
    prepare(&driver).map_err(fault)?;
    Ok(Connection::new(driver))
}

/// What is in the file can't run code, change the schema or load anything.
fn harden(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Plans don't depend on what is bound. Otherwise binding a parameter makes SQLite prepare many a kept
    // statement anew, which takes ten times as long as running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// An acknowledged write is on disk, and what is deleted is gone from the file.
fn make_durable(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}
