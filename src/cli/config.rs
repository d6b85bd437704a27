//! `config`: the settings and where each comes from.

use clap::Subcommand;

#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Check the configuration; exits 78 when it is wrong, naming file, line and key
    Check,
    /// Show every setting, its value and where it comes from
    Show,
    /// Write a configuration file with every key, its default and what it does
    ///
    /// It goes to ./authd.toml, or where --config says. A file that has something in it stays as it is.
    Init,
}
