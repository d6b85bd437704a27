//! Accounts as `export` writes them.

use super::text::Time;
use crate::usecase::operator::transfer_format::{
    Contents, IDENTITY, Kind, Member, PASSKEY, Presence, members,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// An account as `export` writes it. It is written by the table that `import` reads by, of which its schema
/// is made.
#[derive(Debug)]
pub struct ExportedUser;

impl JsonSchema for ExportedUser {
    fn schema_name() -> Cow<'static, str> {
        "ExportedUser".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (member, contents) in members() {
            let mut schema = schema_of(member, generator);
            let only = match contents {
                Contents::Profile => "",
                Contents::WithCredentials => " With --with-hashes alone.",
            };
            schema["description"] = format!("{}{only}", member.about).into();
            properties.insert(member.name.into(), schema);
            if contents == Contents::Profile {
                required.push(member.name);
            }
        }
        json_schema!({
            "type": "object",
            "description": "An account as `import` takes it.",
            "properties": properties,
            "required": required,
        })
    }
}

fn schema_of(member: &Member, generator: &mut SchemaGenerator) -> Value {
    let schema = match member.kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Time => Time::json_schema(generator).to_value(),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Number => json!({"type": "integer"}),
        Kind::List => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Identities => json!({"type": "array", "items": object_of(&IDENTITY, generator)}),
        Kind::Passkeys => json!({"type": "array", "items": object_of(&PASSKEY, generator)}),
    };
    match member.presence {
        Presence::Always => schema,
        Presence::Maybe => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

fn object_of(members: &[Member], generator: &mut SchemaGenerator) -> Value {
    let mut properties = Map::new();
    for member in members {
        let mut schema = schema_of(member, generator);
        schema["description"] = member.about.into();
        properties.insert(member.name.into(), schema);
    }
    let required: Vec<_> = members.iter().map(|member| member.name).collect();
    json!({"type": "object", "properties": properties, "required": required})
}
