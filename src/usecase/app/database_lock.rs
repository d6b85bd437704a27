//! Who has the database: locks on two files beside it, which the kernel lets go of when their holder ends,
//! however it ends, and which hold between users.
//!
//! SQLite's own locks tell who reads or writes at this moment. These tell who has the file open at all, so
//! that it can be replaced or brought to another schema, and whether a daemon serves it. The files stay
//! when nobody holds them: taken away, two could each hold a lock on a file of that name.

use super::files;
use crate::error::Fault;
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const OPEN: &str = "-lock";
const SERVED: &str = "-served";

/// One holder of the database, together with others or alone.
#[derive(Debug)]
pub struct DatabaseLock {
    lock: File,
    database: PathBuf,
}

impl DatabaseLock {
    /// Holds the database with others, as every command does.
    ///
    /// # Errors
    /// [`Fault::StorageUnavailable`] while somebody holds it alone; [`Fault::Permission`].
    pub fn share(database: &Path) -> Result<Self, Fault> {
        let database = resolved(database);
        let holder = Self { lock: lock_file(&database, OPEN)?, database };
        holder.share_again()?;
        Ok(holder)
    }

    /// Holds the database alone, as it must be to be replaced.
    ///
    /// # Errors
    /// [`Fault::StorageUnavailable`], which says who has it: a daemon, or another command.
    pub fn alone(database: &Path) -> Result<Self, Fault> {
        let database = resolved(database);
        let holder = Self { lock: lock_file(&database, OPEN)?, database };
        holder.keep_others_out()?;
        Ok(holder)
    }

    /// From here on alone.
    ///
    /// # Errors
    /// As [`DatabaseLock::alone`]; what was held may be lost.
    pub fn keep_others_out(&self) -> Result<(), Fault> {
        if taken(self.lock.try_lock(), &self.database)? {
            return Ok(());
        }
        let database = self.database.display();
        Err(Fault::StorageUnavailable(if is_served(&self.database)? {
            format!("a daemon serves {database}; stop it and try again")
        } else {
            format!("another command has {database} open; wait until it ends and try again")
        }))
    }

    /// From here on with others again.
    ///
    /// # Errors
    /// As [`DatabaseLock::share`].
    pub fn share_again(&self) -> Result<(), Fault> {
        if taken(self.lock.try_lock_shared(), &self.database)? {
            return Ok(());
        }
        let database = self.database.display();
        Err(Fault::StorageUnavailable(format!(
            "{database} is being replaced or brought to another schema; try again in a moment"
        )))
    }

    /// The file itself, where the configuration names a link to it.
    #[must_use]
    pub fn database(&self) -> &Path {
        &self.database
    }
}

/// The one daemon of a database. Two would each send the mail and prune the tables.
#[derive(Debug)]
pub struct Served {
    _lock: File,
}

impl Served {
    /// Takes the lock of the daemon that serves this database.
    ///
    /// # Errors
    /// [`Fault::StorageUnavailable`] when another daemon serves the database; [`Fault::Permission`].
    pub fn begin(database: &Path) -> Result<Self, Fault> {
        let database = resolved(database);
        let lock = lock_file(&database, SERVED)?;
        if taken(lock.try_lock(), &database)? {
            return Ok(Self { _lock: lock });
        }
        Err(Fault::StorageUnavailable(format!(
            "another daemon serves {} already; stop that one first, or set another `database`",
            database.display()
        )))
    }
}

/// Whether a daemon serves the database at this moment.
///
/// # Errors
/// [`Fault::Permission`].
pub fn is_served(database: &Path) -> Result<bool, Fault> {
    let database = resolved(database);
    Ok(!taken(lock_file(&database, SERVED)?.try_lock_shared(), &database)?)
}

/// One database has one pair of locks, whatever it is called by.
fn resolved(database: &Path) -> PathBuf {
    fs::canonicalize(database).unwrap_or_else(|_| database.to_owned())
}

fn lock_file(database: &Path, suffix: &str) -> Result<File, Fault> {
    let path = files::beside(database, suffix);
    // Never through a link: what root opens here, it gives away.
    let nofollow = OFlags::NOFOLLOW.bits().cast_signed();
    let opened = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(nofollow)
        .open(&path);
    let file = opened.map_err(|error| files::cannot_write(&path, &error))?;
    // Nor under a second name: that may be the name of anybody's file.
    let metadata = file.metadata().map_err(|error| files::cannot_write(&path, &error))?;
    if !metadata.is_file() || metadata.nlink() != 1 {
        let path = path.display();
        return Err(Fault::Permission(format!(
            "{path} is no file of authd's own; look who made it, and remove it"
        )));
    }
    let folder = files::folder_of(database);
    files::give_to_owner(&file, if database.exists() { database } else { &folder })?;
    Ok(file)
}

/// Whether the lock was to be had.
fn taken(outcome: Result<(), TryLockError>, database: &Path) -> Result<bool, Fault> {
    match outcome {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => {
            Err(Fault::StorageUnavailable(format!("{} can't be locked: {error}", database.display())))
        }
    }
}
