//! What was filled into a form, and what is wrong with it.

use crate::domain::email::Email;
use crate::domain::name::Name;
use crate::error::{Error, FieldError, Refusal};
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use minijinja::Value;
use minijinja::value::Object;
use std::sync::Arc;

/// What is wrong with a form: beside its fields, or above them all.
#[derive(Debug, Default)]
pub struct Mistakes {
    fields: Vec<(String, String)>,
    whole: Option<String>,
}

impl Mistakes {
    /// Says what is wrong with a field.
    pub fn beside(&mut self, field: &str, text: impl Into<String>) {
        self.fields.push((field.to_owned(), text.into()));
    }

    /// Whether nothing is wrong.
    pub fn are_none(&self) -> bool {
        self.fields.is_empty() && self.whole.is_none()
    }

    /// The status of the page that shows them.
    pub fn status(&self) -> u16 {
        if self.are_none() { 200 } else { 422 }
    }

    /// What a use-case found wrong, where whoever filled in the form can mend it.
    ///
    /// # Errors
    /// [`Stop`] for everything else.
    pub fn of(visit: &Visit<'_>, error: Error) -> Result<Self, Stop> {
        let mut mistakes = Self::default();
        let Error::Refused(refusal) = error else {
            return Err(error.into());
        };
        match &refusal {
            Refusal::EmailTaken => mistakes.beside("email", visit.explain(&refusal)),
            Refusal::WeakPassword { .. } => mistakes.beside("password", visit.explain(&refusal)),
            Refusal::AlreadyExists { .. } => mistakes.beside("name", visit.text("admin_invalid.exists")),
            Refusal::Invalid(fields) => {
                for field in fields {
                    mistakes.beside(&field.field, visit.explain(&Refusal::Invalid(vec![field.clone()])));
                }
            }
            Refusal::LastAdmin | Refusal::Conflict { .. } | Refusal::AccountDisabled => {
                mistakes.whole = Some(visit.explain(&refusal));
            }
            Refusal::BuiltInRole { .. } => mistakes.whole = Some(visit.text("admin_invalid.built_in").into()),
            _ => return Err(refusal.into()),
        }
        Ok(mistakes)
    }

    /// Beside which fields, for a template: `errors.email`. Empty where nothing is wrong.
    pub fn beside_fields(&self) -> Value {
        let fields = self.fields.iter().map(|(field, text)| (field.clone(), Value::from(text.as_str())));
        Value::from_object(Filled(fields.collect()))
    }

    /// All of it as one text, where there are no fields.
    pub fn into_text(self) -> String {
        let beside = self.fields.into_iter().map(|(_, text)| text);
        self.whole.into_iter().chain(beside).collect::<Vec<_>>().join(" ")
    }

    /// What is said above the form; empty for nothing.
    pub fn above(&self) -> &str {
        self.whole.as_deref().unwrap_or_default()
    }
}

/// Values by name; any other is an empty text.
#[derive(Debug)]
struct Filled(Vec<(String, Value)>);

impl Object for Filled {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let found = self.0.iter().find(|(name, _)| Some(name.as_str()) == key.as_str());
        Some(found.map_or(Value::from(""), |(_, value)| value.clone()))
    }
}

/// What stands in the fields of a form that is shown, for a template: `typed.email`. Empty for a field that
/// isn't named.
pub fn typed(values: &[(&str, &str)]) -> Value {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    Value::from_object(Filled(values.collect()))
}

/// Reads an address out of the field `email`; `None` and a mistake for one that is none.
pub fn email(visit: &Visit<'_>, text: &str, mistakes: &mut Mistakes) -> Option<Email> {
    let parsed = Email::parse(text).ok();
    if parsed.is_none() {
        mistakes.beside("email", visit.text("invalid.email"));
    }
    parsed
}

/// Reads a name, or a description, which is bounded as one is, out of a field.
pub fn name(visit: &Visit<'_>, field: &'static str, text: &str, mistakes: &mut Mistakes) -> Option<Name> {
    match Name::parse(text) {
        Ok(name) => Some(name),
        Err(error) => {
            let error = FieldError::new("name", error.code(), error.message());
            mistakes.beside(field, visit.explain(&Refusal::Invalid(vec![error])));
            None
        }
    }
}
