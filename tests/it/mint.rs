//! Minted access tokens: good for what they are made for, and for nothing that a person must prove.

use crate::daemon::Daemon;
use crate::signing_keys::part;
use crate::world::{PASSWORD, World, operator, user_ref};
use authd::domain::time::Timestamp;
use authd::error::{Error, Refusal};
use authd::ports::progress::Progress;
use authd::usecase::account::admin;
use authd::usecase::operator::prune;
use authd::usecase::session::authenticate;
use authd::usecase::session::list;
use authd::usecase::session::list::Which;
use authd::usecase::session::mint::{Minted, mint};
use authd::usecase::session::tokens;
use authd::usecase::session::tokens::Target;
use serde_json::json;
use std::time::Duration;

const ANN: &str = "ann@example.com";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn minted(world: &World, ttl: Option<Duration>) -> Minted {
    mint(&world.app, &operator(), &user_ref(ANN), ttl).unwrap()
}

fn is_good(world: &World, minted: &Minted) -> bool {
    authenticate::bearer(&world.app, minted.access_token.expose()).is_ok()
}

fn refusal(world: &World, email: &str, ttl: Option<Duration>) -> Refusal {
    match mint(&world.app, &operator(), &user_ref(email), ttl) {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_minted_token_is_its_user_and_never_fresh() {
    let daemon = Daemon::new();
    daemon.world.add_user(ANN, &["admin"]);
    let minted = minted(&daemon.world, None);
    let token = minted.access_token.expose();
    let me = daemon.send_as(token, "GET", "/api/auth/me", "");
    assert_eq!((me.status, &me.json()["email"]), (200, &json!(ANN)));
    for (path, body) in [
        ("/api/auth/2fa/setup", ""),
        ("/api/auth/email/change/request", r#"{"new_email":"new@example.com"}"#),
        ("/api/auth/me/delete", r#"{"password":"correct horse battery staple"}"#),
    ] {
        let answer = daemon.send_as(token, "POST", path, body);
        assert_eq!((answer.status, answer.problem().as_str()), (403, "fresh_login_required"), "{path}");
    }
    tokens::revoke(&daemon.world.another_app(), &operator(), &Target::Session(minted.session.to_string()))
        .unwrap();
    assert_eq!(daemon.send_as(token, "GET", "/api/auth/me", "").problem(), "invalid_token");
}

#[test]
fn its_claims_say_that_nobody_proved_anything() {
    let world = World::new();
    world.add_user(ANN, &["admin"]);
    let claims = part(minted(&world, None).access_token.expose(), 1);
    assert_eq!((claims.get("auth_time"), &claims["amr"]), (None, &json!([])));
    assert_eq!(claims["roles"], json!(["admin"]));
    let login = part(world.login(ANN).unwrap().access_token.expose(), 1);
    assert_eq!(login["auth_time"], world.now().as_secs());
}

#[test]
fn a_changed_password_replaces_it_and_makes_nothing_fresh() {
    let daemon = Daemon::new();
    daemon.world.add_user(ANN, &[]);
    let minted = minted(&daemon.world, None);
    let body =
        json!({"current_password": PASSWORD, "new_password": "another horse, another staple"}).to_string();
    let changed = daemon.send_as(minted.access_token.expose(), "POST", "/api/auth/password/change", &body);
    assert_eq!(changed.status, 200, "{changed:?}");
    assert!(!is_good(&daemon.world, &minted), "it was made before the change");
    let tokens = changed.json();
    assert!(tokens["refresh_expires_in"].as_u64().unwrap() <= 900, "the session lives no longer for it");
    let answer = daemon.send_as(tokens["access_token"].as_str().unwrap(), "POST", "/api/auth/2fa/setup", "");
    assert_eq!(answer.problem(), "fresh_login_required");
}

#[test]
fn no_clock_makes_it_fresh() {
    let daemon = Daemon::new();
    daemon.world.add_user(ANN, &[]);
    // A machine whose clock begins with the epoch.
    for seconds in [1, 60, 299, 1_795_334_400] {
        daemon.world.clock.set(Timestamp::from_secs(seconds));
        let minted = minted(&daemon.world, None);
        let answer = daemon.send_as(minted.access_token.expose(), "POST", "/api/auth/2fa/setup", "");
        assert_eq!(answer.problem(), "fresh_login_required", "at {seconds}");
    }
}

#[test]
fn it_lives_as_long_as_was_asked_for_used_or_not() {
    let world = World::with(&[("tokens.refresh_idle", "1d")]);
    world.add_user(ANN, &[]);
    let begun = world.now();
    let (short, long) = (minted(&world, None), minted(&world, Some(30 * DAY)));
    assert_eq!((short.expires_in, long.expires_in), (900, 30 * 24 * 3600));
    for (minted, life) in [(short, Duration::from_secs(900)), (long, 30 * DAY)] {
        assert_eq!(minted.expires_at, begun.plus(life));
        world.clock.set(begun.plus(life).minus(Duration::from_secs(1)));
        assert!(is_good(&world, &minted), "{life:?}");
        world.clock.set(begun.plus(life));
        assert!(!is_good(&world, &minted), "{life:?}");
    }
}

#[test]
fn it_has_a_session_of_its_own() {
    let world = World::new();
    let ann = world.add_user(ANN, &[]);
    let one = minted(&world, None);
    world.advance(Duration::from_secs(1));
    let two = minted(&world, Some(DAY));
    let listed =
        list::page(&world.app, &operator(), Some(&user_ref(ANN)), Which::Alive, 200, None).unwrap().items;
    assert_eq!(listed.iter().map(|listed| listed.session.id).collect::<Vec<_>>(), [two.session, one.session]);
    tokens::revoke(&world.app, &operator(), &Target::Session(one.session.to_string())).unwrap();
    assert_eq!((is_good(&world, &one), is_good(&world, &two)), (false, true));

    let line = world.audit().into_iter().rfind(|line| line.event == "TokenMinted").unwrap();
    assert_eq!((line.actor.as_str(), line.user), ("operator:olga", Some(ann.id.to_string())));
    assert_eq!(line.session, Some(two.session.to_string()));
    let detail = |name: &str, value: String| (name.to_owned(), value);
    let details = [detail("jti", two.token.to_string()), detail("expires_at", two.expires_at.to_string())];
    assert_eq!(line.details, details);
}

#[test]
fn one_that_is_revoked_by_its_jti_is_remembered_for_its_whole_life() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let minted = minted(&world, Some(30 * DAY));
    assert_eq!(tokens::revoke(&world.app, &operator(), &Target::Jti(minted.token.to_string())), Ok(1));
    assert!(!is_good(&world, &minted));
    let until: i64 = world.database().one("SELECT expires_at FROM revoked_tokens");
    assert!(until >= minted.expires_at.as_millis());
}

#[test]
fn one_that_is_revoked_by_its_jti_stays_so_where_sessions_are_shorter_by_now() {
    let world = World::new();
    world.add_user(ANN, &[]);
    let minted = minted(&world, Some(30 * DAY));
    let shorter = world.another_app_with(&[("tokens.refresh_ttl", "1d"), ("tokens.refresh_idle", "1d")]);
    assert_eq!(tokens::revoke(&shorter, &operator(), &Target::Jti(minted.token.to_string())), Ok(1));
    world.advance(2 * DAY);
    prune::prune(&shorter, &operator(), &Progress::default()).unwrap();
    assert!(!is_good(&world, &minted), "a token that was revoked lives again");
}

#[test]
fn none_is_made_for_nobody_for_the_disabled_or_for_too_long() {
    let world = World::new();
    world.add_user(ANN, &[]);
    for ttl in [Duration::ZERO, Duration::from_millis(999), 30 * DAY + Duration::from_secs(1)] {
        assert_eq!(refusal(&world, ANN, Some(ttl)).code(), "validation_failed", "{ttl:?}");
    }
    assert_eq!(refusal(&world, "nobody@example.com", None).code(), "not_found");
    let held = minted(&world, None);
    admin::disable(&world.app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!(refusal(&world, ANN, None), Refusal::AccountDisabled);
    assert!(!is_good(&world, &held));
}

#[test]
fn only_an_operator_mints() {
    let world = World::new();
    world.add_user(ANN, &["admin"]);
    let admin = world.caller(&world.login(ANN).unwrap());
    let refused = mint(&world.app, &admin, &user_ref(ANN), None);
    assert!(matches!(refused, Err(Error::Refused(Refusal::Forbidden { .. }))), "{refused:?}");
}
