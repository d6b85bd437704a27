//! A new file: readable by its owner alone, and never written over another.

use super::exit::Failure;
use crate::error::{Fault, Refusal};
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Write};
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
    /// `already_exists`; a permission fault; [`Failure::Usage`] where the path leads nowhere.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let name = path.display().to_string();
        match made {
            Ok(file) => Ok(Self { path: path.to_owned(), file, filled: false }),
            Err(error) => Err(match error.kind() {
                ErrorKind::AlreadyExists => Refusal::AlreadyExists { what: "file", name }.into(),
                ErrorKind::PermissionDenied => {
                    Fault::Permission(format!("{name} can't be made: {error}")).into()
                }
                _ => Failure::Usage(format!("{name} can't be made: {error}")),
            }),
        }
    }

    /// Writes the content. Without it the file is deleted when it is dropped.
    ///
    /// # Errors
    /// A fault when it can't be written.
    pub fn fill(mut self, content: &[u8]) -> Result<(), Failure> {
        let fails =
            |error: Error| Fault::Internal(format!("{} can't be written: {error}", self.path.display()));
        self.file.write_all(content).map_err(fails)?;
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
