//! The words of other tools: whoever types `user remove` is told that it is `user delete`. Nothing is run in
//! its place, as what was meant may destroy something.

use super::program::Program;
use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use std::ffi::OsString;

/// What others call a noun, or a command that is one here; and what it is here.
const NOUNS: [(&[&str], &str); 36] = [
    (&["users", "account", "accounts", "people"], "user"),
    (&["password", "passwd", "set-password", "change-password"], "user passwd"),
    (&["reset-password", "reset-link"], "user reset-link"),
    (&["useradd", "adduser", "invite", "signup"], "user add"),
    (&["userdel", "deluser"], "user delete"),
    (&["unlock", "unblock"], "user unlock"),
    (&["registrations", "pending"], "registration"),
    (&["roles", "group", "groups", "perm", "perms", "permission", "permissions"], "role"),
    (&["identities", "linked"], "identity"),
    (&["link"], "identity link"),
    (&["unlink"], "identity unlink"),
    (&["passkeys", "webauthn", "fido", "fido2", "credential", "credentials"], "passkey"),
    (&["recover", "recovery", "recover-link"], "user recover-link"),
    (&["grant"], "role assign"),
    (&["apps", "application", "applications", "gate"], "app"),
    (&["providers", "oauth", "oidc", "sso", "social", "idp", "federation"], "provider"),
    (&["session", "sessions", "tokens", "jwt"], "token"),
    (&["logout", "revoke"], "token revoke"),
    (&["introspect"], "token inspect"),
    (&["apikeys", "api-key", "api-keys", "api"], "apikey"),
    (&["keys", "jwk", "jwks", "signing-key", "signing-keys"], "key"),
    (&["2fa", "mfa", "otp", "factor", "second-factor"], "totp"),
    (&["log", "logs", "events", "history"], "audit"),
    (&["mails", "email", "emails", "outbox", "smtp"], "mail"),
    (&["database", "sqlite"], "db"),
    (&["init", "setup"], "db init"),
    (&["status", "info"], "db status"),
    (&["migrate", "upgrade"], "db migrate"),
    (&["backup", "dump"], "db backup"),
    (&["restore"], "db restore"),
    (&["settings", "conf", "configure", "configuration"], "config"),
    (&["start", "run", "daemon", "server"], "serve"),
    (&["check", "health", "diagnose"], "doctor"),
    (&["calibrate", "benchmark"], "hash calibrate"),
    (&["completions", "complete"], "completion"),
    (&["manual", "docs"], "man"),
];

/// What others call a verb; and what it is here: the first of these that the noun has.
const VERBS: [(&[&str], &[&str]); 26] = [
    (&["remove", "rm", "del", "erase", "destroy", "drop"], &["delete", "revoke", "reset", "retire", "prune"]),
    (&["delete"], &["revoke", "reset", "retire", "prune"]),
    (&["revoke"], &["retire", "unassign", "reset", "delete"]),
    (&["create", "new", "make", "register"], &["add", "mint", "rotate", "enroll", "init"]),
    (&["add"], &["mint", "rotate", "enroll", "init"]),
    (&["generate", "issue"], &["mint", "rotate", "recovery-codes", "add"]),
    (&["ls", "all", "find", "search"], &["list", "tail", "status", "show"]),
    (&["list"], &["tail", "status", "show"]),
    (&["info", "get", "view", "cat", "describe", "display"], &["show", "inspect", "status", "list", "tail"]),
    (&["show"], &["inspect", "status", "list", "tail"]),
    (&["update", "change", "modify", "set", "rename"], &["edit", "rotate"]),
    (&["password", "set-password", "change-password", "pass"], &["passwd"]),
    (&["reset", "reset-password", "link", "recover"], &["reset-link"]),
    (&["lock", "block", "ban", "suspend", "deactivate", "disable", "off"], &["disable", "reset", "retire"]),
    (&["unblock", "unban", "activate", "enable", "on", "setup"], &["enable", "enroll", "init"]),
    (&["grant", "give"], &["assign"]),
    (&["take", "ungrant", "deny"], &["unassign"]),
    (&["end", "kill", "logout", "expire", "invalidate"], &["revoke", "retire"]),
    (&["check", "test", "validate", "introspect"], &["verify", "inspect", "check", "test"]),
    (&["follow", "watch", "log"], &["tail"]),
    (&["resend", "send"], &["retry", "test"]),
    (&["dump", "save", "copy"], &["backup", "export"]),
    (&["load"], &["restore"]),
    (&["upgrade"], &["migrate"]),
    (&["vacuum", "clean", "gc"], &["prune"]),
    (&["why", "allowed", "may"], &["explain"]),
];

