//! The tree of commands: which nouns there are. Each noun's verbs and flags stand in the noun's own file,
//! the flags of every command in `global`.

use super::apply::Apply;
use super::completion::Completion;
use super::doctor::Doctor;
use super::examples;
use super::export::Export;
use super::global::Global;
use super::help::Help;
use super::import::Import;
use super::man::Man;
use super::program::Program;
use super::serve::Serve;
use super::synonyms::explained;
use super::version::Version;
use super::{
    apikey, app, audit, config, db, hash, identity, key, mail, passkey, provider, registration, role, token,
    totp, user,
};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;

#[derive(Parser, Debug)]
#[command(version, max_term_width = 100, propagate_version = false)]
#[command(disable_help_subcommand = true, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: Global,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    Serve(Serve),
    /// Create, look up, change and delete users
    #[command(subcommand)]
    User(user::Verb),
    /// See, confirm and delete registrations whose link was not opened yet
    #[command(subcommand)]
    Registration(registration::Verb),
    /// Create roles and give them to users
    #[command(subcommand)]
    Role(role::Verb),
    /// Accounts elsewhere that sign in to users': see, link and unlink them
    #[command(subcommand)]
    Identity(identity::Verb),
    /// See and delete users' passkeys
    #[command(subcommand)]
    Passkey(passkey::Verb),
    /// Put applications behind the gate, and say who may use them
    #[command(subcommand)]
    App(app::Verb),
    /// See the servers whose accounts may sign in here
    #[command(subcommand)]
    Provider(provider::Verb),
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
    Help(Help),
    Version(Version),
}

/// Makes the whole tree, with the help of `program` and examples for every noun and verb.
#[must_use]
pub fn command(program: Program) -> clap::Command {
    Cli::command()
        .name(program.name())
        .bin_name(program.name())
        .about(program.about())
        .after_help(program.after_help())
        .mut_subcommands(|noun| examples::given_to(noun.disable_help_subcommand(true)))
}

/// Reads the arguments; the first is the program's own name.
///
/// # Errors
/// What the parser has to say: help, version or a usage error.
pub fn parse(program: Program, args: &[OsString]) -> Result<Cli, clap::Error> {
    let parsed = command(program).try_get_matches_from(args);
    let matches = parsed.map_err(|error| explained(program, command(program), args, error))?;
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
    fn every_example_can_be_copied_off_a_terminal_of_80_columns() {
        let mut broken = Vec::new();
        let mut commands = vec![command(Program::Authd), command(Program::Authctl)];
        while let Some(command) = commands.pop() {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = after.lines().filter(|line| line.starts_with("  "));
            broken.extend(examples.filter(|line| line.chars().count() > 80).map(str::to_owned));
            commands.extend(command.get_subcommands().cloned());
        }
        assert_eq!(broken, [""; 0]);
    }
}
