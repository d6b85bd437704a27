//! Request bodies and queries as data: what a route declares here is what its parser takes and what
//! the OpenAPI document says, so that the two can't drift apart.

use super::json;
use super::problem::Problem;
use crate::domain::email::{self, Email, InvalidEmail};
use crate::domain::name::{self, Name};
use crate::domain::password::{self, Password};
use crate::domain::role::{InvalidPermission, InvalidRoleName, Permission, RoleName};
use crate::domain::secret::Secret;
use crate::error::{FieldError, Refusal};
use crate::usecase::user::{LIMIT_DEFAULT, LIMIT_MAX};
use serde_json::{Map, Value, json};
use std::iter;

/// The body of a request: a JSON object with these fields and no others.
#[derive(Debug)]
pub struct Body {
    /// Its name among the schemas.
    pub name: &'static str,
    pub fields: &'static [Field],
    pub alternatives: Alternatives,
    /// A good one, as JSON.
    pub example: &'static str,
}

/// Which of the optional fields stand for each other.
#[derive(Debug)]
pub enum Alternatives {
    None,
    ExactlyOne(&'static [&'static str]),
    AtMostOne(&'static [&'static str]),
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
    /// Any number of times; in a query alone.
    Repeated,
}

/// What a field holds. In a body all of them but flags are JSON strings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Email,
    /// Whether a new one is good enough is for the policy to say.
    Password,
    Name,
    /// An opaque token or code, whatever it looks like: a wrong one is refused as such, not as a field.
    Token,
    /// `true` or `false`. Left out, it is false.
    Flag,
    /// How many items a page has; in a query alone. Left out, it is [`LIMIT_DEFAULT`].
    Limit,
    /// A role's name; whether there is such a role is another matter.
    Role,
    Permission,
}

#[derive(Debug)]
enum Parsed {
    Email(Email),
    Password(Password),
    Name(Name),
    Token(Secret<String>),
    Flag(bool),
    Limit(u32),
    Role(RoleName),
    Permission(Permission),
}

