//! SQLite alone: connections, the pool of readers, the one writer, the schema's file and its steps.

pub(super) mod columns;
pub mod connection;
pub(in crate::store) mod damage;
pub(in crate::store) mod database;
pub mod fault;
pub mod file;
pub(in crate::store) mod health;
pub mod inspect;
pub(super) mod objects;
#[cfg(debug_assertions)]
pub(super) mod plan;
pub mod pool;
#[cfg(debug_assertions)]
pub(super) mod recorder;
pub mod schema;
pub(in crate::store) mod shape;
pub(super) mod snapshot;
pub(super) mod statement;
pub mod version;
pub mod writer;
