//! `completion SHELL`: the script that makes a shell complete commands, flags and names.
//!
//! The script asks the program itself at every TAB, with [`VARIABLE`] set and the line after `--`. The answer
//! comes from the types of the parser, and names come from the database: see `names`.

mod commands;
mod line;
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
/// It completes commands, flags and their values, and from the database, as far as you may read it, users,
/// roles, permissions, sessions, keys, registrations and mails. It must be loaded again after an upgrade.
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
    let line: Vec<OsString> = line::typed(args.iter().cloned()).collect();
    let offered = shell.and_then(|shell| {
        let mut tree = with_names(tree(program), tree);
        if !shell.word(&line).to_string_lossy().starts_with('-') {
            tree.build();
            tree = with_flags_apart(tree);
        }
        shell.complete(&mut tree, line)
    });
    let terminal = Terminal::new(program.name(), Format::Table, Detail::Full, ColourChoice::Never);
    Some(terminal.text(&offered.unwrap_or_default()))
}

/// Has the database complete what it knows the names of, in every command that there is or will be: see
/// `names`.
fn with_names(command: Command, tree: Tree) -> Command {
    let completed = |arg: Arg| {
        let called = arg.get_value_names().and_then(|names| names.first());
        match called.and_then(|called| names::completer(called, tree)) {
            Some(completer) => arg.add(completer),
            None => arg,
        }
    };
    command.mut_args(completed).mut_subcommands(|command| with_names(command, tree))
}

/// Keeps flags out of what is offered before a `-` is typed: the names, verbs and values come alone. What is
/// hidden shows where nothing else is to be offered. Where a command takes nothing but flags, its own come.
fn with_flags_apart(command: Command) -> Command {
    let only_flags = !command.has_subcommands() && command.get_positionals().next().is_none();
    let apart = |arg: Arg| {
        let own = only_flags && !arg.is_global_set() && arg.get_id() != "help";
        if own || arg.is_positional() { arg } else { arg.hide(true) }
    };
    command.mut_args(apart).mut_subcommands(with_flags_apart)
}
