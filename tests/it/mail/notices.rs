//! What people are told by mail of what happens to their account.

use super::Told;
use crate::authenticator::Authenticator;
use crate::world::{PASSWORD, World, anonymous, operator, user_ref};
use authd::domain::caller::Caller;
use authd::domain::email::Email;
use authd::domain::password::Password;
use authd::domain::secret::Secret;
use authd::usecase::account::password;
use authd::usecase::account::password::Change;
use authd::usecase::account::{admin, admin_two_factor, email, two_factor};
use authd::usecase::mail::compose;
use authd::usecase::mail::delivery::Delivery;
use authd::usecase::session::refresh::refresh;
use authd::usecase::signin::factor::Factor;
use authd::usecase::signin::login::{LoggedIn, Tokens};
use authd::usecase::signin::second_factor;
use std::time::Duration;

const ANN: &str = "ann@example.com";
const OTHER: &str = "another long enough password";

impl World {
    /// The kinds of Ann's mails, oldest first.
    fn told(&self) -> Vec<String> {
        self.mails(ANN).into_iter().rev().map(|mail| mail.kind).collect()
    }

    fn text_of_newest(&self) -> String {
        let id = self.mails(ANN)[0].id.to_string();
        compose::show(&self.app, &operator(), &id).unwrap().body.unwrap().expose().clone()
    }

    fn code(&self, secret: &Secret<String>) -> Secret<String> {
        Secret::new(Authenticator::new(secret.expose()).code_at(self.now().as_secs()))
    }

    /// Turns Ann's second factor on; gives her session, the secret and the recovery codes.
    fn with_second_factor(&self) -> (Tokens, Secret<String>, Vec<Secret<String>>) {
        self.add_user(ANN, &[]);
        let tokens = self.login(ANN).unwrap();
        let caller = self.caller(&tokens);
        let secret = two_factor::setup(&self.app, &caller).unwrap().secret;
        let codes = two_factor::enable(&self.app, &caller, &self.code(&secret)).unwrap().codes;
        self.advance(Duration::from_secs(30));
        (tokens, secret, codes)
    }
}

fn from(ip: &str) -> Caller {
    Caller { ip: Some(ip.parse().unwrap()), ..anonymous() }
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

#[test]
fn a_login_from_a_network_not_seen_lately_is_told_and_the_first_of_all_is_not() {
    let world = World::new();
    world.add_user(ANN, &[]);
    for (ip, told) in [
        ("192.0.2.7", 0),
        ("192.0.2.7", 0),
        ("2001:db8::1", 1),
        ("2001:db8::ffff", 1),
        ("192.0.2.8", 2),
        ("192.0.2.7", 2),
    ] {
        world.first_step(&from(ip), ANN, PASSWORD).unwrap();
        assert_eq!(world.told(), vec!["new_login"; told], "{ip}");
    }
    world.advance(Duration::from_secs(31 * 24 * 3600));
    world.first_step(&from("192.0.2.7"), ANN, PASSWORD).unwrap();
    assert_eq!(world.told().len(), 3);
    assert!(world.first_step(&from("203.0.113.1"), ANN, "a wrong password!").is_err());
    assert_eq!(world.told().len(), 3, "a failed login is none");
}

#[test]
fn a_new_password_is_told_by_whatever_way_it_came() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let caller = world.caller(&world.login(ANN).unwrap());
    let change = Change { current: password(PASSWORD), new: password(OTHER), factor: None };
    password::change(&world.app, &caller, &change).unwrap();
    assert_eq!(world.told(), ["password_changed"]);

    world.advance(Duration::from_secs(1));
    password::request_reset(&world.app, &anonymous(), &Email::parse(ANN).unwrap()).unwrap();
    let link = world.token_in_mail(ANN);
    world.advance(Duration::from_secs(1));
    password::reset(&world.app, &anonymous(), &link, &password(PASSWORD)).unwrap();
    assert_eq!(world.told()[1..], ["reset_password", "password_changed"]);

    world.advance(Duration::from_secs(1));
    admin::set_password(&world.app, &operator(), &user_ref(ANN), &password(OTHER), admin::Term::Lasting)
        .unwrap();
    assert_eq!(world.told()[3..], ["password_changed"]);

    let wrong = Change { current: password("a wrong password!"), new: password(PASSWORD), factor: None };
    let caller = world.caller(&world.login_with(ANN, OTHER).unwrap());
    assert!(password::change(&world.app, &caller, &wrong).is_err());
    assert_eq!(world.told().len(), 4);
}

