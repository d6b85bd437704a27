//! Putting a backup in the database's place.
//!
//! All that is done to the backup is done to a copy of it, under another name, before that takes the
//! database's name from one moment to the next: a restore that dies on the way has changed nothing.
//!
//! Whoever could write to the backup could have given themselves an account, or left a trigger in it. So its
//! MAC is asked for, and its schema must be authd's own.
//!
//! A backup knows nothing of what was ended after it was taken. So that no token, link or code lives
//! again, whatever of the kind stands in it ends with the restore. Keys and recovery codes, which live for
//! years, come back only where the database that is replaced still held them good.

mod withhold;

pub use withhold::Withheld;

use super::backup_mac;
use crate::config::Config;
use crate::crypto::root_key::{Purpose, RootKey};
use crate::crypto::totp;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::Store;
use crate::store::audit::chain::Chain;
use crate::store::audit::check;
use crate::store::sqlite::fault;
use crate::store::sqlite::file;
use crate::store::sqlite::file::{DatabaseFile, Stop};
use crate::store::sqlite::inspect;
use crate::store::sqlite::schema::MigrationStep;
use crate::store::sqlite::version::VERSION;
use crate::store::tables::{link_requests, links, mails, registrations, second_factor, sessions, tickets};
use crate::usecase::app::database_lock::DatabaseLock;
use crate::usecase::app::files;
use crate::usecase::app::temp_file::TempFile;
use crate::usecase::app::{Ports, root_key};
use crate::usecase::require;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use withhold::StillValid;

/// A backup, and whether it must be proven that authd wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    pub file: PathBuf,
    pub trust: Trust,
}

/// Why a backup's content is believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// The MAC beside it is that of its content.
    Proven,
    /// The operator knows where it comes from.
    Given,
}

/// What a restore came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    pub database: PathBuf,
    pub trust: Trust,
    /// Where the database is that was replaced; `None`: there was none.
    pub kept: Option<PathBuf>,
    /// The newest line of the audit log that stands in the backup.
    pub line: i64,
    /// The steps that brought the backup's schema up.
    pub steps: Vec<MigrationStep>,
    pub ended: Ended,
    /// `None`: there was no database to compare with, or it can't be read, and all of the backup's came back.
    pub withheld: Option<Withheld>,
}

/// What of the backup doesn't live on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    pub sessions: u64,
    /// Those of registrations that wait, too, which end.
    pub links: u64,
    /// Logins that waited for their second step.
    pub tickets: u64,
    /// Mails that were queued: whether they were sent since, nobody knows. `mail retry` sends them.
    pub mails: u64,
}

/// Replaces the database by a backup, or makes it from one where there is none.
///
/// # Errors
/// `not_found` for a missing file, `validation_failed` for one that is no sound backup of authd's, or that
/// the key file doesn't open; [`Fault::CheckFailed`] for one that is not proven though it must be, or whose
/// schema is not authd's own; [`Fault::StorageUnavailable`] while a daemon or another command has the
/// database open, and when `stop` is set. Then nothing was changed.
pub fn restore(
    config: &Config,
    ports: &Ports,
    caller: &Caller,
    source: &Source,
    stop: &Stop,
) -> Result<Restored, Error> {
    require(caller, "database:write")?;
    files::prepare_folder(config)?;
    let lock = DatabaseLock::alone(&config.database)?;
    files::check(config)?;
    let root = root_key::existing(config)?;
    let copy = TempFile::beside(lock.database(), lock.database())?;
    let line = copy_sound(source, &copy, &root, stop)?;
    let chain_key = root.derive(Purpose::AuditChain);
    let of_file = |fault| in_backup(fault, &source.file);
    let steps = Store::migrate(copy.path(), &*ports.clock, caller, &chain_key).map_err(of_file)?;
    let store = Store::open(copy.path(), Arc::clone(&ports.clock), &chain_key, 1).map_err(of_file)?;
    let still_valid = still_valid(lock.database(), stop)?;
    let (ended, withheld) = end_what_lived(&store, caller, (line, source.trust), still_valid)?;
    drop(store);
    // The last to close it folds its write-ahead log, but says nothing where it can't: without it, the
    // sessions of the backup would live.
    file::fold(copy.path())?;
    let kept = put_away(lock.database(), ports)?;
    copy.replace(lock.database())?;
    let (database, trust) = (config.database.clone(), source.trust);
    Ok(Restored { database, trust, kept, line, steps, ended, withheld })
}

/// Looks at what needs no more than a glance and would keep [`restore`] from its work, and changes nothing:
/// for whoever is about to be asked.
///
/// # Errors
/// As [`restore`]: nobody else may have the database open, and the file must be there, with its MAC where it
/// is to be proven.
pub fn look(config: &Config, caller: &Caller, source: &Source) -> Result<(), Error> {
    require(caller, "database:write")?;
    check_there(&source.file)?;
    if source.trust == Trust::Proven {
        backup_mac::check_there(&source.file)?;
    }
    files::prepare_folder(config)?;
    DatabaseLock::alone(&config.database)?;
    Ok(())
}

fn check_there(file: &Path) -> Result<(), Error> {
    if !files::exists(file)? {
        return Err(Refusal::not_found("file", file.display().to_string()).into());
    }
    File::open(file).map_err(|error| {
        Fault::Permission(format!("{} can't be read: {error}; {}", file.display(), files::run_as(file)))
    })?;
    Ok(())
}

