//! Values of a field that are no texts: an array, and an object with members of its own.

use crate::domain::application::Allow;
use crate::domain::role::{InvalidRoleName, RoleName};
use crate::error::FieldError;
use serde_json::{Map, Value};

/// Reads who may use an application. What answers show can be sent again: `everyone` is false beside roles,
/// and `roles` empty beside it.
pub(super) fn allow(field: &'static str, mut rule: Map<String, Value>) -> Result<Allow, FieldError> {
    let everyone = rule.shift_remove("everyone").unwrap_or(Value::Bool(false));
    let roles = rule.shift_remove("roles").unwrap_or_else(|| Value::Array(Vec::new()));
    let (Value::Bool(everyone), Value::Array(roles), true) = (everyone, roles, rule.is_empty()) else {
        let message = "this object has `everyone`, which is true or false, and `roles`, an array of strings";
        return Err(FieldError::new(field, "wrong_type", message));
    };
    let roles = list(field, roles, |item| RoleName::parse(item).map_err(|_| InvalidRoleName::MESSAGE))?;
    match (everyone, roles.is_empty()) {
        (true, true) => Ok(Allow::Everyone),
        (false, false) => Ok(Allow::roles(roles)),
        (true, false) => Err(FieldError::new(field, "conflict", "send everyone or roles, not both")),
        (false, true) => {
            Err(FieldError::new(field, "missing", "send everyone as true, or at least one role"))
        }
    }
}

/// Reads each item of an array.
pub(super) fn list<T>(
    field: &'static str,
    items: Vec<Value>,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Vec<T>, FieldError> {
    let item = |item: Value| match item {
        Value::String(text) => parse(&text).map_err(|message| FieldError::new(field, "invalid", message)),
        _ => Err(FieldError::new(field, "wrong_type", "this field is an array of strings")),
    };
    items.into_iter().map(item).collect()
}
