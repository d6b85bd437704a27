//! Roles and the permissions they hold.

use std::fmt;

/// The longest name of a role, or of a permission's area or action, in bytes.
pub const MAX_BYTES: usize = 64;

pub(super) fn is_word(text: &str) -> bool {
    let edge = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= MAX_BYTES
        && text.bytes().next().is_some_and(edge)
        && text.bytes().all(|c| edge(c) || matches!(c, b'.' | b'_' | b'-'))
}

/// `[a-z0-9][a-z0-9._-]*`, at most [`MAX_BYTES`] long.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RoleName(String);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidRoleName;

impl InvalidRoleName {
    pub const MESSAGE: &'static str = "a role's name has lower-case letters, digits, `.`, `_` and `-`, begins with a letter or digit, and is at most 64 long";
}

impl RoleName {
    /// The built-in role, which holds every permission of authd and can't lose one.
    pub const ADMIN: &'static str = "admin";

    /// Reads the name of a role.
    ///
    /// # Errors
    /// [`InvalidRoleName`].
    pub fn parse(text: &str) -> Result<Self, InvalidRoleName> {
        if is_word(text) { Ok(Self(text.to_owned())) } else { Err(InvalidRoleName) }
    }

    /// The name of the built-in role that may do everything.
    #[must_use]
    pub fn admin() -> Self {
        Self(Self::ADMIN.to_owned())
    }

    /// Whether this is the built-in role `admin`.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.0 == Self::ADMIN
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `area:action`, or `area:*` for every action of that area.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Permission(String);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidPermission;

impl InvalidPermission {
    pub const MESSAGE: &'static str =
        "a permission is `area:action` in lower case, such as posts:write, or `area:*`";
}

impl Permission {
    /// Reads a permission.
    ///
    /// # Errors
    /// [`InvalidPermission`].
    pub fn parse(text: &str) -> Result<Self, InvalidPermission> {
        match text.split_once(':') {
            Some((area, action)) if is_word(area) && (action == "*" || is_word(action)) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(InvalidPermission),
        }
    }

    /// The permission as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether holding `self` is enough where `wanted` (`area:action`) is asked for.
    #[must_use]
    pub fn covers(&self, wanted: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(area) => wanted.starts_with(area),
            None => self.0 == wanted,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many bytes of JSON a token's roles and permissions have together at most. A browser drops a cookie
/// over 4,096 bytes, and what else stands in a token takes up to half of that.
pub const CLAIMS_MAX: usize = 2_048;

/// Which of an account's roles and permissions its access tokens carry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carried {
    Both,
    RolesAlone,
    Neither,
}

impl Carried {
    /// As much as fits into [`CLAIMS_MAX`].
    #[must_use]
    pub fn of(roles: &[RoleName], permissions: &[Permission]) -> Self {
        let roles = json_bytes(roles.iter().map(RoleName::as_str));
        let permissions = json_bytes(permissions.iter().map(Permission::as_str));
        if roles + permissions <= CLAIMS_MAX {
            Self::Both
        } else if roles <= CLAIMS_MAX {
            Self::RolesAlone
        } else {
            Self::Neither
        }
    }
}

/// The length of an array of names, none of which holds what JSON escapes.
fn json_bytes<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    "[]".len() + names.map(|name| name.len() + r#""","#.len()).sum::<usize>()
}

/// A role as operators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    pub name: RoleName,
    pub description: String,
    pub permissions: Vec<Permission>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_covers_its_own_area_only() {
        let all_posts = Permission::parse("posts:*").unwrap();
        assert!(all_posts.covers("posts:write"));
        assert!(!all_posts.covers("posts-archive:write"));
        assert!(!Permission::parse("posts:read").unwrap().covers("posts:write"));
    }

    #[test]
    fn names_are_plain_words() {
        for good in ["a", "editor", "7-eleven", "a.b_c-d"] {
            assert!(RoleName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "Editor", "-a", "a b", "a,b", "é", &"x".repeat(65)] {
            assert_eq!(RoleName::parse(bad), Err(InvalidRoleName), "{bad}");
        }
        for bad in ["posts", "posts:", ":write", "*:*", "*", "posts:wr*te", "posts:write:more"] {
            assert_eq!(Permission::parse(bad), Err(InvalidPermission), "{bad}");
        }
    }
}
