//! Pages of lists.

use crate::usecase::account::admin::Paged;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use std::borrow::Cow;

/// A page of a list, and how it goes on.
#[derive(Serialize, Debug)]
pub struct Page<'a, T> {
    items: Vec<T>,
    next: Option<&'a str>,
}

/// What can be listed in pages.
pub trait PageItem: JsonSchema {
    /// What a page of them is called in the document.
    const PAGE: &'static str;
    /// In which order they come; what `items` is described by.
    const ORDER: &'static str;
}

/// Shows a page, each of its items as `view` does.
#[must_use]
pub fn page<'a, T, V>(page: &'a Paged<T, String>, view: impl Fn(&'a T) -> V) -> Page<'a, V> {
    Page { items: page.items.iter().map(view).collect(), next: page.next.as_deref() }
}

/// Not derived, since the name and what is said of the items depend on what they are.
impl<T: PageItem> JsonSchema for Page<'_, T> {
    fn schema_name() -> Cow<'static, str> {
        T::PAGE.into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "A page of a list.",
            "properties": {
                "items": {"type": "array", "items": generator.subschema_for::<T>(), "description": T::ORDER},
                "next": {
                    "type": ["string", "null"],
                    "description": "The cursor of the next page. Null: this was the last.",
                },
            },
            "required": ["items", "next"],
        })
    }
}
