//! `user edit`, `user reset-link` and `user unlock`: what an operator mends.

use super::screen::{DARK, LIGHT, scan};
use super::{Shell, json};
use crate::world::{PASSWORD, anonymous};
use authd::domain::email::Email;
use authd::domain::password::Password;
use authd::error::{Error, Refusal};
use authd::usecase::account::{email, password};

const ANN: &str = "ann@example.com";
const NEW: &str = "ann@example.org";
const OTHER: &str = "another good long password";

fn shell() -> Shell {
    let shell = Shell::new();
    shell.world.add_user(ANN, &[]);
    shell.world.add_user("bob@example.com", &[]);
    shell
}

/// The events since `before`, without their lines' details.
fn events_after(shell: &Shell, before: usize) -> Vec<String> {
    shell.world.events().split_off(before)
}

fn token(link: &str) -> &str {
    link.trim().split_once("token=").unwrap().1
}

fn reset(shell: &Shell, link: &str, new: &str) -> Result<(), Error> {
    password::reset(&shell.world.app, &anonymous(), token(link), &Password::new(new).unwrap())
}

#[test]
fn a_name_is_changed_and_nothing_else() {
    let shell = shell();
    let (tokens, before) = (shell.world.login(ANN).unwrap(), shell.world.events().len());
    let said = shell.run(&["user", "edit", ANN, "--name", "Ann Smith"]);
    assert_eq!((said.code, said.err.as_str()), (0, "changed the name of ann@example.com\n"));
    let again =
        shell.run(&["user", "edit", ANN, "--name", "Ann Smith", "--email", ANN, "--verified", "-o", "json"]);
    assert_eq!((again.code, again.err.as_str()), (0, "ann@example.com is so already; nothing was changed\n"));
    assert_eq!(json(&again.out)["name"], "Ann Smith");
    assert!(shell.world.is_signed_in(&tokens));
    assert_eq!(events_after(&shell, before), ["ProfileChanged"]);
    let details = shell.world.audit().pop().unwrap().details;
    assert_eq!(details, [("fields".to_owned(), "name".to_owned())], "the name itself is not kept");
    assert_eq!(shell.run(&["user", "edit", ANN, "--name", ""]).code, 0);
    assert_eq!(json(&shell.line("user show ann@example.com -o json").out)["name"], "");
}

#[test]
fn another_address_is_unverified_and_ends_what_the_old_one_was_proof_of() {
    let shell = shell();
    let tokens = shell.world.login(ANN).unwrap();
    let link = shell.line("user reset-link ann@example.com").out;
    let before = shell.world.events().len();
    let said = shell.line("user edit ann@example.com --email ann@example.org -o json");
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.err.contains("all sessions have ended, and a link to verify it is in the outbox"),
        "{said:?}"
    );
    assert_eq!((&json(&said.out)["email"], &json(&said.out)["email_verified"]), (&NEW.into(), &false.into()));
    assert_eq!(events_after(&shell, before), ["EmailChanged"]);
    assert!(!shell.world.is_signed_in(&tokens));
    assert!(reset(&shell, &link, OTHER).is_err(), "links die with the address");
    assert_eq!(shell.world.mails(ANN)[0].kind, "email_changed");
    let id = shell.world.mails(ANN)[0].id.to_string();
    let told = shell.line(&format!("mail show {id}")).out;
    assert!(told.contains(NEW) && !told.contains("token="), "{told}");

    assert!(shell.world.login(NEW).is_err(), "not before it is verified");
    assert_eq!(shell.world.mails(NEW)[0].kind, "verify_email");
    email::confirm(&shell.world.app, &anonymous(), &shell.world.token_in_mail(NEW), None).unwrap();
    assert!(shell.world.login(NEW).is_ok());
    assert!(shell.world.login(ANN).is_err());
}

#[test]
fn the_operator_may_vouch_for_an_address() {
    let shell = shell();
    let before = shell.world.events().len();
    let said = shell.line("user edit ann@example.com --email ann@example.org --verified --name Ann");
    assert_eq!(
        said.err,
        "changed the name of ann@example.com; ann@example.com is ann@example.org now, verified; all sessions have ended\n"
    );
    assert_eq!(events_after(&shell, before), ["EmailChanged", "EmailVerified", "ProfileChanged"]);
    assert!(shell.world.mails(NEW).is_empty(), "there is nothing to verify");
    assert!(shell.world.login(NEW).is_ok());

    shell.line("user edit bob@example.com --email bob@example.org");
    let vouched = shell.line("user edit bob@example.org --verified");
    assert_eq!((vouched.code, vouched.err.as_str()), (0, "bob@example.org is verified now\n"));
    assert!(shell.world.login("bob@example.org").is_ok());
}

#[test]
fn an_edit_that_can_not_be_changes_nothing() {
    let shell = shell();
    let before = shell.world.events().len();
    for (args, code) in [
        (&["ann@example.com"][..], 2),
        (&["ann@example.com", "--email", "BOB@example.com", "--name", "Ann"], 4),
        (&["ann@example.com", "--email", "nonsense"], 1),
        (&["ann@example.com", "--name", "a\nb"], 1),
        (&["nobody@example.com", "--name", "Nobody"], 3),
    ] {
        let said = shell.run(&[&["user", "edit"], args].concat());
        assert_eq!(said.code, code, "{args:?}: {said:?}");
    }
    assert_eq!(events_after(&shell, before), Vec::<String>::new());
    assert_eq!(json(&shell.line("user show ann@example.com -o json").out)["name"], "");
    // The same account in another spelling: that is the address which mail goes to.
    assert_eq!(shell.line("user edit ann@example.com --email Ann@example.com --verified").code, 0);
    assert_eq!(json(&shell.line("user show ann@example.com -o json").out)["email"], "Ann@example.com");
}

