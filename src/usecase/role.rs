//! Roles, and who has them.

use super::app::App;
use super::require;
use super::user::{UserRef, change, is_last_admin};
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::role::{Role, RoleName};
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::roles;
use crate::store::tx::Query;

/// All roles, by name.
///
/// # Errors
/// `forbidden` without `roles:read`; the store's.
pub fn list(app: &App, caller: &Caller) -> Result<Vec<Role>, Error> {
    require(caller, "roles:read")?;
    Ok(app.store.read(|query| roles::list(query))?)
}

/// Makes a role.
///
/// # Errors
/// `forbidden` without `roles:write`; `already_exists`; the store's.
pub fn add(app: &App, caller: &Caller, role: &Role) -> Result<Role, Error> {
    require(caller, "roles:write")?;
    let role = role.clone();
    app.store.write(caller, move |tx| {
        if roles::find(tx, &role.name)?.is_some() {
            return Ok(Decision::Refuse(Refusal::AlreadyExists { what: "role", name: role.name.to_string() }));
        }
        roles::insert(tx, &role)?;
        tx.audit(&Event::RoleCreated { role: role.name.to_string() }, Subject::default())?;
        let made = roles::find(tx, &role.name)?.ok_or_else(|| Fault::Internal("a new role is not there".into()))?;
        Ok(Decision::Grant(made))
    })
}

/// Gives a user roles; those they have already change nothing.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found` for an unknown user or role, and then none is given.
pub fn assign(app: &App, caller: &Caller, of: &UserRef, wanted: &[RoleName]) -> Result<User, Error> {
    let wanted = wanted.to_vec();
    change(app, caller, of, move |tx, user| {
        if let Some(refusal) = first_unknown(tx, &wanted)? {
            return Ok(Decision::Refuse(refusal));
        }
        for role in &wanted {
            if roles::assign(tx, user.id, role)? {
                tx.audit(&Event::RoleAssigned { role: role.to_string() }, user.id)?;
            }
        }
        Ok(Decision::Grant(()))
    })
}

/// Takes roles from a user; those they don't have change nothing.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found` for an unknown user or role; `last_admin`. Then none is taken.
pub fn unassign(app: &App, caller: &Caller, of: &UserRef, unwanted: &[RoleName]) -> Result<User, Error> {
    let unwanted = unwanted.to_vec();
    change(app, caller, of, move |tx, user| {
        if let Some(refusal) = first_unknown(tx, &unwanted)? {
            return Ok(Decision::Refuse(refusal));
        }
        if unwanted.iter().any(RoleName::is_admin) && is_last_admin(tx, user)? {
            return Ok(Decision::Refuse(Refusal::LastAdmin));
        }
        for role in &unwanted {
            if roles::unassign(tx, user.id, role)? {
                tx.audit(&Event::RoleUnassigned { role: role.to_string() }, user.id)?;
            }
        }
        Ok(Decision::Grant(()))
    })
}

fn first_unknown(query: &impl Query, names: &[RoleName]) -> Result<Option<Refusal>, Fault> {
    for name in names {
        if roles::find(query, name)?.is_none() {
            return Ok(Some(Refusal::not_found("role", name.as_str())));
        }
    }
    Ok(None)
}
