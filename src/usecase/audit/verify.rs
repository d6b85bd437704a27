//! Proving the audit log: that every line is as authd wrote it, and that none is missing.

use crate::config::{Config, Database, ServerUrl};
use crate::crypto::root_key::Purpose;
use crate::domain::audit::{ChainError, Mark};
use crate::domain::caller::Caller;
use crate::error::{Error, Fault, Refusal};
use crate::ports::progress::{Progress, Unit};
use crate::store::audit::chain::Chain;
use crate::store::audit::check::follow;
use crate::store::audit::head::{self, Ends};
use crate::store::audit::inbox;
use crate::store::schema;
use crate::store::sqlite::file::DatabaseFile;
use crate::store::tx::Query;
use crate::store::{Connected, Gather, Store};
use crate::usecase::app::folder::check_copy;
use crate::usecase::app::{Ports, files, root_key, server_address};
use crate::usecase::require;
use std::path::Path;

/// How many lines are checked in one read, so that the write-ahead log can be folded back meanwhile.
const PAGE: i64 = 10_000;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The first line that there is; 1 unless some were pruned.
    pub first: i64,
    /// The last line that was found good.
    pub last: Mark,
    /// `None`: the log is whole up to the line that was the newest when the check began.
    pub flaw: Option<ChainError>,
}

impl Verification {
    /// How many lines were found good.
    #[must_use]
    pub const fn lines(&self) -> i64 {
        self.last.seq - self.first + 1
    }
}

/// Checks the whole log of the configured database, and that it still holds the line `noted`, if there is
/// one. The database may be a copy, in any folder whose owner is trusted: nobody needs to be able to write
/// to it, and nothing is made beside it.
///
/// # Errors
/// `forbidden` without `audit:read`; `not_found`; [`Fault::Permission`] for files that can't be read, or
/// that somebody else could change meanwhile; [`Fault::Config`] for the key file of another database;
/// [`Fault::Storage`] for another schema, [`Fault::CheckFailed`] for one that somebody has changed;
/// [`Fault::Stopped`] when somebody asked for that; the store's. A log too damaged to be read is a finding,
/// not an error.
pub fn verify(
    config: &Config,
    caller: &Caller,
    noted: Option<&Mark>,
    progress: &Progress,
) -> Result<Verification, Error> {
    require(caller, "audit:read")?;
    match &config.database {
        Database::File(database) => verify_file(config, database, noted, progress),
        Database::Server(url) => verify_on_server(config, url, noted, progress),
    }
}

/// What waits in the inbox is sealed first, so that whoever verifies sees what was done before.
fn verify_on_server(
    config: &Config,
    url: &ServerUrl,
    noted: Option<&Mark>,
    progress: &Progress,
) -> Result<Verification, Error> {
    files::check_key(config)?;
    let root = root_key::existing(config)?;
    let chain_key = root.derive(Purpose::AuditChain);
    let connected = Connected::to(&server_address::address(config, url)?)?;
    let store = Store::open_on_server_unseen(connected, Ports::real().clock, &chain_key)?;
    store.read(|query| root_key::check(query, &root))?;
    let unsealed = match store.seal_log(Gather::Nothing) {
        Ok(_) => None,
        // What is wrong with the lines says more, where anything is.
        Err(Fault::Storage(why)) => Some(why),
        Err(fault) => return Err(fault.into()),
    };
    Ok(store.read(|query| {
        let mut verdict = verdict(query, store.chain(), noted, progress)?;
        let (_, lines) = inbox::count(query)?;
        if verdict.flaw.is_none() && lines > 0 {
            verdict.flaw = Some(ChainError::Inbox { lines });
        }
        // A line that is wrong says more than the trigger that is missing since.
        if verdict.flaw.is_none() {
            schema::check_objects(query)?;
            verdict.flaw = unsealed.map(ChainError::Damaged);
        }
        Ok(verdict)
    })?)
}

