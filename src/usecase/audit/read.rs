//! Reading the audit log. Writing it is part of every change, in the same transaction.
//!
//! However long the log is, it is read in pages, each a short read of its own, so that the write-ahead log
//! can be folded back meanwhile.

use crate::domain::audit::{Event, Line, Subject};
use crate::domain::caller::Caller;
use crate::domain::cursor;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Fault};
use crate::ports::progress::{Progress, Unit};
use crate::store::audit::log;
use crate::store::audit::log::Filter;
use crate::store::page::Paged;
use crate::usecase::account::reference::{UserRef, find_in};
use crate::usecase::app::App;
use crate::usecase::paging::{check_limit, start};
use crate::usecase::require;
use std::ops::RangeInclusive;
use std::time::Duration;

/// By how much a line may be older than the one before it: where several daemons write, none of them waits
/// for another's.
const APART: Duration = Duration::from_secs(5);

/// How many lines are looked at in one read.
const PAGE: i64 = 10_000;

/// How many of them are held in memory when all are wanted.
const EXPORTED: i64 = 1_000;

/// What to look for. `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub since: Option<Timestamp>,
    /// Only lines before then.
    pub until: Option<Timestamp>,
    /// By address or id; an id of a deleted account still finds its lines.
    pub user: Option<UserRef>,
    /// Names of events, such as `LoginFailed`: any of these. Empty: all.
    pub events: Vec<String>,
}

/// A place in the log from which a reader goes on.
#[derive(Clone, Debug)]
pub struct Position {
    filter: Filter,
    /// The last line that was looked at.
    seen: i64,
}

/// The newest `limit` lines that match, oldest first, and where a follower goes on.
///
/// # Errors
/// `forbidden` without `audit:read`; `not_found` for an unknown address; the store's.
pub fn tail(app: &App, caller: &Caller, wanted: &Wanted, limit: u32) -> Result<(Vec<Line>, Position), Error> {
    require(caller, "audit:read")?;
    let filter = filter(app, wanted)?;
    let numbers = numbers(app, &filter, log::ALL)?;
    let seen = *numbers.end();
    Ok((newest(app, &filter, numbers, limit)?, Position { filter, seen }))
}

/// A page of the lines that match, newest first: `limit` of them (at least 1), before the `next` of the page
/// before.
///
/// # Errors
/// `forbidden` without `audit:read`; `not_found` for an unknown address; `invalid_cursor`;
/// `validation_failed` for a limit of 0; the store's.
pub fn page(
    app: &App,
    caller: &Caller,
    wanted: &Wanted,
    limit: u32,
    before: Option<&str>,
) -> Result<Paged<Line, String>, Error> {
    require(caller, "audit:read")?;
    check_limit(limit)?;
    let before = start(cursor::List::Audit, before, cursor::decode_number)?;
    let filter = filter(app, wanted)?;
    let numbers = numbers(app, &filter, 1..=before.map_or(i64::MAX, |before| before.saturating_sub(1)))?;
    let mut lines = newest(app, &filter, numbers, limit.saturating_add(1))?;
    lines.reverse();
    Ok(Paged::cut(lines, limit, |last| cursor::encode_number(cursor::List::Audit, last.seq)))
}

/// What the store looks for.
fn filter(app: &App, wanted: &Wanted) -> Result<Filter, Error> {
    let user = match &wanted.user {
        None => None,
        Some(UserRef::Id(id)) => Some(id.to_string()),
        Some(of) => {
            let found = app.store.read(|query| find_in(query, of))?;
            Some(found.ok_or_else(|| of.missing())?.id.to_string())
        }
    };
    Ok(Filter { since: wanted.since, until: wanted.until, user, events: wanted.events.clone() })
}

/// The numbers of those within that are not too old.
fn numbers(app: &App, filter: &Filter, within: RangeInclusive<i64>) -> Result<RangeInclusive<i64>, Fault> {
    app.store.read_log(|query| {
        // The end first: a line that comes in between is shown by the next look, not lost.
        let numbers = log::span(query, within)?;
        let Some(since) = filter.since else {
            return Ok(numbers);
        };
        Ok(log::search_since(query, since.minus(APART), numbers.clone())?..=*numbers.end())
    })
}

/// The newest lines of those numbered so, looked for from the end.
fn newest(app: &App, filter: &Filter, numbers: RangeInclusive<i64>, limit: u32) -> Result<Vec<Line>, Fault> {
    let (first, mut last) = numbers.into_inner();
    // What stands in an index needs no pages.
    let page = if filter.is_indexed() { i64::MAX } else { PAGE };
    let (mut missing, mut pages) = (limit, Vec::new());
    while missing > 0 {
        let there = app.store.read(|query| log::span(query, first..=last))?;
        if there.is_empty() {
            break;
        }
        let from = first.max(there.end().saturating_sub(page - 1));
        let lines = app.store.read(|query| log::list(query, filter, from..=*there.end(), missing))?;
        missing = missing.saturating_sub(u32::try_from(lines.len()).unwrap_or(u32::MAX));
        pages.push(lines);
        last = from - 1;
    }
    Ok(pages.into_iter().rev().flatten().collect())
}

/// The lines that have come since, at most a page of them. `None`: there is nothing to look at yet.
///
/// # Errors
/// The store's.
pub fn follow(app: &App, position: &mut Position) -> Result<Option<Vec<Line>>, Fault> {
    next(app, position, i64::MAX, PAGE)
}

fn next(app: &App, position: &mut Position, newest: i64, page: i64) -> Result<Option<Vec<Line>>, Fault> {
    let there = app.store.read_log(|query| log::span(query, position.seen.saturating_add(1)..=newest))?;
    let (first, last) = there.into_inner();
    let last = last.min(first.saturating_add(page - 1));
    if last <= position.seen {
        return Ok(None);
    }
    let lines = app.store.read(|query| log::list(query, &position.filter, first..=last, u32::MAX))?;
    position.seen = last;
    Ok(Some(lines))
}

/// All lines from `since` on and before `until`, oldest first, up to the newest that there is now. `None`: no
/// bound. Pages may be empty. That they are taken out is a line itself, the next one.
///
/// # Errors
/// `forbidden` without `audit:read`; the store's, from each page, too, and [`Fault::Stopped`] in the place
/// of a page when somebody asked for that.
pub fn export<'a>(
    app: &'a App,
    caller: &Caller,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    progress: &'a Progress,
) -> Result<impl Iterator<Item = Result<Vec<Line>, Fault>> + 'a, Error> {
    require(caller, "audit:read")?;
    let (first, newest) = app.store.read_log(|query| log::span(query, log::ALL))?.into_inner();
    app.store.write(caller, |tx| {
        tx.audit(&Event::AuditExported, Subject::default())?;
        Ok(Decision::Grant(()))
    })?;
    let filter = Filter { since, until, ..Filter::default() };
    let mut position = Position { filter, seen: first - 1 };
    progress.begin("exporting", Unit::Things("lines"), u64::try_from(newest - first + 1).ok());
    Ok(std::iter::from_fn(move || {
        if progress.is_stopped() {
            return Some(Err(Fault::Stopped(String::new())));
        }
        let page = next(app, &mut position, newest, EXPORTED);
        progress.set((position.seen - first + 1).unsigned_abs());
        page.transpose()
    }))
}
