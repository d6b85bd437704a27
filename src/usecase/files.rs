//! The files that authd lives in, and who may read them. Passwords' hashes and the root key are for
//! one user of the machine: wider modes are refused, not repaired, because somebody set them.

use crate::config::Config;
use crate::error::Fault;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

/// The bits that let the group or others in.
const OTHERS: u32 = 0o077;
/// The same of a credential: systemd lets the service's user read it by an access list, which shows as the
/// group's right to read, in a folder that nobody else may enter.
const OTHERS_OF_CREDENTIAL: u32 = 0o037;

/// The database with the two files that SQLite keeps beside it.
#[must_use]
pub fn database_files(database: &Path) -> Vec<PathBuf> {
    ["", "-wal", "-shm"]
        .iter()
        .map(|suffix| {
            let mut name = database.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        })
        .collect()
}

/// Whether a file is there. An empty database file counts as none: SQLite makes one on the way.
///
/// # Errors
/// [`Fault::Permission`] when that can't be told.
pub fn exists(path: &Path) -> Result<bool, Fault> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len() > 0),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => {
            Err(Fault::Permission(format!("{} can't be looked at: {error}; {}", path.display(), run_as(path))))
        }
    }
}

/// Refuses files that others can read, or that this user can't write.
///
/// # Errors
/// [`Fault::Permission`], which says what to do.
pub fn check(config: &Config) -> Result<(), Fault> {
    for path in database_files(&config.database) {
        check_private(&path, OTHERS)?;
        check_writable(&path)?;
    }
    check_private(&config.key_file, if config.key_file_is_credential { OTHERS_OF_CREDENTIAL } else { OTHERS })?;
    check_folder(config)
}

/// Refuses a folder that others can look into. For the default database, in the current folder, it is
/// the caller's business to warn: see [`folder_warning`].
///
/// # Errors
/// [`Fault::Permission`].
pub fn check_folder(config: &Config) -> Result<(), Fault> {
    match folder_warning(config) {
        Some(text) if !config.database_is_default => Err(Fault::Permission(text)),
        _ => Ok(()),
    }
}

/// What is wrong with the mode of the database's folder; `None`: nothing.
#[must_use]
pub fn folder_warning(config: &Config) -> Option<String> {
    let folder = folder_of(&config.database);
    let metadata = fs::metadata(&folder).ok()?;
    (metadata.mode() & OTHERS != 0).then(|| {
        format!(
            "the folder {} has mode {:04o}, which lets others in; run: chmod 700 {}",
            folder.display(),
            metadata.mode() & 0o7777,
            folder.display()
        )
    })
}

/// Makes the database's folder, for its owner alone, and an empty private file in it. SQLite then
/// gives the files beside it the same mode.
///
/// # Errors
/// [`Fault::Permission`].
pub fn prepare(config: &Config) -> Result<(), Fault> {
    let folder = folder_of(&config.database);
    if !folder.exists() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|error| Fault::Permission(format!("the folder {} can't be made: {error}", folder.display())))?;
    }
    check_folder(config)?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&config.database);
    match made {
        Ok(file) => give_to_owner_of(&folder, &file),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Fault::Permission(format!(
            "the database {} can't be made: {error}; run this as a user who may write to {}",
            config.database.display(),
            folder.display()
        ))),
    }
}

/// What root makes in the service's folder must be the service's, or it could not write its own database.
/// SQLite does the same with the files that it makes beside it.
fn give_to_owner_of(folder: &Path, file: &File) -> Result<(), Fault> {
    let give = || {
        let (folder, made) = (fs::metadata(folder)?, file.metadata()?);
        if made.uid() == 0 && folder.uid() != 0 { fchown(file, Some(folder.uid()), Some(folder.gid())) } else { Ok(()) }
    };
    give().map_err(|error: std::io::Error| {
        Fault::Permission(format!("the database can't be given to the owner of {}: {error}", folder.display()))
    })
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn check_private(path: &Path, others: u32) -> Result<(), Fault> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.mode() & others != 0 => Err(Fault::Permission(format!(
            "{} has mode {:04o}, which lets others read it; run: chmod 600 {}",
            path.display(),
            metadata.mode() & 0o7777,
            path.display()
        ))),
        // A file that is not there is somebody else's question.
        _ => Ok(()),
    }
}

fn check_writable(path: &Path) -> Result<(), Fault> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Fault::Permission(format!("{} can't be opened: {error}; {}", path.display(), run_as(path)))),
    }
}

/// Says which user to run as: the one who owns the file, or its folder.
#[must_use]
pub fn run_as(path: &Path) -> String {
    let owner = File::open(path).and_then(|file| file.metadata()).or_else(|_| fs::metadata(path));
    let owner = owner.or_else(|_| fs::metadata(folder_of(path))).map(|metadata| metadata.uid());
    match owner {
        Ok(0) => "run this as root, or with sudo".into(),
        Ok(uid) => format!("run this as its owner, {}, or with sudo", crate::ports::user_name(uid)),
        Err(_) => "run this as the user who owns it".into(),
    }
}
