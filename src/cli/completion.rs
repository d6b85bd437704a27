//! `completion SHELL`: the script that makes a shell complete commands and flags, from the same types as
//! the parser.

use super::Context;
use super::exit::Failure;
use clap::Args;
use clap_complete::Shell;

/// Print a completion script
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl completion bash > /etc/bash_completion.d/authctl
  authctl completion fish > ~/.config/fish/completions/authctl.fish")]
pub struct Completion {
    /// For which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completion {
    /// # Errors
    /// When stdout can't be written.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let name = context.program().name();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::tree::command(context.program()), name, &mut script);
        context.terminal().text(&String::from_utf8_lossy(&script))
    }
}