#[test]
fn a_second_factor_is_told_when_it_goes_on_and_off() {
    let world = World::new();
    let (tokens, secret, _) = world.with_second_factor();
    assert_eq!(world.told(), ["two_factor_enabled"]);
    let code = Factor::Code(world.code(&secret));
    two_factor::disable(&world.app, &world.caller(&tokens), Some(&password(PASSWORD)), &code).unwrap();
    assert_eq!(world.told(), ["two_factor_enabled", "two_factor_disabled"]);
    let reset = admin_two_factor::reset_second_factor(&world.app, &operator(), &user_ref(ANN));
    assert_eq!(reset.unwrap(), admin_two_factor::FactorReset::Nothing);
    assert_eq!(world.told().len(), 2, "there was none to take away");
}

#[test]
fn a_second_factor_that_the_operator_takes_away_is_told_too() {
    let world = World::new();
    world.with_second_factor();
    admin_two_factor::reset_second_factor(&world.app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!(world.told(), ["two_factor_enabled", "two_factor_disabled"]);
}

#[test]
fn a_recovery_code_is_told_where_a_code_of_the_app_is_not() {
    let world = World::new();
    let (_, secret, codes) = world.with_second_factor();
    let second = |factor: Factor| {
        let LoggedIn::SecondStep(ticket, _) = world.first_step(&anonymous(), ANN, PASSWORD).unwrap() else {
            panic!("a second step is due")
        };
        second_factor::verify(&world.app, &anonymous(), ticket.expose(), &factor).is_ok()
    };
    assert!(second(Factor::Code(world.code(&secret))));
    assert_eq!(world.told(), ["two_factor_enabled"]);
    assert!(second(Factor::RecoveryCode(codes[0].clone())));
    assert_eq!(world.told(), ["two_factor_enabled", "recovery_code_used"]);
    assert!(!second(Factor::RecoveryCode(codes[0].clone())));
    assert_eq!(world.told().len(), 2, "a used one is none");
}

#[test]
fn a_locked_account_is_told_once_and_a_locked_network_is_not() {
    let world = World::with(&[("lockout.account_failures", "12")]);
    world.add_user(ANN, &[]);
    for guess in 0..5 {
        assert!(world.first_step(&from("203.0.113.1"), ANN, "a wrong password!").is_err(), "{guess}");
    }
    assert_eq!(world.told(), Vec::<String>::new());
    for host in 2..20 {
        assert!(world.first_step(&from(&format!("203.0.113.{host}")), ANN, "a wrong password!").is_err());
    }
    assert_eq!(world.told(), ["account_locked"]);
    assert!(world.mails("nobody@example.com").is_empty());
}

#[test]
fn guesses_at_the_password_of_an_open_session_lock_and_tell_alike() {
    let world = World::with(&[("lockout.account_failures", "3")]);
    world.add_user(ANN, &[]);
    let caller = world.caller(&world.login(ANN).unwrap());
    let wrong = Change { current: password("a wrong password!"), new: password(OTHER), factor: None };
    for _ in 0..3 {
        assert!(password::change(&world.app, &caller, &wrong).is_err());
    }
    assert_eq!(world.told(), ["account_locked"]);
}

#[test]
fn the_old_address_is_told_of_a_change_whether_or_not_the_new_one_is_taken() {
    let world = World::new();
    world.add_user(ANN, &[]);
    world.add_user("bob@example.com", &[]);
    let caller = world.caller(&world.login(ANN).unwrap());
    email::request_change(&world.app, &caller, &Email::parse("new@example.com").unwrap()).unwrap();
    assert_eq!(world.told(), ["email_change_requested"]);
    assert_eq!(world.mails("new@example.com")[0].kind, "change_email");
    world.advance(Duration::from_secs(1));
    email::request_change(&world.app, &caller, &Email::parse("bob@example.com").unwrap()).unwrap();
    assert_eq!(world.told(), ["email_change_requested"; 2], "the silence would say that it is taken");
    assert!(world.mails("bob@example.com").is_empty());
}

#[test]
fn new_recovery_codes_are_told_whoever_made_them() {
    let world = World::new();
    let (tokens, secret, _) = world.with_second_factor();
    two_factor::new_recovery_codes(&world.app, &world.caller(&tokens), &world.code(&secret)).unwrap();
    assert_eq!(world.told(), ["two_factor_enabled", "recovery_codes_replaced"]);
    world.advance(Duration::from_secs(1));
    admin_two_factor::replace_recovery_codes(&world.app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!(world.told()[1..], ["recovery_codes_replaced"; 2]);
}

#[test]
fn five_wrong_codes_after_the_right_password_are_told() {
    let world = World::new();
    world.with_second_factor();
    let LoggedIn::SecondStep(ticket, _) = world.first_step(&from("203.0.113.1"), ANN, PASSWORD).unwrap()
    else {
        panic!("a second step is due")
    };
    let wrong = Factor::Code(Secret::new("000000".into()));
    let guess = || second_factor::verify(&world.app, &from("203.0.113.1"), ticket.expose(), &wrong);
    for _ in 0..4 {
        assert!(guess().is_err());
    }
    assert_eq!(world.told(), ["two_factor_enabled"]);
    for _ in 0..4 {
        assert!(guess().is_err());
    }
    assert_eq!(world.told(), ["two_factor_enabled", "second_factor_failed"], "once, as the ticket is burnt");
    assert!(world.text_of_newest().contains("203.0.113.1"));
}

#[test]
fn a_refresh_token_that_is_used_twice_is_told() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let first = world.login(ANN).unwrap();
    refresh(&world.app, &anonymous(), first.refresh_token.expose()).unwrap();
    assert_eq!(world.told(), Vec::<String>::new());
    assert!(refresh(&world.app, &from("203.0.113.1"), first.refresh_token.expose()).is_err());
    assert_eq!(world.told(), ["refresh_token_reused"]);
    assert!(world.text_of_newest().contains("203.0.113.1"));
    assert!(refresh(&world.app, &anonymous(), first.refresh_token.expose()).is_err());
    assert_eq!(world.told().len(), 1, "the session has ended already");
}

#[test]
fn fifty_notices_of_a_kind_are_five_mails_and_the_last_says_so() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let told = Told::default();
    let deliver = || Delivery::new(&world.app, &told).deliver_due().unwrap();
    for host in 0..51 {
        world.first_step(&from(&format!("203.0.113.{host}")), ANN, PASSWORD).unwrap();
        world.advance(Duration::from_secs(1));
        deliver();
    }
    assert_eq!(told.taken().len(), 4);
    // Another kind has a bound of its own.
    admin::set_password(&world.app, &operator(), &user_ref(ANN), &password(OTHER), admin::Term::Lasting)
        .unwrap();
    assert_eq!((deliver(), world.told().len()), (1, 6));
    world.advance(Duration::from_secs(3600 - 51));
    assert_eq!(deliver(), 0, "the hour is not over");
    world.advance(Duration::from_secs(1));
    assert_eq!(deliver(), 1);
    let sent = told.sent.lock().unwrap();
    let last = sent.last().unwrap();
    assert!(last.subject.contains("New login") && last.text.expose().contains("203.0.113.50"), "{last:?}");
    for part in [last.text.expose(), last.html.expose()] {
        assert!(part.contains("newest of 46 such mails"), "{part}");
    }
    drop(sent);
    world.first_step(&from("198.51.100.1"), ANN, OTHER).unwrap();
    assert_eq!(deliver(), 1, "and then at once again");
}

