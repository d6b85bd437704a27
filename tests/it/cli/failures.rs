//! Exit codes and the words of messages.

use super::{Shell, json};
use authd::api::problem::Problem;
use authd::cli::exit::Failure;
use authd::error::Refusal;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

#[test]
fn usage_errors_exit_2() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    for line in [
        "nonsense",
        "user",
        "user show",
        "user list --nonsense",
        "user list --state asleep",
        "user list --limit 0",
        "user add ann@example.com --invite --generate-password",
        "token revoke",
        "token revoke --all --user ann@example.com --yes",
        "token inspect",
        "audit tail --since yesterday",
        "-o yaml user list",
        // These destroy, and nobody can be asked.
        "user delete ann@example.com",
        "token revoke --all",
        "token revoke --user ann@example.com",
        // Nobody can be asked for a password either.
        "user add bob@example.com",
    ] {
        let said = shell.line(line);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{line}: {said:?}");
        assert!(!said.err.is_empty(), "{line}");
    }
    let said = shell.line("user delete ann@example.com");
    assert_eq!(
        said.err,
        "authctl: usage: nobody can be asked here (Delete ann@example.com with all personal data, for good?); add --yes \
         to do it\n"
    );
}

#[test]
fn help_and_version_are_answers() {
    let shell = Shell::new();
    for line in ["--help", "user add --help", "-h", "--version"] {
        let said = shell.line(line);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{line}");
    }
    assert!(shell.line("--help").out.starts_with("Operates an authd server"));
    let mut authd = std::process::Command::new(env!("CARGO_BIN_EXE_authd"));
    authd.arg("--help").env_clear();
    let authd = super::said(authd);
    assert!(authd.out.starts_with("An authentication server"), "{}", authd.out);
}

#[test]
fn a_refusal_is_words_or_a_problem_object() {
    let shell = Shell::new();
    let said = shell.line("user show nobody@example.com");
    assert_eq!(
        said.err,
        "authctl: not_found: there is no user nobody@example.com; `authctl user list` shows who is there\n"
    );
    let said = shell.line("user show nobody@example.com -o json");
    assert_eq!((said.code, said.out.as_str()), (3, ""));
    let problem = serde_json::json!({
        "type": "urn:authd:problem:not_found", "title": "Not found", "status": 404,
        "detail": "there is no user nobody@example.com; `authctl user list` shows who is there", "code": "not_found",
    });
    assert_eq!(json(&said.err), problem);
    assert_eq!(said.err.lines().count(), 1);
}

#[test]
fn what_was_typed_can_not_drive_the_terminal_through_a_message() {
    let shell = Shell::new();
    for args in [
        &["user", "show", "\u{1b}[2J\u{202e}"][..],
        &["user", "list", "--role", "\u{9b}31m"],
        &["\u{7}\u{9b}"],
    ] {
        let said = shell.run(args);
        assert_ne!(said.code, 0);
        let dangerous = |c: char| c != '\n' && authd::cli::terminal::escape::is_dangerous(c);
        assert!(!said.err.contains(dangerous), "{:?}", said.err);
    }
}

#[test]
fn no_database_and_no_key_file() {
    let shell = Shell::new();
    let said = shell.line("user list --database none.db");
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.contains("authctl db init"), "{said:?}");
    fs::rename(shell.world.folder.join("authd.key"), shell.world.folder.join("elsewhere")).unwrap();
    let said = shell.line("user list");
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.starts_with("authctl: not_found: there is no key file "), "{said:?}");
    assert_eq!(shell.line("db init").code, 3, "it is never made anew beside an existing database");
}

#[test]
fn a_wrong_configuration_names_file_line_and_key() {
    let shell = Shell::new();
    let path = shell.world.folder.join("authd.toml");
    fs::write(&path, "listen = \"127.0.0.1:8080\"\n[password]\nmin_length = 6\nmin_lenght = 20\n").unwrap();
    for line in ["config check", "user list"] {
        let said = shell.line(line);
        assert_eq!(said.code, 78, "{said:?}");
        assert!(said.err.starts_with("authctl: config: "), "{said:?}");
        let lines: Vec<&str> = said.err.lines().collect();
        assert!(lines[0].starts_with("authctl: config: authd.toml:3: password.min_length: "), "{said:?}");
        assert!(lines[1].starts_with("authctl: config: authd.toml:4: "), "{said:?}");
    }
}

#[test]
fn files_that_others_can_read_are_refused() {
    let shell = Shell::new();
    let key = shell.world.folder.join("authd.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let said = shell.line("user list");
    assert_eq!(said.code, 77, "{said:?}");
    assert!(said.err.starts_with("authctl: permission: ") && said.err.contains("chmod 600"), "{said:?}");
}

#[test]
fn a_damaged_database_on_a_file_is_a_finding() {
    let shell = Shell::new();
    assert_eq!(shell.line("db init --database sub/authd.db").code, 0);
    let path = shell.world.folder.join("sub/authd.db");
    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 2 * 4096);
    bytes[4096..].iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(&path, bytes).unwrap();
    let said = shell.line("db check --database sub/authd.db -o json");
    assert_eq!(said.code, 5, "{said:?}");
    assert_eq!(json(&said.out)["ok"], false);
    assert!(json(&said.err)["detail"].as_str().unwrap().starts_with("the database is damaged; "), "{said:?}");
}

