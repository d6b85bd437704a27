//! What has to change for the database to be as the file says. Pure: the state in, a list of changes out.

use super::file::{Wanted, WantedKey, WantedRole, WantedUser};
use crate::domain::api_key::{ApiKey, ApiKeyName};
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::name::Name;
use crate::domain::role::{Permission, Role, RoleName};
use crate::domain::user::User;
use crate::error::Refusal;
use crate::usecase::account::roles::loses_what_is_built_in;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// Whether what the file doesn't name, in the sections that it has, is taken out of the database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotListed {
    Keep,
    Remove,
}

/// What the database holds of what the file is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub roles: BTreeMap<RoleName, Role>,
    /// By the address as it is compared.
    pub users: BTreeMap<String, User>,
    pub api_keys: BTreeMap<ApiKeyName, ApiKey>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Add,
    Change,
    Remove,
}

impl Action {
    /// Gives the word that operators and scripts read for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Remove => "remove",
        }
    }
}

/// One step of the plan, with all that it needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    AddRole(Role),
    EditRole { from: Role, to: Role },
    RemoveRole(RoleName),
    AddUser(NewUser),
    EditUser { id: UserId, email: Email, edits: Edits },
    RemoveUser { id: UserId, email: Email },
    AddKey { name: ApiKeyName, permissions: Vec<Permission>, ttl: Option<Duration> },
    EditKey { name: ApiKeyName, from: Vec<Permission>, to: Vec<Permission> },
    RemoveKey(ApiKeyName),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewUser {
    pub email: Email,
    pub name: Name,
    pub roles: Vec<RoleName>,
    pub verified: bool,
    pub disabled: bool,
}

/// What becomes different about a user.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Edits {
    pub name: Option<Name>,
    pub verify: bool,
    pub disabled: Option<bool>,
    pub assign: Vec<RoleName>,
    pub unassign: Vec<RoleName>,
}

impl Change {
    /// Whether it adds, changes or removes something.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::AddRole(_) | Self::AddUser(_) | Self::AddKey { .. } => Action::Add,
            Self::EditRole { .. } | Self::EditUser { .. } | Self::EditKey { .. } => Action::Change,
            Self::RemoveRole(_) | Self::RemoveUser { .. } | Self::RemoveKey(_) => Action::Remove,
        }
    }

    /// Whether it takes something from a user, which an admin may have to get first.
    fn takes(&self) -> bool {
        let Self::EditUser { edits, .. } = self else {
            return false;
        };
        !edits.unassign.is_empty() || edits.disabled == Some(true)
    }

    /// Gives what it is about, in a word for operators and scripts: `role`, `user` or `api_key`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AddRole(_) | Self::EditRole { .. } | Self::RemoveRole(_) => "role",
            Self::AddUser(_) | Self::EditUser { .. } | Self::RemoveUser { .. } => "user",
            Self::AddKey { .. } | Self::EditKey { .. } | Self::RemoveKey(_) => "api_key",
        }
    }

    /// Gives the name of the role or API key that it is about, or the user's address.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::AddRole(role) | Self::EditRole { to: role, .. } => role.name.as_str(),
            Self::RemoveRole(name) => name.as_str(),
            Self::AddKey { name, .. } | Self::EditKey { name, .. } | Self::RemoveKey(name) => name.as_str(),
            Self::AddUser(new) => new.email.as_str(),
            Self::EditUser { email, .. } | Self::RemoveUser { email, .. } => email.as_str(),
        }
    }

    /// What it comes to: `+` before what is given and `-` before what is taken.
    #[must_use]
    pub fn details(&self) -> Vec<String> {
        match self {
            Self::AddRole(role) => difference(&[], &role.permissions),
            Self::EditRole { from, to } => {
                let description = (from.description != to.description).then(|| "description".to_owned());
                description.into_iter().chain(difference(&from.permissions, &to.permissions)).collect()
            }
            Self::AddUser(new) => {
                let disabled = new.disabled.then(|| "disabled".to_owned());
                difference(&[], &new.roles).into_iter().chain(disabled).collect()
            }
            Self::EditUser { edits, .. } => edits.details(),
            Self::AddKey { permissions, .. } => difference(&[], permissions),
            Self::EditKey { from, to, .. } => difference(from, to),
            Self::RemoveRole(_) | Self::RemoveUser { .. } | Self::RemoveKey(_) => Vec::new(),
        }
    }
}

impl Edits {
    fn details(&self) -> Vec<String> {
        let state = self.disabled.map(|disabled| if disabled { "disabled" } else { "enabled" });
        let words = [self.name.is_some().then_some("name"), self.verify.then_some("verified"), state];
        let words = words.into_iter().flatten().map(str::to_owned);
        words.chain(self.assign.iter().map(plus)).chain(self.unassign.iter().map(minus)).collect()
    }
}

fn plus(what: &impl ToString) -> String {
    format!("+{}", what.to_string())
}

fn minus(what: &impl ToString) -> String {
    format!("-{}", what.to_string())
}

fn difference<T: PartialEq + ToString>(from: &[T], to: &[T]) -> Vec<String> {
    let added = to.iter().filter(|one| !from.contains(one)).map(plus);
    added.chain(from.iter().filter(|one| !to.contains(one)).map(minus)).collect()
}

