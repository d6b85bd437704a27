//! Reading the audit log as its chain wants it: the two ends, and whether each line follows from the one before.

use super::chain::{Chain, End, Fields};
use crate::domain::audit::{ChainError, Mark};
use crate::error::Fault;
use crate::store::sqlite::connection::fault;
use crate::store::sqlite::schema;
use crate::store::tx::{Query, Row, RowResult, params};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// Where the log begins and ends, as one moment shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The last line that was pruned.
    pub anchor: Mark,
    /// The newest line.
    pub head: Mark,
    /// The highest number that there is; above the head's, somebody added a line.
    pub highest: i64,
}

/// The newest line, as authd noted it.
pub(in crate::store) fn head(query: &impl Query, chain: &Chain) -> Result<Result<Mark, ChainError>, Fault> {
    let sealed: Option<Vec<u8>> =
        query.opt("SELECT value FROM meta WHERE key = ?1", [End::Head.key()], |row| row.get(0))?;
    Ok(sealed.and_then(|sealed| chain.open(End::Head, &sealed)).ok_or(ChainError::Head))
}

/// Both ends. One statement, so that what is written meanwhile shows in all of it or in nothing.
///
/// # Errors
/// The driver's.
pub fn ends(query: &impl Query, chain: &Chain) -> Result<Result<Ends, ChainError>, Fault> {
    let sql = "SELECT (SELECT value FROM meta WHERE key = ?1), (SELECT value FROM meta WHERE key = ?2), \
        (SELECT min(seq) FROM audit), (SELECT max(seq) FROM audit)";
    query.one(sql, [End::Head.key(), End::Anchor.key()], |row| {
        let (head, anchor): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?);
        let (lowest, highest): (Option<i64>, Option<i64>) = (row.get(2)?, row.get(3)?);
        Ok(judge_ends(chain, head.as_deref(), anchor.as_deref(), lowest).map(|(anchor, head)| {
            let highest = highest.unwrap_or(anchor.seq);
            Ends { anchor, head, highest }
        }))
    })
}

fn judge_ends(
    chain: &Chain,
    head: Option<&[u8]>,
    anchor: Option<&[u8]>,
    lowest: Option<i64>,
) -> Result<(Mark, Mark), ChainError> {
    let head = head.and_then(|sealed| chain.open(End::Head, sealed)).ok_or(ChainError::Head)?;
    let anchor = match anchor {
        Some(sealed) => chain.open(End::Anchor, sealed).ok_or(ChainError::Anchor)?,
        // Nothing was pruned. Were it taken away, the first line would be missing.
        None => Mark::default(),
    };
    // Pruning always leaves a line.
    if anchor.seq > 0 && head.seq <= anchor.seq {
        return Err(ChainError::Head);
    }
    match lowest {
        Some(seq) if seq <= anchor.seq => Err(ChainError::Strange { seq }),
        _ => Ok((anchor, head)),
    }
}

/// Follows the chain from a line that is known to be good up to the line `through`, in one statement: the last
/// line that is good, and what is wrong with the one behind it.
///
/// # Errors
/// The driver's.
pub fn follow(
    query: &impl Query,
    chain: &Chain,
    from: &Mark,
    through: i64,
) -> Result<(Mark, Option<ChainError>), Fault> {
    let sql = "SELECT seq, at, event, actor, user_id, session_id, ip, request_id, details, hash FROM audit \
        WHERE seq > ?1 AND seq <= ?2 ORDER BY seq";
    let mut last = from.clone();
    let mut flaw = None;
    query.all(sql, params![from.seq, through], |row| {
        if flaw.is_none() {
            flaw = step(chain, &mut last, row)?;
        }
        Ok(())
    })?;
    if flaw.is_none() && last.seq < through {
        flaw = Some(ChainError::Missing { seq: last.seq + 1 });
    }
    Ok((last, flaw))
}

/// Goes on by one line, if it is the next.
fn step(chain: &Chain, last: &mut Mark, row: &Row<'_>) -> RowResult<Option<ChainError>> {
    let (seq, next): (i64, i64) = (row.get(0)?, last.seq + 1);
    if seq != next {
        return Ok(Some(ChainError::Missing { seq: next }));
    }
    let mut texts = [None; 7];
    for (text, column) in texts.iter_mut().zip(2..) {
        *text = match row.get_ref(column)? {
            ValueRef::Text(bytes) => Some(bytes),
            ValueRef::Null => None,
            _ => return Ok(Some(ChainError::Changed { seq })),
        };
    }
    let (ValueRef::Integer(at), ValueRef::Blob(hash)) = (row.get_ref(1)?, row.get_ref(9)?) else {
        return Ok(Some(ChainError::Changed { seq }));
    };
    let expected = chain.hash(&last.hash, &Fields { seq, at, texts });
    if expected != hash {
        return Ok(Some(ChainError::Changed { seq }));
    }
    last.seq = seq;
    last.hash.clear();
    last.hash.extend(expected);
    Ok(None)
}

/// A line's number and hash. `None`: it is not there.
///
/// # Errors
/// The driver's.
pub fn find_mark(query: &impl Query, seq: i64) -> Result<Option<Mark>, Fault> {
    query.opt("SELECT hash FROM audit WHERE seq = ?1", [seq], |row| Ok(Mark { seq, hash: row.get(0)? }))
}

/// The newest line, if the log ends with the one that authd noted; in a database of any schema.
///
/// # Errors
/// The driver's.
pub fn end(query: &impl Query, chain: &Chain) -> Result<Result<Mark, ChainError>, Fault> {
    let noted = match schema::version_of(query.connection())? {
        version if version < SEALED_SINCE => Ok(unsealed(&old_head(query.connection())?)?),
        _ => head(query, chain)?,
    };
    let highest: i64 = query.one("SELECT coalesce(max(seq), 0) FROM audit", [], |row| row.get(0))?;
    Ok(noted.and_then(|mark| match highest {
        highest if highest < mark.seq => Err(ChainError::Cut { seq: highest + 1 }),
        highest if highest > mark.seq => Err(ChainError::Strange { seq: highest }),
        _ => Ok(mark),
    }))
}

/// The first schema whose heads bear a code.
const SEALED_SINCE: i64 = 3;

/// Seals the head of a log that has none, or one from before heads were sealed. Only for a database that is
/// made, or whose schema is brought up: from then on a head without its code is a forgery.
pub(in crate::store) fn seal_head(connection: &Connection, chain: &Chain) -> Result<(), Fault> {
    let mark = unsealed(&old_head(connection)?)?;
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    connection.execute(sql, params![End::Head.key(), chain.seal(End::Head, &mark)]).map(drop).map_err(fault)
}

/// The head as it stands in `meta`, or that of an empty log.
fn old_head(connection: &Connection) -> Result<Vec<u8>, Fault> {
    let sql = "SELECT coalesce((SELECT value FROM meta WHERE key = ?1), x'0000000000000000')";
    connection.query_row(sql, [End::Head.key()], |row| row.get(0)).map_err(fault)
}

/// Number and hash, as heads were before they bore a code.
fn unsealed(head: &[u8]) -> Result<Mark, Fault> {
    let (number, hash) = head
        .split_first_chunk()
        .ok_or_else(|| Fault::Storage("the audit log's head is damaged; restore the last backup".into()))?;
    Ok(Mark { seq: i64::from_be_bytes(*number), hash: hash.to_vec() })
}