#[test]
fn a_reset_link_is_printed_alone_and_works_once_for_an_hour() {
    let shell = shell();
    let tokens = shell.world.login(ANN).unwrap();
    let older = shell.line("user reset-link ann@example.com");
    assert_eq!((older.code, older.out.lines().count()), (0, 1), "{older:?}");
    let made = json(&shell.line("user reset-link ann@example.com -o json").out);
    let link = made["link"].as_str().unwrap();
    assert!(link.starts_with("http://127.0.0.1:8080/auth/reset-password?token=authd_pr_"), "{link}");
    assert_eq!(made["email"], ANN);
    assert!(shell.world.mails(ANN).is_empty(), "no mail is sent");
    assert!(reset(&shell, &older.out, OTHER).is_err(), "a newer one voids it");
    assert!(shell.world.is_signed_in(&tokens), "nothing has happened yet");
    reset(&shell, link, OTHER).unwrap();
    assert!(!shell.world.is_signed_in(&tokens));
    assert!(shell.world.login_with(ANN, OTHER).is_ok() && shell.world.login(ANN).is_err());
    assert!(reset(&shell, link, PASSWORD).is_err(), "once");

    let late = shell.line("user reset-link ann@example.com").out;
    // The program's own clock went on while the commands ran.
    shell.world.advance(std::time::Duration::from_secs(2 * 3600));
    assert!(reset(&shell, &late, PASSWORD).is_err());
    let line = shell.world.audit().into_iter().find(|line| line.event == "PasswordResetRequested").unwrap();
    assert!(line.actor.starts_with("operator:"), "{line:?}");
}

#[test]
fn a_link_that_was_handed_over_says_nothing_of_the_address() {
    let shell = shell();
    shell.world.add_unverified(NEW);
    let link = shell.line("user reset-link ann@example.org").out;
    reset(&shell, &link, OTHER).unwrap();
    assert_eq!(json(&shell.line("user show ann@example.org -o json").out)["email_verified"], false);
    let login = shell.world.login_with(NEW, OTHER);
    assert!(matches!(login, Err(Error::Refused(Refusal::EmailNotVerified))), "{login:?}");
    // One that came by mail does.
    shell.world.advance(std::time::Duration::from_secs(1));
    let of = Email::parse(NEW).unwrap();
    password::request_reset(&shell.world.app, &anonymous(), &of).unwrap();
    let mailed = shell.world.token_in_mail(NEW);
    reset(&shell, &format!("?token={mailed}"), PASSWORD).unwrap();
    assert!(shell.world.login(NEW).is_ok());
}

#[test]
fn an_address_that_no_mail_reaches_draws_a_warning() {
    let shell = shell();
    for domain in ["localhost", "com", "1.2.3.4"] {
        let said = shell.line(&format!("user add a@{domain} --verified --generate-password"));
        assert!(said.code == 0 && said.err.contains(&format!("warning: {domain} is no domain")), "{said:?}");
        let said = shell.line(&format!("user edit ann@example.com --email ann@{domain}"));
        assert!(said.code == 0 && said.err.contains(&format!("warning: {domain} is no domain")), "{said:?}");
        assert_eq!(
            shell.line(&format!("user edit ann@{domain} --email ann@example.com")).err.find("warning"),
            None
        );
    }
}

#[test]
fn a_phone_reads_the_reset_link_off_stderr() {
    let shell = shell();
    for (colour, own) in [("always", LIGHT), ("always", DARK), ("never", DARK)] {
        let said = shell.run(&["user", "reset-link", ANN, "--qr", "--color", colour]);
        assert_eq!((said.code, said.out.lines().count()), (0, 1), "{said:?}");
        let Some(read) = scan(&shell.world.folder, &said.err, own) else {
            return;
        };
        assert_eq!(read, said.out.trim());
    }
}

#[test]
fn whom_a_link_would_not_help_gets_none() {
    let shell = shell();
    shell.line("user disable ann@example.com");
    let said = shell.line("user reset-link ann@example.com");
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(said.err.starts_with("authctl: account_disabled: "), "{said:?}");
    assert_eq!(shell.line("user reset-link nobody@example.com").code, 3);
}

#[test]
fn unlocking_says_what_it_cleared_and_a_second_time_changes_nothing() {
    let shell = shell();
    for _ in 0..5 {
        assert!(shell.world.login_with(ANN, "a wrong password!").is_err());
    }
    assert!(shell.world.login(ANN).is_err(), "locked");
    let said = shell.line("user unlock ann@example.com");
    assert_eq!((said.code, said.err.as_str()), (0, "ended 1 lock on ann@example.com\n"));
    let before = shell.world.events().len();
    let again = shell.line("user unlock ann@example.com");
    assert_eq!((again.code, again.err.as_str()), (0, "ann@example.com is not locked; nothing was changed\n"));
    assert_eq!(shell.world.events().len(), before);
    assert!(shell.world.login(ANN).is_ok());
}
