//! The files that authd lives in, and who may read them. Passwords' hashes and the root key are for
//! one user of the machine: wider modes are refused, not repaired, because somebody set them.

use crate::config::Config;
use crate::error::Fault;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
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
    ["", "-wal", "-shm"].iter().map(|suffix| beside(database, suffix)).collect()
}

/// The file whose name is that of another with something after it.
#[must_use]
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Whether a file is there. An empty database file counts as none: SQLite makes one on the way.
///
/// # Errors
/// [`Fault::Permission`] when that can't be told.
pub fn exists(path: &Path) -> Result<bool, Fault> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len() > 0),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Fault::Permission(format!(
            "{} can't be looked at: {error}; {}",
            path.display(),
            run_as(path)
        ))),
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
    check_private(
        &config.key_file,
        if config.key_file_is_credential { OTHERS_OF_CREDENTIAL } else { OTHERS },
    )?;
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

/// Makes the database's folder, for its owner alone, where there is none.
///
/// # Errors
/// [`Fault::Permission`].
pub fn prepare_folder(config: &Config) -> Result<(), Fault> {
    let folder = folder_of(&config.database);
    if !folder.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| {
            Fault::Permission(format!("the folder {} can't be made: {error}", folder.display()))
        })?;
    }
    check_folder(config)
}

/// Makes the database's folder, and an empty private file in it. SQLite then gives the files beside it the
/// same mode.
///
/// # Errors
/// [`Fault::Permission`].
pub fn prepare(config: &Config) -> Result<(), Fault> {
    prepare_folder(config)?;
    match make_private(&config.database) {
        Ok(made) => give_to_owner(&made, &folder_of(&config.database)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(cannot_write(&config.database, &error)),
    }
}

/// Makes a new file for its owner alone.
///
/// # Errors
/// The system's; that of an existing file is `AlreadyExists`.
pub fn make_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Gives a file that root has made to whom `model` belongs, a file or a folder: the daemon runs as that
/// user, and could not open it otherwise.
///
/// # Errors
/// [`Fault::Permission`].
pub fn give_to_owner(made: &File, model: &Path) -> Result<(), Fault> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let give = || {
        let owner = fs::metadata(model)?;
        fchown(made, Some(owner.uid()), Some(owner.gid()))
    };
    give().map_err(|error: io::Error| {
        Fault::Permission(format!("a file can't be given to the owner of {}: {error}", model.display()))
    })
}

/// What it means that a file can't be made or written.
#[must_use]
pub fn cannot_write(path: &Path, error: &io::Error) -> Fault {
    let text = format!("{} can't be written: {error}", path.display());
    match error.kind() {
        ErrorKind::PermissionDenied => {
            let folder = folder_of(path);
            Fault::Permission(format!("{text}; run this as a user who may write to {}", folder.display()))
        }
        ErrorKind::NotFound => Fault::StorageUnavailable(format!("{text}; make its folder first")),
        _ => Fault::StorageUnavailable(text),
    }
}

/// Has a folder's names on disk: that a file is there, and under which name.
///
/// # Errors
/// [`Fault::StorageUnavailable`].
pub fn sync_folder_of(path: &Path) -> Result<(), Fault> {
    File::open(folder_of(path))
        .and_then(|folder| folder.sync_all())
        .map_err(|error| cannot_write(path, &error))
}

/// The folder that a file is in.
#[must_use]
pub fn folder_of(path: &Path) -> PathBuf {
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
        Err(error) => {
            Err(Fault::Permission(format!("{} can't be opened: {error}; {}", path.display(), run_as(path))))
        }
    }
}

/// Says which user to run as: the one who owns the file, or its folder.
#[must_use]
pub fn run_as(path: &Path) -> String {
    let owner = fs::metadata(path).or_else(|_| fs::metadata(folder_of(path))).map(|metadata| metadata.uid());
    match owner {
        Ok(0) => "run this as root, or with sudo".into(),
        Ok(uid) => format!("run this as its owner, {}, or with sudo", crate::ports::user_name(uid)),
        Err(_) => "run this as the user who owns it".into(),
    }
}
