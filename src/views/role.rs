//! Roles.

use super::page::PageItem;
use super::text::Texts;
use crate::domain;
use crate::domain::role::Permission;
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

impl PageItem for Role<'_> {
    const PAGE: &'static str = "RolePage";
    const ORDER: &'static str = "By name.";
}
