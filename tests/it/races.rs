//! One-time things used by many at once: one succeeds (S3). `RACE_ROUNDS` is how often each kind is
//! raced; a few times in every run, two hundred before a release. Here the racers are one process's;
//! [`crate::fleet`] has them in two.

use crate::authenticator::Authenticator;
use crate::daemon::{Daemon, JSON, exchange, request};
use crate::world::{PASSWORD, World, anonymous};
use authd::domain::email::Email;
use authd::domain::password::Password;
use authd::domain::secret::Secret;
use authd::error::{Error, Refusal};
use authd::usecase::account::{email, password, two_factor};
use authd::usecase::app::App;
use authd::usecase::session::refresh;
use authd::usecase::signin::factor::Factor;
use authd::usecase::signin::login::{Credentials, LoggedIn, login};
use authd::usecase::signin::second_factor;
use serde_json::json;
use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Barrier};
use std::time::Duration;

pub const ANN: &str = "ann@example.com";
pub const RACERS: usize = 64;

pub fn rounds() -> usize {
    std::env::var("RACE_ROUNDS").map_or(3, |rounds| rounds.parse().unwrap())
}

/// The processes whose racers they are, by turns. The first is the world's own.
pub struct Track {
    pub world: World,
    apps: Vec<Arc<App>>,
}

impl Track {
    fn of_one(world: World) -> Self {
        Self { apps: vec![Arc::clone(&world.app)], world }
    }

    /// With another process on the same database.
    pub fn of_two(world: World) -> Self {
        Self { apps: vec![Arc::clone(&world.app), Arc::new(world.another_app())], world }
    }

    /// The one of a racer.
    pub fn app(&self, racer: usize) -> &App {
        &self.apps[racer % self.apps.len()]
    }
}

