//! The folder that a file of authd's lies in: who else may read there, or put files there. Whoever may put
//! files beside a database could leave a write-ahead log that SQLite takes in, or the key file of their own
//! that a first start takes for its own.
//!
//! Only the folder itself is looked at. Whoever may write to one above could put another folder in its
//! place, and that would be theirs, which is refused too; but root, who works in the folder of the daemon's
//! user, must name the right one.

use crate::config::Config;
use crate::error::Fault;
use crate::ports::{is_private_group, user_name};
use rustix::fs::{Access, access};
use rustix::process::geteuid;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const OTHERS: u32 = 0o077;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// Everybody may make files, and take away their own alone.
const STICKY: u32 = 0o1000;

/// How a database of SQLite begins (its file format, §1.3.1).
const SQLITE: &[u8; 16] = b"SQLite format 3\0";

/// What others than its owner may do in a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exposure {
    /// Nothing.
    Closed,
    /// Look into it, or go through it.
    Readable,
    /// Put files there.
    Writable,
    /// It belongs to somebody else, who may do what they like there.
    Foreign,
}

/// A folder as it is at this moment.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    uid: u32,
    gid: u32,
    mode: u32,
}

impl Folder {
    /// The folder that a file is in, or is to be. `None`: there is none, or it can't be looked at, which
    /// whoever opens the file will say.
    pub(super) fn of(file: &Path) -> Option<Self> {
        let path = folder_of(file);
        let metadata = fs::metadata(&path).ok()?;
        Some(Self { path, uid: metadata.uid(), gid: metadata.gid(), mode: metadata.mode() })
    }

    /// What others may do in it. Root works in the folders of the users that daemons run as.
    pub(super) fn exposure(&self) -> Exposure {
        let group_writes = self.mode & GROUP_WRITES != 0 && !is_private_group(self.gid, self.uid);
        if !is_trusted(self.uid) && !geteuid().is_root() {
            Exposure::Foreign
        } else if group_writes || self.mode & OTHERS_WRITE != 0 {
            Exposure::Writable
        } else if self.mode & OTHERS != 0 {
            Exposure::Readable
        } else {
            Exposure::Closed
        }
    }

    /// Whether what stands in it already is safe from all but its owner, though others may make files there.
    pub(super) const fn is_sticky(&self) -> bool {
        self.mode & STICKY != 0
    }

    /// Refuses a file that belongs to somebody who is neither the caller, nor root, nor, where root asks, the
    /// owner of the folder.
    pub(super) fn check_owner(&self, file: &Path) -> Result<(), Fault> {
        match fs::metadata(file) {
            // Nobody but root could read another's private file: whoever opens it says whose it is.
            Ok(found) if geteuid().is_root() && !is_trusted(found.uid()) && found.uid() != self.uid => {
                Err(planted(file, &found))
            }
            _ => Ok(()),
        }
    }

    /// What is so, for people: `others may put files into /tmp (mode 1777)`.
    pub(super) fn says(&self, exposure: Exposure) -> String {
        let (path, mode) = (self.path.display(), self.mode & 0o7777);
        match exposure {
            Exposure::Closed => format!("{path} is its owner's alone"),
            Exposure::Readable => format!("others can look into {path} (mode {mode:04o})"),
            Exposure::Writable => format!("others may put files into {path} (mode {mode:04o})"),
            Exposure::Foreign => {
                format!("{path} belongs to {}, who may put files there", user_name(self.uid))
            }
        }
    }

    /// What to do about it, with the commands. The mode of a folder is touched only where all that is in it
    /// is authd's: others may need what else is there.
    pub(super) fn remedy(&self, exposure: Exposure, config: &Config) -> String {
        if exposure == Exposure::Readable && self.may_be_changed() && self.holds_only_files_of(config) {
            return format!("run: chmod 700 {}", word(&self.path));
        }
        let run_as = match exposure {
            Exposure::Foreign => format!("run this as {}, or ", user_name(self.uid)),
            Exposure::Closed | Exposure::Readable | Exposure::Writable => String::new(),
        };
        let place = self.place_of_its_own(exposure);
        let make = self.command_to_make(&place);
        let from = config.database.path().unwrap_or(&config.key_file);
        let database = place.join(from.file_name().unwrap_or_default());
        if fs::metadata(from).is_ok_and(|found| found.len() > 0) && !is_another(from) {
            let moved = command_to_move(from, &config.key_file, &place);
            let database = database.display();
            return format!(
                "{run_as}stop the daemon and use a folder of its own: {make} && {moved}, then set `database` to {database}"
            );
        }
        format!("{run_as}use a folder of its own: {make} && export AUTHD_DATABASE={}", word(&database))
    }

    fn may_be_changed(&self) -> bool {
        geteuid().is_root() || self.uid == geteuid().as_raw()
    }

