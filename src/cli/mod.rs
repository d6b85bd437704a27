//! The operator's face: a command line over the same use-cases as HTTP.
//!
//! A noun a file. `tree` says which commands there are, `terminal` alone prints and prompts, `exit` maps
//! failures to exit codes. Nothing here reads or writes the database but through a use-case.

pub mod apikey;
pub mod app;
pub mod apply;
mod arguments;
pub mod audit;
pub mod completion;
pub mod config;
mod context;
pub mod db;
pub mod doctor;
pub mod examples;
pub mod exit;
pub mod export;
pub mod global;
pub mod hash;
pub mod help;
pub mod identity;
pub mod import;
pub mod key;
pub mod log;
pub mod mail;
pub mod man;
mod named;
mod nearest;
mod new_file;
pub mod operator;
mod paging;
pub mod passkey;
pub mod password;
pub mod program;
pub mod provider;
pub mod registration;
pub mod role;
pub mod schema;
pub mod serve;
pub mod supervisor;
mod synonyms;
pub mod terminal;
pub mod times;
pub mod token;
pub mod totp;
pub mod tree;
mod usage;
pub mod user;
pub mod version;
mod words;

pub use context::Context;

use exit::Failure;
use program::Program;
use std::ffi::OsString;
use std::process::ExitCode;
use terminal::{ColourChoice, Detail, Format, Terminal};
use tree::{Cli, Command};

/// Runs the command that the arguments name; the first is the program's own name.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<_> = args.collect();
    let program = Program::called(args.first().unwrap_or(&OsString::new()));
    if let Some(answered) = completion::answer(program, tree::command, &args) {
        return answered.map_or_else(|failure| ExitCode::from(failure.exit_code()), |()| ExitCode::SUCCESS);
    }
    let cli = match tree::parse(program, &args) {
        Ok(cli) => cli,
        Err(error) => return parser_exit(program, &args, &error),
    };
    let context = context(program, &cli, args);
    match run(&context, &cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(context.report(failure)),
    }
}

fn context(program: Program, cli: &Cli, args: Vec<OsString>) -> Context {
    let listen = if let Command::Serve(serve) = &cli.command { serve.listen() } else { None };
    Context::new(program, tree::command, &cli.global, listen, args)
}

/// Help and version are answers, exit 0; a command line that can't be read is exit 2.
fn parser_exit(program: Program, args: &[OsString], error: &clap::Error) -> ExitCode {
    let format = usage::format_of(args);
    let terminal = Terminal::new(program.name(), format, Detail::Full, ColourChoice::Auto);
    if error.use_stderr() && !(usage::is_help(error) && format == Format::Table) {
        let failure = usage::failure(&tree::command(program), args, error);
        terminal.report(&failure);
        return ExitCode::from(failure.exit_code());
    }
    match terminal::parser_says(error) {
        Err(failure) => ExitCode::from(failure.exit_code()),
        Ok(()) if error.use_stderr() => ExitCode::from(2),
        Ok(()) => ExitCode::SUCCESS,
    }
}

fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Serve(serve) => serve.run(context),
        Command::User(verb) => verb.run(context),
        Command::Registration(verb) => verb.run(context),
        Command::Role(verb) => verb.run(context),
        Command::Identity(verb) => verb.run(context),
        Command::Passkey(verb) => verb.run(context),
        Command::App(verb) => verb.run(context),
        Command::Provider(verb) => verb.run(context),
        Command::Token(verb) => verb.run(context),
        Command::Apikey(verb) => verb.run(context),
        Command::Key(verb) => verb.run(context),
        Command::Totp(verb) => verb.run(context),
        Command::Audit(verb) => verb.run(context),
        Command::Mail(verb) => verb.run(context),
        Command::Db(verb) => verb.run(context),
        Command::Import(import) => import.run(context),
        Command::Export(export) => export.run(context),
        Command::Apply(apply) => apply.run(context),
        Command::Config(verb) => verb.run(context),
        Command::Doctor(doctor) => doctor.run(context),
        Command::Hash(verb) => verb.run(context),
        Command::Completion(completion) => completion.run(context),
        Command::Man(man) => man.run(context),
        Command::Help(help) => help.run(context),
        Command::Version(version) => version.run(context),
    }
}
