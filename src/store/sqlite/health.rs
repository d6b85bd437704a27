//! Whether the file that is open is still the one of its name, and sound as far as a short look tells. A
//! connection keeps pages in memory, and a file that was deleted can be written to all the same: neither
//! notices by itself.

use super::connection::open_readable;
use super::fault::fault;
use crate::error::Fault;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Device and number of a file: what it is, whatever its name.
type FileId = (u64, u64);

/// The files that were opened.
#[derive(Debug)]
pub(in crate::store) struct Identity(Vec<(PathBuf, FileId)>);

impl Identity {
    /// Those of a database that is open: itself, its write-ahead log, and the log's index.
    pub(in crate::store) fn of(database: &Path) -> Self {
        // A link is followed, and SQLite keeps its files beside what it leads to.
        let target = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
        let beside = ["-wal", "-shm"].map(|suffix| {
            let mut name = target.clone().into_os_string();
            name.push(suffix);
            PathBuf::from(name)
        });
        let paths = std::iter::once(database.to_owned()).chain(beside);
        Self(paths.filter_map(|path| id_of(&path).map(|id| (path, id))).collect())
    }

    /// Fails where one of them is not there any more under its name, or another is.
    ///
    /// # Errors
    /// [`Fault::StorageUnavailable`]: the daemon must go on holding what it has, since another start would
    /// make a new database.
    pub(in crate::store) fn check(&self) -> Result<(), Fault> {
        match self.0.iter().find(|(path, id)| id_of(path) != Some(*id)) {
            None => Ok(()),
            Some((path, _)) => Err(Fault::StorageUnavailable(format!(
                "{} was deleted or replaced while the daemon has it open, and what is written now is lost; keep a \
                 copy with `authctl db backup` if that still works, stop the daemon, and restore a backup",
                path.display()
            ))),
        }
    }
}

fn id_of(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Reads the schema and one row of each table as they are on disk: on a connection of its own, which knows
/// nothing of them yet.
///
/// # Errors
/// [`Fault::Storage`] for damage on the way; what keeps the file from being read.
pub(in crate::store) fn read_through(database: &Path) -> Result<(), Fault> {
    let driver = open_readable(database)?.driver;
    let read = || {
        let mut tables = driver.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
        let names: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for name in names {
            let name = name.replace('"', "\"\"");
            driver.prepare(&format!("SELECT * FROM \"{name}\" LIMIT 1"))?.query([])?.next()?;
        }
        Ok(())
    };
    read().map_err(fault)
}
