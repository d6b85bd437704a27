//! Deleting accounts that were made before registrations waited for their link, and that nobody has claimed
//! since: their password may be a stranger's, who would come in once the address's owner verifies it.

use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::id::UserId;
use crate::error::{Decision, Error, Fault};
use crate::store::tables::{unclaimed, users};
use crate::store::tx::Tx;
use crate::usecase::account::reference::{is_last_admin, remove};
use crate::usecase::app::App;

/// How many are deleted in one transaction.
const STEP: u32 = 20;

/// Deletes those whose time has come; gives how many. Where addresses need not be verified, none. `rest` is
/// asked after each transaction whether to go on; what is left is due the next time.
///
/// # Errors
/// The store's, after which what went before is gone.
pub(super) fn delete_due(app: &App, caller: &Caller, mut rest: impl FnMut() -> bool) -> Result<u64, Error> {
    let mut deleted = 0;
    if !app.config.email_verification.required {
        return Ok(deleted);
    }
    loop {
        let now = app.now();
        let due = app.store.read(|query| unclaimed::list_due(query, now, STEP))?;
        if due.is_empty() {
            return Ok(deleted);
        }
        deleted += app.store.write(caller, move |tx| {
            let mut deleted = 0;
            for id in &due {
                deleted += u64::from(settle(tx, *id)?);
            }
            Ok(Decision::Grant(deleted))
        })?;
        if !rest() {
            return Ok(deleted);
        }
    }
}

/// Deletes the account, or lets it stay where somebody uses it. Whether it was deleted.
fn settle(tx: &mut Tx<'_>, id: UserId) -> Result<bool, Fault> {
    let used = unclaimed::is_used(tx, id)?;
    unclaimed::delete(tx, id)?;
    let Some(user) = users::find(tx, id)? else {
        return Ok(false);
    };
    if used || is_last_admin(tx, &user)? {
        return Ok(false);
    }
    remove(tx, &user)?;
    tx.audit(&Event::UserDeleted, id)?;
    Ok(true)
}
