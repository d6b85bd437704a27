//! What proves that a backup is as authd wrote it: the MAC of its whole content, under the root key, in a
//! file beside it. Whoever can write to where backups lie, but has no key, can change none of them unnoticed.

use crate::crypto::content_mac::{ContentMac, ContentTag};
use crate::crypto::root_key::RootKey;
use crate::error::{Error, Fault};
use crate::ports::progress::{Progress, Unit};
use crate::store::sqlite::fault::check_stop;
use crate::usecase::app::files;
use crate::usecase::app::temp_file::TempFile;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// How much is read at once, in bytes; between two pieces somebody may ask for the end.
const PIECE: usize = 1 << 20;

/// The file that holds the MAC of a backup.
pub(super) fn file_of(backup: &Path) -> PathBuf {
    files::beside(backup, ".mac")
}

/// Writes the MAC of `copy` to the file beside `backup`, the name that the copy is to get.
///
/// # Errors
/// `already_exists` for a file of that name; [`Fault::StorageUnavailable`] on a full disk;
/// [`Fault::Stopped`].
pub(super) fn write(
    copy: &TempFile,
    backup: &Path,
    database: &Path,
    root: &RootKey,
    progress: &Progress,
) -> Result<PathBuf, Error> {
    let tag = read_through(copy.path(), None, root, progress)?;
    let path = file_of(backup);
    let made = TempFile::beside(&path, database)?;
    let line = format!("{}\n", tag.text());
    made.content().write_all(line.as_bytes()).map_err(|error| files::cannot_write(&path, &error))?;
    made.name(&path)?;
    Ok(path)
}

/// Copies a backup whose content is proven into `copy`. What is read is what is proven: nobody can change it
/// in between.
///
/// # Errors
/// [`Fault::CheckFailed`] for another content than the MAC beside it was made of, and without one;
/// [`Fault::Permission`]; [`Fault::StorageUnavailable`] on a full disk; [`Fault::Stopped`].
pub(super) fn copy_proven(
    backup: &Path,
    copy: &TempFile,
    root: &RootKey,
    progress: &Progress,
) -> Result<(), Fault> {
    let (path, shown) = (file_of(backup), backup.display());
    let expected = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(missing(backup)),
        // What is no text is no MAC.
        Err(error) if error.kind() == ErrorKind::InvalidData => String::new(),
        Err(error) => return Err(cannot_read(&path, &error)),
    };
    let found = read_through(backup, Some(copy), root, progress)?;
    if found.is(expected.trim_end()) {
        return Ok(());
    }
    Err(Fault::CheckFailed(format!(
        "{shown} is not as authd wrote it: its MAC is another than {} holds, or was made under another key file; take \
         another backup, or add --unverified if you know who has changed it",
        path.display()
    )))
}

/// Looks whether a backup has a file for its MAC beside it, whatever is in that.
///
/// # Errors
/// [`Fault::CheckFailed`] where it hasn't.
pub(super) fn check_there(backup: &Path) -> Result<(), Fault> {
    match fs::metadata(file_of(backup)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(missing(backup)),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn missing(backup: &Path) -> Fault {
    Fault::CheckFailed(format!(
        "there is no {}, which proves that nobody has changed {}; bring it along, or add --unverified if you know where \
         the file comes from",
        file_of(backup).display(),
        backup.display()
    ))
}

/// Reads a whole file, writes it to `to` where one is given, and gives its MAC.
fn read_through(
    path: &Path,
    to: Option<&TempFile>,
    root: &RootKey,
    progress: &Progress,
) -> Result<ContentTag, Fault> {
    let mut from = File::open(path).map_err(|error| cannot_read(path, &error))?;
    let doing = if to.is_some() { "copying" } else { "proving" };
    progress.begin(doing, Unit::Bytes, from.metadata().ok().map(|metadata| metadata.len()));
    let mut mac = ContentMac::of_backup(root);
    let mut piece = vec![0; PIECE];
    loop {
        check_stop(progress)?;
        let length = match from.read(&mut piece) {
            Ok(0) => return Ok(mac.finish()),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(cannot_read(path, &error)),
        };
        mac.update(&piece[..length]);
        progress.add(length as u64);
        if let Some(to) = to {
            to.content()
                .write_all(&piece[..length])
                .map_err(|error| files::cannot_write(to.path(), &error))?;
        }
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> Fault {
    let text = format!("{} can't be read: {error}", path.display());
    match error.kind() {
        ErrorKind::PermissionDenied => Fault::Permission(format!("{text}; {}", files::run_as(path))),
        _ => Fault::StorageUnavailable(text),
    }
}
