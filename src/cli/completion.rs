//! `completion SHELL`: the script that makes a shell complete commands, flags, users and roles.
//!
//! The script asks the program itself at every TAB, with [`VARIABLE`] set and the line after `--`. The answer
//! comes from the types of the parser, and for users and roles from the database: see `names`.

mod names;
mod shell;

pub use shell::Shell;

use super::Context;
use super::exit::Failure;
use super::program::{Program, Tree};
use super::terminal::{ColourChoice, Detail, Format, Terminal};
use clap::{Arg, Args, Command};
use std::ffi::OsString;

/// The scripts set it to the name of a shell, so that the program completes a line instead of running it.
pub const VARIABLE: &str = "_AUTHCTL_COMPLETE";

/// Print a completion script
///
/// It completes commands, flags and their values, and from the database users and roles, as far as you may
/// read it. It must be loaded again after an upgrade.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl completion bash > /etc/bash_completion.d/authctl
  authctl completion zsh > /usr/local/share/zsh/site-functions/_authctl
  authctl completion fish > ~/.config/fish/completions/authctl.fish")]
pub struct Completion {
    /// For which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completion {
    /// Prints the script of the shell.
    ///
    /// # Errors
    /// When stdout can't be written.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        context.terminal().text(&self.shell.script(context.program()))
    }
}

/// Answers a script that asks how a line may go on; `None` when none asks. Whatever goes wrong, nothing is
/// offered and nothing is printed: somebody is typing a line.
#[must_use]
pub fn answer(program: Program, tree: Tree, args: &[OsString]) -> Option<Result<(), Failure>> {
    let shell = Shell::named(&std::env::var_os(VARIABLE)?);
    let line: Vec<OsString> = line(args.iter().cloned()).collect();
    let offered = shell
        .and_then(|shell| shell.complete(&mut with_names(tree(program), tree), line))
        .unwrap_or_default();
    let terminal = Terminal::new(program.name(), Format::Table, Detail::Full, ColourChoice::Never);
    Some(terminal.text(&offered))
}

/// Has the database complete what is called USER, ROLE or REGISTRATION, in every command that there is or
/// will be.
fn with_names(command: Command, tree: Tree) -> Command {
    let completed = |arg: Arg| {
        let is_called =
            |wanted| arg.get_value_names().is_some_and(|names| names.iter().any(|name| name == wanted));
        if is_called("USER") {
            arg.add(names::users(tree))
        } else if is_called("ROLE") {
            arg.add(names::roles(tree))
        } else if is_called("REGISTRATION") {
            arg.add(names::registrations(tree))
        } else {
            arg
        }
    };
    command.mut_args(completed).mut_subcommands(|command| with_names(command, tree))
}

/// The line that is being completed: what stands after `--` in the arguments that a script gives.
fn line(args: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    args.skip_while(|arg| arg != "--").skip(1)
}
