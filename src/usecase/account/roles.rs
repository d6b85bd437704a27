//! Roles, and who has them.

use super::reference::{UserRef, change_fresh, is_last_admin};
use crate::domain::access::OWN_PERMISSIONS;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::cursor;
use crate::domain::id::UserId;
use crate::domain::role::{Permission, Role, RoleName};
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::page::{Page, Paged};
use crate::store::tables::users::Filter;
use crate::store::tables::{roles, users};
use crate::store::tx::{Query, Tx};
use crate::usecase::app::App;
use crate::usecase::paging::by_name;
use crate::usecase::reauthenticate::require_fresh_if_user;
use crate::usecase::{require, require_over, require_own};

/// A page of the roles, by name: `limit` of them (at least 1), after the `next` of the page before.
///
/// # Errors
/// `forbidden` without `roles:read`; `invalid_cursor`; `validation_failed` for a limit of 0; the store's.
pub fn page(
    app: &App,
    caller: &Caller,
    limit: u32,
    after: Option<&str>,
) -> Result<Paged<Role, String>, Error> {
    require(caller, "roles:read")?;
    by_name(cursor::List::Roles, limit, after, |page| app.store.read(|query| roles::list_page(query, &page)))
}

/// A role, and how many users have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    pub role: Role,
    pub users: u64,
}

/// One role.
///
/// # Errors
/// `forbidden` without `roles:read`; `not_found`; the store's.
pub fn find(app: &App, caller: &Caller, name: &RoleName) -> Result<Held, Error> {
    require(caller, "roles:read")?;
    let held = app.store.read(|query| match roles::find(query, name)? {
        Some(role) => Ok(Some(Held { role, users: roles::count_users(query, name)? })),
        None => Ok(None),
    })?;
    Ok(held.ok_or_else(|| missing(name))?)
}

fn missing(name: &RoleName) -> Refusal {
    Refusal::not_found("role", name.as_str())
}

/// Makes a role.
///
/// # Errors
/// `forbidden` without `roles:write`, or for a permission of authd's own that the caller does not hold;
/// `fresh_login_required` for a user; `already_exists`; the store's.
pub fn add(app: &App, caller: &Caller, role: &Role) -> Result<Role, Error> {
    require(caller, "roles:write")?;
    require_own(caller, &role.permissions)?;
    let (fresh, role) = (require_fresh_if_user(app, caller)?, role.clone());
    fresh.write(app, caller, move |tx| add_in(tx, &role))
}

pub(in crate::usecase) fn add_in(tx: &mut Tx<'_>, role: &Role) -> Result<Decision<Role>, Fault> {
    if roles::find(tx, &role.name)?.is_some() {
        return Ok(Decision::Refuse(Refusal::AlreadyExists { what: "role", name: role.name.to_string() }));
    }
    roles::insert(tx, role)?;
    tx.audit(&Event::RoleCreated { role: role.name.to_string() }, Subject::default())?;
    let made =
        roles::find(tx, &role.name)?.ok_or_else(|| Fault::Internal("a new role is not there".into()))?;
    Ok(Decision::Grant(made))
}

/// The members of a role: how many there are, and the first of them in the order in which their accounts were
/// made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Members {
    pub role: Role,
    pub count: u64,
    pub first: Vec<User>,
}

/// One role with its members, of whom `limit` are read at most.
///
/// # Errors
/// `forbidden` without `roles:read` and `users:read`; `not_found`; the store's.
pub fn members(app: &App, caller: &Caller, name: &RoleName, limit: u32) -> Result<Members, Error> {
    require(caller, "roles:read")?;
    require(caller, "users:read")?;
    let (now, page) = (app.now(), Page { limit, after: None });
    let found = app.store.read(|query| {
        let Some(role) = roles::find(query, name)? else {
            return Ok(None);
        };
        let filter = Filter { role: Some(name.clone()), ..Filter::default() };
        let first = users::list(query, &filter, now, page)?.items;
        Ok(Some(Members { role, count: roles::count_users(query, name)?, first }))
    })?;
    Ok(found.ok_or_else(|| missing(name))?)
}

