//! What the database offers to a line that is being typed: users, roles, keys, sessions and whatever else has
//! a name there.
//!
//! The configuration is found as the command itself would find it: by the flags of the line, the environment
//! and the file. Nothing is created, asked or printed. What can't be read is not offered.

use super::{commands, line};
use crate::cli::global::Global;
use crate::cli::program::{Program, Tree};
use crate::config::{Config, Sources, load};
use crate::error::Fault;
use crate::usecase::app::Ports;
use crate::usecase::operator::complete;
use crate::usecase::operator::complete::{Look, Offer};
use clap::FromArgMatches;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use std::ffi::OsStr;

type Find = fn(&Look<'_>) -> Result<Vec<Offer>, Fault>;

/// What stands for a name in the usage of commands, and who finds those that there are.
const FOUND: [(&str, Find); 12] = [
    ("USER", complete::users),
    ("ROLE", complete::roles),
    ("REGISTRATION", complete::registrations),
    ("SESSION", complete::sessions),
    ("PASSKEY", complete::passkeys),
    ("APP", complete::apps),
    ("PROVIDER", complete::providers),
    ("APIKEY", complete::api_keys),
    ("KID", complete::signing_keys),
    ("MAIL", complete::mails),
    ("PERMISSION", complete::permissions),
    ("EVENT", complete::events),
];

/// Completes an argument by what it is called in the usage. `None`: it has no names to offer.
pub fn completer(called: &str, tree: Tree) -> Option<ArgValueCompleter> {
    match called {
        "NOUN" => return Some(commands::nouns(tree)),
        "VERB" => return Some(commands::verbs(tree)),
        _ => {}
    }
    let (_, find) = FOUND.into_iter().find(|(name, _)| *name == called)?;
    Some(ArgValueCompleter::new(move |typed: &OsStr| offered(tree, typed, find)))
}

fn offered(tree: Tree, typed: &OsStr, find: Find) -> Vec<CompletionCandidate> {
    let found = typed.to_str().zip(configuration(tree)).and_then(|(word, config)| {
        let now = Ports::real().clock.now();
        find(&Look { config: &config, now, word }).ok()
    });
    let plain = found.unwrap_or_default().into_iter().filter(|offer| is_plain(&offer.name));
    plain
        .map(|Offer { name, about }| {
            let about = harmless(&about);
            CompletionCandidate::new(name).help((!about.is_empty()).then(|| about.into()))
        })
        .collect()
}

/// Whether every shell takes a name as it stands, and every command as no flag. An address may hold `$`, `|`
/// and backquotes: whoever registers one must not find it on an operator's command line.
fn is_plain(name: &str) -> bool {
    let harmless = |c: u8| c.is_ascii_alphanumeric() || b"._+-@:".contains(&c);
    name.bytes().all(harmless) && !name.starts_with('-')
}

/// The longest description that stands beside a name, in characters.
const ABOUT_MAX: usize = 60;

/// A description as shells may show it: it holds what somebody typed, a subject or a name, and each shell has
/// signs of its own that it would take for more than text.
fn harmless(about: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || " ._+-@:,/()".contains(c) { c } else { '?' };
    about.chars().take(ABOUT_MAX).map(plain).collect::<String>().trim().to_owned()
}

/// The configuration that the line would run with, which may be half typed.
fn configuration(tree: Tree) -> Option<Config> {
    let tree = tree(Program::Authctl).ignore_errors(true);
    let matches = tree.try_get_matches_from(line::typed(std::env::args_os())).ok()?;
    let global = Global::from_arg_matches(&matches).ok()?;
    let sources = Sources::of_process(global.config().cloned(), global.settings()).ok()?;
    Some(load(&sources).ok()?.config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_for_more_than_a_word_is_not_offered() {
        for name in ["ann@example.com", "a.b+c_d-e@sub.example.com", "admin", "read-only.2", "posts:read"] {
            assert!(is_plain(name), "{name}");
        }
        for name in [
            "`id`@a.b",
            "a$HOME@a.b",
            "a|sh@a.b",
            "a&b@a.b",
            "-rf@a.b",
            "~@a.b",
            "a*@a.b",
            "a'@a.b",
            "ü@a.b",
            "posts:*",
        ] {
            assert!(!is_plain(name), "{name}");
        }
    }

    #[test]
    fn a_description_is_nothing_but_text() {
        assert_eq!(harmless("Reset: `id` $(id) \u{1b}[2J\n%F{red}"), "Reset: ?id? ?(id) ??2J??F?red?");
        assert_eq!(harmless(&"ü".repeat(100)).chars().count(), ABOUT_MAX);
    }
}
