//! `apply` through its front door: what is asked, what is shown before, and the exit code that scripts for
//! drift go by. The transcript `golden/apply.txt` has the rest.

use super::prompts::Typist;
use super::{Shell, json};
use crate::missing::is_there;
use std::fs;

const FILE: &str = r#"
[[roles]]
name = "editor"
permissions = ["posts:read"]

[[users]]
email = "root@example.com"
roles = ["admin"]

[[users]]
email = "ann@example.com"
roles = ["editor"]
name = "Ann"

[[api_keys]]
name = "ci"
"#;

/// A shell with an admin, an editor who has another role too, and somebody whom the file doesn't name.
fn shell() -> Shell {
    let shell = Shell::new();
    for line in ["role add editor --permission posts:read --permission posts:write", "role add old"] {
        assert_eq!(shell.line(line).code, 0);
    }
    shell.world.add_user("root@example.com", &["admin"]);
    shell.world.add_user("ann@example.com", &["editor", "old"]);
    shell.world.add_user("bob@example.com", &[]);
    fs::write(shell.world.folder.join("accounts.toml"), FILE).unwrap();
    shell
}

#[test]
fn the_whole_plan_is_seen_before_the_question_and_once() {
    if !is_there("script") {
        return;
    }
    let shell = shell();
    let question = "Add 1, change 2 and remove 2 for good? [y/N] ";
    let plan = [
        "~ role editor  -posts:write",
        "~ user ann@example.com  -old; name",
        "+ API key ci",
        "- user bob@example.com",
        "- role old",
    ];
    let ask = |command: &str, answer: &str| {
        let mut typist = Typist::start(&shell, &format!("stty cols 80; {command}"));
        let before = typist.wait_for(question).replace("\r\n", "\n");
        typist.type_in(answer);
        let (code, after) = typist.end();
        (before, code, after.replace("\r\n", "\n"))
    };
    let lines = shell.world.events().len();
    let (before, code, after) = ask("NO_COLOR=1 ./authctl apply accounts.toml --prune", "n\n");
    assert_eq!((before.as_str(), code), ((plan.join("\n") + "\n").as_str(), 1));
    assert!(!after.contains("authd_key_"), "{after}");
    assert_eq!(shell.world.events().len(), lines);

    let (_, code, after) = ask("NO_COLOR=1 ./authctl apply accounts.toml --prune > plan.txt", "y\n");
    assert_eq!(code, 0, "{after}");
    assert!(after.contains("1 added, 2 changed, 2 removed") && !after.contains("~ role"), "{after}");
    let log = fs::read_to_string(shell.world.folder.join("plan.txt")).unwrap();
    let (head, key) = log.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(head, plan.join("\n") + "\n\nAPI key ci:");
    assert!(key.starts_with("authd_key_"), "alone on its line: {key}");

    // On the terminal the plan isn't said again.
    fs::write(shell.world.folder.join("less.toml"), FILE.replace("editor", "writer")).unwrap();
    let mut typist = Typist::start(&shell, "NO_COLOR=1 ./authctl apply less.toml --prune");
    typist.wait_for("? [y/N] ");
    typist.type_in("y\n");
    let (code, after) = typist.end();
    assert!(code == 0 && !after.contains("role writer"), "{after}");
}

#[test]
fn what_would_be_refused_is_refused_before_anybody_is_asked() {
    let shell = shell();
    fs::write(shell.world.folder.join("nobody.toml"), "users = []").unwrap();
    let refused = shell.line("apply nobody.toml --prune");
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.err.starts_with("authctl: last_admin: "), "{refused:?}");
    let asked = shell.line("apply accounts.toml --prune");
    assert_eq!((asked.code, asked.out.as_str()), (2, ""));
    assert!(
        asked.err.starts_with("~ role editor  -posts:write\n") && asked.err.contains("--yes"),
        "{asked:?}"
    );
}

#[test]
fn the_exit_code_says_whether_anything_is_different() {
    let shell = shell();
    for (line, code) in [
        ("apply accounts.toml --dry-run", 0),
        ("apply accounts.toml --dry-run --exit-code", 2),
        ("apply accounts.toml --exit-code -o json", 2),
        ("apply accounts.toml --exit-code", 0),
        ("apply accounts.toml --dry-run --exit-code", 0),
        ("apply accounts.toml --dry-run --exit-code --prune", 2),
        ("apply accounts.toml --exit-code --prune --yes", 2),
        ("apply accounts.toml --exit-code --prune", 0),
        ("apply nothing.toml --exit-code", 3),
    ] {
        let said = shell.line(line);
        assert_eq!(said.code, code, "{line}: {said:?}");
        assert_eq!(said.code == 3, said.err.starts_with("authctl: "), "{line}: {said:?}");
    }
    // What tells it from a wrong command line.
    let wrong = shell.line("apply accounts.toml --exit-codes");
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
}

#[test]
fn the_same_file_and_database_give_the_same_plan() {
    let shell = shell();
    let plan = || shell.line("apply accounts.toml --prune --dry-run -o json");
    let first = plan();
    assert_eq!(first, plan());
    let kinds: Vec<_> = json(&first.out)
        .as_array()
        .unwrap()
        .iter()
        .map(|change| format!("{} {}", change["action"].as_str().unwrap(), change["name"].as_str().unwrap()))
        .collect();
    let expected =
        ["change editor", "change ann@example.com", "add ci", "remove bob@example.com", "remove old"];
    assert_eq!(kinds, expected);
}

#[test]
fn who_may_use_an_application_is_as_the_file_says() {
    let shell = shell();
    let apply = |rule: &str, flags: &str| {
        let app = format!("[[apps]]\nname = \"wiki\"\nurl = \"https://wiki.example.com\"\n{rule}\n");
        fs::write(shell.world.folder.join("apps.toml"), app).unwrap();
        shell.line(format!("apply apps.toml {flags}").trim_end()).code
    };
    let explained = || shell.line("app explain wiki bob@example.com").code;
    assert_eq!((apply("allow_everyone = true", ""), explained()), (0, 0));
    assert_eq!((apply("allow_roles = [\"editor\"]", "--dry-run --exit-code"), explained()), (2, 0));
    assert_eq!((apply("allow_roles = [\"editor\"]", "--exit-code"), explained()), (2, 1));
    assert_eq!(apply("allow_roles = [\"editor\"]", "--exit-code"), 0);

    // What goes is asked about first.
    fs::write(shell.world.folder.join("none.toml"), "apps = []").unwrap();
    let asked = shell.line("apply none.toml --prune");
    assert_eq!((asked.code, asked.out.as_str()), (2, ""));
    assert!(asked.err.starts_with("- application wiki\n") && asked.err.contains("--yes"), "{asked:?}");
    assert_eq!(explained(), 1);
    assert_eq!(shell.line("apply none.toml --prune --yes").out, "- application wiki\n");
    assert_eq!(explained(), 3);
}