/// What to change of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// `None`: leave it.
    pub description: Option<String>,
    pub permissions: PermissionChange,
}

/// What becomes of the permissions that a role holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PermissionChange {
    #[default]
    Keep,
    /// They are these from then on, and no others.
    Replace(Vec<Permission>),
    /// Some come and some go, whatever else it holds. What is there already, or isn't, stays so.
    Edit { add: Vec<Permission>, remove: Vec<Permission> },
}

impl PermissionChange {
    /// What the role is given by name.
    fn handed_out(&self) -> &[Permission] {
        match self {
            Self::Keep => &[],
            Self::Replace(given) | Self::Edit { add: given, .. } => given,
        }
    }

    fn apply(&self, held: &[Permission]) -> Vec<Permission> {
        let mut permissions: Vec<Permission> = match self {
            Self::Keep => held.to_vec(),
            Self::Replace(all) => all.clone(),
            Self::Edit { add, remove } => {
                held.iter().filter(|held| !remove.contains(held)).chain(add).cloned().collect()
            }
        };
        permissions.sort();
        permissions.dedup();
        permissions
    }

    /// Refuses to take a permission that the role goes on having by a wider one: it would look as if it were
    /// gone.
    fn check_taken(&self, after: &Role) -> Result<(), Refusal> {
        let Self::Edit { remove, .. } = self else {
            return Ok(());
        };
        let still = |taken: &Permission| {
            let wider = after.permissions.iter().find(|held| held.covers(taken.as_str()))?;
            Some(format!("the role {} holds {taken} by {wider}; remove that one, too", after.name))
        };
        match remove.iter().find_map(still) {
            Some(reason) => Err(Refusal::Conflict { reason }),
            None => Ok(()),
        }
    }
}

/// A role as it is now, and whether anything about it was different before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edited {
    pub role: Role,
    pub changed: bool,
}

/// Changes a role; what its permissions allow counts for the next request of everybody who has it. What
/// stays the same leaves no trace.
///
/// # Errors
/// `forbidden` without `roles:write`, or for a permission of authd's own that the caller does not hold, given
/// or taken; `fresh_login_required` for a user; `not_found`; `built_in_role` when the role `admin` would lose
/// a permission of authd's own; `conflict` when it would keep one that is taken, by a wider one; the store's.
pub fn edit(app: &App, caller: &Caller, name: &RoleName, changes: &Changes) -> Result<Edited, Error> {
    require(caller, "roles:write")?;
    require_own(caller, changes.permissions.handed_out())?;
    let (changer, name, changes) = (caller.clone(), name.clone(), changes.clone());
    let fresh = require_fresh_if_user(app, caller)?;
    fresh.write(app, caller, move |tx| edit_in(tx, &changer, &name, &changes))
}

pub(in crate::usecase) fn edit_in(
    tx: &mut Tx<'_>,
    changer: &Caller,
    name: &RoleName,
    changes: &Changes,
) -> Result<Decision<Edited>, Fault> {
    let Some(before) = roles::find(tx, name)? else {
        return Ok(Decision::Refuse(missing(name)));
    };
    if let Err(refusal) = require_over(changer, &before.permissions) {
        return Ok(Decision::Refuse(refusal));
    }
    let after = changes.clone().apply(&before);
    if let Err(refusal) = changes.permissions.check_taken(&after) {
        return Ok(Decision::Refuse(refusal));
    }
    if after == before {
        return Ok(Decision::Grant(Edited { role: before, changed: false }));
    }
    if loses_what_is_built_in(&after) {
        return Ok(Decision::Refuse(Refusal::BuiltInRole { role: name.to_string() }));
    }
    roles::save(tx, &after)?;
    tx.audit(&difference(&before, &after), Subject::default())?;
    Ok(Decision::Grant(Edited { role: after, changed: true }))
}