/// The fields of a body that was found good.
#[derive(Debug, Default)]
pub struct Fields(Vec<(&'static str, Parsed)>);

/// Reads a body: `declared` says what may stand in it, `None` that nothing may. Where nothing must, an
/// empty body is as good as an empty object.
///
/// # Errors
/// `malformed_json`, or `validation_failed` with every field that is wrong.
pub fn read(bytes: &[u8], declared: Option<&Body>) -> Result<Fields, Problem> {
    if bytes.is_empty() && declared.is_none_or(Body::may_be_empty) {
        return Ok(Fields::default());
    }
    let Value::Object(mut members) = json::parse(bytes).map_err(Problem::malformed_json)? else {
        return Err(Problem::from(&Refusal::invalid("", "wrong_type", "the body is one JSON object, in braces")));
    };
    let (mut fields, mut errors) = (Vec::new(), Vec::new());
    for field in declared.map_or(&[][..], |body| body.fields) {
        match (members.shift_remove(field.name), field.presence) {
            (Some(value), _) => match field.kind.parse_json(field.name, value) {
                Ok(parsed) => fields.push((field.name, parsed)),
                Err(error) => errors.push(error),
            },
            (None, Presence::Required) => errors.push(FieldError::new(field.name, "missing", "this field is required")),
            (None, Presence::Optional | Presence::Repeated) => {}
        }
    }
    errors.extend(declared.and_then(|body| body.alternatives.error(&fields)));
    errors.extend(members.keys().map(|name| FieldError::new(name, "unknown", "there is no such field here")));
    if errors.is_empty() { Ok(Fields(fields)) } else { Err(Problem::from(&Refusal::Invalid(errors))) }
}

/// Reads a query. A route that declares no parameters takes none and looks at none; one that does takes
/// them once each unless they may repeat, and no others: a misspelled filter must not show everything, nor
/// a misspelled demand let everybody in.
///
/// # Errors
/// `validation_failed` with every parameter that is wrong.
pub fn read_query(query: Option<&str>, declared: &[Field]) -> Result<Fields, Problem> {
    let (mut fields, mut errors) = (Vec::<(&'static str, Parsed)>::new(), Vec::new());
    let pairs = query.filter(|_| !declared.is_empty()).unwrap_or_default();
    for (name, value) in form_urlencoded::parse(pairs.as_bytes()) {
        let Some(field) = declared.iter().find(|field| field.name == name) else {
            errors.push(FieldError::new(name, "unknown", "there is no such parameter here"));
            continue;
        };
        if field.presence != Presence::Repeated && fields.iter().any(|(known, _)| *known == field.name) {
            errors.push(FieldError::new(name, "repeated", "this parameter stands once"));
            continue;
        }
        match field.kind.parse_text(field.name, Secret::new(value.into_owned())) {
            Ok(parsed) => fields.push((field.name, parsed)),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(Fields(fields)) } else { Err(Problem::from(&Refusal::Invalid(errors))) }
}

impl Alternatives {
    /// What is wrong with the choice that these fields are.
    fn error(&self, fields: &[(&'static str, Parsed)]) -> Option<FieldError> {
        let (names, one_is_due) = match self {
            Self::None => return None,
            Self::ExactlyOne(names) => (names, true),
            Self::AtMostOne(names) => (names, false),
        };
        let mut given = names.iter().filter(|name| fields.iter().any(|(given, _)| given == *name));
        let either = names.join(" or ");
        match (given.next(), given.next()) {
            (_, Some(second)) => Some(FieldError::new(*second, "conflict", format!("send {either}, not both"))),
            (None, _) if one_is_due => Some(FieldError::new(names[0], "missing", format!("send {either}"))),
            _ => None,
        }
    }

    /// Adds itself to a JSON Schema.
    fn describe(&self, schema: &mut Value) {
        let required = |names: &[&str]| json!({"required": names});
        match self {
            Self::None => {}
            Self::ExactlyOne(names) => schema["oneOf"] = names.iter().map(|name| required(&[name])).collect(),
            Self::AtMostOne(names) => schema["not"] = required(names),
        }
    }
}

impl Kind {
    fn parse_json(self, field: &'static str, value: Value) -> Result<Parsed, FieldError> {
        match (self, value) {
            (Self::Flag, Value::Bool(flag)) => Ok(Parsed::Flag(flag)),
            (Self::Flag, _) => Err(FieldError::new(field, "wrong_type", "this field is true or false")),
            (_, Value::String(text)) => self.parse_text(field, Secret::new(text)),
            _ => Err(FieldError::new(field, "wrong_type", "this field is a string")),
        }
    }

    fn parse_text(self, field: &'static str, text: Secret<String>) -> Result<Parsed, FieldError> {
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
            Self::Flag => match text.expose().as_str() {
                "true" => Ok(Parsed::Flag(true)),
                "false" => Ok(Parsed::Flag(false)),
                _ => Err(fault("invalid", "this is true or false")),
            },
            Self::Limit => match text.expose().parse() {
                Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(Parsed::Limit(limit)),
                Ok(_) => Err(fault("out_of_range", "this is a number from 1 to 200")),
                Err(_) => Err(fault("invalid", "this is a number from 1 to 200")),
            },
            Self::Role => RoleName::parse(text.expose())
                .map(Parsed::Role)
                .map_err(|InvalidRoleName| fault("invalid", InvalidRoleName::MESSAGE)),
            Self::Permission => Permission::parse(text.expose())
                .map(Parsed::Permission)
                .map_err(|InvalidPermission| fault("invalid", InvalidPermission::MESSAGE)),
        }
    }

    /// As JSON Schema.
    #[must_use]
    pub fn schema(self) -> Value {
        match self {
            Self::Email => json!({"type": "string", "format": "email", "maxLength": email::MAX_BYTES}),
            Self::Password => {
                json!({"type": "string", "format": "password", "minLength": 1, "maxLength": password::MAX_BYTES})
            }
            Self::Name => json!({"type": "string", "maxLength": name::MAX_LENGTH}),
            Self::Token | Self::Role | Self::Permission => json!({"type": "string"}),
            Self::Flag => json!({"type": "boolean", "default": false}),
            Self::Limit => json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT}),
        }
    }
}

impl Body {
    /// Whether an object without any field is a good one.
    #[must_use]
    pub fn may_be_empty(&self) -> bool {
        let optional = self.fields.iter().all(|field| field.presence != Presence::Required);
        optional && !matches!(self.alternatives, Alternatives::ExactlyOne(_))
    }

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
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "required": required.map(|field| field.name).collect::<Vec<_>>(),
            "additionalProperties": false,
        });
        self.alternatives.describe(&mut schema);
        schema
    }
}

/// Each of these hands a field over once, or all of those that repeat. They panic when the route didn't declare it so, which the
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
    pub fn optional_token(&mut self, name: &str) -> Option<Secret<String>> {
        match self.take(name) {
            Some(Parsed::Token(token)) => Some(token),
            None => None,
            Some(_) => undeclared(name),
        }
    }

    pub fn flag(&mut self, name: &str) -> bool {
        match self.take(name) {
            Some(Parsed::Flag(flag)) => flag,
            None => false,
            Some(_) => undeclared(name),
        }
    }

    pub fn limit(&mut self, name: &str) -> u32 {
        match self.take(name) {
            Some(Parsed::Limit(limit)) => limit,
            None => LIMIT_DEFAULT,
            Some(_) => undeclared(name),
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

    /// All values of a parameter that may repeat.
    pub fn roles(&mut self, name: &str) -> Vec<RoleName> {
        let next = || match self.take(name) {
            Some(Parsed::Role(role)) => Some(role),
            None => None,
            Some(_) => undeclared(name),
        };
        iter::from_fn(next).collect()
    }

    /// All values of a parameter that may repeat.
    pub fn permissions(&mut self, name: &str) -> Vec<Permission> {
        let next = || match self.take(name) {
            Some(Parsed::Permission(permission)) => Some(permission),
            None => None,
            Some(_) => undeclared(name),
        };
        iter::from_fn(next).collect()
    }

    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| *field == name)
    }

    /// Puts a token that came another way where the field would be.
    pub fn put_token(&mut self, name: &'static str, token: Secret<String>) {
        self.0.push((name, Parsed::Token(token)));
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    fn take(&mut self, name: &str) -> Option<Parsed> {
        let at = self.0.iter().position(|(field, _)| *field == name)?;
        Some(self.0.swap_remove(at).1)
    }
}

fn undeclared(name: &str) -> ! {
    panic!("the route does not declare the field {name} as its handler reads it")
}
