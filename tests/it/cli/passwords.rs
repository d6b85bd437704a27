//! Where passwords come from, and where they never show.

use super::{Shell, json};
use crate::world::{PASSWORD, anonymous};
use authd::usecase::signin::login::LoggedIn;
use std::fs;

#[test]
fn stdin_loses_one_newline() {
    let shell = Shell::new();
    for (i, given) in
        [PASSWORD.to_owned(), format!("{PASSWORD}\n"), format!("{PASSWORD}\r\n")].iter().enumerate()
    {
        let email = format!("user{i}@example.com");
        let said = shell.run_with(&["user", "add", &email, "--verified", "--password-stdin"], given);
        assert_eq!((said.code, said.out.as_str()), (0, ""), "{said:?}");
        assert!(shell.world.login(&email).is_ok(), "{given:?}");
    }
}

#[test]
fn more_than_a_line_is_no_password() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    let line = ["user", "passwd", "ann@example.com", "--password-stdin"];
    for given in [
        format!("{PASSWORD}\n\n"),
        format!("{PASSWORD}\nanother long enough one"),
        format!("{PASSWORD}\r\nanother long enough one\r\n"),
        format!("\n{PASSWORD}\n"),
    ] {
        let said = shell.run_with(&line, &given);
        assert_eq!(said.code, 2, "{given:?}: {said:?}");
        assert!(said.err.starts_with("authctl: usage: stdin has more than one line"), "{said:?}");
        fs::write(shell.world.folder.join("password.txt"), &given).unwrap();
        let said = shell.line("user passwd ann@example.com --password-file password.txt");
        assert!(said.code == 2 && said.err.contains("password.txt has more than one line"), "{said:?}");
    }
    for given in ["", "\n", "\r\n"] {
        let said = shell.run_with(&line, given);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.starts_with("authctl: validation_failed: password: "), "{said:?}");
    }
    assert!(shell.world.login("ann@example.com").is_ok(), "the old one stays");
}

#[test]
fn a_file_serves_as_well() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    fs::write(shell.world.folder.join("password.txt"), "another long enough one\n").unwrap();
    let said = shell.line("user passwd ann@example.com --password-file password.txt");
    assert_eq!(
        (said.code, said.err.as_str()),
        (0, "set a new password for ann@example.com; all sessions have ended\n")
    );
    assert!(shell.world.login_with("ann@example.com", "another long enough one").is_ok());
    assert_eq!(shell.line("user passwd ann@example.com --password-file missing.txt").code, 3);
}

#[test]
fn bad_passwords_are_refused_with_the_reason() {
    let shell = Shell::new();
    let add = |given: &str| shell.run_with(&["user", "add", "ann@example.com", "--password-stdin"], given);
    let short = add("short\n");
    assert_eq!(short.code, 1);
    assert!(short.err.starts_with("authctl: weak_password: the password is shorter than 15"), "{short:?}");
    assert!(add("").err.starts_with("authctl: validation_failed: password: "));
    assert_eq!(add(&"x".repeat(1025)).code, 1);
    assert_eq!(add(&"x".repeat(20_000)).code, 2);
    assert_eq!(shell.line("user show ann@example.com").code, 3, "nothing was stored");
}

#[test]
fn a_generated_password_is_alone_on_stdout() {
    let shell = Shell::new();
    let said = shell.line("user add ann@example.com --verified --generate-password --keep -q");
    assert_eq!((said.code, said.out.lines().count()), (0, 1), "{said:?}");
    let password = said.out.trim();
    assert!(!said.err.contains(password));
    assert!(shell.world.login_with("ann@example.com", password).is_ok());
    let again = json(&shell.line("user passwd ann@example.com --generate-password --keep -o json").out);
    assert!(shell.world.login_with("ann@example.com", again["password"].as_str().unwrap()).is_ok());
    assert!(shell.world.login_with("ann@example.com", password).is_err());
    assert_eq!(again["email"], "ann@example.com");
}

/// Whether the login with a password asks for another.
fn must_change(shell: &Shell, password: &str) -> bool {
    match shell.world.first_step(&anonymous(), "ann@example.com", password).unwrap() {
        LoggedIn::PasswordChange(_) => true,
        LoggedIn::Started(_) => false,
        LoggedIn::SecondStep(..) => panic!("no factor is on"),
    }
}

#[test]
fn a_password_that_was_made_here_or_is_said_to_is_changed_at_the_first_login() {
    let shell = Shell::new();
    let said = shell.line("user add ann@example.com --verified --generate-password");
    assert!(said.err.contains("asks for another") && said.err.contains("7 days"), "{said:?}");
    assert!(must_change(&shell, said.out.trim()));
    let again = shell.line("user passwd ann@example.com --generate-password");
    assert!(must_change(&shell, again.out.trim()));
    let kept = shell.line("user passwd ann@example.com --generate-password --keep");
    assert!(!kept.err.contains("asks for another") && !must_change(&shell, kept.out.trim()), "{kept:?}");
    let passwd = |more: &[&str]| {
        let line = [&["user", "passwd", "ann@example.com", "--password-stdin"], more].concat();
        assert_eq!(shell.run_with(&line, PASSWORD).code, 0);
        must_change(&shell, PASSWORD)
    };
    assert_eq!((passwd(&[]), passwd(&["--must-change"]), passwd(&[])), (false, true, false));
    let new = ["user", "add", "bob@example.com", "--verified", "--password-stdin", "--must-change"];
    assert_eq!(shell.run_with(&new, PASSWORD).code, 0);
    assert!(matches!(
        shell.world.first_step(&anonymous(), "bob@example.com", PASSWORD),
        Ok(LoggedIn::PasswordChange(_))
    ));
    for line in [
        "user add cyd@example.com --password-stdin --keep",
        "user add cyd@example.com --generate-password --keep --must-change",
        "user add cyd@example.com --invite --must-change",
        "user passwd ann@example.com --keep",
    ] {
        assert_eq!(shell.line(line).code, 2, "{line}");
    }
}

#[test]
fn an_invitation_is_a_link_on_stdout_and_in_the_mail() {
    let shell = Shell::new();
    let said = shell.line("user add ann@example.com --invite");
    let link = said.out.trim();
    assert!(link.starts_with("http://127.0.0.1:8080/") && link.contains("authd_pr_"), "{said:?}");
    assert!(link.ends_with(&shell.world.token_in_mail("ann@example.com")));
    assert!(!said.err.contains("authd_pr_"));
    let again = json(&shell.line("user passwd ann@example.com --invite -o json").out);
    assert_ne!(again["link"], link);
}

#[test]
fn equal_passwords_have_different_hashes() {
    let shell = Shell::new();
    for name in ["ann", "bob"] {
        let add = format!("user add {name}@example.com --password-stdin");
        assert_eq!(shell.run_with(&add.split(' ').collect::<Vec<_>>(), PASSWORD).code, 0);
    }
    let exported = shell.line("export --with-hashes");
    assert_eq!(exported.code, 0, "{exported:?}");
    let hashes: Vec<String> = exported
        .out
        .lines()
        .map(|line| json(line)["password_hash"].as_str().expect("each has a password").to_owned())
        .collect();
    assert_eq!(hashes.len(), 2);
    let (salts, digests): (Vec<_>, Vec<_>) = hashes.iter().map(|hash| hash.rsplit_once('$').unwrap()).unzip();
    assert!(salts[0] != salts[1] && digests[0] != digests[1], "{hashes:?}");
    assert!(!exported.out.contains(PASSWORD));
}
