//! How views look as JSON Schema, in the few words that every document of authd uses: the OpenAPI document,
//! and the one of what commands print.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// The schema of a view, as its type says it.
pub type ViewSchema = fn(&mut SchemaGenerator) -> Schema;

/// The schema of the view `T`.
#[must_use]
pub const fn schema_of<T: JsonSchema>() -> ViewSchema {
    SchemaGenerator::subschema_for::<T>
}

/// The schemas of a document's objects, each once, by the names that their types have.
#[derive(Debug)]
pub struct Definitions(SchemaGenerator);

impl Definitions {
    /// Begins with none. `path` is where the document keeps them, as a JSON pointer.
    #[must_use]
    pub fn at(path: &'static str) -> Self {
        let mut settings = SchemaSettings::draft2020_12().for_serialize();
        settings.definitions_path = path.into();
        Self(settings.into_generator())
    }

    /// Adds a view and what it is made of; gives what refers to it.
    pub fn add(&mut self, view: ViewSchema) -> Value {
        canonical(view(&mut self.0).to_value())
    }

    /// All that were added, by name.
    #[must_use]
    pub fn take(mut self) -> Map<String, Value> {
        let derived = self.0.take_definitions(true);
        derived.into_iter().map(|(name, schema)| (name, canonical(schema))).collect()
    }
}

/// What a document shows of a schema, in this order. The bounds of Rust's integers are not among it: they are
/// no promise to anybody.
const SHOWN: [&str; 9] =
    ["type", "$ref", "format", "enum", "anyOf", "items", "description", "properties", "required"];

/// A derived schema as a document shows it: an object has the declared members and no others, and what may be
/// null is one of two.
fn canonical(schema: Value) -> Value {
    let Value::Object(mut schema) = schema else {
        return schema;
    };
    if let Some(Value::Array(kinds)) = schema.get("type") {
        // An `Option` of what is no component: its type, and null.
        let kind = kinds.first().cloned().unwrap_or_default();
        let description = schema.remove("description").map(|text| ("description".to_owned(), text));
        schema["type"] = kind;
        let choices = json!([schema, {"type": "null"}]);
        schema = [("anyOf".to_owned(), choices)].into_iter().chain(description).collect();
    }
    if schema.get("type").is_some_and(|kind| kind == "integer") {
        schema.remove("format");
    }
    let closed = schema.contains_key("properties");
    let mut shown = Map::new();
    for name in SHOWN {
        let member = match (name, schema.remove(name)) {
            (_, None) => continue,
            ("items", Some(items)) => canonical(items),
            ("anyOf", Some(Value::Array(choices))) => choices.into_iter().map(canonical).collect(),
            ("properties", Some(Value::Object(members))) => {
                members.into_iter().map(|(name, schema)| (name, canonical(schema))).collect()
            }
            (_, Some(other)) => other,
        };
        shown.insert(name.into(), member);
    }
    if closed {
        shown.insert("additionalProperties".into(), false.into());
    }
    shown.into()
}