impl Changes {
    fn apply(self, to: &Role) -> Role {
        let permissions = self.permissions.apply(&to.permissions);
        let description = self.description.unwrap_or_else(|| to.description.clone());
        Role { name: to.name.clone(), description, permissions }
    }
}

pub(in crate::usecase) fn loses_what_is_built_in(role: &Role) -> bool {
    let holds = |own: &&str| role.permissions.iter().any(|held| held.as_str() == *own);
    role.name.is_admin() && !OWN_PERMISSIONS.iter().all(holds)
}

fn difference(before: &Role, after: &Role) -> Event {
    let only_in = |one: &Role, other: &Role| {
        let only = one.permissions.iter().filter(|permission| !other.permissions.contains(permission));
        only.map(ToString::to_string).collect()
    };
    Event::RoleEdited {
        role: after.name.to_string(),
        added: only_in(after, before),
        removed: only_in(before, after),
        description: before.description != after.description,
    }
}

/// Deletes a role and takes it from everybody, for their next request; gives it as it was.
///
/// # Errors
/// `forbidden` without `roles:write`, or for a role that holds more of authd than the caller;
/// `fresh_login_required` for a user; `not_found`;
/// `built_in_role` for `admin`; the store's.
pub fn delete(app: &App, caller: &Caller, name: &RoleName) -> Result<Held, Error> {
    require(caller, "roles:write")?;
    let (changer, name) = (caller.clone(), name.clone());
    let fresh = require_fresh_if_user(app, caller)?;
    fresh.write(app, caller, move |tx| delete_in(tx, &changer, &name))
}

/// Finds the role that [`delete`] would delete, refuses as it would, and changes nothing: for whoever is
/// about to be asked.
///
/// # Errors
/// As [`delete`].
pub fn deletable(app: &App, caller: &Caller, name: &RoleName) -> Result<Held, Error> {
    require(caller, "roles:write")?;
    let (changer, name) = (caller.clone(), name.clone());
    app.store.write(caller, move |tx| tx.dry_run(|tx| delete_in(tx, &changer, &name)))
}

pub(in crate::usecase) fn delete_in(
    tx: &mut Tx<'_>,
    changer: &Caller,
    name: &RoleName,
) -> Result<Decision<Held>, Fault> {
    if name.is_admin() {
        return Ok(Decision::Refuse(Refusal::BuiltInRole { role: name.to_string() }));
    }
    let Some(role) = roles::find(tx, name)? else {
        return Ok(Decision::Refuse(missing(name)));
    };
    if let Err(refusal) = require_over(changer, &role.permissions) {
        return Ok(Decision::Refuse(refusal));
    }
    let users = roles::count_users(tx, name)?;
    roles::delete(tx, name)?;
    tx.audit(&Event::RoleDeleted { role: name.to_string(), users }, Subject::default())?;
    Ok(Decision::Grant(Held { role, users }))
}

/// A user after roles were given or taken, and which those were; the others they had, or lacked, already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub user: User,
    pub changed: Vec<RoleName>,
}

/// Gives a user roles; those they have already change nothing.
///
/// # Errors
/// `forbidden` without `users:write`, or for a role with a permission of authd's own that the caller does not
/// hold, or for a user who holds one; `fresh_login_required` for a user; `not_found` for an unknown user or
/// role. Then none is given.
pub fn assign(app: &App, caller: &Caller, of: &UserRef, wanted: &[RoleName]) -> Result<Member, Error> {
    let (giver, wanted) = (caller.clone(), wanted.to_vec());
    let (user, changed) =
        change_fresh(app, caller, of, move |tx, user| assign_in(tx, &giver, user, &wanted))?;
    Ok(Member { user, changed })
}

pub(in crate::usecase) fn assign_in(
    tx: &mut Tx<'_>,
    giver: &Caller,
    user: &User,
    wanted: &[RoleName],
) -> Result<Decision<Vec<RoleName>>, Fault> {
    if let Some(refusal) = cannot_give(tx, giver, wanted)? {
        return Ok(Decision::Refuse(refusal));
    }
    Ok(Decision::Grant(give(tx, user.id, wanted)?))
}

