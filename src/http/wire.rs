//! Request bodies as data: what a route declares here is what its parser takes and what the OpenAPI
//! document says, so that the two can't drift apart.

use super::json;
use super::problem::Problem;
use crate::domain::email::{self, Email, InvalidEmail};
use crate::domain::name::{self, Name};
use crate::domain::password::{self, Password};
use crate::domain::secret::Secret;
use crate::error::{FieldError, Refusal};
use serde_json::{Map, Value, json};

/// The body of a request: a JSON object with these fields and no others.
#[derive(Debug)]
pub struct Body {
    /// Its name among the schemas.
    pub name: &'static str,
    pub fields: &'static [Field],
    /// A good one, as JSON.
    pub example: &'static str,
}

#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub presence: Presence,
    pub about: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    Required,
    Optional,
}

/// What a field holds. All of them are JSON strings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Email,
    /// Whether a new one is good enough is for the policy to say.
    Password,
    Name,
    /// An opaque token, whatever it looks like: a wrong one is refused as a token, not as a field.
    Token,
}

#[derive(Debug)]
enum Parsed {
    Email(Email),
    Password(Password),
    Name(Name),
    Token(Secret<String>),
}

/// The fields of a body that was found good.
#[derive(Debug, Default)]
pub struct Fields(Vec<(&'static str, Parsed)>);

/// Reads a body: `declared` says what may stand in it, `None` that nothing may.
///
/// # Errors
/// `malformed_json`, or `validation_failed` with every field that is wrong.
pub fn read(bytes: &[u8], declared: Option<&Body>) -> Result<Fields, Problem> {
    if declared.is_none() && bytes.is_empty() {
        return Ok(Fields::default());
    }
    let Value::Object(mut members) = json::parse(bytes).map_err(Problem::malformed_json)? else {
        return Err(Problem::from(&Refusal::invalid("", "wrong_type", "the body is one JSON object, in braces")));
    };
    let (mut fields, mut errors) = (Vec::new(), Vec::new());
    for field in declared.map_or(&[][..], |body| body.fields) {
        match (members.shift_remove(field.name), field.presence) {
            (Some(value), _) => match field.kind.parse(field.name, value) {
                Ok(parsed) => fields.push((field.name, parsed)),
                Err(error) => errors.push(error),
            },
            (None, Presence::Required) => errors.push(FieldError::new(field.name, "missing", "this field is required")),
            (None, Presence::Optional) => {}
        }
    }
    errors.extend(members.keys().map(|name| FieldError::new(name, "unknown", "there is no such field here")));
    if errors.is_empty() { Ok(Fields(fields)) } else { Err(Problem::from(&Refusal::Invalid(errors))) }
}

impl Kind {
    fn parse(self, field: &'static str, value: Value) -> Result<Parsed, FieldError> {
        let Value::String(text) = value else {
            return Err(FieldError::new(field, "wrong_type", "this field is a string"));
        };
        let text = Secret::new(text);
        let fault = |code, message| FieldError::new(field, code, message);
        match self {
            Self::Email => Email::parse(text.expose())
                .map(Parsed::Email)
                .map_err(|InvalidEmail| fault("invalid", InvalidEmail::MESSAGE)),
            Self::Password => {
                Password::new(text.expose()).map(Parsed::Password).map_err(|error| fault(error.code(), error.message()))
            }
            Self::Name => {
                Name::parse(text.expose()).map(Parsed::Name).map_err(|error| fault(error.code(), error.message()))
            }
            Self::Token => Ok(Parsed::Token(text)),
        }
    }

    /// As JSON Schema.
    fn schema(self) -> Value {
        match self {
            Self::Email => json!({"type": "string", "format": "email", "maxLength": email::MAX_BYTES}),
            Self::Password => {
                json!({"type": "string", "format": "password", "minLength": 1, "maxLength": password::MAX_BYTES})
            }
            Self::Name => json!({"type": "string", "maxLength": name::MAX_LENGTH}),
            Self::Token => json!({"type": "string"}),
        }
    }
}

impl Body {
    /// As JSON Schema.
    #[must_use]
    pub fn schema(&self) -> Value {
        let mut properties = Map::new();
        for field in self.fields {
            let mut schema = field.kind.schema();
            schema["description"] = field.about.into();
            properties.insert(field.name.into(), schema);
        }
        let required = self.fields.iter().filter(|field| field.presence == Presence::Required);
        json!({
            "type": "object",
            "properties": properties,
            "required": required.map(|field| field.name).collect::<Vec<_>>(),
            "additionalProperties": false,
        })
    }
}

/// Each of these hands a field over once. They panic when the route didn't declare it so, which the
/// route's own example shows.
impl Fields {
    pub fn email(&mut self, name: &str) -> Email {
        match self.take(name) {
            Some(Parsed::Email(email)) => email,
            _ => undeclared(name),
        }
    }

    pub fn password(&mut self, name: &str) -> Password {
        match self.take(name) {
            Some(Parsed::Password(password)) => password,
            _ => undeclared(name),
        }
    }

    pub fn token(&mut self, name: &str) -> Secret<String> {
        match self.take(name) {
            Some(Parsed::Token(token)) => token,
            _ => undeclared(name),
        }
    }

    /// `None`: it was left out.
    pub fn optional_name(&mut self, name: &str) -> Option<Name> {
        match self.take(name) {
            Some(Parsed::Name(value)) => Some(value),
            None => None,
            Some(_) => undeclared(name),
        }
    }

    fn take(&mut self, name: &str) -> Option<Parsed> {
        let at = self.0.iter().position(|(field, _)| *field == name)?;
        Some(self.0.swap_remove(at).1)
    }
}

fn undeclared(name: &str) -> ! {
    panic!("the route does not declare the field {name} as its handler reads it")
}
