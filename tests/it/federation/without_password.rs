//! Accounts without a password: what asks for one elsewhere takes a fresh login of theirs.

use super::{ANN, Browser, Stage, claims, enable_second_factor, parameter};
use crate::daemon::JSON;
use crate::world::{PASSWORD, operator, user_ref};
use authd::usecase::account::admin;
use serde_json::json;
use std::time::Duration;

fn token(stage: &Stage) -> String {
    let code = parameter(&stage.sign_in_for_front_end(&mut Browser::default()), "code").unwrap();
    stage.exchange(&code, super::VERIFIER).json()["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn they_are_deleted_by_a_fresh_login_alone() {
    let stage = Stage::new();
    let token = token(&stage);
    stage.world().advance(Duration::from_secs(301));
    let stale = stage.daemon.send_as(&token, "POST", "/api/auth/me/delete", "{}");
    assert_eq!(stale.problem(), "fresh_login_required");
    let fresh = self::token(&stage);
    // What is shown is looked at.
    let wrong = json!({"password": PASSWORD}).to_string();
    assert_eq!(
        stage.daemon.send_as(&fresh, "POST", "/api/auth/me/delete", &wrong).problem(),
        "invalid_credentials"
    );
    assert_eq!(stage.world().events().last().unwrap(), "LoginFailed", "and counted, as any that is wrong");
    assert_eq!(stage.daemon.send_as(&fresh, "POST", "/api/auth/me/delete", "{}").status, 204);
    assert!(admin::find(&stage.world().app, &operator(), &user_ref(ANN)).is_err());
}

#[test]
fn a_password_that_is_set_meanwhile_was_not_shown() {
    let stage = Stage::new();
    let token = token(&stage);
    let database = stage.world().database();
    stage.world().clock.before_next_transaction(move || {
        // Every way to set one ends the session, too, which would be reason enough to refuse.
        let set = database.change("UPDATE users SET password_hash = 'set elsewhere'", &[]);
        assert_eq!(set, 1);
    });
    let answer = stage.daemon.send_as(&token, "POST", "/api/auth/me/delete", "{}");
    assert_eq!(answer.problem(), "invalid_credentials");
    assert!(admin::find(&stage.world().app, &operator(), &user_ref(ANN)).is_ok());
}

#[test]
fn nothing_is_proved_by_showing_nothing_but_a_fresh_login() {
    let stage = Stage::new();
    let token = token(&stage);
    let prove = || stage.daemon.send_as(&token, "POST", "/api/auth/reauthenticate", "{}");
    assert_eq!(prove().status, 204);
    stage.world().advance(Duration::from_secs(301));
    assert_eq!(prove().problem(), "fresh_login_required");
}

#[test]
fn what_goes_wrong_at_the_provider_is_said_where_they_prove_who_they_are() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    stage.sign_in(&mut browser);
    stage.world().advance(Duration::from_secs(301));
    let url = stage.begin(&mut browser, "?return_to=%2Fauth%2Faccount%2Fdelete&again=true");
    let mut returned = stage.stand_in.approve(&url);
    returned.fields.remove("code");
    returned.fields.insert("error".into(), "access_denied".into());
    let landed = stage.land(&mut browser, &returned);
    let led_on = stage.get(&browser, landed.header("location"));
    let confirm = "/auth/confirm?return_to=%2Fauth%2Faccount%2Fdelete&error=provider_refused";
    assert_eq!((led_on.status, led_on.header("location")), (303, confirm));
    let page = stage.get(&browser, confirm);
    assert!(page.body.contains("or said no"), "{page:?}");
    // Whoever comes with a sign-in that is not theirs is asked nothing.
    let account = stage.get(&browser, "/auth/sign-in?error=state_mismatch");
    assert_eq!(account.header("location"), "/auth/account");
}

/// The provider says that its person proved who they are so many seconds ago.
fn proved(stage: &Stage, seconds_ago: i64) {
    let at = stage.world().now().as_secs() - seconds_ago;
    stage.stand_in.set(|script| drop(script.claims.insert("auth_time".into(), json!(at))));
}

fn promises_auth_time(stage: &Stage) {
    let claims = json!(["sub", "iss", "auth_time"]);
    stage.stand_in.set(|script| drop(script.metadata.insert("claims_supported".into(), claims)));
}

const AGAIN: &str = "?return_to=%2Fauth%2Faccount%2Fdelete&again=true";

