//! The audit log: append-only, numbered without a gap, each line chained to the one before by an
//! HMAC under a key that is not in the database. The newest number and hash also stand in `meta`, so
//! that a cut tail shows.

use super::meta;
use super::page::Paged;
use super::tx::{Chain, Query, Row, RowResult, Tx, params};
use crate::domain::audit::{Event, Line, Subject};
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use aws_lc_rs::hmac;
use serde_json::{Map, Value};

const HEAD: &str = "audit_head";

const COLUMNS: &str = "seq, at, event, actor, user_id, session_id, ip, request_id, details";

/// A line as it goes into its columns and, in the same order, into its hash.
struct NewLine {
    seq: i64,
    at: Timestamp,
    event: &'static str,
    actor: String,
    user_id: Option<String>,
    session_id: Option<String>,
    ip: Option<String>,
    request_id: Option<String>,
    details: String,
}

pub(super) fn append(
    tx: &mut Tx<'_>,
    chain: &Chain,
    caller: &Caller,
    event: &Event,
    subject: Subject,
) -> Result<(), Fault> {
    let (last, previous) = head(tx)?;
    let details: Map<String, Value> =
        event.details().into_iter().map(|(key, value)| (key.into(), value.into())).collect();
    let line = NewLine {
        seq: last + 1,
        at: tx.now(),
        event: event.name(),
        actor: caller.actor.to_string(),
        user_id: subject.user.map(|id| id.to_string()),
        session_id: subject.session.map(|id| id.to_string()),
        ip: caller.ip.map(|ip| ip.to_string()),
        request_id: caller.request_id.clone(),
        details: Value::Object(details).to_string(),
    };
    let hash = hash(chain, &previous, &line);
    let sql = "INSERT INTO audit (seq, at, event, actor, user_id, session_id, ip, request_id, details, hash) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let row = params![
        line.seq,
        line.at,
        line.event,
        line.actor,
        line.user_id,
        line.session_id,
        line.ip,
        line.request_id,
        line.details,
        hash
    ];
    tx.execute(sql, row)?;
    meta::save(tx, HEAD, &[&line.seq.to_be_bytes()[..], &hash].concat())
}

/// The newest line that is there, and the one that should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// 0: there is no line.
    pub line: i64,
    pub hash: Vec<u8>,
    /// The number that the head names.
    promised: i64,
}

impl End {
    /// Whether the log ends where it should.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.line == self.promised
    }
}

/// # Errors
/// [`Fault::Storage`] for a head that can't be read; the driver's.
pub fn end(query: &impl Query) -> Result<End, Fault> {
    let promised = head(query)?.0;
    let sql = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
    let found = query.opt(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (line, hash) = found.unwrap_or_default();
    Ok(End { line, hash, promised })
}

/// The newest line's number and hash; zero and nothing before the first.
fn head(query: &impl Query) -> Result<(i64, Vec<u8>), Fault> {
    let Some(value) = meta::find(query, HEAD)? else {
        return Ok((0, Vec::new()));
    };
    let (seq, hash) = value
        .split_first_chunk::<8>()
        .ok_or_else(|| Fault::Storage("the audit log's head is damaged; run `authctl db check`".into()))?;
    Ok((i64::from_be_bytes(*seq), hash.to_vec()))
}

/// HMAC-SHA-256 over the hash before and every field, each with its length before it, so that no two
/// lines give the same bytes.
fn hash(chain: &Chain, previous: &[u8], line: &NewLine) -> [u8; 32] {
    let mut context = hmac::Context::with_key(chain.key());
    let mut field = |bytes: Option<&[u8]>| {
        // A field that is not there differs from an empty one.
        let length = bytes.map_or(-1, |bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        context.update(&length.to_be_bytes());
        context.update(bytes.unwrap_or_default());
    };
    field(Some(previous));
    field(Some(&line.seq.to_be_bytes()));
    field(Some(&line.at.as_millis().to_be_bytes()));
    field(Some(line.event.as_bytes()));
    field(Some(line.actor.as_bytes()));
    for text in [&line.user_id, &line.session_id, &line.ip, &line.request_id] {
        field(text.as_ref().map(String::as_bytes));
    }
    field(Some(line.details.as_bytes()));
    context.sign().as_ref().try_into().expect("HMAC-SHA-256 gives 32 bytes")
}

/// What `list` looks for. `None` matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub since: Option<Timestamp>,
    /// An account's id, as text: it may be gone from the database.
    pub user: Option<String>,
    pub event: Option<String>,
    /// Only lines after this number.
    pub after: Option<i64>,
}

/// The newest `limit` lines that match, oldest of them first.
///
/// # Errors
/// The driver's.
pub fn list_newest(query: &impl Query, filter: &Filter, limit: u32) -> Result<Vec<Line>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audit WHERE (?1 IS NULL OR at >= ?1) AND (?2 IS NULL OR user_id = ?2) \
         AND (?3 IS NULL OR event = ?3) AND (?4 IS NULL OR seq > ?4) ORDER BY seq DESC LIMIT ?5"
    );
    let mut lines = query.all(&sql, params![filter.since, filter.user, filter.event, filter.after, limit], read)?;
    lines.reverse();
    Ok(lines)
}

/// Lines about one user, newest first, before a line's number. `before` of `None`: from the newest.
///
/// # Errors
/// The driver's.
pub fn list_of_user(
    query: &impl Query,
    user: &str,
    limit: u32,
    before: Option<i64>,
) -> Result<Paged<Line, i64>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audit WHERE user_id = ?1 AND (?2 IS NULL OR seq < ?2) ORDER BY seq DESC LIMIT ?3"
    );
    let lines = query.all(&sql, params![user, before, i64::from(limit) + 1], read)?;
    Ok(Paged::cut(lines, limit, |line| line.seq))
}

/// The number of the newest line; 0 when there is none.
///
/// # Errors
/// The driver's.
pub fn newest(query: &impl Query) -> Result<i64, Fault> {
    query.one("SELECT coalesce(max(seq), 0) FROM audit", [], |row| row.get(0))
}

fn read(row: &Row<'_>) -> RowResult<Line> {
    let details: String = row.get(8)?;
    let details: Map<String, Value> = serde_json::from_str(&details).unwrap_or_default();
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(Line {
        seq: row.get(0)?,
        at: row.get(1)?,
        event: row.get(2)?,
        actor: row.get(3)?,
        user: row.get(4)?,
        session: row.get(5)?,
        ip: row.get(6)?,
        request_id: row.get(7)?,
        details: details.into_iter().map(|(key, value)| (key, text(value))).collect(),
    })
}
