//! A new file: readable by its owner alone, and never written over another.

use super::exit::Failure;
use crate::error::Refusal;
use crate::usecase::app::files;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file that exists and is empty: created before anything is changed, so that nothing is changed where it
/// can't be created. It is deleted again if it is never filled.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    file: File,
    filled: bool,
}

impl NewFile {
    /// Makes the file, readable by its owner alone.
    ///
    /// # Errors
    /// `already_exists`; a fault where it can't be made, as [`files::cannot_write`].
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match made {
            Ok(file) => Ok(Self { path: path.to_owned(), file, filled: false }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(Refusal::AlreadyExists { what: "file", name: path.display().to_string() }.into())
            }
            Err(error) => Err(files::cannot_write(path, &error).into()),
        }
    }

    /// Writes the content. Without it the file is deleted when it is dropped.
    ///
    /// # Errors
    /// A fault when it can't be written.
    pub fn fill(mut self, content: &[u8]) -> Result<(), Failure> {
        self.file.write_all(content).map_err(|error| files::cannot_write(&self.path, &error))?;
        self.filled = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.filled {
            // At worst an empty file is left.
            let _ = fs::remove_file(&self.path);
        }
    }
}
