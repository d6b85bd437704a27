//! PostgreSQL alone: sessions, the pool of readers, the writers, the schema and its steps.

pub mod address;
pub(in crate::store) mod fault;
pub mod inspect;
pub(in crate::store) mod pool;
pub(in crate::store) mod schema;
pub(in crate::store) mod server;
pub(in crate::store) mod session;
pub(in crate::store) mod statement;
mod tls;
pub(in crate::store) mod writer;
