//! The tree of commands: which nouns there are, and the flags that all of them take. Each noun's verbs and
//! flags stand in the noun's own file.

use super::apply::Apply;
use super::completion::Completion;
use super::doctor::Doctor;
use super::export::Export;
use super::import::Import;
use super::man::Man;
use super::serve::Serve;
use super::terminal::{ColourChoice, Detail, Format};
use super::{apikey, audit, config, db, hash, key, mail, role, token, totp, user};
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The name that the program was called by. The commands are the same under both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Authd,
    Authctl,
}

impl Program {
    /// From the first argument: whatever is not called `authctl` is the daemon.
    #[must_use]
    pub fn called(argv0: &OsString) -> Self {
        let name = Path::new(argv0).file_stem().unwrap_or_default();
        if name == "authctl" { Self::Authctl } else { Self::Authd }
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authd => "authd",
            Self::Authctl => "authctl",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Self::Authd => "An authentication server in one binary and one SQLite file",
            Self::Authctl => "Operates an authd server: users, roles, sessions, audit log, mail, database",
        }
    }

    const fn after_help(self) -> &'static str {
        match self {
            Self::Authd => {
                "Examples:
  authd serve                                  run with what ./authd.toml or the defaults say
  authd serve --listen 0.0.0.0:8080
  authd user add ann@example.com --role admin  every command of authctl works here too"
            }
            Self::Authctl => {
                "Examples:
  authctl user add ann@example.com --role admin
  authctl user list --query example.com -o json
  authctl token revoke --user ann@example.com
  authctl audit tail -f

Every command works while the daemon runs and while it doesn't; what it changes counts for the
daemon's next request."
            }
        }
    }
}

#[derive(Parser, Debug)]
#[command(version, max_term_width = 100, propagate_version = false)]
#[command(disable_help_subcommand = true, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: Global,
}

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
}

impl Global {
    #[must_use]
    pub const fn format(&self) -> Format {
        self.output
    }

    #[must_use]
    pub const fn detail(&self) -> Detail {
        if self.quiet { Detail::Ids } else { Detail::Full }
    }

    #[must_use]
    pub const fn colour(&self) -> ColourChoice {
        self.colour
    }

    /// `None`: search for it.
    #[must_use]
    pub const fn config(&self) -> Option<&PathBuf> {
        self.config.as_ref()
    }

    /// The settings among the flags: key, flag, value.
    #[must_use]
    pub fn settings(&self) -> Option<(&'static str, String, String)> {
        self.database.as_ref().map(|path| ("database", "--database".to_owned(), path.display().to_string()))
    }
}

#[derive(Subcommand, Debug)]
pub enum Command {
    Serve(Serve),
    /// Create, look up, change and delete users
    #[command(subcommand)]
    User(user::Verb),
    /// Create roles and give them to users
    #[command(subcommand)]
    Role(role::Verb),
    /// See, check and end sessions and their tokens
    #[command(subcommand)]
    Token(token::Verb),
    /// Create and revoke keys for services
    #[command(subcommand)]
    Apikey(apikey::Verb),
    /// See and rotate the keys that sign access tokens
    #[command(subcommand)]
    Key(key::Verb),
    /// Look after users' second factors
    #[command(subcommand)]
    Totp(totp::Verb),
    /// Read the audit log
    #[command(subcommand)]
    Audit(audit::Verb),
    /// Read the outbox
    #[command(subcommand)]
    Mail(mail::Verb),
    /// Create, check, back up and restore the database
    #[command(subcommand)]
    Db(db::Verb),
    Import(Import),
    Export(Export),
    Apply(Apply),
    /// Check, show and begin the configuration
    #[command(subcommand)]
    Config(config::Verb),
    Doctor(Doctor),
    /// Find out what password hashes may cost on this machine
    #[command(subcommand)]
    Hash(hash::Verb),
    Completion(Completion),
    Man(Man),
}

/// The whole tree, greeting as `program` does.
#[must_use]
pub fn command(program: Program) -> clap::Command {
    Cli::command()
        .name(program.name())
        .bin_name(program.name())
        .about(program.about())
        .after_help(program.after_help())
        .mut_subcommands(without_help_noun)
}

/// `--help` says it everywhere; a verb `help` beside it would only be one more thing to complete.
fn without_help_noun(command: clap::Command) -> clap::Command {
    command.disable_help_subcommand(true)
}

/// Reads the arguments; the first is the program's own name.
///
/// # Errors
/// What the parser has to say: help, version or a usage error.
pub fn parse(program: Program, args: Vec<OsString>) -> Result<Cli, clap::Error> {
    let matches = command(program).try_get_matches_from(args)?;
    Cli::from_arg_matches(&matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_sound_under_both_names() {
        command(Program::Authd).debug_assert();
        command(Program::Authctl).debug_assert();
    }

    #[test]
    fn the_name_is_the_last_part_of_the_path() {
        assert_eq!(Program::called(&"/usr/local/bin/authctl".into()), Program::Authctl);
        assert_eq!(Program::called(&"./authd".into()), Program::Authd);
        assert_eq!(Program::called(&OsString::new()), Program::Authd);
    }
}
