//! Which authd this is.

use crate::store::sqlite::inspect;
use crate::store::version::VERSION;

/// What tells one build of authd from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Of authd itself.
    pub authd: &'static str,
    /// Of the SQLite that is built in.
    pub sqlite: &'static str,
    /// The schema of the databases that it works with.
    pub schema: i64,
}

/// Says which authd this is.
#[must_use]
pub fn version() -> Version {
    Version { authd: env!("CARGO_PKG_VERSION"), sqlite: inspect::sqlite_version(), schema: VERSION }
}
