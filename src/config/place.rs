//! Which configuration file counts: the one that is named, or else the first that is found and may be
//! believed. A file in the current folder may be somebody else's bait, who waits for root to come by.

use super::sources::Sources;
use crate::error::{Error, Fault, Refusal};
use crate::ports::user_name;
use rustix::fs::{AtFlags, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The file in the current folder.
pub const HERE: &str = "authd.toml";
/// The machine's. For root, who comes into other people's folders, it counts before the one there.
const SYSTEM: &str = "/etc/authd/authd.toml";

/// What the group and others may not have: the right to write.
const WRITABLE: u32 = 0o022;
/// The right to read, which they may not have where a password stands.
const READABLE: u32 = 0o044;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The file that counts and its text. `None`: there is none.
    pub file: Option<(PathBuf, String)>,
    /// Of files that were passed over, why, for people.
    pub warnings: Vec<String>,
}

/// Finds the file that counts, and reads it.
///
/// # Errors
/// `not_found` for a named file that is not there; [`Fault::Config`] for what is no text;
/// [`Fault::Permission`] for a file that may not be read.
pub fn find(sources: &Sources) -> Result<Found, Error> {
    let named = sources.file.clone().or_else(|| sources.variable("AUTHD_CONFIG").map(PathBuf::from));
    if let Some(path) = named {
        return match read(&sources.cwd, &path)? {
            Some(text) => Ok(Found { file: Some((path, text)), warnings: Vec::new() }),
            None => Err(Refusal::not_found("configuration file", path.display().to_string()).into()),
        };
    }
    let mut found = Found::default();
    if geteuid().is_root() && found.take_system(sources)? {
        return Ok(found);
    }
    match read_here(&sources.cwd)? {
        Here::Text(text) => {
            found.file = Some((HERE.into(), text));
            return Ok(found);
        }
        Here::PassedOver(why) => found.warnings.push(why),
        Here::Nothing => {}
    }
    found.take_system(sources)?;
    Ok(found)
}

impl Found {
    /// Whether the machine's file is there; then it counts.
    fn take_system(&mut self, sources: &Sources) -> Result<bool, Fault> {
        let text = read(&sources.cwd, Path::new(SYSTEM))?;
        self.file = text.map(|text| (SYSTEM.into(), text));
        Ok(self.file.is_some())
    }
}

/// What the current folder has.
enum Here {
    Nothing,
    Text(String),
    /// A file that somebody else could have written; why it doesn't count.
    PassedOver(String),
}

/// Reads the file of the current folder, unless somebody else could have put it there or written to it. The
/// folder is held open meanwhile: nobody can put another in its place.
fn read_here(cwd: &Path) -> Result<Here, Fault> {
    let path = cwd.join(HERE);
    // `sudo -u` leaves its user in folders that are closed to them: there is nothing to be found.
    let Ok(folder) = File::open(cwd) else {
        return Ok(Here::Nothing);
    };
    let found = match statat(&folder, HERE, AtFlags::empty()) {
        Ok(found) => found,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Here::Nothing),
        Err(error) => return Err(unreadable(Path::new(HERE), &error.into())),
    };
    let around = fstat(&folder).map_err(|error| unreadable(cwd, &error.into()))?;
    if let Some(why) = distrust(&around, cwd).or_else(|| distrust(&found, &path)) {
        let path = path.display();
        return Ok(Here::PassedOver(format!(
            "{path} was passed over: {why}; --config {HERE} takes it as it is"
        )));
    }
    let text = openat(&folder, HERE, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(io::Error::from)
        .and_then(|file| io::read_to_string(File::from(file)));
    text.map(Here::Text).map_err(|error| unreadable(Path::new(HERE), &error))
}

/// Why somebody else could have written what a file or folder holds. `None`: nobody but root and the caller.
fn distrust(of: &Stat, path: &Path) -> Option<String> {
    let shown = path.display();
    if ![geteuid().as_raw(), 0].contains(&of.st_uid) {
        return Some(format!("{shown} belongs to {}, who may want you to read it", user_name(of.st_uid)));
    }
    (of.st_mode & WRITABLE != 0).then(|| {
        format!("others may write to {shown} (mode {:04o}); run: chmod go-w {shown}", of.st_mode & 0o7777)
    })
}

/// Whether the group or others may read a file.
pub fn others_may_read(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.mode() & READABLE != 0)
}

/// `None` when there is no such file.
fn read(cwd: &Path, path: &Path) -> Result<Option<String>, Fault> {
    match std::fs::read_to_string(cwd.join(path)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    let shown = path.display();
    match error.kind() {
        ErrorKind::PermissionDenied => Fault::Permission(format!(
            "{shown}: this user may not read it; run this as the user that the daemon runs as, or with sudo"
        )),
        ErrorKind::InvalidData => Fault::Config(format!("{shown}: must be UTF-8 text")),
        _ => Fault::Config(format!("{shown}: can't be read: {error}")),
    }
}
