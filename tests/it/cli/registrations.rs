//! `registration`: what waits, and what an operator makes of it.

use super::{Shell, json};
use crate::world::{PASSWORD, anonymous};
use authd::domain::email::Email;
use authd::domain::name::Name;
use authd::domain::password::Password;
use authd::usecase::account::register::{Registration, register};
use std::time::Duration;

const OTHER: &str = "another good long password";

fn sign_up(shell: &Shell, email: &str, password: &str) {
    let new = Registration {
        email: Email::parse(email).unwrap(),
        password: Password::new(password).unwrap(),
        name: Name::parse("Ann").unwrap(),
    };
    register(&shell.world.app, &anonymous(), &new).unwrap();
    shell.world.advance(Duration::from_millis(1));
}

#[test]
fn a_registration_is_confirmed_without_mail() {
    let shell = Shell::new();
    sign_up(&shell, "ann@example.com", PASSWORD);
    sign_up(&shell, "ann@example.com", PASSWORD);
    let listed = json(&shell.line("registration list -o json").out);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!((&listed[0]["name"], &listed[0]["ip"]), (&"Ann".into(), &"192.0.2.7".into()));
    assert_eq!(shell.line("registration list --limit 1 -q").out.lines().count(), 1);
    let said = shell.line("registration confirm ann@example.com -o json");
    assert_eq!((said.code, &json(&said.out)["email_verified"]), (0, &true.into()), "{said:?}");
    assert!(shell.world.login("ann@example.com").is_ok());
    let left = json(&shell.line("registration list -o json").out);
    assert_eq!(left.as_array().unwrap().len(), 1, "it waits out its day, without a link that counts: {left}");
    let lines = shell.world.audit();
    let made = lines.iter().find(|line| line.event == "UserRegistered").unwrap();
    assert!(made.actor.starts_with("operator:"), "{made:?}");
}

#[test]
fn which_of_two_passwords_is_hers_the_operator_has_to_say() {
    let shell = Shell::new();
    sign_up(&shell, "ann@example.com", OTHER);
    sign_up(&shell, "ann@example.com", PASSWORD);
    let said = shell.line("registration confirm ann@example.com");
    assert_eq!((said.code, said.out.as_str()), (4, ""), "{said:?}");
    assert!(said.err.contains("conflict") && said.err.contains("by its id"), "{said:?}");
    let listed = json(&shell.line("registration list -o json").out);
    let hers = listed[1]["id"].as_str().unwrap();
    assert_eq!(shell.line(&format!("registration confirm {hers}")).code, 0);
    assert!(shell.world.login("ann@example.com").is_ok());
}

#[test]
fn of_two_whose_ids_begin_alike_the_addresses_are_told() {
    let shell = Shell::new();
    sign_up(&shell, "ann@example.com", PASSWORD);
    sign_up(&shell, "bob@example.com", PASSWORD);
    let listed = json(&shell.line("registration list -o json").out);
    let begun = &listed[0]["id"].as_str().unwrap()[..4];
    let said = shell.line(&format!("registration confirm {begun}"));
    assert_eq!(said.code, 2, "{said:?}");
    for address in ["ann@example.com", "bob@example.com"] {
        assert!(said.err.contains(address), "{said:?}");
    }
}

#[test]
fn an_address_that_was_contested_is_not_confirmed_unseen() {
    let shell = Shell::new();
    sign_up(&shell, "ann@example.com", PASSWORD);
    for _ in 0..3 {
        sign_up(&shell, "ann@example.com", OTHER);
    }
    let said = shell.line("registration confirm ann@example.com");
    assert_eq!(said.code, 4, "hers was pushed out, and those that wait have one password: {said:?}");
    assert!(shell.world.login_with("ann@example.com", OTHER).is_err());
}

#[test]
fn what_waits_is_deleted_by_address_or_one_by_one() {
    let shell = Shell::new();
    for email in ["ann@example.com", "ann@example.com", "bob@example.com", "bob@example.com"] {
        sign_up(&shell, email, PASSWORD);
    }
    assert_eq!(shell.line("registration delete ann@example.com").code, 2, "nobody can be asked");
    assert_eq!(shell.line("registration delete ann@example.com --yes -q").out.lines().count(), 2);
    let listed = json(&shell.line("registration list -o json").out);
    let first = listed[0]["id"].as_str().unwrap();
    assert_eq!(shell.line(&format!("registration delete {first} --yes -q")).out, format!("{first}\n"));
    assert_eq!(json(&shell.line("registration list -o json").out).as_array().unwrap().len(), 1);
    assert_eq!(shell.line("registration delete ann@example.com --yes").code, 3);
}