/// Why the giver can't give these roles. `None`: they can.
pub(in crate::usecase) fn cannot_give(
    query: &impl Query,
    giver: &Caller,
    wanted: &[RoleName],
) -> Result<Option<Refusal>, Fault> {
    for name in wanted {
        let Some(role) = roles::find(query, name)? else {
            return Ok(Some(missing(name)));
        };
        if let Err(refusal) = require_own(giver, &role.permissions) {
            return Ok(Some(refusal));
        }
    }
    Ok(None)
}

/// Gives roles that there are; tells which the user didn't have.
pub(in crate::usecase) fn give(
    tx: &mut Tx<'_>,
    user: UserId,
    wanted: &[RoleName],
) -> Result<Vec<RoleName>, Fault> {
    let mut given = Vec::new();
    for role in wanted {
        if roles::assign(tx, user, role)? {
            tx.audit(&Event::RoleAssigned { role: role.to_string() }, user)?;
            given.push(role.clone());
        }
    }
    Ok(given)
}

/// Takes roles from a user; those they don't have change nothing.
///
/// # Errors
/// `forbidden` without `users:write`, or for a user who holds a permission of authd's own that the caller
/// doesn't; `fresh_login_required` for a user; `not_found` for an unknown user or role; `last_admin`. Then
/// none is taken.
pub fn unassign(app: &App, caller: &Caller, of: &UserRef, unwanted: &[RoleName]) -> Result<Member, Error> {
    let unwanted = unwanted.to_vec();
    let (user, changed) = change_fresh(app, caller, of, move |tx, user| unassign_in(tx, user, &unwanted))?;
    Ok(Member { user, changed })
}

pub(in crate::usecase) fn unassign_in(
    tx: &mut Tx<'_>,
    user: &User,
    unwanted: &[RoleName],
) -> Result<Decision<Vec<RoleName>>, Fault> {
    if let Some(refusal) = first_unknown(tx, unwanted)? {
        return Ok(Decision::Refuse(refusal));
    }
    if unwanted.iter().any(RoleName::is_admin) && is_last_admin(tx, user)? {
        return Ok(Decision::Refuse(Refusal::LastAdmin));
    }
    let mut taken = Vec::new();
    for role in unwanted {
        if roles::unassign(tx, user.id, role)? {
            tx.audit(&Event::RoleUnassigned { role: role.to_string() }, user.id)?;
            taken.push(role.clone());
        }
    }
    Ok(Decision::Grant(taken))
}

/// Gives a user roles and takes others, all of it or nothing: as [`assign`] and [`unassign`] do.
///
/// # Errors
/// As those.
pub fn reassign(
    app: &App,
    caller: &Caller,
    of: &UserRef,
    wanted: &[RoleName],
    unwanted: &[RoleName],
) -> Result<Member, Error> {
    let (giver, wanted, unwanted) = (caller.clone(), wanted.to_vec(), unwanted.to_vec());
    let (user, changed) = change_fresh(app, caller, of, move |tx, user| {
        // What can be refused comes first: a refusal commits what was done before it.
        if let Some(refusal) = cannot_give(tx, &giver, &wanted)? {
            return Ok(Decision::Refuse(refusal));
        }
        let taken = match unassign_in(tx, user, &unwanted)? {
            Decision::Grant(taken) => taken,
            refused @ Decision::Refuse(_) => return Ok(refused),
        };
        let given = give(tx, user.id, &wanted)?;
        Ok(Decision::Grant([taken, given].concat()))
    })?;
    Ok(Member { user, changed })
}

fn first_unknown(query: &impl Query, names: &[RoleName]) -> Result<Option<Refusal>, Fault> {
    for name in names {
        if roles::find(query, name)?.is_none() {
            return Ok(Some(missing(name)));
        }
    }
    Ok(None)
}