fn verify_file(
    config: &Config,
    database: &Path,
    noted: Option<&Mark>,
    progress: &Progress,
) -> Result<Verification, Error> {
    if !files::exists(database)? {
        let advice = format!("{}; set `database`, or name another with --database", database.display());
        return Err(Refusal::not_found("database", advice).into());
    }
    files::check_readable(database)?;
    check_copy(database)?;
    files::check_key(config)?;
    let root = root_key::existing(config)?;
    let chain = Chain::new(&root.derive(Purpose::AuditChain));
    let verdict = DatabaseFile::look(database, progress, |file| {
        schema::check(file)?;
        root_key::check(file, &root)?;
        let verdict = verdict(file, &chain, noted, progress)?;
        // A line that is wrong says more than the trigger that is missing since.
        if verdict.flaw.is_none() {
            file.check_objects()?;
        }
        Ok(verdict)
    })?;
    Ok(verdict)
}

/// Each statement is a short read of its own.
pub(in crate::usecase) fn verdict(
    query: &impl Query,
    chain: &Chain,
    noted: Option<&Mark>,
    progress: &Progress,
) -> Result<Verification, Fault> {
    let mut verdict = Verification { first: 1, last: Mark::default(), flaw: None };
    match check(query, chain, noted, &mut verdict, progress) {
        Ok(flaw) => verdict.flaw = flaw,
        Err(Fault::Storage(text)) => verdict.flaw = Some(ChainError::Damaged(text)),
        Err(fault) => return Err(fault),
    }
    Ok(verdict)
}

fn check(
    query: &impl Query,
    chain: &Chain,
    noted: Option<&Mark>,
    verdict: &mut Verification,
    progress: &Progress,
) -> Result<Option<ChainError>, Fault> {
    let ends = match head::ends(query, chain)? {
        Ok(ends) => ends,
        Err(flaw) => return Ok(Some(flaw)),
    };
    begin_after(&ends.anchor, verdict);
    let all = ends.head.seq - ends.anchor.seq;
    progress.begin("checking", Unit::Things("lines"), u64::try_from(all).ok());
    while verdict.last.seq < ends.head.seq {
        if progress.is_stopped() {
            return Err(stopped(verdict));
        }
        let through = ends.head.seq.min(verdict.last.seq + PAGE);
        let flaw;
        (verdict.last, flaw) = follow(query, chain, &verdict.last, through)?;
        progress.set((verdict.last.seq - ends.anchor.seq).unsigned_abs());
        if let Some(flaw) = flaw
            && !pruned_meanwhile(query, chain, verdict)?
        {
            return Ok(Some(cut_or(flaw, &ends)));
        }
    }
    if verdict.last.seq == ends.head.seq && verdict.last.hash != ends.head.hash {
        return Ok(Some(ChainError::Head));
    }
    if ends.highest > ends.head.seq {
        return Ok(Some(ChainError::Strange { seq: ends.highest }));
    }
    noted.map_or(Ok(None), |noted| compare(query, noted, &ends))
}

fn stopped(verdict: &Verification) -> Fault {
    let lines = verdict.lines();
    Fault::Stopped(match lines {
        0 => "nothing was checked, and nothing was changed".into(),
        _ => format!("the first {lines} lines are whole, the rest was not checked; nothing was changed"),
    })
}

fn begin_after(anchor: &Mark, verdict: &mut Verification) {
    verdict.first = anchor.seq + 1;
    verdict.last = anchor.clone();
}

/// Whether somebody pruned the lines that are missing; then the check goes on behind them.
fn pruned_meanwhile(query: &impl Query, chain: &Chain, verdict: &mut Verification) -> Result<bool, Fault> {
    match head::ends(query, chain)? {
        Ok(now) if now.anchor.seq > verdict.last.seq => {
            begin_after(&now.anchor, verdict);
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Where no line comes any more, the end was cut.
fn cut_or(flaw: ChainError, ends: &Ends) -> ChainError {
    match flaw {
        ChainError::Missing { seq } if seq > ends.highest => ChainError::Cut { seq },
        other => other,
    }
}

/// Looks for a line that was noted earlier in the log that was just found good.
fn compare(query: &impl Query, noted: &Mark, ends: &Ends) -> Result<Option<ChainError>, Fault> {
    let seq = noted.seq;
    if seq > ends.head.seq {
        return Ok(Some(ChainError::OlderThanNoted { seq }));
    }
    let found = if seq == ends.anchor.seq { Some(ends.anchor.clone()) } else { head::find_mark(query, seq)? };
    Ok(match found {
        None => Some(ChainError::NotedWasPruned { seq }),
        Some(found) if found != *noted => Some(ChainError::NotAsNoted { seq }),
        Some(_) => None,
    })
}
