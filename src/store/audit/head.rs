//! The two ends of the audit log, as they stand sealed in `meta`, and the marks of single lines.

use super::chain::{Chain, End};
use crate::domain::audit::{ChainError, Mark};
use crate::error::Fault;
use crate::store::tx::{Query, params};

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

/// Reads the newest line, as authd noted it.
pub(in crate::store) fn head(query: &impl Query, chain: &Chain) -> Result<Result<Mark, ChainError>, Fault> {
    let sealed: Option<Vec<u8>> =
        query
            .opt("SELECT value FROM meta WHERE key = ?1", params![End::Head.key()], |row| row.get("value"))?;
    Ok(opened(chain, sealed.as_deref()))
}

/// The newest line, out of what `meta` holds of it.
pub(super) fn opened(chain: &Chain, sealed: Option<&[u8]>) -> Result<Mark, ChainError> {
    sealed.and_then(|sealed| chain.open(End::Head, sealed)).ok_or(ChainError::Head)
}

/// Reads both ends. One statement, so that what is written meanwhile shows in all of it or in nothing.
pub fn ends(query: &impl Query, chain: &Chain) -> Result<Result<Ends, ChainError>, Fault> {
    let sql = "SELECT (SELECT value FROM meta WHERE key = ?1) AS head, (SELECT value FROM meta WHERE key = ?2) AS anchor, \
        (SELECT min(seq) FROM audit) AS lowest, (SELECT max(seq) FROM audit) AS highest";
    query.one(sql, params![End::Head.key(), End::Anchor.key()], |row| {
        let (head, anchor): (Option<&[u8]>, Option<&[u8]>) = (row.get("head")?, row.get("anchor")?);
        let (lowest, highest): (Option<i64>, Option<i64>) = (row.get("lowest")?, row.get("highest")?);
        Ok(checked_ends(chain, head, anchor, lowest).map(|(anchor, head)| {
            let highest = highest.unwrap_or(anchor.seq);
            Ends { anchor, head, highest }
        }))
    })
}

fn checked_ends(
    chain: &Chain,
    head: Option<&[u8]>,
    anchor: Option<&[u8]>,
    lowest: Option<i64>,
) -> Result<(Mark, Mark), ChainError> {
    let head = opened(chain, head)?;
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

/// Finds a line's number and hash. `None`: it is not there.
pub fn find_mark(query: &impl Query, seq: i64) -> Result<Option<Mark>, Fault> {
    query.opt("SELECT hash FROM audit WHERE seq = ?1", params![seq], |row| {
        Ok(Mark { seq, hash: row.get("hash")? })
    })
}

/// Seals anew the head of a log that has none, or one from before heads were sealed. Only for a database that
/// is made, or whose schema is brought up: from then on a head without its code is a forgery.
pub(in crate::store) fn sealed_anew(query: &impl Query, chain: &Chain) -> Result<Vec<u8>, Fault> {
    Ok(chain.seal(End::Head, &unsealed(query)?))
}

/// Reads the head as it stood before heads bore a code, or that of an empty log.
fn unsealed(query: &impl Query) -> Result<Mark, Fault> {
    let head: Option<Vec<u8>> =
        query
            .opt("SELECT value FROM meta WHERE key = ?1", params![End::Head.key()], |row| row.get("value"))?;
    plain(head.as_deref())
}

/// The newest line, out of what `meta` held of it before heads bore a code. `None`: the log is empty.
pub(super) fn plain(head: Option<&[u8]>) -> Result<Mark, Fault> {
    let Some(head) = head else {
        return Ok(Mark::default());
    };
    let (number, hash) = head
        .split_first_chunk()
        .ok_or_else(|| Fault::Storage("the audit log's head is damaged; restore the last backup".into()))?;
    Ok(Mark { seq: i64::from_be_bytes(*number), hash: hash.to_vec() })
}
