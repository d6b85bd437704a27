//! Request bodies and queries as data: what a route declares here is what its parser takes and what
//! the OpenAPI document says, so that the two can't drift apart.

mod fields;
mod members;

pub use fields::Fields;

use members::{allow, list};

use super::json;
use super::problem::Problem;
use crate::domain::api_key::{ApiKeyName, InvalidApiKeyName};
use crate::domain::application::{Allow, AppName, AppOrigin, InvalidAppName, InvalidAppOrigin};
use crate::domain::email::{self, Email, InvalidEmail};
use crate::domain::mail::MailState;
use crate::domain::name::{self, Name};
use crate::domain::password::{self, Password};
use crate::domain::role::{InvalidPermission, InvalidRoleName, Permission, RoleName};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::UserState;
use crate::error::{FieldError, Refusal};
use crate::usecase::account::admin::{LIMIT_DEFAULT, LIMIT_MAX};
use crate::usecase::account::reference::UserRef;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The body of a request: an object with these fields and no others.
#[derive(Debug)]
pub struct Body {
    /// Its name among the schemas.
    pub name: &'static str,
    pub encoding: Encoding,
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
    /// A JSON array of them.
    Roles,
    Permission,
    /// A JSON array of them.
    Permissions,
    /// Plain text to look for, at most 200 characters long.
    Text,
    /// A span in whole seconds, at least one: a JSON integer.
    Seconds,
    /// RFC 3339.
    Time,
    /// A user's id or address; whether there is such a user is another matter.
    User,
    /// A [`UserState`], by its name.
    State,
    /// A [`MailState`], by its name.
    MailState,
    /// An API key's name.
    KeyName,
    /// An application's name.
    AppName,
    /// Where an application stands.
    AppOrigin,
    /// Who may use an application: a JSON object of `everyone` or `roles`.
    Allow,
    /// A JSON object that a browser has made, whatever is in it.
    Object,
}

/// A hundred years.
const SECONDS_MAX: u64 = 3_153_600_000;

/// The most errors that an answer lists. Whoever has made so many has more to learn than the next one.
const ERRORS_MAX: usize = 16;
/// How much of a name that nobody knows an error shows, in bytes.
const UNKNOWN_NAME_MAX: usize = 64;

/// How names and permissions are spelled, for the schema.
const WORD: &str = "^[a-z0-9][a-z0-9._-]{0,63}$";
const PERMISSION: &str = "^[a-z0-9][a-z0-9._-]{0,63}:([*]|[a-z0-9][a-z0-9._-]{0,63})$";

/// The longest text to look for, in characters.
const TEXT_MAX: usize = 200;

/// How a body is written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    Json,
    /// `application/x-www-form-urlencoded`, as OAuth has it. A parameter that nobody knows is left alone
    /// there (RFC 6749 §3.2).
    Form,
}

impl Encoding {
    /// Gives what `Content-Type` says of a body in this encoding.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }
}

/// What becomes of parameters that nobody knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unknown {
    Refused,
    LeftAlone,
}

#[derive(Debug)]
enum Parsed {
    Email(Email),
    Password(Password),
    Name(Name),
    Token(Secret<String>),
    Text(String),
    Flag(bool),
    Limit(u32),
    Seconds(Duration),
    Time(Timestamp),
    Role(RoleName),
    Roles(Vec<RoleName>),
    Permission(Permission),
    Permissions(Vec<Permission>),
    User(UserRef),
    State(UserState),
    MailState(MailState),
    KeyName(ApiKeyName),
    AppName(AppName),
    AppOrigin(AppOrigin),
    Allow(Allow),
    Object(Value),
}

/// Reads a body: `declared` says what may stand in it, `None` that nothing may. Where nothing must, an
/// empty body is as good as an empty object.
///
/// # Errors
/// `malformed_json`, or `validation_failed` with every field that is wrong.
pub fn read(bytes: &[u8], declared: Option<&Body>) -> Result<Fields, Problem> {
    if let Some(form) = declared.filter(|body| body.encoding == Encoding::Form) {
        return read_form(bytes, form);
    }
    if bytes.is_empty() && declared.is_none_or(Body::may_be_empty) {
        return Ok(Fields::default());
    }
    let Value::Object(mut members) = json::parse(bytes).map_err(Problem::malformed_json)? else {
        return Err(Problem::from(&Refusal::invalid(
            "",
            "wrong_type",
            "the body is one JSON object, in braces",
        )));
    };
    let (mut fields, mut errors) = (Vec::new(), Vec::new());
    for field in declared.map_or(&[][..], |body| body.fields) {
        match (members.shift_remove(field.name), field.presence) {
            (Some(value), _) => match field.kind.parse_json(field.name, value) {
                Ok(parsed) => fields.push((field.name, parsed)),
                Err(error) => errors.push(error),
            },
            (None, Presence::Required) => {
                errors.push(FieldError::new(field.name, "missing", "this field is required"));
            }
            (None, Presence::Optional | Presence::Repeated) => {}
        }
    }
    errors.extend(declared.and_then(|body| body.alternatives.error(&fields)));
    errors.extend(members.keys().map(|name| unknown_name(name, "there is no such field here")));
    fields_or_errors(fields, errors)
}

