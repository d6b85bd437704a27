//! A file that is made under another name than it is to have, so that under its own it is whole or not there.

use super::files;
use crate::error::{Error, Fault, Refusal};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// How many names are tried. A process that was killed leaves its file, and in a container each process may
/// have the same number.
const NAMES: u32 = 1_000;

/// Refuses a name that a file has already.
pub(in crate::usecase) fn taken(file: &Path) -> Refusal {
    Refusal::AlreadyExists { what: "file", name: file.display().to_string() }
}

/// A file that is gone with its SQLite files when it is dropped, unless it got its name before.
#[derive(Debug)]
pub(in crate::usecase) struct TempFile {
    path: PathBuf,
    made: File,
}

impl TempFile {
    /// Makes an empty file for the owner alone, in the folder of the file that it is to become. In the folder
    /// of `database` it belongs to whom that belongs.
    pub(in crate::usecase) fn beside(file: &Path, database: &Path) -> Result<Self, Fault> {
        // What is named is what was asked for, not the name it has meanwhile.
        let temp = Self::make(file).map_err(|error| files::cannot_write(file, &error))?;
        let folders = [file, database].map(|path| fs::canonicalize(files::folder_of(path)).ok());
        if folders[0] == folders[1] {
            let owner = if database.exists() { database.to_owned() } else { files::folder_of(database) };
            files::give_to_owner(&temp.made, &owner)?;
        }
        Ok(temp)
    }

    /// Takes the first name that is free.
    fn make(file: &Path) -> io::Result<Self> {
        let number = std::process::id();
        let mut tried = 0;
        loop {
            let path = files::beside(file, &format!(".part-{number}-{tried}"));
            match files::make_private(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists && tried < NAMES => tried += 1,
                made => return made.map(|made| Self { path, made }),
            }
        }
    }

    pub(in crate::usecase) fn path(&self) -> &Path {
        &self.path
    }

    /// What is to be written to, from the beginning on.
    pub(in crate::usecase) const fn content(&self) -> &File {
        &self.made
    }

    /// Takes away what was written to it.
    pub(in crate::usecase) fn empty(&self) -> Result<(), Fault> {
        self.made.set_len(0).map_err(|error| files::cannot_write(&self.path, &error))
    }

    /// Has it on disk, and gives it a name that nothing has; gives its size. After a fault
    /// it has none.
    pub(in crate::usecase) fn name(self, file: &Path) -> Result<u64, Error> {
        let bytes = self.sync()?;
        fs::hard_link(&self.path, file).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Error::from(taken(file)),
            _ => files::cannot_write(file, &error).into(),
        })?;
        files::sync_folder_of(file).inspect_err(|_| drop(fs::remove_file(file)))?;
        Ok(bytes)
    }

    /// Puts it in the place of `file`, from one moment to the next.
    pub(in crate::usecase) fn replace(self, file: &Path) -> Result<(), Fault> {
        self.sync()?;
        fs::rename(&self.path, file).map_err(|error| files::cannot_write(file, &error))?;
        files::sync_folder_of(file)
    }

    fn sync(&self) -> Result<u64, Fault> {
        let synced = self.made.sync_all().and_then(|()| self.made.metadata());
        synced.map(|metadata| metadata.len()).map_err(|error| files::cannot_write(&self.path, &error))
    }
}

impl Drop for TempFile {
    /// What has its name already is not there under this one any more, or is a second name of it.
    fn drop(&mut self) {
        for left in files::database_files(&self.path) {
            let _ = fs::remove_file(left);
        }
    }
}
