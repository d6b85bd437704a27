//! What is asked before something can't be undone: who asks, what is said, and that whatever would be refused
//! anyway is refused before.

use super::Shell;
use super::prompts::Typist;
use super::serve::Daemon;
use crate::database::worlds;
use crate::missing::is_there;
use crate::world::operator;
use authd::cli::program::Program;
use authd::cli::tree;
use authd::usecase::keys::signing_keys;
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The commands that ask, with the file of `src/cli` that does.
const ASKING: [(&str, &str); 16] = [
    ("apikey revoke", "apikey.rs"),
    ("app delete", "app.rs"),
    ("apply", "apply.rs"),
    ("audit prune", "audit/prune.rs"),
    ("db migrate-to", "db/copies.rs"),
    ("db restore", "db/copies.rs"),
    ("db restored", "db/copies.rs"),
    ("identity unlink", "identity.rs"),
    ("key retire", "key.rs"),
    ("passkey delete", "passkey.rs"),
    ("registration delete", "registration.rs"),
    ("role delete", "role.rs"),
    ("token revoke", "token.rs"),
    ("totp reset", "totp.rs"),
    ("user delete", "user.rs"),
    ("user passwd", "user.rs"),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn every_command_that_asks_takes_yes() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli"));
    let mut asks: BTreeMap<String, usize> = BTreeMap::new();
    for path in files(folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
        let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let times = text.matches(".obtain(").count() + text.matches(".obtain_from_a_person(").count();
        if times > 0 && name != "terminal/prompt.rs" {
            asks.insert(name, times);
        }
    }
    let mut listed: BTreeMap<String, usize> = BTreeMap::new();
    for (_, file) in ASKING {
        *listed.entry(file.to_owned()).or_default() += 1;
    }
    assert_eq!(asks, listed, "whoever asks is listed, so that the next lines see to --yes");
    let tree = tree::command(Program::Authctl);
    let mut with_yes = Vec::new();
    for noun in tree.get_subcommands() {
        let leaves: Vec<_> = if noun.has_subcommands() {
            let named = |verb: &'_ clap::Command| format!("{} {}", noun.get_name(), verb.get_name());
            noun.get_subcommands().map(|verb| (named(verb), verb)).collect()
        } else {
            vec![(noun.get_name().to_owned(), noun)]
        };
        let takes = leaves.iter().filter(|(_, leaf)| leaf.get_arguments().any(|arg| arg.get_id() == "yes"));
        with_yes.extend(takes.map(|(name, _)| name.clone()));
    }
    with_yes.sort();
    assert_eq!(with_yes, ASKING.map(|(command, _)| command));
}

/// Off a terminal a question is refused with 2. Whatever comes out else came before.
#[test]
fn what_would_be_refused_is_refused_before_anybody_is_asked() {
    let shell = Shell::new();
    shell.world.add_user("olga@example.com", &["admin"]);
    shell.world.add_user("ann@example.com", &[]);
    let kid = shell.line("key list -q").out.trim().to_owned();
    assert_eq!(shell.line("db backup backup.db").code, 0);
    fs::copy(shell.world.folder.join("backup.db"), shell.world.folder.join("bare.db")).unwrap();
    for (line, code, says) in [
        ("user delete ann@example.com nobody@example.com", 3, "there is no user nobody@example.com"),
        ("user delete olga@example.com", 4, "last_admin"),
        ("user passwd nobody@example.com", 3, "there is no user nobody@example.com"),
        ("token revoke --user nobody@example.com", 3, "there is no user nobody@example.com"),
        ("totp reset nobody@example.com", 3, "there is no user nobody@example.com"),
        ("role delete editor", 3, "there is no role editor"),
        ("role delete admin", 4, "built_in_role"),
        ("apikey revoke ci", 3, "there is no API key ci"),
        ("registration delete nobody@example.com", 3, "there is no registration nobody@example.com"),
        ("key retire none --now", 3, "there is no signing key none"),
        (&format!("key retire {kid} --now"), 4, "is the one that signs"),
        ("db restore none.db", 3, "there is no file none.db"),
        ("db restore bare.db", 5, "there is no bare.db.mac"),
        // Nothing stands in the way of these.
        ("user delete ann@example.com", 2, "add --yes"),
    ] {
        let said = shell.line(line);
        assert!(said.code == code && said.err.contains(says), "{line}: {said:?}");
    }
    // A world has its database open, as a daemon has; on a server that is in nobody's way.
    let said = shell.line("db restore backup.db");
    let (code, says) = if worlds::are_on_a_server() { (2, "add --yes") } else { (69, "another command has") };
    assert!(said.code == code && said.err.contains(says), "{said:?}");
    let daemon = Daemon::start(&shell, &[]);
    let said = shell.line("db restore backup.db");
    let says = said.err.contains("a daemon ") && said.err.contains(" serves ");
    assert!(said.code == 69 && says, "{said:?}");
    daemon.stop(Signal::TERM);
    assert_eq!(shell.line("user show ann@example.com").code, 0, "nothing was changed");
}

