//! Roles by a provider's claim: what it grants is granted and withdrawn again at each sign-in. What somebody
//! here gave stays, no role is made by a claim, and the last admin stays one.

use crate::config::Provider;
use crate::domain::audit::Event;
use crate::domain::identity::Identity;
use crate::domain::role::RoleName;
use crate::error::Fault;
use crate::store::tables::{identities, roles};
use crate::store::tx::Tx;
use crate::usecase::account::identities::withdraw;
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
