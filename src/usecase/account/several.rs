//! What an operator does to several accounts at once: to all of them, or to none.

use super::admin;
use super::reference::{UserRef, find_in, find_under};
use crate::domain::caller::Caller;
use crate::domain::id::UserId;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::users;
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::require;
use std::collections::HashSet;

/// An account as it stands now (a deleted one as it stood), and how many things about it were changed: 0
/// where it was so already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handled {
    pub user: User,
    pub changes: u32,
}

/// Disables accounts and ends their sessions: all of them, or none.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`, which names all that aren't there; `last_admin`; the
/// store's.
pub fn disable(app: &App, caller: &Caller, of: &[UserRef]) -> Result<Vec<Handled>, Error> {
    each(app, caller, of, |tx, _, user| {
        let changes = u32::from(user.disabled_at.is_none());
        Ok(admin::disable_in(tx, user)?.map(|()| changes))
    })
}

/// Enables accounts again: all of them, or none.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`, which names all that aren't there; the store's.
pub fn enable(app: &App, caller: &Caller, of: &[UserRef]) -> Result<Vec<Handled>, Error> {
    each(app, caller, of, |tx, _, user| {
        let changes = u32::from(user.disabled_at.is_some());
        Ok(admin::enable_in(tx, user)?.map(|()| changes))
    })
}

/// Ends every lock on accounts: on all of them, or on none. What changes is how many locks held.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`, which names all that aren't there; the store's.
pub fn unlock(app: &App, caller: &Caller, of: &[UserRef]) -> Result<Vec<Handled>, Error> {
    each(app, caller, of, |tx, _, user| Ok(Decision::Grant(admin::unlock_in(tx, user)?)))
}

/// Deletes accounts: all of them, or none.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`, which names all that aren't there; `last_admin`; the
/// store's.
pub fn delete(app: &App, caller: &Caller, of: &[UserRef]) -> Result<Vec<Handled>, Error> {
    each(app, caller, of, |tx, changer, user| {
        Ok(admin::delete_in(tx, changer, &UserRef::Id(user.id))?.map(|_| 1))
    })
}

/// What is done to one account; gives how many things it changed.
type Work = fn(&mut Tx<'_>, &Caller, &User) -> Result<Decision<u32>, Fault>;

fn each(app: &App, caller: &Caller, of: &[UserRef], work: Work) -> Result<Vec<Handled>, Error> {
    require(caller, "users:write")?;
    let (changer, of) = (caller.clone(), of.to_vec());
    app.store.write(caller, move |tx| {
        let users = match find_all(tx, &changer, &of)? {
            Decision::Grant(users) => users,
            Decision::Refuse(refusal) => return Ok(Decision::Refuse(refusal)),
        };
        // A refusal commits what was done before it, so it must come before anything is.
        match tx.dry_run(|tx| run(tx, &changer, &users, work))? {
            Decision::Grant(_) => run(tx, &changer, &users, work),
            refused @ Decision::Refuse(_) => Ok(refused),
        }
    })
}

fn run(
    tx: &mut Tx<'_>,
    changer: &Caller,
    users: &[User],
    work: Work,
) -> Result<Decision<Vec<Handled>>, Fault> {
    let mut handled = Vec::with_capacity(users.len());
    for user in users {
        match work(tx, changer, user)? {
            Decision::Grant(changes) => {
                let user = users::find(tx, user.id)?.unwrap_or_else(|| user.clone());
                handled.push(Handled { user, changes });
            }
            Decision::Refuse(refusal) => return Ok(Decision::Refuse(refusal)),
        }
    }
    Ok(Decision::Grant(handled))
}

/// Finds the accounts, each once however often it is named. Refuses with the names of all that aren't there.
fn find_all(tx: &Tx<'_>, changer: &Caller, of: &[UserRef]) -> Result<Decision<Vec<User>>, Fault> {
    let (mut found, mut known, mut missing) = (Vec::new(), HashSet::<UserId>::new(), Vec::new());
    for of in of {
        if find_in(tx, of)?.is_none() {
            missing.push(of.to_string());
            continue;
        }
        match find_under(tx, changer, of)? {
            Decision::Grant(user) if known.insert(user.id) => found.push(user),
            Decision::Grant(_) => {}
            Decision::Refuse(refusal) => return Ok(Decision::Refuse(refusal)),
        }
    }
    if missing.is_empty() {
        return Ok(Decision::Grant(found));
    }
    Ok(Decision::Refuse(Refusal::not_found("user", missing.join(", "))))
}
