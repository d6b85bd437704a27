//! One-time things raced by 64 threads: never two successes. `RACE_ROUNDS` says how many rounds of each
//! kind (3 unless set; 200 is the long run).

use crate::world::{PASSWORD, World, anonymous, operator};
use authd::crypto::totp::{TotpSecret, accept};
use authd::domain::caller::Caller;
use authd::domain::email::Email;
use authd::domain::password::Password;
use authd::domain::secret::Secret;
use authd::domain::time::Timestamp;
use authd::usecase::login::{LoggedIn, Tokens};
use authd::usecase::proof::Factor;
use authd::usecase::refresh::refresh;
use authd::usecase::{email, password, second_step, two_factor};
use data_encoding::BASE32_NOPAD;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

const THREADS: usize = 64;

fn rounds() -> usize {
    std::env::var("RACE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3)
}

/// Lets all threads go at once; gives how many succeeded.
fn race(attempt: impl Fn() -> bool + Sync) -> usize {
    let barrier = Barrier::new(THREADS);
    thread::scope(|scope| {
        let start = || {
            scope.spawn(|| {
                barrier.wait();
                attempt()
            })
        };
        let threads: Vec<_> = (0..THREADS).map(|_| start()).collect();
        threads.into_iter().map(|one| one.join().unwrap()).filter(|won| *won).count()
    })
}

/// No limit on mails, so that rounds don't starve.
fn world() -> World {
    World::with(&[("mail.max_per_address_per_hour", "1000000")])
}

const ANN: &str = "ann@example.com";

/// The code of an app that holds this secret, at a time.
pub fn code_at(secret: &TotpSecret, now: Timestamp) -> String {
    (0..1_000_000u32)
        .map(|number| format!("{number:06}"))
        .find(|code| accept(secret, code, now, step_before(now)) == Some(step(now)))
        .unwrap()
}

fn step(now: Timestamp) -> u64 {
    u64::try_from(now.as_secs()).unwrap() / 30
}

/// Only the step of `now` itself is left.
fn step_before(now: Timestamp) -> Option<u64> {
    Some(step(now) - 1)
}

/// Ann with a second factor on: its secret and its recovery codes.
fn with_second_factor(world: &World) -> (TotpSecret, Vec<Secret<String>>) {
    world.add_user(ANN, &[]);
    let caller = world.caller(&world.login(ANN).unwrap());
    let setup = two_factor::setup(&world.app, &caller).unwrap();
    let bytes = BASE32_NOPAD.decode(setup.secret.expose().as_bytes()).unwrap();
    let secret = Secret::new(<[u8; 20]>::try_from(bytes.as_slice()).unwrap());
    let code = Secret::new(code_at(&secret, world.now()));
    let codes = two_factor::enable(&world.app, &caller, &code).unwrap();
    (secret, codes)
}

fn ticket(world: &World) -> Secret<String> {
    match world.first_step(&anonymous(), ANN, PASSWORD).unwrap() {
        LoggedIn::SecondStep(ticket) => ticket,
        LoggedIn::Tokens(_) => panic!("the second factor is on"),
    }
}

fn second_step(world: &World, ticket: &Secret<String>, factor: &Factor) -> Option<Tokens> {
    second_step::verify(&world.app, &anonymous(), ticket.expose(), factor).ok()
}

#[test]
fn a_refresh_token() {
    let world = world();
    world.add_user(ANN, &[]);
    for _ in 0..rounds() {
        let tokens = world.login(ANN).unwrap();
        assert_eq!(race(|| refresh(&world.app, &anonymous(), tokens.refresh_token.expose()).is_ok()), 1);
    }
}

#[test]
fn a_verification_link() {
    let world = world();
    for round in 0..rounds() {
        let address = format!("ann{round}@example.com");
        world.register(&address).unwrap();
        let link = world.token_in_mail(&address);
        assert_eq!(race(|| email::confirm(&world.app, &anonymous(), &link).is_ok()), 1);
    }
}

#[test]
fn a_reset_link() {
    let world = world();
    world.add_user(ANN, &[]);
    for _ in 0..rounds() {
        world.advance(Duration::from_millis(1));
        password::request_reset(&world.app, &anonymous(), &Email::parse(ANN).unwrap()).unwrap();
        let link = world.token_of_kind(ANN, "reset_password");
        let new = Password::new(PASSWORD).unwrap();
        // Hashing is gated: those who find its queue full have not spent the link.
        assert_eq!(race(|| password::reset(&world.app, &anonymous(), &link, &new).is_ok()), 1);
    }
}

#[test]
fn a_change_of_address() {
    let world = world();
    world.add_user(ANN, &[]);
    let caller = world.caller(&world.login(ANN).unwrap());
    for round in 0..rounds() {
        world.advance(Duration::from_millis(1));
        let new = format!("ann{round}@example.com");
        email::request_change(&world.app, &caller, &Email::parse(&new).unwrap()).unwrap();
        let link = world.token_in_mail(&new);
        assert_eq!(race(|| email::confirm_change(&world.app, &anonymous(), &link).is_ok()), 1);
    }
}

#[test]
fn a_ticket_with_its_code_and_a_step() {
    let world = world();
    let (secret, _) = with_second_factor(&world);
    for _ in 0..rounds() {
        world.advance(Duration::from_secs(30));
        let factor = Factor::Code(Secret::new(code_at(&secret, world.now())));
        let ticket_once = ticket(&world);
        assert_eq!(race(|| second_step(&world, &ticket_once, &factor).is_some()), 1, "one ticket");
        // The step is spent for every other ticket as well.
        world.advance(Duration::from_secs(30));
        let factor = Factor::Code(Secret::new(code_at(&secret, world.now())));
        let tickets: Vec<_> = (0..4).map(|_| ticket(&world)).collect();
        let wins = race(|| tickets.iter().any(|ticket| second_step(&world, ticket, &factor).is_some()));
        assert_eq!(wins, 1, "one step");
        // What the losers counted against the factor is not for the next round.
        reset_failures(&world, &secret);
    }
}

/// A right code takes the count of wrong ones back.
fn reset_failures(world: &World, secret: &TotpSecret) {
    world.advance(Duration::from_secs(30));
    let factor = Factor::Code(Secret::new(code_at(secret, world.now())));
    let went_in = second_step(world, &ticket(world), &factor).is_some();
    assert!(went_in, "the race closed the factor: a hundred wrong codes in a row do");
}

#[test]
fn a_recovery_code() {
    let world = world();
    let (_, mut codes) = with_second_factor(&world);
    for _ in 0..rounds().min(codes.len()) {
        let factor = Factor::RecoveryCode(codes.pop().unwrap());
        let ticket = ticket(&world);
        assert_eq!(race(|| second_step(&world, &ticket, &factor).is_some()), 1);
    }
}

#[test]
fn guesses_made_at_once_count_one_after_the_other() {
    for _ in 0..rounds() {
        let world = world();
        world.add_user(ANN, &[]);
        let caller: Caller = anonymous();
        race(|| world.first_step(&caller, ANN, "wrong wrong wrong wrong").is_ok());
        let failed = world.audit().into_iter().filter(|line| line.event == "LoginFailed");
        let looked_at = failed.filter(|line| line.details.iter().any(|(_, why)| why == "wrong_password")).count();
        assert_eq!(looked_at, 5, "no sixth password was told from the right one");
        assert!(authd::usecase::user::unlock(&world.app, &operator(), &crate::world::user_ref(ANN)).unwrap() > 0);
        assert!(world.login(ANN).is_ok());
    }
}
