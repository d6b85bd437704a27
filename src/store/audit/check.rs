//! Whether each line of the audit log follows from the one before, and whether the log ends where it should.

use super::chain::{Chain, End, LineFields};
use super::head::{opened, plain};
use crate::domain::audit::{ChainError, Mark};
use crate::error::Fault;
use crate::store::schema;
use crate::store::tx::{Query, Row, Value, params};

/// Follows the chain from a line that is known to be good up to the line `through`, in one statement: the
/// last line that is good, and what is wrong with the one behind it.
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

/// The columns of text that a hash covers, in its order.
const TEXTS: [&str; 7] = ["event", "actor", "user_id", "session_id", "ip", "request_id", "details"];

/// Goes on by one line, if it is the next.
fn step(chain: &Chain, last: &mut Mark, row: &Row<'_>) -> Result<Option<ChainError>, Fault> {
    let (seq, next): (i64, i64) = (row.get("seq")?, last.seq + 1);
    if seq != next {
        return Ok(Some(ChainError::Missing { seq: next }));
    }
    // What somebody changed may be of any type.
    let at = row.get("at")?;
    let mut texts = [None; 7];
    for (text, column) in texts.iter_mut().zip(TEXTS) {
        *text = match row.get(column)? {
            Value::Text(bytes) => Some(bytes),
            Value::Null(_) => None,
            _ => return Ok(Some(ChainError::Changed { seq })),
        };
    }
    let (Value::Integer(at), Value::Blob(hash)) = (at, row.get("hash")?) else {
        return Ok(Some(ChainError::Changed { seq }));
    };
    let expected = chain.hash(&last.hash, &LineFields { seq, at, texts });
    if expected != hash {
        return Ok(Some(ChainError::Changed { seq }));
    }
    last.seq = seq;
    last.hash.clear();
    last.hash.extend(expected);
    Ok(None)
}

/// Reads the newest line, if the log ends with the one that authd noted; in a database of any schema. One
/// statement, so that what is written meanwhile shows in both or in neither.
pub fn end(query: &impl Query, chain: &Chain) -> Result<Result<Mark, ChainError>, Fault> {
    let is_sealed = schema::version_in(query)? >= SEALED_SINCE;
    let sql = "SELECT (SELECT value FROM meta WHERE key = ?1) AS head, \
        (SELECT coalesce(max(seq), 0) FROM audit) AS highest";
    let (noted, highest) = query.one(sql, params![End::Head.key()], |row| {
        let head: Option<&[u8]> = row.get("head")?;
        let noted = if is_sealed { opened(chain, head) } else { Ok(plain(head)?) };
        Ok((noted, row.get::<i64>("highest")?))
    })?;
    Ok(noted.and_then(|mark| match highest {
        highest if highest < mark.seq => Err(ChainError::Cut { seq: highest + 1 }),
        highest if highest > mark.seq => Err(ChainError::Strange { seq: highest }),
        _ => Ok(mark),
    }))
}

/// The first schema whose heads bear a code.
const SEALED_SINCE: i64 = 3;
