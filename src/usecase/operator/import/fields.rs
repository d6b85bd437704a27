//! The members of a JSON object, by name and type. What is missing and what is `null` are the same; messages
//! name the member and never show what stands in it, which may be a secret.

use super::record::Problem;
use crate::domain::time::Timestamp;
use serde_json::{Map, Value};

#[derive(Clone, Copy)]
pub(super) struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    pub(super) fn of(value: &'a Value) -> Result<Self, Problem> {
        value.as_object().map(Self).ok_or_else(|| Problem::malformed("the entry is not a JSON object"))
    }

    /// Refuses members that are none of these.
    pub(super) fn only(self, known: &[&str]) -> Result<(), Problem> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(Problem::malformed(format!("there is no member `{name}` in this format"))),
            None => Ok(()),
        }
    }

    fn member(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn typed<T>(
        self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.member(name) else {
            return Ok(None);
        };
        read(value).map(Some).ok_or_else(|| Problem::malformed(format!("`{name}` must be {expected}")))
    }

    pub(super) fn text(self, name: &str) -> Result<Option<&'a str>, Problem> {
        self.typed(name, "text", Value::as_str)
    }

    /// The first of these members that has any text in it.
    pub(super) fn first_text(self, names: &[&str]) -> Result<Option<&'a str>, Problem> {
        for name in names {
            if let Some(text) = self.text(name)?.filter(|text| !text.is_empty()) {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    pub(super) fn needed(self, name: &str) -> Result<&'a str, Problem> {
        self.text(name)?.ok_or_else(|| Problem::malformed(format!("`{name}` is missing")))
    }

    pub(super) fn email(self) -> Result<crate::domain::email::Email, Problem> {
        super::record::email(self.needed("email")?)
    }

    pub(super) fn flag(self, name: &str) -> Result<Option<bool>, Problem> {
        self.typed(name, "true or false", Value::as_bool)
    }

    pub(super) fn number(self, name: &str) -> Result<Option<u64>, Problem> {
        self.typed(name, "a whole number", Value::as_u64)
    }

    /// RFC 3339, or the same with a blank for the `T`.
    pub(super) fn time(self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let read = |value: &Value| Timestamp::parse_rfc3339(value.as_str()?);
        if self.text(name)? == Some("") {
            return Ok(None);
        }
        self.typed(name, "a time such as 2026-11-22T08:00:00Z", read)
    }

    /// Milliseconds since the epoch, as a number or as its digits.
    pub(super) fn millis(self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let read = |value: &Value| {
            let millis = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
            // Outside the years that can be written down, it is none.
            Timestamp::parse_rfc3339(&Timestamp::from_millis(millis).exact())
        };
        self.typed(name, "milliseconds since 1970", read)
    }

    pub(super) fn texts(self, name: &str) -> Result<Vec<&'a str>, Problem> {
        let read = |value: &'a Value| value.as_array()?.iter().map(Value::as_str).collect();
        Ok(self.typed(name, "a list of texts", read)?.unwrap_or_default())
    }

    pub(super) fn objects(self, name: &str) -> Result<Vec<Members<'a>>, Problem> {
        let read = |value: &'a Value| {
            value.as_array()?.iter().map(|value| value.as_object().map(Self)).collect::<Option<Vec<_>>>()
        };
        Ok(self.typed(name, "a list of objects", read)?.unwrap_or_default())
    }

    pub(super) fn object(self, name: &str) -> Result<Option<Members<'a>>, Problem> {
        Ok(self.typed(name, "an object", Value::as_object)?.map(Self))
    }

    /// Whether a list or an object has anything in it.
    pub(super) fn is_filled(self, name: &str) -> bool {
        match self.member(name) {
            Some(Value::Array(values)) => !values.is_empty(),
            Some(Value::Object(members)) => !members.is_empty(),
            _ => false,
        }
    }
}
