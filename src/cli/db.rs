//! `db`: the database file.

use clap::Subcommand;

#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Create the database, the key file and the signing key where there are none
    Init,
    /// Show where the database is, its schema version, size, and how much is in it
    Status,
    /// Check that the database is whole; exits 5 when it is not
    Check,
}
