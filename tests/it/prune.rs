//! Deleting what is over: what goes, what stays, and that it goes in small steps.

use crate::world::{World, anonymous, operator};
use authd::domain::email::Email;
use authd::error::{Error, Refusal};
use authd::ports::progress::Progress;
use authd::usecase::account::password;
use authd::usecase::operator::prune::{KEPT, Walk, prune};
use authd::usecase::session::tokens::{Target, revoke};
use authd::usecase::session::{authenticate, refresh};
use authd::usecase::signin::login::Tokens;
use std::time::Duration;

const ANN: &str = "ann@example.com";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn count(world: &World, table: &str) -> i64 {
    world.database().one(&format!("SELECT count(*) FROM {table}"))
}

fn pruned(world: &World) -> Vec<(&'static str, u64)> {
    let mut counts = prune(&world.app, &operator(), &Progress::default()).unwrap();
    counts.retain(|(_, rows)| *rows > 0);
    counts
}

fn revoke_one(world: &World, tokens: &Tokens) {
    revoke(&world.app, &operator(), &Target::Token(tokens.access_token.expose().clone())).unwrap();
}

/// A world in which every table that is pruned has rows.
fn busy() -> World {
    let world = World::new();
    world.add_user(ANN, &[]);
    let tokens = world.login(ANN).unwrap();
    revoke_one(&world, &tokens);
    world.login_with(ANN, "not the password at all").unwrap_err();
    world.login_with("nobody@example.com", "not the password at all").unwrap_err();
    password::request_reset(&world.app, &anonymous(), &Email::parse(ANN).unwrap()).unwrap();
    world.work_off();
    world
}

#[test]
fn what_is_over_goes_when_its_time_has_come() {
    let world = busy();
    assert_eq!(pruned(&world), []);
    // Links live an hour, access tokens 15 minutes.
    world.advance(DAY);
    assert_eq!(pruned(&world), [("revoked_tokens", 1), ("links", 1)]);
    world.advance(29 * DAY);
    assert_eq!(pruned(&world), [("pair_failures", 2), ("account_failures", 2)]);
    assert_eq!(count(&world, "sessions"), 1, "an ended session can be listed for 30 days more");
    world.advance(KEPT);
    assert_eq!(pruned(&world), [("sessions", 1)]);
    assert_eq!(count(&world, "known_networks"), 1, "the newest one stays");
    assert_eq!(count(&world, "mails"), 1, "a queued mail is not over");
    world.database().sql("UPDATE mails SET state = 'sent', sent_at = created_at");
    assert_eq!(pruned(&world), [("mails", 1)]);
    assert_eq!(pruned(&world), []);
}

#[test]
fn a_revoked_token_that_was_forgotten_lives_on_no_clock() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let tokens = world.login(ANN).unwrap();
    revoke_one(&world, &tokens);
    let right = world.now();
    world.advance(DAY * 5 * 365);
    // The session is deleted, too; a second one with a life of its own is not.
    assert!(pruned(&world).contains(&("revoked_tokens", 1)));
    world.clock.set(right);
    let refused = authenticate::bearer(&world.app, tokens.access_token.expose());
    assert!(matches!(refused, Err(Error::Refused(Refusal::InvalidToken))), "{refused:?}");
    let later = world.login(ANN).unwrap();
    assert!(
        !world.is_signed_in(&later),
        "nor does one that ends no later, for as long as it would have lived"
    );
    world.advance(Duration::from_secs(1));
    assert!(world.is_signed_in(&world.login(ANN).unwrap()));
}

#[test]
fn a_revoked_token_is_remembered_though_its_session_lives() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let tokens = world.login(ANN).unwrap();
    revoke_one(&world, &tokens);
    world.advance(Duration::from_secs(16 * 60));
    assert_eq!(pruned(&world), [("revoked_tokens", 1)]);
    world.clock.set(world.now().minus(Duration::from_secs(10 * 60)));
    assert!(!world.is_signed_in(&tokens));
    let next = refresh::refresh(&world.app, &anonymous(), tokens.refresh_token.expose()).unwrap();
    assert!(world.is_signed_in(&next), "only what was revoked is refused");
}

#[test]
fn a_session_that_is_gone_is_refused_like_one_that_has_ended() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let first = world.login(ANN).unwrap();
    let second = refresh::refresh(&world.app, &anonymous(), first.refresh_token.expose()).unwrap();
    world.advance(KEPT + DAY * 31);
    assert!(pruned(&world).contains(&("sessions", 1)));
    for token in [first, second] {
        let refreshed = refresh::refresh(&world.app, &anonymous(), token.refresh_token.expose());
        assert!(matches!(refreshed, Err(Error::Refused(Refusal::InvalidToken))), "{refreshed:?}");
    }
}

#[test]
fn the_daemon_goes_in_small_steps_and_goes_on_where_it_was() {
    let world = World::new();
    let database = world.database();
    database.sql("BEGIN");
    for number in 1..=240 {
        let (jti, account) = (format!("{number:016}"), format!("a{number:016}"));
        database.change("INSERT INTO revoked_tokens VALUES (?1, 1)", &[jti.into_bytes().into()]);
        database.change("INSERT INTO account_failures VALUES (?1, 1, NULL, 1)", &[account.as_str().into()]);
    }
    database.sql("COMMIT");
    let mut walk = Walk::default();
    // The first page is that of the sessions, of which there are none.
    assert_eq!(walk.go(&world.app, 1, || true).unwrap(), 0);
    for left in [140, 40, 0] {
        walk.go(&world.app, 1, || true).unwrap();
        assert_eq!(count(&world, "revoked_tokens"), left);
    }
    assert_eq!(walk.go(&world.app, 100, || false).unwrap(), 0, "it rests when it is told to");
    assert_eq!(walk.go(&world.app, 100, || true).unwrap(), 240);
    assert_eq!(count(&world, "account_failures"), 0);
    assert_eq!(world.events().iter().filter(|event| *event == "DatabasePruned").count(), 0);
}
