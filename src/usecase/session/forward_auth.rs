//! Forward auth: may a request pass that a proxy asks about?

use crate::domain::access::SignedIn;
use crate::domain::caller::Caller;
use crate::domain::role::{Permission, RoleName};
use crate::error::{Error, Refusal};
use crate::usecase::app::App;
use crate::usecase::gate::judge::{self, Asked};
use crate::usecase::{require, require_user};

/// What a caller must hold: all of it.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    pub roles: Vec<RoleName>,
    pub permissions: Vec<Permission>,
}

/// Who the caller is, if they may use the application and hold all that is demanded. Of the caller nothing
/// is read here: what the database says of them was read when their token was checked, and a proxy asks for
/// every picture of every page.
///
/// # Errors
/// `unauthenticated`; `forbidden`, which names what is missing; `validation_failed` for an application that
/// isn't there; the store's.
pub fn verify<'a>(
    app: &App,
    caller: &'a Caller,
    asked: &Asked,
    demands: &Demands,
) -> Result<&'a SignedIn, Error> {
    let me = require_user(caller)?;
    if let Some(application) = judge::asked_about(app, asked)? {
        judge::check(&application, me)?;
    }
    if let Some(role) = demands.roles.iter().find(|role| !me.account.roles.contains(role)) {
        return Err(Refusal::RoleRequired { role: role.to_string() }.into());
    }
    for permission in &demands.permissions {
        require(caller, permission.as_str())?;
    }
    Ok(me)
}
