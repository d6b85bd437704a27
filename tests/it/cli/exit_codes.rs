//! One failure for each exit code: the code, the word that the message begins with, and the problem object.

use super::{Shell, json};
use crate::database::TestDatabase;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A command line that comes to one end, in a folder that was brought to it.
struct End {
    code: i32,
    word: &'static str,
    line: &'static str,
    stdin: &'static str,
    prepare: fn(&Shell) -> Option<TestDatabase>,
}

const UNTOUCHED: fn(&Shell) -> Option<TestDatabase> = |_| None;

/// Those that are told with a problem object.
const ENDS: [End; 7] = [
    End {
        code: 1,
        word: "weak_password",
        line: "user add a@example.com --password-stdin",
        stdin: "short",
        prepare: UNTOUCHED,
    },
    End { code: 3, word: "not_found", line: "user show nobody@example.com", stdin: "", prepare: UNTOUCHED },
    End { code: 4, word: "already_exists", line: "role add admin", stdin: "", prepare: UNTOUCHED },
    End {
        code: 69,
        word: "storage_unavailable",
        line: "role add editor",
        stdin: "",
        prepare: another_process_writes,
    },
    // Nothing that is right at the outside makes authd fail inside: these are what it must not go on with.
    End { code: 70, word: "internal", line: "role list", stdin: "", prepare: a_newer_authd_was_here },
    End { code: 77, word: "permission", line: "role list", stdin: "", prepare: others_can_read_the_key },
    End { code: 78, word: "config", line: "role list", stdin: "", prepare: a_key_is_misspelt },
];

fn another_process_writes(shell: &Shell) -> Option<TestDatabase> {
    let database = shell.world.database();
    database.hold();
    Some(database)
}

fn a_newer_authd_was_here(shell: &Shell) -> Option<TestDatabase> {
    shell.world.database().outdate();
    None
}

fn the_head_was_forged(shell: &Shell) -> Option<TestDatabase> {
    let sql = "UPDATE meta SET value = ?1 WHERE key = 'audit_head'";
    assert_eq!(shell.world.database().change(sql, &[(&[0; 72]).into()]), 1);
    None
}

fn others_can_read_the_key(shell: &Shell) -> Option<TestDatabase> {
    fs::set_permissions(shell.world.folder.join("authd.key"), fs::Permissions::from_mode(0o640)).unwrap();
    None
}

fn a_key_is_misspelt(shell: &Shell) -> Option<TestDatabase> {
    fs::write(shell.world.folder.join("authd.toml"), "lisen = \"127.0.0.1:8080\"\n").unwrap();
    None
}

#[test]
fn each_code_has_its_word_and_its_problem() {
    for end in &ENDS {
        assert_told(end);
    }
}

/// On a server a line waits to be sealed, and whoever seals it finds the forged head.
#[test]
fn a_head_that_was_forged_on_a_file_keeps_from_writing_behind_it() {
    let line = "role add editor";
    assert_told(&End { code: 70, word: "internal", line, stdin: "", prepare: the_head_was_forged });
}

fn assert_told(end: &End) {
    let shell = Shell::new();
    let _held = (end.prepare)(&shell);
    let run = |line: &str| shell.run_with(&line.split(' ').collect::<Vec<_>>(), end.stdin);
    let said = run(end.line);
    assert_eq!((said.code, said.out.as_str()), (end.code, ""), "{}: {said:?}", end.line);
    assert!(said.err.starts_with(&format!("authctl: {}: ", end.word)), "{}: {said:?}", end.line);
    let said = run(&format!("{} -o json", end.line));
    assert_eq!((said.code, said.out.as_str(), said.err.lines().count()), (end.code, "", 1), "{said:?}");
    let problem = json(&said.err);
    assert_eq!(problem["code"], end.word);
    assert_eq!(problem["type"], format!("urn:authd:problem:{}", end.word));
    assert!(!problem["detail"].as_str().unwrap().is_empty() && problem["status"].is_u64(), "{problem}");
}

#[test]
fn what_succeeds_and_what_was_so_already_is_0() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    for line in ["role list", "user disable ann@example.com", "user disable ann@example.com", "--version"] {
        assert_eq!(shell.line(line).code, 0, "{line}");
    }
}

#[test]
fn a_command_line_that_can_not_be_and_a_check_that_failed_are_told_alike() {
    let shell = Shell::new();
    let told = |line: &str, code: i32, word: &str, detail: &str| {
        let said = shell.line(line);
        assert_eq!(said.code, code, "{said:?}");
        assert!(said.err.starts_with(&format!("authctl: {word}: {detail}")), "{said:?}");
        let said = shell.line(&format!("{line} -o json"));
        assert_eq!((said.code, said.err.lines().count()), (code, 1), "{said:?}");
        let problem = json(&said.err);
        assert_eq!(problem["code"], word, "{problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with(detail), "{problem}");
        said
    };
    // The parser's own refusals, before it knows the format.
    let unknown = "unexpected argument '--nonsense' found; `authctl user list --help` shows what can be";
    told("user list --nonsense", 2, "usage", unknown);
    told(
        "user show",
        2,
        "usage",
        "the following required arguments were not provided: <USER>; `authctl user show",
    );
    told(
        "user list --state asleep",
        2,
        "usage",
        "invalid value 'asleep' for '--state <STATE>' [possible values: ",
    );
    told("user lst", 2, "usage", "unrecognized subcommand 'lst'; a similar subcommand exists: 'list'; ");
    told("user remove", 2, "usage", "there is no `user remove`; it is `authctl user delete`");
    told("help nonsense", 2, "usage", "unrecognized subcommand 'nonsense'; ");
    shell.world.add_user("ann@example.com", &[]);
    told("user delete ann@example.com", 2, "usage", "");
    assert_eq!(json(&shell.line("user -o json").err)["code"], "usage");
    the_head_was_forged(&shell);
    // The report itself is a JSON document, on stdout.
    let verified =
        told("audit verify", 5, "check_failed", "the audit log's head is not the one that authd wrote; ");
    assert_eq!(json(&verified.out)["ok"], false);
}

#[test]
fn a_lock_that_is_let_go_leaves_nothing_behind() {
    let shell = Shell::new();
    let held = another_process_writes(&shell).unwrap();
    assert_eq!(shell.line("role add editor").code, 69);
    held.let_go();
    assert_eq!(shell.line("role add editor").code, 0);
}
