//! The flags that every command takes.

use super::terminal::{ColourChoice, Detail, Format};
use clap::{ArgAction, Args};
use std::path::PathBuf;

/// The flags of every command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// How to print results
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", default_value = "table")]
    output: Format,
    /// Print ids alone, one a line
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    quiet: bool,
    /// When to use colour
    #[arg(long = "color", global = true, value_enum, value_name = "WHEN", default_value = "auto")]
    colour: ColourChoice,
    /// The configuration file [else AUTHD_CONFIG, ./authd.toml, /etc/authd/authd.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The database file, whatever the configuration says
    #[arg(long, global = true, value_name = "FILE")]
    database: Option<PathBuf>,
    /// The key file, whatever the configuration says
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl Global {
    /// How results are printed (`--output`).
    #[must_use]
    pub const fn format(&self) -> Format {
        self.output
    }

    /// Whether ids alone are printed (`--quiet`).
    #[must_use]
    pub const fn detail(&self) -> Detail {
        if self.quiet { Detail::Ids } else { Detail::Full }
    }

    /// When colour is used (`--color`).
    #[must_use]
    pub const fn colour(&self) -> ColourChoice {
        self.colour
    }

    /// The configuration file that `--config` names. `None`: search for it.
    #[must_use]
    pub const fn config(&self) -> Option<&PathBuf> {
        self.config.as_ref()
    }

    /// The settings among the flags: key, flag, value.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String, String)> {
        let files = [("database", "--database", &self.database), ("key_file", "--key-file", &self.key_file)];
        let given = files.into_iter().filter_map(|(key, flag, path)| Some((key, flag, path.as_ref()?)));
        given.map(|(key, flag, path)| (key, flag.to_owned(), path.display().to_string())).collect()
    }
}
