//! Accounts without a password: what asks for one elsewhere takes a fresh login of theirs.

use super::{ANN, Browser, Stage, enable_second_factor, parameter};
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
    assert_eq!(stage.daemon.send_as(&fresh, "POST", "/api/auth/me/delete", "{}").status, 204);
    assert!(admin::find(&stage.world().app, &operator(), &user_ref(ANN)).is_err());
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
