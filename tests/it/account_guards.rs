//! What guards an account against whoever holds a session of it: links that die with their session, locks,
//! and a factor that was only begun.

use crate::accounts::{ANN, OTHER, address, refused};
use crate::world::{PASSWORD, World, anonymous, operator, user_ref};
use authd::domain::password::Password;
use authd::error::Refusal;
use authd::usecase::account::{admin_two_factor, email, me};

#[test]
fn a_change_of_address_dies_with_the_session_that_asked() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let caller = world.caller(&world.login(ANN).unwrap());
    email::request_change(&world.app, &caller, &address("new@example.com")).unwrap();
    let link = world.token_in_mail("new@example.com");
    authd::usecase::session::logout::everywhere(&world.app, &caller).unwrap();
    assert_eq!(refused(email::confirm_change(&world.app, &anonymous(), &link)), Refusal::InvalidLink);
    assert!(world.login(ANN).is_ok());
}

#[test]
fn refusals_under_a_lock_leave_their_line() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let caller = world.caller(&world.login(ANN).unwrap());
    let wrong = Password::new(OTHER).unwrap();
    for _ in 0..5 {
        assert_eq!(refused(me::delete(&world.app, &caller, Some(&wrong))), Refusal::WrongPassword);
    }
    let right = Password::new(PASSWORD).unwrap();
    assert!(matches!(
        refused(me::delete(&world.app, &caller, Some(&right))),
        Refusal::TooManyAttempts { .. }
    ));
    let last = world.audit().pop().unwrap();
    assert_eq!((last.event.as_str(), last.details[0].1.as_str()), ("LoginFailed", "too_many_attempts"));
}

#[test]
fn a_factor_that_was_only_begun_is_reset_without_a_word() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let tokens = world.login(ANN).unwrap();
    authd::usecase::account::two_factor::setup(&world.app, &world.caller(&tokens)).unwrap();
    let reset = admin_two_factor::reset_second_factor(&world.app, &operator(), &user_ref(ANN));
    assert_eq!(reset.unwrap(), admin_two_factor::FactorReset::Dropped);
    assert!(world.is_signed_in(&tokens));
    assert!(world.mails(ANN).is_empty());
}
