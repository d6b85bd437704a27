//! What one of several daemons does for all of them.

use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Tx, params};

/// Takes a duty until then, or keeps it for longer. `false`: it is another daemon's.
pub fn take(tx: &mut Tx<'_>, name: &str, holder: &[u8; 16], until: Timestamp) -> Result<bool, Fault> {
    let now = tx.now();
    let sql = "INSERT INTO duties (name, holder, until) VALUES (?1, ?2, ?3) \
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
        WHERE duties.holder = excluded.holder OR duties.until <= ?4";
    Ok(tx.execute(sql, params![name, *holder, until, now])? == 1)
}