/// The changes, in an order in which they can be made: roles before those who get them, and what comes before
/// what goes, so that a new admin can follow on the last one.
///
/// # Errors
/// `not_found` for a role that is neither there nor in the file; `built_in_role` where the file would take a
/// permission from `admin`.
pub(super) fn plan(state: &Found, wanted: &Wanted, not_listed: NotListed) -> Result<Vec<Change>, Refusal> {
    let mut changes = Vec::new();
    for role in wanted.roles.iter().flatten() {
        changes.extend(role_change(state.roles.get(&role.name), role)?);
    }
    let mut of_users = Vec::new();
    for user in wanted.users.iter().flatten() {
        check_roles(state, wanted, user)?;
        of_users.extend(user_change(state.users.get(&user.email.key()), user));
    }
    of_users.sort_by_key(Change::takes);
    changes.append(&mut of_users);
    for key in wanted.api_keys.iter().flatten() {
        changes.extend(key_change(state.api_keys.get(&key.name), key));
    }
    if not_listed == NotListed::Remove {
        changes.extend(removals(state, wanted));
    }
    Ok(changes)
}

fn role_change(standing: Option<&Role>, wanted: &WantedRole) -> Result<Option<Change>, Refusal> {
    let to = Role {
        name: wanted.name.clone(),
        description: wanted
            .description
            .clone()
            .or(standing.map(|role| role.description.clone()))
            .unwrap_or_default(),
        permissions: wanted
            .permissions
            .clone()
            .or(standing.map(|role| role.permissions.clone()))
            .unwrap_or_default(),
    };
    if loses_what_is_built_in(&to) {
        return Err(Refusal::BuiltInRole { role: to.name.to_string() });
    }
    Ok(match standing {
        None => Some(Change::AddRole(to)),
        Some(from) if *from == to => None,
        Some(from) => Some(Change::EditRole { from: from.clone(), to }),
    })
}

fn check_roles(state: &Found, wanted: &Wanted, user: &WantedUser) -> Result<(), Refusal> {
    for role in user.roles.iter().flatten() {
        let named = wanted.roles.iter().flatten().any(|wanted| wanted.name == *role);
        if !named && !state.roles.contains_key(role) {
            return Err(Refusal::not_found("role", role.as_str()));
        }
    }
    Ok(())
}

fn user_change(standing: Option<&User>, wanted: &WantedUser) -> Option<Change> {
    let Some(user) = standing else {
        return Some(Change::AddUser(NewUser {
            email: wanted.email.clone(),
            name: wanted.name.clone().unwrap_or_default(),
            roles: wanted.roles.clone().unwrap_or_default(),
            verified: wanted.verified,
            disabled: wanted.disabled.unwrap_or_default(),
        }));
    };
    let roles = wanted.roles.as_ref().unwrap_or(&user.roles);
    let edits = Edits {
        name: wanted.name.clone().filter(|name| *name != user.name),
        verify: wanted.verified && user.email_verified_at.is_none(),
        disabled: wanted.disabled.filter(|disabled| *disabled != user.disabled_at.is_some()),
        assign: roles.iter().filter(|role| !user.roles.contains(role)).cloned().collect(),
        unassign: user.roles.iter().filter(|role| !roles.contains(role)).cloned().collect(),
    };
    (edits != Edits::default()).then(|| Change::EditUser { id: user.id, email: user.email.clone(), edits })
}

fn key_change(standing: Option<&ApiKey>, wanted: &WantedKey) -> Option<Change> {
    let name = wanted.name.clone();
    match (standing, &wanted.permissions) {
        (None, permissions) => Some(Change::AddKey {
            name,
            permissions: permissions.clone().unwrap_or_default(),
            ttl: wanted.ttl,
        }),
        (Some(key), Some(to)) if key.permissions != *to => {
            Some(Change::EditKey { name, from: key.permissions.clone(), to: to.clone() })
        }
        (Some(_), _) => None,
    }
}

/// What the file doesn't name, of the sections that it has. The built-in role stays.
fn removals(state: &Found, wanted: &Wanted) -> Vec<Change> {
    let mut changes = Vec::new();
    if let Some(users) = &wanted.users {
        // There may be very many on both sides.
        let named: HashSet<String> = users.iter().map(|named| named.email.key()).collect();
        let gone = state.users.iter().filter(|(key, _)| !named.contains(*key));
        changes.extend(gone.map(|(_, user)| Change::RemoveUser { id: user.id, email: user.email.clone() }));
    }
    if let Some(keys) = &wanted.api_keys {
        let gone = state.api_keys.values().filter(|key| keys.iter().all(|named| named.name != key.name));
        changes.extend(gone.map(|key| Change::RemoveKey(key.name.clone())));
    }
    if let Some(roles) = &wanted.roles {
        let gone = state
            .roles
            .keys()
            .filter(|name| !name.is_admin() && roles.iter().all(|named| named.name != **name));
        changes.extend(gone.map(|name| Change::RemoveRole(name.clone())));
    }
    changes
}