#[test]
fn a_login_is_as_fresh_as_the_proof_at_the_provider() {
    let stage = Stage::new();
    proved(&stage, 0);
    let fresh = token(&stage);
    assert!(claims(&fresh)["auth_time"].as_i64().is_some());
    proved(&stage, 301);
    let stale = token(&stage);
    let answer = stage.daemon.send_as(&stale, "POST", "/api/auth/me/delete", "{}");
    assert_eq!(answer.problem(), "fresh_login_required");
    let told = claims(&stale)["auth_time"].as_i64().unwrap();
    assert_eq!(told, stage.world().now().as_secs() - 301);
    // A clock that is ahead makes nobody fresh for longer.
    proved(&stage, -50);
    let ahead = token(&stage);
    assert_eq!(claims(&ahead)["auth_time"].as_i64().unwrap(), stage.world().now().as_secs());
    assert_eq!(stage.daemon.send_as(&fresh, "POST", "/api/auth/me/delete", "{}").status, 204);
}

#[test]
fn the_pages_ask_for_a_proof_of_now_and_take_no_older_one() {
    let stage = Stage::new();
    promises_auth_time(&stage);
    let mut browser = Browser::default();
    proved(&stage, 0);
    stage.sign_in(&mut browser);
    stage.world().advance(Duration::from_secs(400));
    let url = stage.begin(&mut browser, AGAIN);
    assert_eq!(parameter(&url, "prompt").as_deref(), Some("login"));
    assert_eq!(parameter(&url, "max_age").as_deref(), Some("60"));
    // Whoever sits there has struck that from the address: the provider says nothing, or tells of long ago.
    stage.stand_in.set(|script| drop(script.claims.insert("auth_time".into(), json!(null))));
    assert!(lands_on_error(&stage, &mut browser, "provider_failed"));
    proved(&stage, 400);
    assert!(lands_on_error(&stage, &mut browser, "provider_failed"));
    proved(&stage, 0);
    let url = stage.begin(&mut browser, AGAIN);
    let landed = stage.land(&mut browser, &stage.stand_in.approve(&url));
    assert_eq!(stage.get(&browser, landed.header("location")).header("location"), "/auth/account/delete");
    assert_eq!(stage.get(&browser, "/auth/account/delete").status, 200);
}

#[test]
fn who_was_to_prove_it_once_more_comes_back_as_nobody_else() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    stage.sign_in(&mut browser);
    let kept = browser.clone();
    stage.is("somebody-new");
    stage.states(Some("eve@example.com"), json!(true));
    assert!(lands_on_error(&stage, &mut browser, "link_required"));
    assert!(admin::find(&stage.world().app, &operator(), &user_ref("eve@example.com")).is_err());
    // Somebody who has an account here.
    stage.sign_in(&mut Browser::default());
    assert!(lands_on_error(&stage, &mut browser, "identity_in_use"));
    assert_eq!(stage.get(&kept, "/auth/account").status, 200, "the session that was there goes on");
    // Nobody is signed in any more: it is a sign-in like any other.
    let mut nobody = Browser::default();
    let url = stage.begin(&mut nobody, AGAIN);
    let landed = stage.land(&mut nobody, &stage.stand_in.approve(&url));
    assert!(!landed.header("location").contains("error="), "{landed:?}");
}

fn lands_on_error(stage: &Stage, browser: &mut Browser, error: &str) -> bool {
    let url = stage.begin(browser, AGAIN);
    let landed = stage.land(browser, &stage.stand_in.approve(&url));
    parameter(landed.header("location"), "error").as_deref() == Some(error)
}

#[test]
fn who_has_a_password_must_show_it() {
    let stage = Stage::new();
    let token = stage.daemon.token_of("bob@example.com", &[]);
    let answer = stage.daemon.send_as(&token, "POST", "/api/auth/me/delete", "{}");
    assert_eq!((answer.status, answer.field_errors()), (422, vec![("password".into(), "missing".into())]));
}

#[test]
fn their_second_factor_is_turned_off_with_itself() {
    let stage = Stage::new();
    let token = token(&stage);
    let phone = enable_second_factor(&stage, &token);
    stage.world().advance(Duration::from_secs(60));
    let code = json!({"code": phone.code_at(stage.world().now().as_secs())}).to_string();
    let answer = stage.daemon.send_as(&token, "POST", "/api/auth/2fa/disable", &code);
    assert_eq!(answer.status, 204, "{answer:?}");
}

#[test]
fn a_password_login_to_them_fails_like_any_other() {
    let stage = Stage::new();
    stage.sign_in(&mut Browser::default());
    let body = |email: &str| json!({"email": email, "password": PASSWORD}).to_string();
    let known = stage.daemon.send("POST", "/api/auth/login", &[JSON], body(ANN).as_bytes());
    let unknown =
        stage.daemon.send("POST", "/api/auth/login", &[JSON], body("nobody@example.com").as_bytes());
    assert_eq!((known.status, known.problem()), (unknown.status, unknown.problem()));
}