impl Shell {
    /// Runs a command on a terminal, answers its question, and gives what it came to.
    fn answer(&self, line: &str, question: &str, answer: &str) -> i32 {
        let mut typist = Typist::start(self, &format!("./authctl {line}"));
        let before = typist.wait_for(" [y/N] ");
        assert_eq!(before.trim().lines().last().unwrap_or_default(), question, "{line}");
        typist.type_in(answer);
        typist.end().0
    }
}

#[test]
fn a_question_says_whom_it_is_about_and_what_ends() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    let ann = shell.world.add_user("ann@example.com", &[]).id;
    for email in ["bob@example.com", "cid@example.com", "dan@example.com"] {
        shell.world.add_user(email, &[]);
    }
    shell.world.register("eve@example.com").unwrap();
    for _ in 0..2 {
        shell.world.login("ann@example.com").unwrap();
    }
    shell.world.login("bob@example.com").unwrap();
    for line in
        ["apikey add ci --permission users:read", "role add editor", "role assign ann@example.com editor"]
    {
        assert_eq!(shell.line(line).code, 0);
    }
    let rotated = signing_keys::rotate(&shell.world.app, &operator()).unwrap();
    let kid = rotated.previous.unwrap().kid;
    for (line, question) in [
        (
            format!("user delete {ann}"),
            "Delete ann@example.com with all personal data and 2 sessions, for good?",
        ),
        (
            "user delete ann@example.com bob@example.com cid@example.com dan@example.com".into(),
            "Delete 4 users (ann@example.com, bob@example.com, cid@example.com and 1 more) with all personal data and \
             3 sessions, for good?",
        ),
        (
            format!("user passwd {ann} --generate-password"),
            "Set a new password for ann@example.com, which ends 2 sessions?",
        ),
        ("user passwd cid@example.com".into(), "Set a new password for cid@example.com?"),
        (format!("token revoke --user {ann}"), "End 2 sessions of ann@example.com?"),
        ("token revoke --all".into(), "End every session of everybody: 3 sessions of 2 users?"),
        ("role delete editor".into(), "Delete the role editor and take it from 1 user?"),
        ("apikey revoke ci".into(), "Revoke the API key ci (users:read; never used)?"),
        (
            "registration delete eve@example.com".into(),
            "Delete 1 registration of eve@example.com, so that the link in the mail is void?",
        ),
        (
            format!("key retire {kid} --now"),
            &format!("Retire {kid} at once, so that every token it signed is refused?"),
        ),
    ] {
        assert_eq!(shell.answer(&line, question, "n\n"), 1, "{line}");
    }
    // Whoever said no has changed nothing.
    let sessions = shell.line("token list -q").out.lines().count();
    assert_eq!((sessions, shell.line("apikey list -q").out.lines().count()), (3, 1));
    assert_eq!(shell.answer("apikey revoke ci", "Revoke the API key ci (users:read; never used)?", "y\n"), 0);
    assert_eq!(shell.line("apikey list -q").out, "");
}

#[test]
fn scripts_go_on_where_they_always_have() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    let tokens = shell.world.login("ann@example.com").unwrap();
    for name in ["ci", "cd"] {
        assert_eq!(shell.line(&format!("apikey add {name}")).code, 0);
    }
    assert_eq!(shell.line("apikey revoke ci").code, 0);
    assert_eq!(shell.line("apikey revoke cd --yes").code, 0);
    let line = ["user", "passwd", "ann@example.com", "--password-stdin"];
    assert_eq!(shell.run_with(&line, "another long enough one\n").code, 0);
    assert!(!shell.world.is_signed_in(&tokens));
    assert_eq!(shell.run_with(&[&line[..], &["--yes"]].concat(), "yet another long one\n").code, 0);
    // Where nothing is alive, a script without --yes is refused all the same.
    assert_eq!(shell.line("token revoke --user ann@example.com").code, 2);
}

#[test]
fn nobody_is_asked_whether_nothing_should_end() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    for (line, says) in [
        ("token revoke --user ann@example.com", "nothing was alive; nothing was changed"),
        ("token revoke --all", "nothing was alive; nothing was changed"),
        ("totp reset ann@example.com", "ann@example.com has no second factor"),
    ] {
        let (code, seen) = Typist::start(&shell, &format!("./authctl {line}")).end();
        assert!(code == 0 && seen.contains(says) && !seen.contains("[y/N]"), "{line}: {seen}");
    }
}