fn unknown_name(name: &str, message: &'static str) -> FieldError {
    FieldError::new(&name[..name.floor_char_boundary(UNKNOWN_NAME_MAX)], "unknown", message)
}

fn fields_or_errors(
    fields: Vec<(&'static str, Parsed)>,
    mut errors: Vec<FieldError>,
) -> Result<Fields, Problem> {
    if errors.is_empty() {
        return Ok(Fields(fields));
    }
    errors.truncate(ERRORS_MAX);
    Err(Problem::from(&Refusal::Invalid(errors)))
}

/// Reads a query. A route that declares no parameters takes none and looks at none; one that does takes
/// them once each unless they may repeat, and no others: a misspelled filter must not show everything, nor
/// a misspelled demand let everybody in.
///
/// # Errors
/// `validation_failed` with every parameter that is wrong.
pub fn read_query(query: Option<&str>, declared: &[Field], unknown: Unknown) -> Result<Fields, Problem> {
    let pairs = query.filter(|_| !declared.is_empty()).unwrap_or_default();
    let (fields, errors) = read_pairs(pairs.as_bytes(), declared, unknown);
    fields_or_errors(fields, errors)
}

fn read_form(bytes: &[u8], form: &Body) -> Result<Fields, Problem> {
    let (fields, mut errors) = read_pairs(bytes, form.fields, Unknown::LeftAlone);
    for field in form.fields.iter().filter(|field| field.presence == Presence::Required) {
        let known =
            fields.iter().map(|(name, _)| *name).chain(errors.iter().map(|error| error.field.as_str()));
        if known.into_iter().all(|name| name != field.name) {
            errors.push(FieldError::new(field.name, "missing", "this field is required"));
        }
    }
    errors.extend(form.alternatives.error(&fields));
    fields_or_errors(fields, errors)
}

/// What stands in pairs of name and value, and what is wrong with them, as much of it as an answer lists.
fn read_pairs(
    pairs: &[u8],
    declared: &[Field],
    unknown: Unknown,
) -> (Vec<(&'static str, Parsed)>, Vec<FieldError>) {
    let (mut fields, mut errors) = (Vec::<(&'static str, Parsed)>::new(), Vec::new());
    for (name, value) in form_urlencoded::parse(pairs) {
        if errors.len() == ERRORS_MAX {
            break;
        }
        let Some(field) = declared.iter().find(|field| field.name == name) else {
            if unknown == Unknown::Refused {
                errors.push(unknown_name(&name, "there is no such parameter here"));
            }
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
    (fields, errors)
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
            (_, Some(second)) => {
                Some(FieldError::new(*second, "conflict", format!("send {either}, not both")))
            }
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
            (Self::Roles, Value::Array(items)) => {
                list(field, items, |item| RoleName::parse(item).map_err(|_| InvalidRoleName::MESSAGE))
                    .map(Parsed::Roles)
            }
            (Self::Permissions, Value::Array(items)) => {
                list(field, items, |item| Permission::parse(item).map_err(|_| InvalidPermission::MESSAGE))
                    .map(Parsed::Permissions)
            }
            (Self::Roles | Self::Permissions, _) => {
                Err(FieldError::new(field, "wrong_type", "this field is an array of strings"))
            }
            (Self::Seconds, Value::Number(number)) => match number.as_u64() {
                Some(seconds @ 1..=SECONDS_MAX) => Ok(Parsed::Seconds(Duration::from_secs(seconds))),
                _ => Err(FieldError::new(
                    field,
                    "out_of_range",
                    "this is a span of 1 to 3153600000 whole seconds",
                )),
            },
            (Self::Seconds, _) => Err(FieldError::new(field, "wrong_type", "this field is an integer")),
            (Self::Allow, Value::Object(rule)) => allow(field, rule).map(Parsed::Allow),
            (Self::Object, object @ Value::Object(_)) => Ok(Parsed::Object(object)),
            (Self::Allow | Self::Object, _) => {
                Err(FieldError::new(field, "wrong_type", "this field is an object"))
            }
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
            Self::Password => Password::new(text.expose())
                .map(Parsed::Password)
                .map_err(|error| fault(error.code(), error.message())),
            Self::Name => Name::parse(text.expose())
                .map(Parsed::Name)
                .map_err(|error| fault(error.code(), error.message())),
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
            Self::Text if text.expose().chars().count() > TEXT_MAX => {
                Err(fault("too_long", "this has at most 200 characters"))
            }
            Self::Text => Ok(Parsed::Text(text.expose().clone())),
            Self::Time => Timestamp::parse_rfc3339(text.expose())
                .map(Parsed::Time)
                .ok_or_else(|| fault("invalid", "this is a time of RFC 3339, such as 2026-11-22T08:00:00Z")),
            Self::User => UserRef::parse(text.expose())
                .map(Parsed::User)
                .map_err(|_| fault("invalid", "this is a user's id or e-mail address")),
            Self::State => UserState::parse(text.expose())
                .map(Parsed::State)
                .ok_or_else(|| fault("invalid", "this is locked, disabled or unverified")),
            Self::MailState => MailState::parse(text.expose())
                .map(Parsed::MailState)
                .ok_or_else(|| fault("invalid", "this is queued, sent or failed")),
            Self::KeyName => ApiKeyName::parse(text.expose())
                .map(Parsed::KeyName)
                .map_err(|InvalidApiKeyName| fault("invalid", InvalidApiKeyName::MESSAGE)),
            Self::AppName => AppName::parse(text.expose())
                .map(Parsed::AppName)
                .map_err(|InvalidAppName| fault("invalid", InvalidAppName::MESSAGE)),
            Self::AppOrigin => AppOrigin::parse(text.expose())
                .map(Parsed::AppOrigin)
                .map_err(|InvalidAppOrigin| fault("invalid", InvalidAppOrigin::MESSAGE)),
            Self::Roles | Self::Permissions | Self::Seconds | Self::Allow | Self::Object => {
                Err(fault("wrong_type", "this stands in a JSON body"))
            }
        }
    }

    /// As JSON Schema.
    #[must_use]
    pub fn schema(self) -> Value {
        match self {
            Self::Email => {
                json!({"type": "string", "format": "email", "maxLength": email::MAX_BYTES})
            }
            Self::Password => {
                let longest = password::MAX_BYTES;
                json!({"type": "string", "format": "password", "minLength": 1, "maxLength": longest})
            }
            Self::Name => json!({"type": "string", "maxLength": name::MAX_LENGTH}),
            Self::Token => json!({"type": "string"}),
            Self::Text => json!({"type": "string", "maxLength": TEXT_MAX}),
            Self::Role | Self::KeyName | Self::AppName => json!({"type": "string", "pattern": WORD}),
            Self::Permission => json!({"type": "string", "pattern": PERMISSION}),
            Self::Roles => json!({"type": "array", "items": Self::Role.schema()}),
            Self::Permissions => json!({"type": "array", "items": Self::Permission.schema()}),
            Self::AppOrigin => json!({"type": "string", "format": "uri", "maxLength": AppOrigin::MAX_BYTES}),
            Self::Object => json!({"type": "object"}),
            Self::Allow => json!({
                "type": "object",
                "properties": {"everyone": {"type": "boolean"}, "roles": Self::Roles.schema()},
                "additionalProperties": false,
            }),
            Self::Seconds => json!({"type": "integer", "minimum": 1, "maximum": SECONDS_MAX}),
            Self::Time => json!({"type": "string", "format": "date-time"}),
            Self::User => {
                let text = |format: &str| json!({"type": "string", "format": format});
                json!({"anyOf": [text("uuid"), text("email")]})
            }
            Self::State => json!({"type": "string", "enum": UserState::ALL.map(UserState::name)}),
            Self::MailState => json!({"type": "string", "enum": MailState::ALL.map(MailState::name)}),
            Self::Flag => json!({"type": "boolean", "default": false}),
            Self::Limit => {
                json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT})
            }
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
            "additionalProperties": self.encoding == Encoding::Form,
        });
        self.alternatives.describe(&mut schema);
        schema
    }
}
