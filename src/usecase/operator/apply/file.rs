//! The file that says what the state should be: its shape, and reading it from TOML or JSON.
//!
//! A section or a field that is not there is left as it is in the database; one that is there is the whole
//! of it: `roles = []` takes every role away.

use crate::config::parse_span;
use crate::domain::api_key::{ApiKeyName, InvalidApiKeyName};
use crate::domain::email::{Email, InvalidEmail};
use crate::domain::name::Name;
use crate::domain::role::{InvalidPermission, InvalidRoleName, Permission, RoleName};
use crate::error::{FieldError, Refusal};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::time::Duration;

/// What the state should be. `None`: not said, and left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub roles: Option<Vec<WantedRole>>,
    pub users: Option<Vec<WantedUser>>,
    pub api_keys: Option<Vec<WantedKey>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedRole {
    pub name: RoleName,
    pub description: Option<String>,
    /// Sorted, each once.
    pub permissions: Option<Vec<Permission>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedUser {
    pub email: Email,
    pub name: Option<Name>,
    /// Sorted, each once.
    pub roles: Option<Vec<RoleName>>,
    /// `false`: as it is. What was verified stays so.
    pub verified: bool,
    pub disabled: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedKey {
    pub name: ApiKeyName,
    /// Sorted, each once.
    pub permissions: Option<Vec<Permission>>,
    /// How long it lives from when it is made. `None`: for ever.
    pub ttl: Option<Duration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    roles: Option<Vec<RoleEntry>>,
    users: Option<Vec<UserEntry>>,
    api_keys: Option<Vec<KeyEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleEntry {
    name: String,
    description: Option<String>,
    permissions: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserEntry {
    email: String,
    name: Option<String>,
    roles: Option<Vec<String>>,
    #[serde(default)]
    verified: bool,
    disabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    name: String,
    permissions: Option<Vec<String>>,
    ttl: Option<String>,
}

/// Reads the file: JSON where it begins with a brace, which TOML can't, else TOML.
///
/// # Errors
/// `validation_failed`: with the line where the text can't be read, with the field (`users[0].email`, counted
/// from 0) where a value is wrong; all of them at once.
pub fn parse(text: &str) -> Result<Wanted, Refusal> {
    let file: File = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| unreadable(&error.to_string()))?
    } else {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            unreadable(&format!("{} at line {line}", error.message()))
        })?
    };
    let mut reader = Reader::default();
    let wanted = Wanted {
        roles: file.roles.map(|all| reader.all("roles", all, Reader::role)),
        users: file.users.map(|all| reader.all("users", all, Reader::user)),
        api_keys: file.api_keys.map(|all| reader.all("api_keys", all, Reader::key)),
    };
    if reader.errors.is_empty() { Ok(wanted) } else { Err(Refusal::Invalid(reader.errors)) }
}

fn unreadable(why: &str) -> Refusal {
    Refusal::invalid("file", "invalid", format!("can't be read: {}", why.replace('\n', " ")))
}

/// Turns texts into values, and collects what is wrong with them.
#[derive(Default)]
struct Reader {
    errors: Vec<FieldError>,
    /// What has been named already, so that nothing is said twice.
    names: BTreeSet<(&'static str, String)>,
}

impl Reader {
    /// The entries that are right; the others have become errors.
    fn all<E, T>(
        &mut self,
        section: &'static str,
        entries: Vec<E>,
        read: fn(&mut Self, &str, E) -> Option<(String, T)>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let place = format!("{section}[{index}]");
            let Some((name, value)) = read(self, &place, entry) else {
                continue;
            };
            if !self.names.insert((section, name)) {
                self.errors.push(FieldError::new(
                    place,
                    "repeated",
                    "stands in the file already; say it once",
                ));
            }
            all.push(value);
        }
        all
    }

    fn role(&mut self, place: &str, entry: RoleEntry) -> Option<(String, WantedRole)> {
        let permissions = self.permissions(place, entry.permissions);
        let name = self.role_name(&format!("{place}.name"), &entry.name)?;
        Some((name.to_string(), WantedRole { name, description: entry.description, permissions }))
    }

    fn user(&mut self, place: &str, entry: UserEntry) -> Option<(String, WantedUser)> {
        let name = entry.name.and_then(|text| match Name::parse(&text) {
            Ok(name) => Some(name),
            Err(error) => {
                self.errors.push(FieldError::new(format!("{place}.name"), error.code(), error.message()));
                None
            }
        });
        let roles = entry.roles.map(|roles| {
            sorted(roles.iter().filter_map(|role| self.role_name(&format!("{place}.roles"), role)).collect())
        });
        let Ok(email) = Email::parse(&entry.email) else {
            self.errors.push(FieldError::new(format!("{place}.email"), "invalid", InvalidEmail::MESSAGE));
            return None;
        };
        let user = WantedUser { email, name, roles, verified: entry.verified, disabled: entry.disabled };
        Some((user.email.key(), user))
    }

    fn key(&mut self, place: &str, entry: KeyEntry) -> Option<(String, WantedKey)> {
        let permissions = self.permissions(place, entry.permissions);
        let ttl = entry.ttl.and_then(|text| {
            let span = parse_span(&text).filter(|span| !span.is_zero());
            if span.is_none() {
                self.errors.push(FieldError::new(
                    format!("{place}.ttl"),
                    "invalid",
                    "a span such as 90d is needed",
                ));
            }
            span
        });
        let Ok(name) = ApiKeyName::parse(&entry.name) else {
            self.errors.push(FieldError::new(format!("{place}.name"), "invalid", InvalidApiKeyName::MESSAGE));
            return None;
        };
        Some((name.to_string(), WantedKey { name, permissions, ttl }))
    }

    fn role_name(&mut self, place: &str, text: &str) -> Option<RoleName> {
        let name = RoleName::parse(text).ok();
        if name.is_none() {
            self.errors.push(FieldError::new(place, "invalid", InvalidRoleName::MESSAGE));
        }
        name
    }

    fn permissions(&mut self, place: &str, texts: Option<Vec<String>>) -> Option<Vec<Permission>> {
        let mut permissions = Vec::new();
        for text in texts? {
            match Permission::parse(&text) {
                Ok(permission) => permissions.push(permission),
                Err(InvalidPermission) => {
                    let place = format!("{place}.permissions");
                    self.errors.push(FieldError::new(place, "invalid", InvalidPermission::MESSAGE));
                }
            }
        }
        Some(sorted(permissions))
    }
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all.dedup();
    all
}