#[test]
fn a_full_disk_is_not_a_success() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let shell = Shell::new();
    let mut command = shell.command(&["role", "list"]);
    command.stdout(fs::File::create("/dev/full").unwrap());
    let said = super::said(command);
    assert_eq!(said.code, 70, "{said:?}");
    assert!(said.err.contains("stdout can't be written"), "{said:?}");
}

#[test]
fn both_faces_tell_a_refusal_alike() {
    for refusal in every_refusal() {
        let mut over_http = json(std::str::from_utf8(&Problem::from(&refusal).response("id").body).unwrap());
        over_http.as_object_mut().unwrap().remove("request_id");
        let failure = Failure::from(refusal);
        // What to do next is another thing in a shell.
        over_http["detail"] = failure.detail().into();
        assert_eq!(serde_json::json!(failure.problem()), over_http);
    }
}

/// One of each. A new one doesn't compile until it is told here whether it is among them.
pub(super) fn every_refusal() -> Vec<Refusal> {
    let text = String::from("x");
    let all = vec![
        Refusal::InvalidToken,
        Refusal::InvalidLink,
        Refusal::InvalidTicket,
        Refusal::Unauthenticated,
        Refusal::InvalidCredentials,
        Refusal::WrongPassword,
        Refusal::InvalidCode,
        Refusal::FreshLoginRequired,
        Refusal::TwoFactorSetupRequired,
        Refusal::TooManyAttempts { retry_after: Duration::from_secs(7) },
        Refusal::Forbidden { permission: text.clone() },
        Refusal::RoleRequired { role: text.clone() },
        Refusal::EmailNotVerified,
        Refusal::AccountDisabled,
        Refusal::RegistrationClosed,
        Refusal::NotFound { what: "user", name: text.clone() },
        Refusal::EmailTaken,
        Refusal::AlreadyEnabled,
        Refusal::AlreadyExists { what: "role", name: text.clone() },
        Refusal::Conflict { reason: text.clone() },
        Refusal::LastAdmin,
        Refusal::BuiltInRole { role: text.clone() },
        Refusal::invalid("email", "invalid", "an address is needed"),
        Refusal::BadCursor,
        Refusal::PasswordRequired,
        Refusal::WeakPassword { reason: text.clone() },
        Refusal::AppNotAllowed { app: text },
        Refusal::ProviderFailed,
        Refusal::ProviderRefused,
        Refusal::StateMismatch,
        Refusal::LinkRequired,
        Refusal::IdentityInUse,
        Refusal::EmailRequired,
        Refusal::DomainNotAllowed,
        Refusal::LastWayIn,
    ];
    let different: std::collections::BTreeSet<usize> = all.iter().map(number).collect();
    assert_eq!(different, (0..all.len()).collect());
    all
}

const fn number(refusal: &Refusal) -> usize {
    match refusal {
        Refusal::InvalidToken => 0,
        Refusal::InvalidLink => 1,
        Refusal::InvalidTicket => 2,
        Refusal::Unauthenticated => 3,
        Refusal::InvalidCredentials => 4,
        Refusal::WrongPassword => 5,
        Refusal::InvalidCode => 6,
        Refusal::FreshLoginRequired => 7,
        Refusal::TwoFactorSetupRequired => 8,
        Refusal::TooManyAttempts { .. } => 9,
        Refusal::Forbidden { .. } => 10,
        Refusal::RoleRequired { .. } => 11,
        Refusal::EmailNotVerified => 12,
        Refusal::AccountDisabled => 13,
        Refusal::RegistrationClosed => 14,
        Refusal::NotFound { .. } => 15,
        Refusal::EmailTaken => 16,
        Refusal::AlreadyEnabled => 17,
        Refusal::AlreadyExists { .. } => 18,
        Refusal::Conflict { .. } => 19,
        Refusal::LastAdmin => 20,
        Refusal::BuiltInRole { .. } => 21,
        Refusal::Invalid(_) => 22,
        Refusal::BadCursor => 23,
        Refusal::PasswordRequired => 24,
        Refusal::WeakPassword { .. } => 25,
        Refusal::AppNotAllowed { .. } => 26,
        Refusal::ProviderFailed => 27,
        Refusal::ProviderRefused => 28,
        Refusal::StateMismatch => 29,
        Refusal::LinkRequired => 30,
        Refusal::IdentityInUse => 31,
        Refusal::EmailRequired => 32,
        Refusal::DomainNotAllowed => 33,
        Refusal::LastWayIn => 34,
    }
}