/// Says the right word in the place of an error of the parser that knows a wrong one; others stay as they
/// are.
pub(super) fn explained(program: Program, mut tree: Command, line: &[OsString], error: Error) -> Error {
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    match Slip::found(&tree, line, wrong).and_then(|slip| Some((slip.typed(), slip.right()?))) {
        Some((typed, right)) => {
            let says = format!("there is no `{typed}`; it is `{} {right}`", program.name());
            tree.error(ErrorKind::InvalidSubcommand, says)
        }
        None => error,
    }
}

/// A wrong word, and the words around it.
struct Slip<'a> {
    /// Under which noun; `None`: it stands in a noun's place.
    noun: Option<&'a Command>,
    wrong: &'a str,
    /// What follows it.
    next: Option<&'a str>,
    tree: &'a Command,
}

impl<'a> Slip<'a> {
    fn found(tree: &'a Command, line: &'a [OsString], wrong: &'a str) -> Option<Self> {
        let words: Vec<&str> = line.iter().skip(1).filter_map(|word| word.to_str()).collect();
        let at = words.iter().position(|word| *word == wrong)?;
        let noun = words[..at].iter().find_map(|word| tree.find_subcommand(word));
        Some(Self { noun, wrong, next: words.get(at + 1).copied(), tree })
    }

    /// What was typed, as far as it is wrong.
    fn typed(&self) -> String {
        match self.noun {
            Some(noun) => format!("{} {}", noun.get_name(), self.wrong),
            None => self.wrong.to_owned(),
        }
    }

    /// What it should be. `None`: that is anybody's guess.
    fn right(&self) -> Option<String> {
        if let Some(noun) = self.noun {
            return match self.wrong {
                "help" => Some(format!("help {}", noun.get_name())),
                wrong => Some(format!("{} {}", noun.get_name(), right_verb(noun, wrong)?)),
            };
        }
        let right = look_up(&NOUNS, self.wrong)?;
        let verb = self.tree.find_subcommand(right).zip(self.next).and_then(|(noun, next)| {
            if noun.find_subcommand(next).is_some() { Some(next) } else { right_verb(noun, next) }
        });
        Some(verb.map_or_else(|| (*right).to_owned(), |verb| format!("{right} {verb}")))
    }
}

fn right_verb(noun: &Command, wrong: &str) -> Option<&'static str> {
    look_up(&VERBS, wrong)?.iter().copied().find(|verb| noun.find_subcommand(verb).is_some())
}

fn look_up<'t, T>(table: &'t [(&[&str], T)], wrong: &str) -> Option<&'t T> {
    table.iter().find(|(words, _)| words.contains(&wrong)).map(|(_, right)| right)
}

#[cfg(test)]
mod tests {
    use super::super::tree::command;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_right_word_is_there_and_no_wrong_one_is() {
        let tree = command(Program::Authctl);
        for (wrong, right) in NOUNS {
            let found = right.split(' ').try_fold(&tree, |at, word| at.find_subcommand(word));
            assert!(found.is_some(), "there is no {right}");
            assert!(wrong.iter().all(|word| tree.find_subcommand(word).is_none()), "{wrong:?}");
        }
        let verbs: BTreeSet<&str> =
            tree.get_subcommands().flat_map(Command::get_subcommands).map(Command::get_name).collect();
        for (wrong, right) in VERBS {
            assert!(right.iter().all(|verb| verbs.contains(verb)), "{right:?}");
            // Each tells something new under one noun at least.
            let helps = |word: &&str| {
                let lacks = |noun: &&Command| noun.find_subcommand(word).is_none();
                tree.get_subcommands().filter(lacks).any(|noun| right_verb(noun, word).is_some())
            };
            assert!(wrong.iter().all(helps), "{wrong:?}");
        }
    }

    #[test]
    fn no_wrong_word_stands_twice() {
        let mut seen = BTreeSet::new();
        assert!(NOUNS.iter().flat_map(|(words, _)| *words).all(|word| seen.insert(word)));
        seen.clear();
        assert!(VERBS.iter().flat_map(|(words, _)| *words).all(|word| seen.insert(word)));
    }
}
