//! The files that authd lives in, and who may read them. Passwords' hashes and the root key are for
//! one user of the machine: wider modes are refused, not repaired, because somebody set them.

use super::folder::{Exposure, Folder, check_beside, word};
pub use super::folder::{beside, folder_of};
use crate::config::Config;
use crate::domain::time::Timestamp;
use crate::error::{Error, Fault, Refusal};
use crate::ports::user_name;
use rustix::process::geteuid;
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

/// The name under which a database is kept once another takes its place, or once it has moved: with `why`,
/// and the time.
#[must_use]
pub fn kept_name(database: &Path, why: &str, now: Timestamp) -> PathBuf {
    let time: String = now.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    beside(database, &format!(".{why}-{time}"))
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

/// Whether a file is there and nothing is in it.
#[must_use]
pub fn is_empty(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == 0)
}

/// Refuses a file that is not there, or that this user can't read.
///
/// # Errors
/// `not_found`; [`Fault::Permission`], which says whom to run it as.
pub fn check_readable(file: &Path) -> Result<(), Error> {
    if !exists(file)? {
        return Err(Refusal::not_found("file", file.display().to_string()).into());
    }
    File::open(file).map(drop).map_err(|error| {
        Fault::Permission(format!("{} can't be read: {error}; {}", file.display(), run_as(file))).into()
    })
}

/// Refuses files that others can read, that somebody else has put there, or that this user can't write.
///
/// # Errors
/// [`Fault::Permission`], which says what to do.
pub fn check(config: &Config) -> Result<(), Fault> {
    if let Some(database) = config.database.path() {
        check_folder(config)?;
        if let Some(folder) = Folder::of(database) {
            folder.check_owner(database)?;
            folder.check_owner(&config.key_file)?;
        }
        check_beside(database)?;
        for path in database_files(database) {
            check_private(&path, OTHERS)?;
            check_writable(&path)?;
        }
    }
    check_key(config)
}

/// The bytes of a database file, and of its write-ahead log.
#[must_use]
pub fn sizes(database: &Path) -> [u64; 2] {
    let bytes = |path: PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
    ["", "-wal"].map(|suffix| bytes(beside(database, suffix)))
}

/// Refuses a key file that others can read or put another in the place of.
///
/// # Errors
/// [`Fault::Permission`].
pub fn check_key(config: &Config) -> Result<(), Fault> {
    if config.key_file_is_credential {
        return check_private(&config.key_file, OTHERS_OF_CREDENTIAL);
    }
    if let Some(folder) = Folder::of(&config.key_file) {
        let exposure = folder.exposure();
        let is_open = match exposure {
            Exposure::Closed | Exposure::Readable => false,
            // What stands there stays its owner's.
            Exposure::Writable => !(folder.is_sticky() && config.key_file.exists()),
            // Where the database may lie there, too, it was looked at before.
            Exposure::Foreign => Some(folder_of(&config.key_file)) != config.database.path().map(folder_of),
        };
        if is_open {
            return Err(Fault::Permission(format!(
                "{}, and the key file {} is there; move it to a folder of yours alone, and set `key_file`",
                folder.says(exposure),
                config.key_file.display()
            )));
        }
    }
    check_private(&config.key_file, OTHERS)
}

/// Refuses a folder to which others may write, and one that they can look into. Of the latter, where it is
/// the current folder by default, it is the caller's business to warn: see [`folder_warning`].
///
/// # Errors
/// [`Fault::Permission`], with the commands that mend it.
pub fn check_folder(config: &Config) -> Result<(), Fault> {
    // What a link leads to is where SQLite puts its files, and who can write to the link's own folder can
    // have it lead elsewhere.
    let Some(database) = config.database.path() else {
        return Ok(());
    };
    let target = fs::canonicalize(database).ok();
    for file in [Some(database), target.as_deref()].into_iter().flatten() {
        let Some(folder) = Folder::of(file) else { continue };
        let exposure = folder.exposure();
        let is_refused = match exposure {
            Exposure::Closed => false,
            Exposure::Readable => !config.database_is_default,
            Exposure::Writable | Exposure::Foreign => true,
        };
        if is_refused {
            return Err(Fault::Permission(format!(
                "{}; {}",
                folder.says(exposure),
                folder.remedy(exposure, config)
            )));
        }
    }
    Ok(())
}

/// What is wrong with the mode of the database's folder; `None`: nothing.
#[must_use]
pub fn folder_warning(config: &Config) -> Option<String> {
    let folder = Folder::of(config.database.path()?)?;
    match folder.exposure() {
        Exposure::Closed => None,
        exposure => Some(format!(
            "{}, though not into authd's files; for more than a trial, use a folder of its own",
            folder.says(exposure)
        )),
    }
}

/// Makes the database's folder, for its owner alone, where there is none; the key file's, where the database
/// is on a server.
///
/// # Errors
/// [`Fault::Permission`].
pub fn prepare_folder(config: &Config) -> Result<(), Fault> {
    let folder = folder_of(config.database.path().unwrap_or(&config.key_file));
    if !folder.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| {
            Fault::Permission(format!(
                "the folder {} can't be made: {error}; {}",
                folder.display(),
                runs_as(&nearest(&folder))
            ))
        })?;
    }
    check_folder(config)
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
        ErrorKind::PermissionDenied => Fault::Permission(format!("{text}; {}", runs_as(&folder_of(path)))),
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

/// The first folder above that is there.
fn nearest(folder: &Path) -> PathBuf {
    let there = folder.ancestors().find(|above| above.exists() && !above.as_os_str().is_empty());
    there.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// Says whose a folder is, and who would write to it.
fn runs_as(folder: &Path) -> String {
    let me = geteuid().as_raw();
    match fs::metadata(folder) {
        Ok(found) => format!(
            "{} belongs to {} (mode {:04o}), and this runs as {}: run it as a user who may write there, or give the \
             folder to that one",
            folder.display(),
            user_name(found.uid()),
            found.mode() & 0o7777,
            user_name(me)
        ),
        Err(_) => format!("run this as a user who may write to {}", folder.display()),
    }
}

fn check_private(path: &Path, others: u32) -> Result<(), Fault> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.mode() & others != 0 => Err(Fault::Permission(format!(
            "{} has mode {:04o}, which lets others read it; run: chmod 600 {}",
            path.display(),
            metadata.mode() & 0o7777,
            word(path)
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
        Ok(uid) => format!("run this as its owner, {}, or with sudo", user_name(uid)),
        Err(_) => "run this as the user who owns it".into(),
    }
}
