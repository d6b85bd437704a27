//! Forward auth: may a request pass that a proxy asks about?

use crate::domain::access::SignedIn;
use crate::domain::caller::Caller;
use crate::domain::role::{Permission, RoleName};
use crate::error::Refusal;
use crate::usecase::{require, require_user};

/// What a caller must hold: all of it.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    pub roles: Vec<RoleName>,
    pub permissions: Vec<Permission>,
}

/// Who the caller is, if they hold all that is demanded. Nothing is read here: what the database says of
/// the caller was read when their token was checked, and a proxy asks for every picture of every page.
///
/// # Errors
/// `unauthenticated`; `forbidden`, which names what is missing.
pub fn verify<'a>(caller: &'a Caller, demands: &Demands) -> Result<&'a SignedIn, Refusal> {
    let me = require_user(caller)?;
    if let Some(role) = demands.roles.iter().find(|role| !me.account.roles.contains(role)) {
        return Err(Refusal::RoleRequired { role: role.to_string() });
    }
    for permission in &demands.permissions {
        require(caller, permission.as_str())?;
    }
    Ok(me)
}