/// Copies the backup after looking whether it is one; gives its newest line of the audit log.
fn copy_sound(source: &Source, copy: &TempFile, root: &RootKey, stop: &Stop) -> Result<i64, Error> {
    let file = source.file.as_path();
    check_there(file)?;
    let unsound = |why: &str| Refusal::invalid("file", "invalid", format!("{} {why}", file.display()));
    let to_look_at = match source.trust {
        Trust::Proven => {
            backup_mac::copy_proven(file, copy, root, stop)?;
            copy.path()
        }
        Trust::Given => file,
    };
    let look = || {
        let source = DatabaseFile::open(to_look_at, stop)?;
        let belongs = root_key::check(&source, root);
        let chain = Chain::new(&root.derive(Purpose::AuditChain));
        Ok((inspect::integrity_problems(&source)?, belongs, check::end(&source, &chain)?, source))
    };
    let (problems, belongs, end, found) = match look() {
        Err(Fault::Storage(why)) => return Err(unsound(&not_to_be_restored(&why)).into()),
        other => other?,
    };
    if let Some(problem) = problems.first() {
        return Err(unsound(&format!("is damaged ({problem}); take another backup")).into());
    }
    match belongs {
        Err(Fault::Config(why)) => return Err(unsound(&format!("can't be opened: {why}")).into()),
        Ok(false) => return Err(unsound("was never opened by authd; take another backup").into()),
        other => other?,
    };
    let Ok(newest) = end else {
        return Err(unsound("has an audit log that doesn't end where it should; take another backup").into());
    };
    if source.trust == Trust::Given {
        found.copy_into(copy.path())?;
    }
    Ok(newest.seq)
}

/// What was found in the copy was in the backup.
fn in_backup(fault: Fault, file: &Path) -> Fault {
    match fault {
        Fault::CheckFailed(why) => Fault::CheckFailed(format!("{}: {why}", file.display())),
        other => other,
    }
}

/// What is said of a damaged database is to restore a backup, which is no advice here.
fn not_to_be_restored(why: &str) -> String {
    match why.strip_suffix(fault::ADVICE) {
        Some(damage) => format!("can't be restored: {damage}; take another backup"),
        None => format!("can't be restored: {why}"),
    }
}

/// `None`: there is no database, or none that can be read by this binary; a restore is what mends that.
fn still_valid(database: &Path, stop: &Stop) -> Result<Option<StillValid>, Fault> {
    if !files::exists(database)? {
        return Ok(None);
    }
    let read = || {
        let replaced = DatabaseFile::open(database, stop)?;
        if replaced.version() == VERSION { StillValid::read(&replaced).map(Some) } else { Ok(None) }
    };
    match read() {
        Err(Fault::Storage(_)) => Ok(None),
        other => other,
    }
}

fn end_what_lived(
    store: &Store,
    caller: &Caller,
    (line, trust): (i64, Trust),
    still_valid: Option<StillValid>,
) -> Result<(Ended, Option<Withheld>), Error> {
    store.write(caller, move |tx| {
        let ended = Ended {
            sessions: sessions::end_all(tx)?,
            links: links::delete_all(tx)? + link_requests::delete_all(tx)? + registrations::delete_all(tx)?,
            tickets: tickets::delete_all(tx)?,
            mails: mails::fail_queued(
                tx,
                "a backup was restored before it was sent, or after; retry it if it is needed",
            )?,
        };
        second_factor::spend_steps(tx, totp::newest_acceptable(tx.now()))?;
        let withheld = match &still_valid {
            Some(still_valid) => Some(still_valid.delete_the_rest(tx)?),
            None => None,
        };
        tx.audit(
            &Event::DatabaseRestored { line, sessions: ended.sessions, verified: trust == Trust::Proven },
            Subject::default(),
        )?;
        Ok(Decision::Grant((ended, withheld)))
    })
}

/// Gives the database that is there a second name, under which it stays, whole. Its write-ahead log must be
/// gone before another file has its name: SQLite would apply it to that one.
fn put_away(database: &Path, ports: &Ports) -> Result<Option<PathBuf>, Fault> {
    if !files::exists(database)? {
        return Ok(None);
    }
    let time: String = ports.clock.now().to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    let kept = files::beside(database, &format!(".before-restore-{time}"));
    let fails = |error| files::cannot_write(&kept, &error);
    let kept_files = files::database_files(&kept);
    if kept.exists() {
        return Err(Fault::StorageUnavailable(format!(
            "{} exists already; try again in a second",
            kept.display()
        )));
    }
    match file::fold(database) {
        // Too damaged to be folded: the log goes along, for whoever wants to mend it.
        Ok(()) | Err(Fault::Storage(_)) => {}
        Err(fault) => return Err(fault),
    }
    let [_, log, index] = files::database_files(database).try_into().expect("a database has three files");
    if log.exists() {
        fs::rename(log, &kept_files[1]).map_err(fails)?;
    }
    if index.exists() {
        fs::remove_file(index).map_err(fails)?;
    }
    fs::hard_link(database, &kept).map_err(fails)?;
    files::sync_folder_of(database)?;
    Ok(Some(kept))
}