    /// Whether there is a database in it, with what authd keeps beside it, and nothing else.
    fn holds_only_files_of(&self, config: &Config) -> bool {
        let own = [config.database.path(), Some(&config.key_file)];
        let own: Vec<&OsStr> = own.into_iter().flatten().filter_map(Path::file_name).collect();
        let is_own = |name: &OsStr| {
            own.iter().any(|own| name.as_encoded_bytes().starts_with(own.as_encoded_bytes()))
                || name == crate::config::HERE
        };
        let names = fs::read_dir(&self.path).map(|entries| {
            entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>()
        });
        matches!(names, Ok(Ok(names)) if !names.is_empty() && names.iter().all(|name| is_own(name)))
    }

    /// A folder that doesn't exist yet: in this one, unless that would be no better.
    fn place_of_its_own(&self, exposure: Exposure) -> PathBuf {
        let is_root = geteuid().is_root();
        let elsewhere = match exposure {
            Exposure::Foreign => true,
            Exposure::Writable => is_root || self.is_sticky(),
            Exposure::Closed | Exposure::Readable => false,
        };
        let within = match (elsewhere, is_root) {
            (false, _) => self.path.clone(),
            (true, true) => PathBuf::from("/var/lib"),
            (true, false) => PathBuf::from("~"),
        };
        let free =
            ["authd", "authd-data"].map(|name| within.join(name)).into_iter().find(|path| !path.exists());
        free.unwrap_or_else(|| within.join("authd-database"))
    }

    fn command_to_make(&self, place: &Path) -> String {
        let (me, place, is_within) = (geteuid(), word(place), place.starts_with(&self.path));
        if is_within && me.is_root() && self.uid != 0 {
            return format!("install -d -m 700 -o {} {place}", self.uid);
        }
        if is_within && access(&self.path, Access::WRITE_OK).is_err() {
            return format!("sudo install -d -m 700 -o {me} {place}", me = me.as_raw());
        }
        format!("mkdir -m 700 {place}")
    }
}

/// Refuses files beside `file` that somebody else has put there, or that have a second name elsewhere.
pub(super) fn check_beside(file: &Path) -> Result<(), Fault> {
    let Ok(owner) = fs::metadata(file).map(|metadata| metadata.uid()) else {
        return Ok(());
    };
    let all = ["-wal", "-shm", "-journal"].map(|suffix| beside(file, suffix));
    for path in all {
        let Ok(found) = fs::symlink_metadata(&path) else { continue };
        let is_own = found.is_file() && found.nlink() == 1;
        if !is_own || (found.uid() != owner && !is_trusted(found.uid())) {
            return Err(planted(&path, &found));
        }
    }
    Ok(())
}

/// The folder that a file is in.
#[must_use]
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The file whose name is that of another with something after it.
#[must_use]
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Refuses a file to be read, such as a backup, in a folder of somebody who could change it meanwhile, and
/// one with files beside it that somebody else has put there. Who may read it is not asked: it is a copy.
///
/// # Errors
/// [`Fault::Permission`].
pub(in crate::usecase) fn check_copy(file: &Path) -> Result<(), Fault> {
    let Some(folder) = Folder::of(file) else {
        return Ok(());
    };
    if folder.exposure() == Exposure::Foreign {
        return Err(Fault::Permission(format!(
            "{}; copy {} into a folder of your own first",
            folder.says(Exposure::Foreign),
            file.display()
        )));
    }
    check_beside(file)
}

fn command_to_move(database: &Path, key_file: &Path, place: &Path) -> String {
    let is_here = folder_of(key_file) == folder_of(database);
    let key = if is_here { format!(" {}", word(key_file)) } else { String::new() };
    format!("mv {}*{key} {}/", word(database), word(place))
}

/// Whether a file can be read and is no database: nobody should be told to move it.
fn is_another(file: &Path) -> bool {
    let mut beginning = [0; SQLITE.len()];
    let read = File::open(file).map(|mut file| file.read_exact(&mut beginning));
    match read {
        Ok(Ok(())) => beginning != *SQLITE,
        Ok(Err(error)) => error.kind() == ErrorKind::UnexpectedEof,
        Err(_) => false,
    }
}

/// Whether a file of this user's may be believed: of the one who asks, or root.
fn is_trusted(uid: u32) -> bool {
    uid == 0 || uid == geteuid().as_raw()
}

fn planted(path: &Path, found: &Metadata) -> Fault {
    let (path, owner) = (path.display(), user_name(found.uid()));
    Fault::Permission(format!(
        "{path} belongs to {owner} or is a link, and authd has not put it there; look who did, and remove it"
    ))
}

/// A path as a shell takes it for one word. The home folder stays what it is.
pub(super) fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,=~".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_to_a_shell() {
        assert_eq!(word(Path::new("~/authd/a.db")), "~/authd/a.db");
        assert_eq!(word(Path::new("/tmp/a b; rm 'x'")), r"'/tmp/a b; rm '\''x'\'''");
    }
}
