//! Roles by a provider's claim: what it grants is granted and withdrawn again at each sign-in. What somebody
//! here gave stays, no role is made by a claim, and the last admin stays one.

use crate::config::Provider;
use crate::domain::audit::Event;
use crate::domain::identity::Identity;
use crate::domain::role::RoleName;
use crate::error::Fault;
use crate::store::tables::{identities, roles, users};
use crate::store::tx::Tx;
use crate::usecase::account::reference::is_last_admin;
use std::collections::BTreeMap;

/// What the configuration says of a provider's groups.
#[derive(Clone, Debug)]
pub(super) struct RoleClaims {
    provider: String,
    roles: BTreeMap<String, RoleName>,
}

impl RoleClaims {
    pub(super) fn of(provider: &Provider) -> Self {
        Self { provider: provider.name.to_string(), roles: provider.roles.clone() }
    }

    /// Brings the roles of an identity's user in line with the groups that its provider states. A claim that
    /// is missing states none.
    pub(super) fn apply(&self, tx: &mut Tx<'_>, identity: &Identity, groups: &[String]) -> Result<(), Fault> {
        let wanted: Vec<&RoleName> = groups.iter().filter_map(|group| self.roles.get(group)).collect();
        for role in &wanted {
            if roles::find(tx, role)?.is_some() && identities::grant(tx, identity, role)? {
                let (role, provider) = (role.to_string(), self.provider.clone());
                tx.audit(&Event::RoleGranted { role, provider }, identity.user)?;
            }
        }
        let granted = identities::list_granted(tx, identity.id)?;
        for role in granted.iter().filter(|role| !wanted.contains(role)) {
            withdraw(tx, identity, &self.provider, role)?;
        }
        Ok(())
    }
}

/// Withdraws all that an identity grants which is about to go. The last admin keeps the role for good.
pub(super) fn withdraw_all(tx: &mut Tx<'_>, identity: &Identity) -> Result<(), Fault> {
    for role in identities::list_granted(tx, identity.id)? {
        if !withdraw(tx, identity, identity.provider.as_str(), &role)? {
            identities::let_keep(tx, identity, &role)?;
        }
    }
    Ok(())
}

/// Takes back a role that an identity grants. `false`: the last admin keeps it.
fn withdraw(tx: &mut Tx<'_>, identity: &Identity, provider: &str, role: &RoleName) -> Result<bool, Fault> {
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
