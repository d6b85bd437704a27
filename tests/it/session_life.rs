//! How long sessions live (S23): less where a second factor is on.

use crate::authenticator::Authenticator;
use crate::world::{PASSWORD, World, anonymous};
use authd::domain::secret::Secret;
use authd::usecase::account::two_factor;
use authd::usecase::session::refresh::refresh;
use authd::usecase::signin::factor::Factor;
use authd::usecase::signin::login::{LoggedIn, Tokens};
use authd::usecase::signin::second_factor;
use std::time::Duration;

const ANN: &str = "ann@example.com";
const HOUR: u64 = 3600;

/// Ann's phone, once she has turned her second factor on in this world.
fn turn_on(world: &World) -> (Authenticator, Tokens) {
    let tokens = world.login(ANN).unwrap();
    let caller = world.caller(&tokens);
    let phone = Authenticator::new(two_factor::setup(&world.app, &caller).unwrap().secret.expose());
    let code = Secret::new(phone.code_at(world.now().as_secs()));
    two_factor::enable(&world.app, &caller, &code).unwrap();
    world.advance(Duration::from_secs(30));
    (phone, tokens)
}

fn log_in(world: &World, phone: &Authenticator) -> Tokens {
    let LoggedIn::SecondStep(ticket, _) = world.first_step(&anonymous(), ANN, PASSWORD).unwrap() else {
        panic!("the factor is on");
    };
    let code = Factor::Code(Secret::new(phone.code_at(world.now().as_secs())));
    let through = second_factor::verify(&world.app, &anonymous(), ticket.expose(), &code).unwrap();
    through.started().unwrap().tokens(&world.app).unwrap()
}

/// Refreshes every so often; gives for how long that goes well.
fn lived(world: &World, mut tokens: Tokens, pause: Duration) -> Duration {
    let begun = world.now();
    loop {
        world.advance(pause);
        match refresh(&world.app, &anonymous(), tokens.refresh_token.expose()) {
            Ok(next) => tokens = next,
            Err(_) => return world.now().since(begun),
        }
    }
}

#[test]
fn with_a_second_factor_a_session_lives_a_day_and_an_hour_unused() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let (phone, _) = turn_on(&world);
    let tokens = log_in(&world, &phone);
    assert_eq!(tokens.refresh_expires_in, 24 * HOUR);
    assert_eq!(lived(&world, tokens, Duration::from_secs(HOUR / 2)), Duration::from_secs(24 * HOUR));
    let tokens = log_in(&world, &phone);
    assert_eq!(lived(&world, tokens, Duration::from_secs(HOUR)), Duration::from_secs(HOUR));
}

#[test]
fn turning_it_on_shortens_the_session_that_did() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let (_, tokens) = turn_on(&world);
    assert_eq!(lived(&world, tokens, Duration::from_secs(HOUR)), Duration::from_secs(HOUR));
}

#[test]
fn what_is_configured_counts_and_the_lesser_of_two() {
    let settings =
        [("tokens.two_factor_ttl", "90d"), ("tokens.two_factor_idle", "2h"), ("tokens.refresh_ttl", "10h")];
    let world = World::with(&settings);
    world.add_user(ANN, &[]);
    let (phone, _) = turn_on(&world);
    let tokens = log_in(&world, &phone);
    assert_eq!(tokens.refresh_expires_in, 10 * HOUR);
    assert_eq!(lived(&world, tokens, Duration::from_secs(2 * HOUR)), Duration::from_secs(2 * HOUR));
}

#[test]
fn without_one_a_session_lives_a_month_and_a_week_unused() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let (day, tokens) = (Duration::from_secs(24 * HOUR), world.login(ANN).unwrap());
    assert_eq!(lived(&world, tokens, day), 30 * day);
    let tokens = world.login(ANN).unwrap();
    assert_eq!(lived(&world, tokens, 7 * day), 7 * day);
}
