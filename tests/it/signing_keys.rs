//! Rotating the keys that sign: whoever holds a good token notices nothing, whoever holds a leaked key
//! notices at once.

use crate::daemon::Daemon;
use crate::database::worlds;
use crate::world::{World, anonymous, operator, user_ref};
use authd::api::router::Router;
use authd::domain::signing_key::{KeyState, Retired, SigningKey};
use authd::error::{Error, Refusal};
use authd::transport::message::{Head, Headers};
use authd::transport::{Lane, Service};
use authd::usecase::keys::current_key;
use authd::usecase::keys::signing_keys;
use authd::usecase::keys::signing_keys::{RetireMode, Retirement};
use authd::usecase::session::authenticate;
use authd::usecase::session::mint::mint;
use authd::usecase::session::refresh::refresh;
use authd::usecase::signin::login::Tokens;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const ANN: &str = "ann@example.com";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// The default of `tokens.access_ttl`, and what is added for logins under way.
const KEPT: Duration = Duration::from_secs(16 * 60);

/// A part of a JWT: 0 is its header, 1 its claims.
pub fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

fn kid(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

/// The key ids in a JWK set.
fn kids(jwks: &Value) -> Vec<String> {
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn published(world: &World) -> Vec<String> {
    kids(&current_key::jwks(&world.app).unwrap())
}

fn keys(world: &World) -> Vec<SigningKey> {
    signing_keys::page(&world.app, &operator(), 200, None).unwrap().items
}

/// Rotates as another process does, which the world's app only hears of by the database.
fn rotate(world: &World) -> SigningKey {
    signing_keys::rotate(&world.another_app(), &operator()).unwrap().key
}

fn retire(world: &World, kid: &str, haste: RetireMode) -> Result<Retirement, Error> {
    signing_keys::retire(&world.another_app(), &operator(), kid, haste)
}

fn with_ann() -> (World, Tokens) {
    let world = World::new();
    world.add_user(ANN, &[]);
    let tokens = world.login(ANN).unwrap();
    (world, tokens)
}

#[test]
fn a_running_daemon_signs_with_the_new_key_and_honours_the_old_one_s_tokens() {
    let daemon = Daemon::new();
    daemon.world.add_user(ANN, &[]);
    let access = |tokens: &Value| tokens["access_token"].as_str().unwrap().to_owned();
    let me = |token: &str| daemon.send_as(token, "GET", "/api/auth/me", "").status;
    let before = daemon.login(ANN);
    let old = kid(&access(&before));

    let new = rotate(&daemon.world).kid;
    assert_ne!(new, old);
    assert_eq!(me(&access(&before)), 200);
    assert_eq!(kids(&daemon.get("/.well-known/jwks.json").json()), [old.clone(), new.clone()]);
    let after = daemon.login(ANN);
    assert_eq!(kid(&access(&after)), new);
    let body = serde_json::json!({ "refresh_token": before["refresh_token"] }).to_string();
    let refreshed = daemon.post("/api/auth/refresh", &body).json();
    assert_eq!(kid(&access(&refreshed)), new);
    for tokens in [&before, &after, &refreshed] {
        assert_eq!(me(&access(tokens)), 200);
    }

    // The old one has leaked.
    retire(&daemon.world, &old, RetireMode::AtOnce).unwrap();
    assert_eq!(daemon.send_as(&access(&before), "GET", "/api/auth/me", "").problem(), "invalid_token");
    assert_eq!(kids(&daemon.get("/.well-known/jwks.json").json()), [new]);
    assert_eq!((me(&access(&after)), me(&access(&refreshed))), (200, 200));
}

#[test]
fn nobody_is_refused_while_keys_are_rotated() {
    let world = World::new();
    let stop = AtomicBool::new(false);
    let people: Vec<String> = (0..8).map(|number| format!("user{number}@example.com")).collect();
    for email in &people {
        world.add_user(email, &[]);
    }
    std::thread::scope(|scope| {
        let clients: Vec<_> =
            people.iter().map(|email| scope.spawn(|| be_a_client(&world, email, &stop))).collect();
        let another = world.another_app();
        for _ in 0..40 {
            signing_keys::rotate(&another, &operator()).unwrap();
        }
        stop.store(true, Ordering::SeqCst);
        for client in clients {
            assert!(client.join().unwrap() > 0);
        }
    });
    assert_eq!(published(&world).len(), 41);
}

/// Logs in, refreshes and asks, until told to stop; gives how often. Nothing of it may be refused.
fn be_a_client(world: &World, email: &str, stop: &AtomicBool) -> u32 {
    let mut rounds = 0;
    while rounds == 0 || !stop.load(Ordering::SeqCst) {
        let tokens = world.login(email).unwrap();
        let refreshed = refresh(&world.app, &anonymous(), tokens.refresh_token.expose()).unwrap();
        assert!(world.is_signed_in(&tokens) && world.is_signed_in(&refreshed));
        rounds += 1;
    }
    rounds
}

#[test]
fn the_old_key_goes_by_itself_when_no_token_of_its_can_live() {
    let (world, tokens) = with_ann();
    let old = kid(tokens.access_token.expose());
    let rotated_at = world.now();
    let new = rotate(&world).kid;
    let first = &keys(&world)[0];
    let keep_until = rotated_at.plus(KEPT);
    assert_eq!(
        (first.kid.as_str(), first.retired),
        (old.as_str(), Some(Retired { at: rotated_at, keep_until }))
    );

    world.advance(Duration::from_secs(15 * 60 - 1));
    assert!(world.is_signed_in(&tokens), "in its last second");
    world.clock.set(keep_until.minus(Duration::from_millis(1)));
    assert_eq!(published(&world), [old.clone(), new.clone()]);
    assert_eq!(keys(&world)[0].state(world.now()), KeyState::Verifying);
    world.clock.set(keep_until);
    assert_eq!(published(&world), std::slice::from_ref(&new));
    assert_eq!(keys(&world)[0].state(world.now()), KeyState::Expired);

    // What is left is a row.
    assert!(matches!(retire(&world, &old, RetireMode::InDueTime), Ok(Retirement::Gone(_))));
    assert_eq!(keys(&world).iter().map(|key| key.kid.clone()).collect::<Vec<_>>(), [new]);
}

#[test]
fn a_token_that_outlives_its_key_by_the_clock_is_refused_all_the_same() {
    let (world, tokens) = with_ann();
    rotate(&world);
    // Signed by a process whose life of tokens nobody heard of: the key's end counts, not the token's.
    let until = world.now().plus(MINUTE).as_millis();
    world.database().change("UPDATE signing_keys SET keep_until = ?1", &[until.into()]);
    assert!(world.is_signed_in(&tokens));
    world.advance(MINUTE);
    assert!(!world.is_signed_in(&tokens));
}

#[test]
fn the_key_that_signs_and_one_that_is_not_there_can_not_be_retired() {
    let (world, tokens) = with_ann();
    let signing = kid(tokens.access_token.expose());
    for haste in [RetireMode::InDueTime, RetireMode::AtOnce] {
        assert!(matches!(retire(&world, &signing, haste), Err(Error::Refused(Refusal::Conflict { .. }))));
        assert!(matches!(retire(&world, "nonsense", haste), Err(Error::Refused(Refusal::NotFound { .. }))));
    }
    assert!(world.is_signed_in(&tokens));
}

#[test]
fn retiring_twice_says_the_same_until_the_key_is_gone() {
    let (world, tokens) = with_ann();
    let old = kid(tokens.access_token.expose());
    rotate(&world);
    let lines = world.events().len();
    let waits = retire(&world, &old, RetireMode::InDueTime).unwrap();
    assert!(matches!(&waits, Retirement::Waits { keep_until, .. } if *keep_until == world.now().plus(KEPT)));
    assert_eq!(retire(&world, &old, RetireMode::InDueTime).unwrap(), waits);
    assert_eq!(world.events().len(), lines, "nothing has happened yet");
    assert!(world.is_signed_in(&tokens));

    let Retirement::Gone(gone) = retire(&world, &old, RetireMode::AtOnce).unwrap() else {
        panic!("it is gone")
    };
    assert_eq!(gone.state(world.now()), KeyState::Expired);
    assert!(!world.is_signed_in(&tokens));
    for haste in [RetireMode::InDueTime, RetireMode::AtOnce] {
        assert!(matches!(retire(&world, &old, haste), Err(Error::Refused(Refusal::NotFound { .. }))));
    }
    // The session lives: whoever holds its refresh token goes on.
    assert!(world.is_signed_in(&refresh(&world.app, &anonymous(), tokens.refresh_token.expose()).unwrap()));
}

#[test]
fn both_are_in_the_audit_log() {
    let (world, tokens) = with_ann();
    let old = kid(tokens.access_token.expose());
    let new = rotate(&world).kid;
    retire(&world, &old, RetireMode::AtOnce).unwrap();
    let detail = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let lines = world.audit();
    let [.., rotated, retired] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((rotated.event.as_str(), rotated.actor.as_str()), ("SigningKeyRotated", "operator:olga"));
    assert_eq!(rotated.details, [detail("kid", &new), detail("previous", &old)]);
    assert_eq!((retired.event.as_str(), retired.actor.as_str()), ("SigningKeyRetired", "operator:olga"));
    assert_eq!(
        retired.details,
        [detail("kid", &old), detail("keep_until", &world.now().plus(KEPT).to_string())]
    );
}

#[test]
fn the_longest_life_that_anybody_had_configured_counts() {
    let world = World::new();
    world.add_user(ANN, &[]);
    // The daemon was started with another life of tokens than what the operator's tool reads.
    let daemon = world.another_app_with(&[("tokens.access_ttl", "2h")]);
    let minted = mint(&daemon, &operator(), &user_ref(ANN), None).unwrap();
    rotate(&world);
    world.advance(119 * MINUTE);
    assert!(authenticate::bearer(&daemon, minted.access_token.expose()).is_ok());
    assert_eq!(published(&world).len(), 2);
    // Or the other way round.
    let tool = world.another_app_with(&[("tokens.access_ttl", "5h")]);
    let previous = signing_keys::rotate(&tool, &operator()).unwrap().previous.unwrap();
    assert_eq!(previous.retired.unwrap().keep_until, world.now().plus(5 * HOUR + MINUTE));
}

#[test]
fn a_login_tells_how_long_its_token_lives_before_it_is_signed() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let restarted = world.another_app_with(&[("tokens.access_ttl", "2h")]);
    let credentials = authd::usecase::signin::login::Credentials {
        email: authd::domain::email::Email::parse(ANN).unwrap(),
        password: authd::domain::password::Password::new(crate::world::PASSWORD).unwrap(),
    };
    authd::usecase::signin::login::login(&restarted, &anonymous(), &credentials).unwrap();
    rotate(&world);
    let keep_until = keys(&world)[0].retired.unwrap().keep_until;
    assert_eq!(keep_until, world.now().plus(2 * HOUR + MINUTE));
}

#[test]
fn a_minted_token_keeps_its_key() {
    let (world, _) = with_ann();
    let day = 24 * HOUR;
    let minted = mint(&world.app, &operator(), &user_ref(ANN), Some(20 * day)).unwrap();
    mint(&world.app, &operator(), &user_ref(ANN), Some(day)).unwrap();
    let old = kid(minted.access_token.expose());
    let until = world.now().plus(20 * day);
    rotate(&world);
    assert_eq!(keys(&world)[0].retired.map(|retired| retired.keep_until), Some(until));
    world.clock.set(until.minus(Duration::from_secs(1)));
    assert!(authenticate::bearer(&world.app, minted.access_token.expose()).is_ok());
    assert!(published(&world).contains(&old));
    world.clock.set(until);
    assert!(!published(&world).contains(&old));
}

#[test]
fn the_configured_algorithm_is_that_of_the_next_key() {
    let (world, first) = with_ann();
    let mut held = vec![first];
    for algorithm in ["ES256", "RS256", "EdDSA"] {
        let tool = world.another_app_with(&[("tokens.algorithm", algorithm)]);
        let rotated = signing_keys::rotate(&tool, &operator()).unwrap();
        assert_eq!(rotated.key.algorithm.name(), algorithm);
        let tokens = world.login(ANN).unwrap();
        assert_eq!(part(tokens.access_token.expose(), 0)["alg"], algorithm);
        held.push(tokens);
    }
    assert!(held.iter().all(|tokens| world.is_signed_in(tokens)));
    assert_eq!(published(&world).len(), 4);
}

#[test]
fn a_key_of_rsa_has_3072_bits() {
    let daemon = Daemon::new();
    let tool = daemon.world.another_app_with(&[("tokens.algorithm", "RS256")]);
    let kid = signing_keys::rotate(&tool, &operator()).unwrap().key.kid;
    let published = daemon.get("/.well-known/jwks.json").json();
    let keys = published["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == kid.as_str()).unwrap();
    let modulus = data_encoding::BASE64URL_NOPAD.decode(key["n"].as_str().unwrap().as_bytes()).unwrap();
    assert_eq!((modulus.len() * 8, modulus[0] >> 7), (3072, 1), "NIST SP 800-57: 128 bits of strength");
}

#[test]
fn no_key_is_named_like_a_flag() {
    let world = World::new();
    for _ in 0..100 {
        assert!(!signing_keys::rotate(&world.app, &operator()).unwrap().key.kid.starts_with('-'));
    }
}

#[test]
fn a_refresh_that_finds_no_key_to_sign_with_does_not_spend_its_token() {
    let (world, tokens) = with_ann();
    let rotate = |app| refresh(app, &anonymous(), tokens.refresh_token.expose());
    let database = world.database();
    let sealed: Vec<u8> = database.one("SELECT private_sealed FROM signing_keys");
    let save =
        |sealed: &[u8]| database.change("UPDATE signing_keys SET private_sealed = ?1", &[sealed.into()]);
    save(&sealed[1..]);
    // A daemon that was started since has to unseal the key, and can't.
    let app = world.another_app();
    assert!(matches!(rotate(&app), Err(Error::Failed(_))));
    save(&sealed);
    assert!(rotate(&app).is_ok());
}

#[test]
fn a_key_that_signs_slowly_holds_up_no_io_thread() {
    let daemon = Daemon::new();
    daemon.world.add_user(ANN, &[]);
    let headers = Headers::default();
    let head =
        Head { method: "POST".into(), path: "/api/auth/refresh".into(), query: None, headers, peer: None };
    let router = Router::new(Arc::clone(&daemon.world.app));
    let mut held = daemon.login(ANN);
    // A server is waited for, whatever signs.
    let quick = if worlds::are_on_a_server() { Lane::Write } else { Lane::Commit };
    assert_eq!(router.dispatch(&head).lane, quick);
    for (algorithm, lane) in [("RS256", Lane::Write), ("ES256", quick)] {
        let tool = daemon.world.another_app_with(&[("tokens.algorithm", algorithm)]);
        signing_keys::rotate(&tool, &operator()).unwrap();
        let answer =
            daemon.post("/api/auth/refresh", &json!({"refresh_token": held["refresh_token"]}).to_string());
        held = answer.json();
        assert_eq!(part(held["access_token"].as_str().unwrap(), 0)["alg"], algorithm);
        assert_eq!(router.dispatch(&head).lane, lane, "{algorithm}");
    }
    let configured = daemon.world.another_app_with(&[("tokens.algorithm", "RS256")]);
    assert_eq!(
        Router::new(Arc::new(configured)).dispatch(&head).lane,
        Lane::Write,
        "before the first signature"
    );
}
