//! Putting a backup in the database's place.
//!
//! All that is done to the backup is done to a copy of it, under another name, before that takes the
//! database's name from one moment to the next: a restore that dies on the way has changed nothing.
//!
//! Whoever could write to the backup could have given themselves an account, or left a trigger in it. So its
//! MAC is asked for, and its schema must be authd's own.
//!
//! A backup knows nothing of what was ended after it was taken. So that no token, link or code lives again,
//! whatever of the kind stands in it ends with the restore. API keys and recovery codes, which live for
//! years, come back only where the database that is replaced still held them good; where there is none to
//! ask, all of them do, or a lost disk would lock everybody out. Signing keys come back only where that
//! database signs with them still: one that leaked and was retired must not sign again, and with all
//! sessions over, nobody needs the others. Where none is left, a new one is made.

mod server;
mod withhold;

pub use withhold::Withheld;

use super::{alone, backup_mac};
use crate::config::{Config, Database};
use crate::crypto::root_key::{Purpose, RootKey};
use crate::crypto::seal::Sealer;
use crate::crypto::totp;
use crate::domain::audit::{ChainError, Event, Mark, Subject};
use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::progress::{Progress, Unit};
use crate::store::Store;
use crate::store::audit::chain::Chain;
use crate::store::audit::check;
use crate::store::sqlite::fault;
use crate::store::sqlite::fault::check_stop;
use crate::store::sqlite::file;
use crate::store::sqlite::file::DatabaseFile;
use crate::store::sqlite::inspect;
use crate::store::sqlite::schema::MigrationStep;
use crate::store::tables::keys::{self, StoredKey};
use crate::store::tables::{
    link_requests, links, magic_requests, mails, oauth_attempts, oauth_codes, passkeys, registrations,
    second_factor, sessions, tickets,
};
use crate::store::version::VERSION;
use crate::usecase::app::database_lock::DatabaseLock;
use crate::usecase::app::files;
use crate::usecase::app::folder::check_copy;
use crate::usecase::app::keyring::{self, Keyring};
use crate::usecase::app::temp_file::TempFile;
use crate::usecase::app::{App, IfMissing, Ports, root_key};
use crate::usecase::require;
use crate::usecase::signin::passkey::ceremony::CEREMONY_TTL;
use std::fs;
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
    pub database: Database,
    pub trust: Trust,
    /// Where the database is that was replaced; `None`: there was none.
    pub kept: Option<PathBuf>,
    /// The newest line of the audit log that stands in the backup.
    pub line: i64,
    /// The steps that brought the backup's schema up.
    pub steps: Vec<MigrationStep>,
    pub ended: Ended,
    /// `None`: there was no database to compare with, or it can't be read: all API keys and recovery codes
    /// of the backup came back, and no signing key.
    pub withheld: Option<Withheld>,
    /// The name of the signing key that was made. `None`: one of the backup's signs.
    pub new_signing_key: Option<String>,
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
/// database open; [`Fault::Stopped`] when somebody asked for that. Then nothing was changed.
pub fn restore(
    config: &Config,
    ports: &Ports,
    caller: &Caller,
    source: &Source,
    progress: &Progress,
) -> Result<Restored, Error> {
    require(caller, "database:write")?;
    match &config.database {
        Database::File(path) => restore_file(config, path, ports, caller, source, progress),
        Database::Server(url) => server::restore(config, url, ports, caller, source, progress),
    }
}

fn restore_file(
    config: &Config,
    database: &Path,
    ports: &Ports,
    caller: &Caller,
    source: &Source,
    progress: &Progress,
) -> Result<Restored, Error> {
    files::prepare_folder(config)?;
    let lock = DatabaseLock::alone(database)?;
    files::check(config)?;
    let root = root_key::existing(config)?;
    let copy = TempFile::beside(lock.database(), lock.database())?;
    let line = copy_sound(source, &copy, &root, progress)?;
    let still_valid = still_valid(lock.database(), progress)?;
    let Prepared { steps, ended, withheld, new_signing_key } =
        prepare(config, ports, caller, source, &copy, line, &root, still_valid, progress)?;
    // The last moment at which nothing was changed: what comes now takes no time, and is done to its end.
    check_stop(progress)?;
    let kept = put_away(lock.database(), ports)?;
    copy.replace(lock.database())?;
    let (database, trust) = (config.database.clone(), source.trust);
    Ok(Restored { database, trust, kept, line, steps, ended, withheld, new_signing_key })
}