#[test]
fn strangers_can_not_use_up_the_mails_of_an_account() {
    let world = World::new();
    world.add_user(ANN, &[]);
    world.first_step(&from("192.0.2.80"), ANN, PASSWORD).unwrap();
    let ask = |ip: &str| {
        world.advance(Duration::from_secs(1));
        password::request_reset(&world.app, &from(ip), &Email::parse(ANN).unwrap()).unwrap();
        world.told().iter().filter(|kind| *kind == "reset_password").count()
    };
    assert_eq!([1, 2, 3, 4].map(|host| ask(&format!("203.0.113.{host}"))), [1, 2, 3, 3]);
    assert_eq!([(); 4].map(|()| ask("192.0.2.80")), [4, 5, 6, 6], "a network that she has logged in from");
    assert_eq!(ask("203.0.113.9"), 6);
    world.advance(Duration::from_secs(31 * 24 * 3600));
    assert_eq!([(); 4].map(|()| ask("192.0.2.80")), [7, 8, 9, 9], "which is known no more");
    assert_eq!(ask("203.0.113.9"), 9);
}

#[test]
fn no_number_of_mails_silences_a_notice() {
    let world = World::with(&[("mail.max_per_address_per_hour", "1")]);
    world.add_user(ANN, &[]);
    for _ in 0..3 {
        password::request_reset(&world.app, &anonymous(), &Email::parse(ANN).unwrap()).unwrap();
    }
    assert_eq!(world.told(), ["reset_password"]);
    world.advance(Duration::from_secs(1));
    admin::set_password(&world.app, &operator(), &user_ref(ANN), &password(OTHER), admin::Term::Lasting)
        .unwrap();
    assert_eq!(world.told(), ["reset_password", "password_changed"]);
}
