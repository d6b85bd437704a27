//! Roles.

use super::page::PageItem;
use super::text::{Id, Texts};
use crate::domain;
use crate::domain::id::UserId;
use crate::domain::role::Permission;
use crate::domain::user::User;
use crate::usecase::account::roles::Members;
use schemars::JsonSchema;
use serde::Serialize;

/// A role, and what it opens.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Role<'a> {
    /// Never changes.
    name: &'a str,
    /// May be empty.
    description: &'a str,
    /// Sorted; `area:action` or `area:*`.
    permissions: Texts<'a, Permission>,
}

/// Shows a role.
#[must_use]
pub fn role(role: &domain::role::Role) -> Role<'_> {
    Role { name: role.name.as_str(), description: &role.description, permissions: Texts(&role.permissions) }
}

/// A role with those who have it.
#[derive(Serialize, JsonSchema, Debug)]
pub struct RoleMembers<'a> {
    name: &'a str,
    description: &'a str,
    permissions: Texts<'a, Permission>,
    /// How many users have it.
    member_count: u64,
    /// The first of them, in the order in which their accounts were made.
    members: Vec<Member<'a>>,
}

/// Who has a role.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Member<'a> {
    /// UUIDv7.
    id: Id<UserId>,
    #[schemars(email)]
    email: &'a str,
}

/// Shows a role with those who have it.
#[must_use]
pub fn role_members(found: &Members) -> RoleMembers<'_> {
    let Role { name, description, permissions } = role(&found.role);
    let members = found.first.iter().map(member).collect();
    RoleMembers { name, description, permissions, member_count: found.count, members }
}

fn member(user: &User) -> Member<'_> {
    Member { id: Id(user.id), email: user.email.as_str() }
}

impl PageItem for Role<'_> {
    const PAGE: &'static str = "RolePage";
    const ORDER: &'static str = "By name.";
}
