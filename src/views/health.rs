//! What balancers are told.

use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema, Debug)]
#[schemars(inline)]
#[serde(rename_all = "snake_case")]
enum Word {
    Ok,
}

/// The process lives.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Health {
    /// The process lives.
    status: Word,
    /// The daemon's version.
    version: &'static str,
}

/// The database takes writes.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Readiness {
    /// The database took a write.
    status: Word,
}

/// Says that the process lives.
#[must_use]
pub const fn health() -> Health {
    Health { status: Word::Ok, version: env!("CARGO_PKG_VERSION") }
}

/// Says that the database took a write.
#[must_use]
pub const fn readiness() -> Readiness {
    Readiness { status: Word::Ok }
}