/// Lets 64 threads do the same at once, each with its number; exactly one must succeed, and the others
/// be refused as `refusal` says.
pub fn race<T>(refusal: &Refusal, attempt: impl Fn(usize) -> Result<T, Error> + Sync) {
    let start = Barrier::new(RACERS);
    let successes = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..RACERS)
            .map(|number| {
                let (start, attempt) = (&start, &attempt);
                scope.spawn(move || {
                    start.wait();
                    match attempt(number) {
                        Ok(_) => 1,
                        Err(Error::Refused(found)) if found == *refusal => 0,
                        Err(other) => panic!("{other:?}"),
                    }
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum::<u32>()
    });
    assert_eq!(successes, 1);
}

/// A world in which Ann has a second factor.
fn with_factor() -> (World, Authenticator, Vec<Secret<String>>) {
    let world = World::new();
    world.add_user(ANN, &[]);
    let caller = world.caller(&world.login(ANN).unwrap());
    let app = Authenticator::new(two_factor::setup(&world.app, &caller).unwrap().secret.expose());
    let code = Secret::new(app.code_at(world.now().as_secs()));
    let recovery_codes = two_factor::enable(&world.app, &caller, &code).unwrap().codes;
    world.advance(Duration::from_secs(30));
    (world, app, recovery_codes)
}

fn tickets(world: &World) -> Vec<Secret<String>> {
    let login = || match world.first_step(&anonymous(), ANN, PASSWORD).unwrap() {
        LoggedIn::SecondStep(ticket, _) => ticket,
        LoggedIn::Started(_) | LoggedIn::PasswordChange(_) => panic!("the factor is on"),
    };
    (0..RACERS).map(|_| login()).collect()
}

#[test]
fn a_ticket_gives_one_session() {
    race_for_a_ticket(Track::of_one);
}

pub fn race_for_a_ticket(track: fn(World) -> Track) {
    for _ in 0..rounds() {
        // Several racers have a factor of their own to show, so that the ticket alone can decide.
        let (world, app, recovery_codes) = with_factor();
        let track = track(world);
        let world = &track.world;
        let ticket = tickets(world).remove(0);
        let code = Secret::new(app.code_at(world.now().as_secs()));
        race(&Refusal::InvalidCode, |number| {
            let factor = match recovery_codes.get(number) {
                Some(recovery_code) => Factor::RecoveryCode(recovery_code.clone()),
                None => Factor::Code(code.clone()),
            };
            second_factor::verify(track.app(number), &anonymous(), ticket.expose(), &factor)
        });
    }
}

#[test]
fn a_step_of_the_app_gives_one_session() {
    race_for_a_step(Track::of_one);
}

pub fn race_for_a_step(track: fn(World) -> Track) {
    let (world, app, _) = with_factor();
    let track = track(world);
    let world = &track.world;
    for _ in 0..rounds() {
        let (tickets, code) = (tickets(world), Secret::new(app.code_at(world.now().as_secs())));
        let factor = Factor::Code(code);
        race(&Refusal::InvalidCode, |number| {
            second_factor::verify(track.app(number), &anonymous(), tickets[number].expose(), &factor)
        });
        world.advance(Duration::from_secs(60));
    }
}

#[test]
fn a_recovery_code_gives_one_session() {
    race_for_a_recovery_code(Track::of_one);
}

pub fn race_for_a_recovery_code(track: fn(World) -> Track) {
    let (world, app, mut recovery_codes) = with_factor();
    let track = track(world);
    let world = &track.world;
    for _ in 0..rounds() {
        let tickets = tickets(world);
        let factor = Factor::RecoveryCode(recovery_codes.pop().unwrap());
        race(&Refusal::InvalidCode, |number| {
            second_factor::verify(track.app(number), &anonymous(), tickets[number].expose(), &factor)
        });
        world.advance(Duration::from_secs(60));
        if recovery_codes.is_empty() {
            recovery_codes = new_codes(world, &app);
        } else {
            // What the losers did counts as wrong codes in a row.
            verify(world, &app);
        }
    }
}

fn verify(world: &World, app: &Authenticator) -> authd::usecase::signin::login::Tokens {
    let factor = Factor::Code(Secret::new(app.code_at(world.now().as_secs())));
    let ticket = tickets(world).remove(0);
    let through = second_factor::verify(&world.app, &anonymous(), ticket.expose(), &factor).unwrap();
    world.advance(Duration::from_secs(30));
    through.started().unwrap().tokens(&world.app).unwrap()
}

fn new_codes(world: &World, app: &Authenticator) -> Vec<Secret<String>> {
    let caller = world.caller(&verify(world, app));
    let code = Secret::new(app.code_at(world.now().as_secs()));
    let codes = two_factor::new_recovery_codes(&world.app, &caller, &code).unwrap().codes;
    world.advance(Duration::from_secs(30));
    codes
}

#[test]
fn a_link_works_once() {
    race_for_a_link(Track::of_one);
}

pub fn race_for_a_link(track: fn(World) -> Track) {
    let track = track(World::new());
    let world = &track.world;
    world.add_user(ANN, &[]);
    for round in 0..rounds() {
        world.advance(Duration::from_secs(3600));
        password::request_reset(&world.app, &anonymous(), &Email::parse(ANN).unwrap()).unwrap();
        let link = world.token_in_mail(ANN);
        let new = Password::new("another good long password").unwrap();
        race(&Refusal::InvalidLink, |number| password::reset(track.app(number), &anonymous(), &link, &new));

        let address = format!("new{round}@example.com");
        world.register(&address).unwrap();
        let link = world.token_in_mail(&address);
        race(&Refusal::InvalidLink, |number| email::confirm(track.app(number), &anonymous(), &link, None));

        let caller = world.caller(&world.login_with(&address, PASSWORD).unwrap());
        let new = format!("newer{round}@example.com");
        email::request_change(&world.app, &caller, &Email::parse(&new).unwrap()).unwrap();
        let link = world.token_in_mail(&new);
        race(&Refusal::InvalidLink, |number| email::confirm_change(track.app(number), &anonymous(), &link));
    }
}

#[test]
fn a_refresh_token_is_exchanged_once() {
    race_for_a_refresh_token(Track::of_one);
}

pub fn race_for_a_refresh_token(track: fn(World) -> Track) {
    let track = track(World::new());
    let world = &track.world;
    world.add_user(ANN, &[]);
    for _ in 0..rounds() {
        let token = world.login(ANN).unwrap().refresh_token;
        race(&Refusal::InvalidToken, |number| {
            refresh::refresh(track.app(number), &anonymous(), token.expose())
        });
    }
}

fn rotate(token: &Secret<String>) -> Vec<u8> {
    let body = json!({"refresh_token": token.expose()}).to_string();
    request("POST", "/api/auth/refresh", &[JSON], body.as_bytes())
}

#[test]
fn a_refresh_token_is_exchanged_once_by_the_daemon() {
    let daemon = Daemon::new();
    let address = daemon.running.address().tcp().unwrap();
    daemon.world.add_user(ANN, &[]);
    for _ in 0..rounds() {
        let token = daemon.world.login(ANN).unwrap().refresh_token;
        race(&Refusal::InvalidToken, |_| {
            let answer = exchange(address, &rotate(&token));
            if answer.status == 200 {
                return Ok(());
            }
            assert_eq!((answer.status, answer.problem().as_str()), (401, "invalid_token"));
            Err(Error::Refused(Refusal::InvalidToken))
        });
    }
}

#[test]
fn a_refresh_is_committed_though_its_client_has_gone() {
    let daemon = Daemon::with(&[("tokens.refresh_grace", "1m")]);
    let world = &daemon.world;
    world.add_user(ANN, &[]);
    let token = world.login(ANN).unwrap().refresh_token;
    let other = world.database();
    // Until this ends, nothing is committed.
    other.hold();
    let mut client = TcpStream::connect(daemon.running.address().tcp().unwrap()).unwrap();
    client.write_all(&rotate(&token)).unwrap();
    drop(client);
    other.let_go();
    let refreshed = || world.events().iter().any(|event| event == "TokenRefreshed");
    assert!((0..1_000_000).any(|_| refreshed()));
    // Who has lost the answer asks once more.
    assert_eq!(daemon.exchange(&rotate(&token)).status, 200);
}

#[test]
fn guesses_made_at_once_count_one_after_the_other() {
    race_of_guesses(Track::of_one);
}

pub fn race_of_guesses(track: fn(World) -> Track) {
    for _ in 0..rounds() {
        let track = track(World::new());
        let world = &track.world;
        world.add_user(ANN, &[]);
        let start = Barrier::new(RACERS);
        std::thread::scope(|scope| {
            for number in 0..RACERS {
                let (start, track) = (&start, &track);
                scope.spawn(move || {
                    let credentials = Credentials {
                        email: Email::parse(ANN).unwrap(),
                        password: Password::new("wrong wrong wrong wrong").unwrap(),
                    };
                    start.wait();
                    login(track.app(number), &anonymous(), &credentials).unwrap_err()
                });
            }
        });
        let is_wrong = |(key, value): &(String, String)| key == "why" && value == "wrong_password";
        let looked_at = world.audit().into_iter().filter(|line| line.details.iter().any(is_wrong)).count();
        assert_eq!(looked_at, 5, "no sixth password was told from the right one");
    }
}
