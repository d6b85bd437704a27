//! Taking the oldest lines off the audit log so that what is left can still be proven.

use super::chain::End;
use super::check::follow;
use super::head::ends;
use crate::domain::audit::{ChainError, Event, Subject};
use crate::error::Fault;
use crate::store::tables::meta;
use crate::store::tx::{Tx, params};

/// Names the lines that the trigger lets go: the number, in digits.
const PRUNED_TO: &str = "audit_pruned_to";

/// Deletes the oldest lines, at most `limit` and none beyond `through` or the newest, and says so in the log.
/// The last of them stays as the anchor from which the chain goes on. Gives how many.
///
/// A flaw in these lines keeps them: pruning must not be the way to be rid of the traces.
pub fn prune(tx: &mut Tx<'_>, through: i64, limit: i64) -> Result<Result<i64, ChainError>, Fault> {
    let chain = tx.chain();
    let ends = match ends(tx, chain)? {
        Ok(ends) => ends,
        Err(flaw) => return Ok(Err(flaw)),
    };
    let last = through.min(ends.anchor.seq.saturating_add(limit)).min(ends.head.seq - 1);
    let count = last - ends.anchor.seq;
    if count <= 0 {
        return Ok(Ok(0));
    }
    let anchor = match follow(tx, chain, &ends.anchor, last)? {
        (anchor, None) => anchor,
        (_, Some(flaw)) => return Ok(Err(flaw)),
    };
    meta::save(tx, End::Anchor.key(), &chain.seal(End::Anchor, &anchor))?;
    meta::save(tx, PRUNED_TO, last.to_string().as_bytes())?;
    tx.execute("DELETE FROM audit WHERE seq > ?1 AND seq <= ?2", params![ends.anchor.seq, last])?;
    tx.audit(&Event::AuditPruned { lines: count, through: last }, Subject::default())?;
    Ok(Ok(count))
}
