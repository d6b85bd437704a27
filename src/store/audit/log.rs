//! The audit log: append-only, numbered without a gap, each line chained to the one before by an
//! HMAC under a key that is not in the database. Writing it is `write`'s, checking it `check`'s, pruning it
//! `prune`'s.

use crate::domain::audit::Line;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::page::Paged;
use crate::store::tx::{Query, Row, params};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

const COLUMNS: &str = "seq, at, event, actor, user_id, session_id, ip, request_id, details, hash";

/// What `list` looks for. `None` matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub since: Option<Timestamp>,
    /// Only lines before then.
    pub until: Option<Timestamp>,
    /// An account's id, as text: it may be gone from the database.
    pub user: Option<String>,
    /// Any of these; none matches all.
    pub events: Vec<String>,
}

impl Filter {
    /// Whether lines that match are found in an index, however rare they are.
    #[must_use]
    pub fn is_indexed(&self) -> bool {
        self.user.is_some() || (!self.events.is_empty() && self.events.iter().all(|event| is_indexed(event)))
    }
}

/// Lists the newest `limit` lines that match, of those numbered so, oldest of them first.
pub fn list(
    query: &impl Query,
    filter: &Filter,
    numbers: RangeInclusive<i64>,
    limit: u32,
) -> Result<Vec<Line>, Fault> {
    let Some((first, others)) = filter.events.split_first() else {
        return list_of_event(query, filter, None, numbers, limit);
    };
    // One walk along the index for each: a single one over several would sort all that match.
    let mut lines = list_of_event(query, filter, Some(first), numbers.clone(), limit)?;
    for event in others.iter().filter(|event| *event != first) {
        lines.extend(list_of_event(query, filter, Some(event), numbers.clone(), limit)?);
        lines.sort_by_key(|line| line.seq);
        lines.dedup_by_key(|line| line.seq);
        lines.drain(..lines.len().saturating_sub(limit as usize));
    }
    Ok(lines)
}

fn list_of_event(
    query: &impl Query,
    filter: &Filter,
    event: Option<&String>,
    numbers: RangeInclusive<i64>,
    limit: u32,
) -> Result<Vec<Line>, Fault> {
    let user = if filter.user.is_some() { "user_id = ?3" } else { "?3 IS NULL" };
    let of_event = match event {
        None => "?4 IS NULL",
        // Another than the commonest: this says so in the words of the index.
        Some(event) if is_indexed(event) => "event = ?4 AND event <> 'TokenRefreshed'",
        Some(_) => "event = ?4",
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM audit WHERE (?1 IS NULL OR at >= ?1) AND (?2 IS NULL OR at < ?2) \
         AND {user} AND {of_event} AND seq BETWEEN ?5 AND ?6 ORDER BY seq DESC LIMIT ?7"
    );
    let (first, last) = numbers.into_inner();
    let mut lines =
        query.all(&sql, params![filter.since, filter.until, filter.user, event, first, last, limit], read)?;
    lines.reverse();
    Ok(lines)
}

/// Whether lines of an event stand in an index. The commonest do not, so that a refresh writes no more for
/// it: they are found soon without.
fn is_indexed(event: &str) -> bool {
    event != "TokenRefreshed"
}

/// Lists lines about one user, newest first, before a line's number. `before` of `None`: from the newest.
pub fn list_of_user(
    query: &impl Query,
    user: &str,
    limit: u32,
    before: Option<i64>,
) -> Result<Paged<Line, i64>, Fault> {
    let sql =
        format!("SELECT {COLUMNS} FROM audit WHERE user_id = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3");
    let before = before.unwrap_or(i64::MAX);
    let lines = query.all(&sql, params![user, before, i64::from(limit) + 1], read)?;
    Ok(Paged::cut(lines, limit, |line| line.seq))
}

/// Every number that a line can have.
pub const ALL: RangeInclusive<i64> = 1..=i64::MAX;

/// Finds the numbers of the oldest line and of the newest of those numbered so; an empty range when there is
/// none. However wide a gap somebody made, nobody has to walk through it.
pub fn span(query: &impl Query, within: RangeInclusive<i64>) -> Result<RangeInclusive<i64>, Fault> {
    let sql = "SELECT coalesce((SELECT min(seq) FROM audit WHERE seq BETWEEN ?1 AND ?2), 1) AS first, \
        coalesce((SELECT max(seq) FROM audit WHERE seq BETWEEN ?1 AND ?2), 0) AS last";
    query.one(sql, params![within.start(), within.end()], |row| Ok(row.get("first")?..=row.get("last")?))
}

/// Finds the first line of those numbered so that is not older than `time`. `None`: all are older.
pub fn find_not_older(
    query: &impl Query,
    time: Timestamp,
    numbers: RangeInclusive<i64>,
) -> Result<Option<i64>, Fault> {
    let (first, last) = numbers.into_inner();
    let sql = "SELECT seq FROM audit WHERE seq BETWEEN ?1 AND ?2 AND at >= ?3 ORDER BY seq LIMIT 1";
    query.opt(sql, params![first, last, time], |row| row.get("seq"))
}

/// Finds where lines from `since` on begin, by halving: it takes the log to be in order of time, which it is
/// but where the clock was set back.
pub fn search_since(
    query: &impl Query,
    since: Timestamp,
    numbers: RangeInclusive<i64>,
) -> Result<i64, Fault> {
    // Pruning may take lines away at any time: the next that is there tells as well.
    let sql = "SELECT at FROM audit WHERE seq >= ?1 ORDER BY seq LIMIT 1";
    let (mut first, mut beyond) = (*numbers.start(), numbers.end().saturating_add(1));
    while first < beyond {
        let middle = first + (beyond - first) / 2;
        let at = query.opt(sql, params![middle], |row| row.get::<Timestamp>("at"))?;
        if at.is_some_and(|at| at >= since) { beyond = middle } else { first = middle + 1 }
    }
    Ok(first)
}

fn read(row: &Row<'_>) -> Result<Line, Fault> {
    let details: &str = row.get("details")?;
    let details: Map<String, Value> = serde_json::from_str(details).unwrap_or_default();
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(Line {
        seq: row.get("seq")?,
        at: row.get("at")?,
        event: row.get("event")?,
        actor: row.get("actor")?,
        user: row.get("user_id")?,
        session: row.get("session_id")?,
        ip: row.get("ip")?,
        request_id: row.get("request_id")?,
        details: details.into_iter().map(|(key, value)| (key, text(value))).collect(),
        hash: row.get("hash")?,
    })
}
