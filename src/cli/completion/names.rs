//! What the database offers to a line that is being typed: users, roles and registrations.
//!
//! The configuration is found as the command itself would find it: by the flags of the line, the environment
//! and the file. Nothing is created, asked or printed. What can't be read is not offered.

use super::line;
use crate::cli::global::Global;
use crate::cli::program::{Program, Tree};
use crate::config::{Config, Sources, load};
use crate::error::Fault;
use crate::usecase::operator::complete;
use clap::FromArgMatches;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use std::ffi::OsStr;

/// Completes an argument that names a user.
pub fn users(tree: Tree) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| offered(tree, typed, complete::users))
}

/// Completes an argument that names a role.
pub fn roles(tree: Tree) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| offered(tree, typed, complete::roles))
}

/// Completes an argument that names a registration, by its address.
pub fn registrations(tree: Tree) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| offered(tree, typed, complete::registrations))
}

type Find = fn(&Config, &str) -> Result<Vec<String>, Fault>;

fn offered(tree: Tree, typed: &OsStr, find: Find) -> Vec<CompletionCandidate> {
    let names = typed.to_str().zip(configuration(tree)).and_then(|(typed, config)| find(&config, typed).ok());
    names
        .unwrap_or_default()
        .into_iter()
        .filter(|name| is_plain(name))
        .map(CompletionCandidate::new)
        .collect()
}

/// Whether every shell takes a name as it stands, and every command as no flag. An address may hold `$`, `|`
/// and backquotes: whoever registers one must not find it on an operator's command line.
fn is_plain(name: &str) -> bool {
    let harmless = |c: u8| c.is_ascii_alphanumeric() || b"._+-@".contains(&c);
    name.bytes().all(harmless) && !name.starts_with('-')
}

/// The configuration that the line would run with, which may be half typed.
fn configuration(tree: Tree) -> Option<Config> {
    let tree = tree(Program::Authctl).ignore_errors(true);
    let matches = tree.try_get_matches_from(line(std::env::args_os())).ok()?;
    let global = Global::from_arg_matches(&matches).ok()?;
    let sources =
        Sources::of_process(global.config().cloned(), global.settings().into_iter().collect()).ok()?;
    Some(load(&sources).ok()?.config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_for_more_than_a_word_is_not_offered() {
        for name in ["ann@example.com", "a.b+c_d-e@sub.example.com", "admin", "read-only.2"] {
            assert!(is_plain(name), "{name}");
        }
        for name in
            ["`id`@a.b", "a$HOME@a.b", "a|sh@a.b", "a&b@a.b", "-rf@a.b", "~@a.b", "a*@a.b", "a'@a.b", "ü@a.b"]
        {
            assert!(!is_plain(name), "{name}");
        }
    }
}
