//! Accounts elsewhere that sign in to an account, where all of them go; and the roles that they granted.

use super::reference::is_last_admin;
use crate::domain::audit::Event;
use crate::domain::id::UserId;
use crate::domain::identity::Identity;
use crate::domain::role::RoleName;
use crate::error::Fault;
use crate::store::tables::{identities, roles, users};
use crate::store::tx::Tx;

/// Unlinks every identity of a user, with the roles that it granted.
pub(in crate::usecase) fn unlink_all_in(tx: &mut Tx<'_>, user: UserId) -> Result<(), Fault> {
    for identity in identities::list_of(tx, user)? {
        withdraw_all(tx, &identity)?;
        identities::delete(tx, identity.id)?;
    }
    Ok(())
}

/// Withdraws all that an identity grants which is about to go. The last admin keeps the role for good.
pub(in crate::usecase) fn withdraw_all(tx: &mut Tx<'_>, identity: &Identity) -> Result<(), Fault> {
    for role in identities::list_granted(tx, identity.id)? {
        if !withdraw(tx, identity, identity.provider.as_str(), &role)? {
            identities::let_keep(tx, identity, &role)?;
        }
    }
    Ok(())
}

/// Takes back a role that an identity grants. `false`: the last admin keeps it.
pub(in crate::usecase) fn withdraw(
    tx: &mut Tx<'_>,
    identity: &Identity,
    provider: &str,
    role: &RoleName,
) -> Result<bool, Fault> {
    let keeps = must_keep(tx, identity, role)?;
    let (name, provider) = (role.to_string(), provider.to_owned());
    let event = if keeps {
        Event::RoleKept { role: name, provider }
    } else {
        roles::unassign(tx, identity.user, role)?;
        Event::RoleWithdrawn { role: name, provider }
    };
    tx.audit(&event, identity.user)?;
    Ok(!keeps)
}

fn must_keep(tx: &Tx<'_>, identity: &Identity, role: &RoleName) -> Result<bool, Fault> {
    if !role.is_admin() {
        return Ok(false);
    }
    Ok(match users::find(tx, identity.user)? {
        Some(user) => is_last_admin(tx, &user)?,
        None => false,
    })
}
