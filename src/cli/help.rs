//! `help [NOUN [VERB]]`: what `--help` says, in the order of words that other tools have.

use super::Context;
use super::exit::Failure;
use super::synonyms::explained;
use super::terminal::parser_says;
use super::usage;
use clap::Args;
use std::ffi::OsString;

/// Show the help of a command
///
/// It is what `--help` says after that command; without one, the list of all.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl help user
  authctl help user add")]
pub struct Help {
    /// Of which command, such as user or serve
    #[arg(value_name = "NOUN")]
    noun: Option<String>,
    /// Of which verb of it, such as add
    #[arg(value_name = "VERB")]
    verb: Option<String>,
}

impl Help {
    /// Prints the help of the command that is named.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a command that isn't there, with what the parser has to say to it, and for the
    /// verb of a command that has none.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let program = context.program();
        let tree = (context.tree())(program);
        let noun = self.noun.as_deref().and_then(|noun| tree.find_subcommand(noun));
        if let Some((noun, verb)) = noun.filter(|noun| !noun.has_subcommands()).zip(self.verb.as_ref()) {
            let (program, noun) = (program.name(), noun.get_name());
            let text =
                format!("`{program} {noun}` has no verbs, and so no {verb}; see `{program} help {noun}`");
            return Err(Failure::Usage(text));
        }
        let words = [Some(program.name()), self.noun.as_deref(), self.verb.as_deref(), Some("--help")];
        let line: Vec<OsString> = words.into_iter().flatten().map(OsString::from).collect();
        match tree.clone().try_get_matches_from(&line) {
            Err(said) => {
                let said = explained(program, tree.clone(), &line, said);
                if said.use_stderr() { Err(usage::failure(&tree, &line, &said)) } else { parser_says(&said) }
            }
            // `--help` is always answered.
            Ok(_) => Ok(()),
        }
    }
}
