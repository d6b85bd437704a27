//! The operator's face: a command line over the same use-cases as HTTP.
//!
//! A noun a file. `tree` says which commands there are, `terminal` alone prints and prompts, `exit` maps
//! what went wrong to exit codes. Nothing here reads or writes the database but by a use-case.

pub mod audit;
pub mod completion;
pub mod config;
pub mod db;
pub mod exit;
pub mod mail;
pub mod man;
pub mod operator;
pub mod password;
pub mod role;
pub mod serve;
pub mod terminal;
pub mod times;
pub mod token;
pub mod tree;
pub mod user;

use exit::Failure;
use std::ffi::OsString;
use std::process::ExitCode;
use terminal::Terminal;
use tree::{Cli, Command, Program};

/// What every command has at hand.
#[derive(Debug)]
pub struct Context {
    program: Program,
    terminal: Terminal,
}

impl Context {
    #[must_use]
    pub const fn program(&self) -> Program {
        self.program
    }

    #[must_use]
    pub const fn terminal(&self) -> &Terminal {
        &self.terminal
    }
}

/// Runs the command that the arguments name; the first is the program's own name.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<_> = args.collect();
    let program = Program::called(args.first().unwrap_or(&OsString::new()));
    let cli = match tree::parse(program, args) {
        Ok(cli) => cli,
        Err(error) => return parser_exit(&error),
    };
    let terminal = Terminal::new(program.name(), cli.global.format(), cli.global.detail(), cli.global.colour());
    let context = Context { program, terminal };
    match run(&context, cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            context.terminal.report(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Help and version are answers, exit 0; a command line that can't be read is exit 2.
fn parser_exit(error: &clap::Error) -> ExitCode {
    match terminal::parser_says(error) {
        Err(failure) => ExitCode::from(failure.exit_code()),
        Ok(()) if error.use_stderr() => ExitCode::from(2),
        Ok(()) => ExitCode::SUCCESS,
    }
}

fn run(context: &Context, cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Completion(completion) => completion.run(context),
        Command::Man(man) => man.run(context),
        // The other nouns stand on the use-cases, which are not in this branch yet.
        other => Err(Failure::Usage(format!("{other:?} can't be run by this build"))),
    }
}
