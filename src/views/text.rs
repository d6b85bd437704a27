//! Values that are text in JSON: each is written straight from what it borrows, and says its format in a
//! schema.

use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use std::fmt::Display;

/// A time in UTC (RFC 3339, whole seconds).
#[derive(Clone, Copy, Debug)]
pub struct Time(pub Timestamp);

/// A UUID, or what the store keeps as the text of one.
#[derive(Clone, Copy, Debug)]
pub struct Id<T>(pub T);

/// Whatever has a text.
#[derive(Clone, Copy, Debug)]
pub struct Text<T>(pub T);

/// A list of what has a text.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a, T>(pub &'a [T]);

/// A secret that is shown, this once or to its owner. `Debug` keeps it back all the same.
#[derive(Clone, Copy, Debug)]
pub struct Revealed<'a>(pub &'a Secret<String>);

/// Secrets that are shown.
#[derive(Clone, Copy, Debug)]
pub struct AllRevealed<'a>(pub &'a [Secret<String>]);

/// Names with their values, as an object whose members no schema lists.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a, N, V>(pub &'a [(N, V)]);

/// In a schema: an object whose members another standard lists.
#[derive(Debug)]
pub struct AnyObject;

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<T: Display> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<T: Display> Serialize for Texts<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Text))
    }
}

impl Serialize for Revealed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl Serialize for AllRevealed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Revealed))
    }
}

impl<N: AsRef<str>, V: Serialize> Serialize for Named<'_, N, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name.as_ref(), value)?;
        }
        map.end()
    }
}

/// Says what a type is in JSON Schema, wherever it stands: none of these is a component of its own.
macro_rules! schemas {
    ($($name:ident [$($generics:tt)*] for $type:ty: $schema:tt;)*) => {$(
        impl<$($generics)*> JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

schemas! {
    Time [] for Time: {"type": "string", "format": "date-time"};
    Id [T] for Id<T>: {"type": "string", "format": "uuid"};
    Text [T] for Text<T>: {"type": "string"};
    Texts [T] for Texts<'_, T>: {"type": "array", "items": {"type": "string"}};
    Revealed [] for Revealed<'_>: {"type": "string"};
    AllRevealed [] for AllRevealed<'_>: {"type": "array", "items": {"type": "string"}};
    Named [N, V] for Named<'_, N, V>: {"type": "object"};
    AnyObject [] for AnyObject: {"type": "object"};
}

/// A span in whole milliseconds.
pub(super) fn millis(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
