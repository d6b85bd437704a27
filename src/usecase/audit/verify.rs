//! Proving the audit log: that every line is as authd wrote it, and that none is missing.

use crate::domain::audit::{ChainError, Mark};
use crate::domain::caller::Caller;
use crate::error::{Error, Fault};
use crate::store::audit::check::follow;
use crate::store::audit::head::{self, Ends};
use crate::usecase::app::App;
use crate::usecase::require;

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

/// Checks the whole log, and that it still holds the line `noted`, if there is one.
///
/// # Errors
/// `forbidden` without `audit:read`; the store's. A file too damaged to be read is a finding, not an error.
pub fn verify(app: &App, caller: &Caller, noted: Option<&Mark>) -> Result<Verification, Error> {
    require(caller, "audit:read")?;
    let mut verdict = Verification { first: 1, last: Mark::default(), flaw: None };
    match check(app, noted, &mut verdict) {
        Ok(flaw) => verdict.flaw = flaw,
        Err(Fault::Storage(text)) => verdict.flaw = Some(ChainError::Damaged(text)),
        Err(fault) => return Err(fault.into()),
    }
    Ok(verdict)
}

fn check(app: &App, noted: Option<&Mark>, verdict: &mut Verification) -> Result<Option<ChainError>, Fault> {
    let ends = match ends(app)? {
        Ok(ends) => ends,
        Err(flaw) => return Ok(Some(flaw)),
    };
    begin_after(&ends.anchor, verdict);
    while verdict.last.seq < ends.head.seq {
        let through = ends.head.seq.min(verdict.last.seq + PAGE);
        let flaw;
        (verdict.last, flaw) =
            app.store.read(|query| follow(query, app.store.chain(), &verdict.last, through))?;
        if let Some(flaw) = flaw
            && !pruned_meanwhile(app, verdict)?
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
    noted.map_or(Ok(None), |noted| compare(app, noted, &ends))
}

fn ends(app: &App) -> Result<Result<Ends, ChainError>, Fault> {
    app.store.read(|query| head::ends(query, app.store.chain()))
}

fn begin_after(anchor: &Mark, verdict: &mut Verification) {
    verdict.first = anchor.seq + 1;
    verdict.last = anchor.clone();
}

/// Whether somebody pruned the lines that are missing; then the check goes on behind them.
fn pruned_meanwhile(app: &App, verdict: &mut Verification) -> Result<bool, Fault> {
    match ends(app)? {
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
fn compare(app: &App, noted: &Mark, ends: &Ends) -> Result<Option<ChainError>, Fault> {
    let seq = noted.seq;
    if seq > ends.head.seq {
        return Ok(Some(ChainError::OlderThanNoted { seq }));
    }
    let found = if seq == ends.anchor.seq {
        Some(ends.anchor.clone())
    } else {
        app.store.read(|query| head::find_mark(query, seq))?
    };
    Ok(match found {
        None => Some(ChainError::NotedWasPruned { seq }),
        Some(found) if found != *noted => Some(ChainError::NotAsNoted { seq }),
        Some(_) => None,
    })
}
