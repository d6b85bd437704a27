//! What `help` offers to a line that is being typed: nouns, and the verbs of the one before.

use super::line::typed as typed_line;
use crate::cli::program::{Program, Tree};
use clap::Command;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use std::ffi::OsStr;

/// Completes an argument that names a noun.
pub fn nouns(tree: Tree) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| offered(&tree(Program::Authctl), typed))
}

/// Completes an argument that names a verb of the noun before it.
pub fn verbs(tree: Tree) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| {
        let tree = tree(Program::Authctl);
        let words: Vec<_> = typed_line(std::env::args_os()).collect();
        let noun = words.iter().rev().skip(1).find_map(|word| tree.find_subcommand(word));
        noun.map_or_else(Vec::new, |noun| offered(noun, typed))
    })
}

fn offered(command: &Command, typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let below = command.get_subcommands().filter(|below| below.get_name().starts_with(&*typed));
    below.map(|below| CompletionCandidate::new(below.get_name()).help(below.get_about().cloned())).collect()
}
