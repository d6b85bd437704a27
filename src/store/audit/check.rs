//! Whether each line of the audit log follows from the one before, and whether the log ends where it should.

use super::chain::{Chain, Fields};
use super::head::{head, old_head, unsealed};
use crate::domain::audit::{Flaw, Mark};
use crate::error::Fault;
use crate::store::sqlite::version;
use crate::store::tx::{Query, Row, RowResult, params};
use rusqlite::types::ValueRef;

/// Follows the chain from a line that is known to be good up to the line `through`, in one statement: the last
/// line that is good, and what is wrong with the one behind it.
///
/// # Errors
/// The driver's.
pub fn follow(query: &impl Query, chain: &Chain, from: &Mark, through: i64) -> Result<(Mark, Option<Flaw>), Fault> {
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
        flaw = Some(Flaw::Missing { seq: last.seq + 1 });
    }
    Ok((last, flaw))
}

/// Goes on by one line, if it is the next.
fn step(chain: &Chain, last: &mut Mark, row: &Row<'_>) -> RowResult<Option<Flaw>> {
    let (seq, next): (i64, i64) = (row.get(0)?, last.seq + 1);
    if seq != next {
        return Ok(Some(Flaw::Missing { seq: next }));
    }
    let mut texts = [None; 7];
    for (text, column) in texts.iter_mut().zip(2..) {
        *text = match row.get_ref(column)? {
            ValueRef::Text(bytes) => Some(bytes),
            ValueRef::Null => None,
            _ => return Ok(Some(Flaw::Changed { seq })),
        };
    }
    let (ValueRef::Integer(at), ValueRef::Blob(hash)) = (row.get_ref(1)?, row.get_ref(9)?) else {
        return Ok(Some(Flaw::Changed { seq }));
    };
    let expected = chain.hash(&last.hash, &Fields { seq, at, texts });
    if expected != hash {
        return Ok(Some(Flaw::Changed { seq }));
    }
    last.seq = seq;
    last.hash.clear();
    last.hash.extend(expected);
    Ok(None)
}

/// The newest line, if the log ends with the one that authd noted; in a database of any schema.
///
/// # Errors
/// The driver's.
pub fn end(query: &impl Query, chain: &Chain) -> Result<Result<Mark, Flaw>, Fault> {
    let noted = match version::version_of(query.connection())? {
        version if version < SEALED_SINCE => Ok(unsealed(&old_head(query.connection())?)?),
        _ => head(query, chain)?,
    };
    let highest: i64 = query.one("SELECT coalesce(max(seq), 0) FROM audit", [], |row| row.get(0))?;
    Ok(noted.and_then(|mark| match highest {
        highest if highest < mark.seq => Err(Flaw::Cut { seq: highest + 1 }),
        highest if highest > mark.seq => Err(Flaw::Strange { seq: highest }),
        _ => Ok(mark),
    }))
}

/// The first schema whose heads bear a code.
const SEALED_SINCE: i64 = 3;
