//! Roles. What a role holds is the file's to say, whole: what its list doesn't name is taken from it.

use super::change::{Action, Change, Detail, State, Step, difference, texts};
use super::fields::{Entry, Located, Wrong};
use super::kind::{Difference, Fate, Kind, Look, NotListed, Spared};
use crate::domain::nearest::nearest;
use crate::domain::role::{InvalidPermission, InvalidRoleName, Permission, Role, RoleName};
use crate::error::{Decision, Fault, Refusal};
use crate::store::tables::roles;
use crate::usecase::account::roles::{self as role, Changes, PermissionChange, loses_what_is_built_in};
use std::collections::BTreeMap;
use std::fmt::Display;

/// A role as the file wants it. `None`: not said, and left alone.
#[derive(Debug)]
pub(super) struct WantedRole {
    line: usize,
    name: RoleName,
    description: Option<String>,
    /// Sorted, each once.
    permissions: Option<Vec<Permission>>,
}

/// Reads a role's name.
pub(super) fn read_name(text: &str) -> Result<RoleName, Wrong> {
    RoleName::parse(text).map_err(|InvalidRoleName| ("invalid", InvalidRoleName::MESSAGE))
}

/// Takes the field `permissions`, sorted, each once.
pub(super) fn take_permissions(entry: &mut Entry<'_>) -> Option<Vec<Permission>> {
    let read = |text: &str| {
        Permission::parse(text).map_err(|InvalidPermission| ("invalid", InvalidPermission::MESSAGE))
    };
    let mut permissions: Vec<Permission> =
        entry.texts("permissions", read)?.into_iter().map(|Located { value, .. }| value).collect();
    permissions.sort();
    permissions.dedup();
    Some(permissions)
}

/// A role that an entry of another kind names.
pub(super) struct Mention<'a> {
    pub role: &'a Located<RoleName>,
    /// What names it: `user`, and the address.
    pub noun: &'static str,
    pub name: &'a dyn Display,
}

/// How many roles that nobody knows are named at once.
const UNKNOWN_MAX: usize = 10;

/// Refuses roles that are neither in the database nor in the file, or that the file removes, with the line
/// and whose entry it is, and the name that was most likely meant.
pub(super) fn unknown_roles<'a>(
    mentions: impl Iterator<Item = Mention<'a>>,
    look: &Look<'_>,
) -> Result<Option<Refusal>, Fault> {
    let mut known = look.wanted.names(WantedRole::SECTION);
    let removes = look.not_listed == NotListed::Remove && look.wanted.has(WantedRole::SECTION);
    let (removed, stay): (Vec<_>, Vec<_>) = roles::list(look.query)?
        .into_iter()
        .map(|role| role.name)
        .partition(|name| removes && !name.is_admin() && !known.contains(name.as_str()));
    known.extend(stay.iter().map(ToString::to_string));
    let mut unknown = mentions.filter(|mention| !known.contains(mention.role.value.as_str()));
    let told: Vec<String> = unknown
        .by_ref()
        .take(UNKNOWN_MAX)
        .map(|Mention { role: Located { value, line }, noun, name }| {
            let more = if removed.contains(value) {
                "; the file's roles leave it out, so it is removed".to_owned()
            } else {
                let meant = nearest(value.as_str(), known.iter().map(String::as_str));
                meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"))
            };
            format!("{value} (line {line}, {noun} {name}{more})")
        })
        .collect();
    let more = unknown.count();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    Ok((!told.is_empty()).then(|| Refusal::not_found("role", told.join(", ") + &more)))
}

impl Kind for WantedRole {
    const SECTION: &'static str = "roles";
    const WORD: &'static str = "role";
    const NOUNS: [&'static str; 2] = ["role", "roles"];
    const KEY: &'static str = "name";
    const HOLDS: &'static str = "permissions";
    const PERMISSION: &'static str = "roles:write";

    fn read(entry: &mut Entry<'_>) -> Option<Self> {
        let name = entry.required(Self::KEY, read_name);
        let description = entry.text("description", |text| Ok(text.to_owned()));
        let permissions = take_permissions(entry);
        Some(Self { line: entry.line(), name: name?, description, permissions })
    }

    fn name(&self) -> String {
        self.name.to_string()
    }

    fn hands_out(&self) -> &[Permission] {
        self.permissions.as_deref().unwrap_or_default()
    }

    fn compare(wanted: &[Self], look: &Look<'_>) -> Result<Decision<Difference>, Fault> {
        let standing: BTreeMap<RoleName, Role> =
            roles::list(look.query)?.into_iter().map(|role| (role.name.clone(), role)).collect();
        let mut found = Difference::default();
        for role in wanted {
            let before = standing.get(&role.name);
            let after = role.after(before);
            if loses_what_is_built_in(&after) {
                let role = format!("{} (line {})", after.name, role.line);
                return Ok(Decision::Refuse(Refusal::BuiltInRole { role }));
            }
            if before != Some(&after) {
                found.made.push(change(before, after));
            }
        }
        let not_listed = standing.values().filter(|standing| {
            !standing.name.is_admin() && wanted.iter().all(|wanted| wanted.name != standing.name)
        });
        match look.not_listed {
            NotListed::Remove => found.gone.extend(not_listed.map(removal)),
            NotListed::Keep => {
                found.spared.extend(Spared::of(not_listed.count(), Self::NOUNS, Fate::Removed));
            }
        }
        Ok(Decision::Grant(found))
    }
}

impl WantedRole {
    fn after(&self, before: Option<&Role>) -> Role {
        let description = self.description.clone().or(before.map(|role| role.description.clone()));
        let permissions = self.permissions.clone().or(before.map(|role| role.permissions.clone()));
        Role {
            name: self.name.clone(),
            description: description.unwrap_or_default(),
            permissions: permissions.unwrap_or_default(),
        }
    }
}

fn change(before: Option<&Role>, after: Role) -> Change {
    let mut details =
        difference(before.map_or(&[][..], |role| role.permissions.as_slice()), &after.permissions);
    if before.is_some_and(|role| role.description != after.description) {
        details.push(Detail::Says("description".into()));
    }
    let (action, to) = (if before.is_some() { Action::Change } else { Action::Add }, after.clone());
    let step = match action {
        Action::Add => Step::plain(move |_, tx| Ok(role::add_in(tx, &to)?.map(drop))),
        Action::Change | Action::Remove => Step::plain(move |giver, tx| {
            let changes = Changes {
                description: Some(to.description.clone()),
                permissions: PermissionChange::Replace(to.permissions.clone()),
            };
            Ok(role::edit_in(tx, giver, &to.name, &changes)?.map(drop))
        }),
    };
    let (before, after_state) = (before.map(state), Some(state(&after)));
    Change { details, before, after: after_state, ..WantedRole::change(action, &after.name, step) }
}

fn removal(role: &Role) -> Change {
    let name = role.name.clone();
    let step = Step::plain(move |giver, tx| Ok(role::delete_in(tx, giver, &name)?.map(drop)));
    Change { before: Some(state(role)), ..WantedRole::change(Action::Remove, &role.name, step) }
}

fn state(role: &Role) -> State {
    let members =
        [("description", role.description.as_str().into()), ("permissions", texts(&role.permissions))];
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}
