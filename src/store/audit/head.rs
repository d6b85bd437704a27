//! The two ends of the audit log, as they stand sealed in `meta`, and the marks of single lines.

use super::chain::{Chain, End};
use crate::domain::audit::{Flaw, Mark};
use crate::error::Fault;
use crate::store::sqlite::connection::fault;
use crate::store::tx::{Query, params};
use rusqlite::Connection;

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
pub(in crate::store) fn head(query: &impl Query, chain: &Chain) -> Result<Result<Mark, Flaw>, Fault> {
    let sealed: Option<Vec<u8>> =
        query.opt("SELECT value FROM meta WHERE key = ?1", [End::Head.key()], |row| row.get(0))?;
    Ok(sealed.and_then(|sealed| chain.open(End::Head, &sealed)).ok_or(Flaw::Head))
}

/// Both ends. One statement, so that what is written meanwhile shows in all of it or in nothing.
///
/// # Errors
/// The driver's.
pub fn ends(query: &impl Query, chain: &Chain) -> Result<Result<Ends, Flaw>, Fault> {
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
) -> Result<(Mark, Mark), Flaw> {
    let head = head.and_then(|sealed| chain.open(End::Head, sealed)).ok_or(Flaw::Head)?;
    let anchor = match anchor {
        Some(sealed) => chain.open(End::Anchor, sealed).ok_or(Flaw::Anchor)?,
        // Nothing was pruned. Were it taken away, the first line would be missing.
        None => Mark::default(),
    };
    // Pruning always leaves a line.
    if anchor.seq > 0 && head.seq <= anchor.seq {
        return Err(Flaw::Head);
    }
    match lowest {
        Some(seq) if seq <= anchor.seq => Err(Flaw::Strange { seq }),
        _ => Ok((anchor, head)),
    }
}

/// A line's number and hash. `None`: it is not there.
///
/// # Errors
/// The driver's.
pub fn find_mark(query: &impl Query, seq: i64) -> Result<Option<Mark>, Fault> {
    query.opt("SELECT hash FROM audit WHERE seq = ?1", [seq], |row| Ok(Mark { seq, hash: row.get(0)? }))
}

/// Seals the head of a log that has none, or one from before heads were sealed. Only for a database that is
/// made, or whose schema is brought up: from then on a head without its code is a forgery.
pub(in crate::store) fn seal_head(connection: &Connection, chain: &Chain) -> Result<(), Fault> {
    let mark = unsealed(&old_head(connection)?)?;
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    connection.execute(sql, params![End::Head.key(), chain.seal(End::Head, &mark)]).map(drop).map_err(fault)
}

/// The head as it stands in `meta`, or that of an empty log.
pub(in crate::store) fn old_head(connection: &Connection) -> Result<Vec<u8>, Fault> {
    let sql = "SELECT coalesce((SELECT value FROM meta WHERE key = ?1), x'0000000000000000')";
    connection.query_row(sql, [End::Head.key()], |row| row.get(0)).map_err(fault)
}

/// Number and hash, as heads were before they bore a code.
pub(in crate::store) fn unsealed(head: &[u8]) -> Result<Mark, Fault> {
    let (number, hash) = head
        .split_first_chunk()
        .ok_or_else(|| Fault::Storage("the audit log's head is damaged; restore the last backup".into()))?;
    Ok(Mark { seq: i64::from_be_bytes(*number), hash: hash.to_vec() })
}
