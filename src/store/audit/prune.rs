//! Taking the oldest lines off the audit log so that what is left can still be proven.

use super::chain::End;
use super::check::follow;
use super::head::ends;
use crate::domain::audit::{ChainError, Event, Mark, Subject};
use crate::error::Fault;
use crate::store::tables::meta;
use crate::store::tx::{Tx, params};

/// Names the lines that the trigger lets go: the number, in digits.
const PRUNED_TO: &str = "audit_pruned_to";

/// Deletes the oldest lines, at most `limit` and none beyond `through` or the newest. The last of them stays
/// as the anchor from which the chain goes on. Gives how many.
///
/// With the last of them comes the line that tells of all; until then the database remembers where the
/// pruning began. A flaw in these lines keeps them: pruning must not be the way to be rid of the traces.
pub fn prune(tx: &mut Tx<'_>, through: i64, limit: i64) -> Result<Result<i64, ChainError>, Fault> {
    let chain = tx.chain();
    let ends = match ends(tx, chain)? {
        Ok(ends) => ends,
        Err(flaw) => return Ok(Err(flaw)),
    };
    let all = through.min(ends.head.seq - 1);
    let last = all.min(ends.anchor.seq.saturating_add(limit));
    let count = last - ends.anchor.seq;
    if count <= 0 {
        return Ok(Ok(0));
    }
    let anchor = match follow(tx, chain, &ends.anchor, last)? {
        (anchor, None) => anchor,
        (_, Some(flaw)) => return Ok(Err(flaw)),
    };
    match meta::find(tx, End::Untold.key())? {
        None => meta::save(tx, End::Untold.key(), &chain.seal(End::Untold, &ends.anchor))?,
        Some(sealed) if chain.open(End::Untold, &sealed).is_none() => return Ok(Err(ChainError::Anchor)),
        Some(_) => {}
    }
    meta::save(tx, End::Anchor.key(), &chain.seal(End::Anchor, &anchor))?;
    meta::save(tx, PRUNED_TO, last.to_string().as_bytes())?;
    tx.execute("DELETE FROM audit WHERE seq > ?1 AND seq <= ?2", params![ends.anchor.seq, last])?;
    if last < all {
        return Ok(Ok(count));
    }
    Ok(tell(tx, &anchor)?.map(|()| count))
}

/// Writes the line that tells of all that was pruned and that no line tells of yet; none where there is
/// nothing to tell.
pub fn tell_rest(tx: &mut Tx<'_>) -> Result<Result<(), ChainError>, Fault> {
    match ends(tx, tx.chain())? {
        Ok(ends) => tell(tx, &ends.anchor),
        Err(flaw) => Ok(Err(flaw)),
    }
}

fn tell(tx: &mut Tx<'_>, anchor: &Mark) -> Result<Result<(), ChainError>, Fault> {
    let Some(sealed) = meta::find(tx, End::Untold.key())? else {
        return Ok(Ok(()));
    };
    let Some(begun) = tx.chain().open(End::Untold, &sealed) else {
        return Ok(Err(ChainError::Anchor));
    };
    meta::delete(tx, End::Untold.key())?;
    let event = Event::AuditPruned { lines: anchor.seq - begun.seq, through: anchor.seq };
    tx.audit(&event, Subject::default())?;
    Ok(Ok(()))
}