/// What a copy of a backup came to that is ready to be the database.
struct Prepared {
    steps: Vec<MigrationStep>,
    ended: Ended,
    withheld: Option<Withheld>,
    new_signing_key: Option<String>,
}

/// Brings the copy's schema up, and ends in it what must not come back.
#[allow(clippy::too_many_arguments, reason = "each is another thing, and two callers name them alike")]
fn prepare(
    config: &Config,
    ports: &Ports,
    caller: &Caller,
    source: &Source,
    copy: &TempFile,
    line: i64,
    root: &RootKey,
    still_valid: Option<StillValid>,
    progress: &Progress,
) -> Result<Prepared, Error> {
    let chain_key = root.derive(Purpose::AuditChain);
    let of_file = |fault| in_backup(fault, &source.file);
    let steps = Store::migrate(copy.path(), &*ports.clock, caller, &chain_key, progress).map_err(of_file)?;
    let store = Store::open(copy.path(), Arc::clone(&ports.clock), &chain_key, 1).map_err(of_file)?;
    progress.begin("ending what must not come back", Unit::Nothing, None);
    let end = End { line, trust: source.trust, still_valid, spare_key: spare_key(config, ports, root)? };
    let (ended, withheld, new_signing_key) = end.what_lived(&store, caller)?;
    drop(store);
    // The last to close it folds its write-ahead log, but says nothing where it can't: without it, the
    // sessions of the backup would live.
    file::fold(copy.path())?;
    Ok(Prepared { steps, ended, withheld, new_signing_key })
}

fn spare_key(config: &Config, ports: &Ports, root: &RootKey) -> Result<StoredKey, Fault> {
    Keyring::new(Sealer::new(root, Purpose::SigningKeys), &config.tokens).generate(ports)
}

/// Ends what must not come back in a database that other means have restored: `pg_restore`, a server that was
/// set back in time, a copy that was put in a file's place.
///
/// # Errors
/// `not_found` where there is no database; [`Fault::StorageUnavailable`] while a daemon serves it; as
/// `App::open`.
pub fn restored(config: &Config, ports: &Ports, caller: &Caller) -> Result<Restored, Error> {
    require(caller, "database:write")?;
    alone::check(config)?;
    let app = App::open(config.clone(), ports.clone(), IfMissing::Refuse)?;
    let root = root_key::existing(config)?;
    let newest = app.store.read_log(|query| check::end(query, app.store.chain()))?;
    let line = newest.map_err(|flaw| Fault::CheckFailed(format!("{flaw}; nothing was changed")))?.seq;
    let end =
        End { line, trust: Trust::Given, still_valid: None, spare_key: spare_key(config, ports, &root)? };
    let (ended, withheld, new_signing_key) = end.what_lived(&app.store, caller)?;
    Ok(Restored {
        database: config.database.clone(),
        trust: Trust::Given,
        kept: None,
        line,
        steps: Vec::new(),
        ended,
        withheld,
        new_signing_key,
    })
}

/// Looks at what needs no more than a glance and would keep [`restore`] from its work, and changes nothing:
/// for whoever is about to be asked.
///
/// # Errors
/// As [`restore`]: nobody else may have the database open, and the file must be there, with its MAC where it
/// is to be proven.
pub fn look(config: &Config, caller: &Caller, source: &Source) -> Result<(), Error> {
    require(caller, "database:write")?;
    files::check_readable(&source.file)?;
    match source.trust {
        Trust::Proven => backup_mac::check_there(&source.file)?,
        Trust::Given => check_copy(&source.file)?,
    }
    files::prepare_folder(config)?;
    match &config.database {
        Database::File(path) => DatabaseLock::alone(path).map(drop)?,
        Database::Server(_) => alone::check(config)?,
    }
    Ok(())
}

/// Copies the backup after looking whether it is one; gives its newest line of the audit log.
fn copy_sound(source: &Source, copy: &TempFile, root: &RootKey, progress: &Progress) -> Result<i64, Error> {
    let file = source.file.as_path();
    files::check_readable(file)?;
    let unsound = |why: &str| Refusal::invalid("file", "invalid", format!("{} {why}", file.display()));
    progress.begin("checking the backup", Unit::Nothing, None);
    let found = match source.trust {
        Trust::Proven => {
            backup_mac::copy_proven(file, copy, root, progress)?;
            DatabaseFile::open(copy.path(), progress).and_then(|copied| Found::in_file(&copied, root))
        }
        Trust::Given => {
            check_copy(file)?;
            DatabaseFile::look(file, progress, |given| {
                let found = Found::in_file(given, root)?;
                copy.empty()?;
                given.copy_into(copy.path()).map(|()| found)
            })
        }
    };
    let found = match found {
        Err(Fault::Storage(why)) => return Err(unsound(&not_to_be_restored(&why)).into()),
        other => other?,
    };
    if let Some(problem) = found.problems.first() {
        return Err(unsound(&format!("is damaged ({problem}); take another backup")).into());
    }
    match found.belongs {
        Err(Fault::Config(why)) => return Err(unsound(&format!("can't be opened: {why}")).into()),
        Ok(false) => return Err(unsound("was never opened by authd; take another backup").into()),
        other => other?,
    };
    let Ok(newest) = found.end else {
        return Err(unsound("has an audit log that doesn't end where it should; take another backup").into());
    };
    Ok(newest.seq)
}

/// What a look at a backup came to.
struct Found {
    problems: Vec<String>,
    /// Whether the key file opens it: see [`root_key::check`].
    belongs: Result<bool, Fault>,
    /// The newest line of its log.
    end: Result<Mark, ChainError>,
}

impl Found {
    fn in_file(file: &DatabaseFile, root: &RootKey) -> Result<Self, Fault> {
        let chain = Chain::new(&root.derive(Purpose::AuditChain));
        Ok(Self {
            problems: inspect::integrity_problems(file)?,
            belongs: root_key::check(file, root),
            end: check::end(file, &chain)?,
        })
    }
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
fn still_valid(database: &Path, progress: &Progress) -> Result<Option<StillValid>, Fault> {
    if !files::exists(database)? {
        return Ok(None);
    }
    let read = || {
        let replaced = DatabaseFile::open(database, progress)?;
        if replaced.version() == VERSION { StillValid::read(&replaced).map(Some) } else { Ok(None) }
    };
    match read() {
        Err(Fault::Storage(_)) => Ok(None),
        other => other,
    }
}

/// What decides what of the backup lives on.
struct End {
    /// The newest line of its log.
    line: i64,
    trust: Trust,
    still_valid: Option<StillValid>,
    /// What signs where no key of the backup does.
    spare_key: StoredKey,
}

impl End {
    fn what_lived(
        self,
        store: &Store,
        caller: &Caller,
    ) -> Result<(Ended, Option<Withheld>, Option<String>), Error> {
        store.write(caller, move |tx| {
            let links = links::delete_all(tx)? + link_requests::delete_all(tx)?;
            magic_requests::delete_all(tx)?;
            oauth_attempts::delete_all(tx)?;
            oauth_codes::delete_all(tx)?;
            let ended = Ended {
                sessions: sessions::end_all(tx)?,
                links: links + registrations::delete_all(tx)?,
                tickets: tickets::delete_all(tx)?,
                mails: mails::fail_queued(
                    tx,
                    "a backup was restored before it was sent, or after; retry it if it is needed",
                )?,
            };
            passkeys::void_ceremonies(tx, tx.now().plus(CEREMONY_TTL))?;
            second_factor::spend_steps(tx, totp::newest_acceptable(tx.now()))?;
            let withheld = match &self.still_valid {
                Some(still_valid) => Some(still_valid.delete_the_rest(tx)?),
                None => {
                    withhold::delete_signing_keys(tx, |_| false)?;
                    None
                }
            };
            let verified = self.trust == Trust::Proven;
            tx.audit(
                &Event::DatabaseRestored { line: self.line, sessions: ended.sessions, verified },
                Subject::default(),
            )?;
            if keys::find_current(tx)?.is_some() {
                return Ok(Decision::Grant((ended, withheld, None)));
            }
            keyring::insert_first(tx, &self.spare_key)?;
            Ok(Decision::Grant((ended, withheld, Some(self.spare_key.kid.clone()))))
        })
    }
}

/// Gives the database that is there a second name, under which it stays, whole. Its write-ahead log must be
/// gone before another file has its name: SQLite would apply it to that one.
fn put_away(database: &Path, ports: &Ports) -> Result<Option<PathBuf>, Fault> {
    if !files::exists(database)? {
        return Ok(None);
    }
    let kept = files::kept_name(database, "before-restore", ports.clock.now());
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
