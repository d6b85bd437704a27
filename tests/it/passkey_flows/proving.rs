//! Making a session fresh by a passkey.

use super::{ANN, Stage, access_token, claims, phone};
use crate::world::{PASSWORD, operator, user_ref};
use authd::usecase::account::admin;
use serde_json::json;

#[test]
fn wrong_ones_are_counted_and_a_lock_is_in_the_way() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    let prove = |body: &serde_json::Value| stage.post_as(&token, "/reauthenticate", body);
    for _ in 0..5 {
        let dead = json!({"ceremony": "authd_pk_x", "credential": {}});
        assert_eq!(prove(&dead).problem(), "invalid_credentials");
    }
    let locked = prove(&stage.signed(&mut device));
    assert_eq!((locked.status, locked.problem()), (429, "too_many_attempts".into()));
    let login = stage.post("/login", &json!({"email": ANN, "password": PASSWORD}));
    assert_eq!(login.problem(), "too_many_attempts");
    let last = stage.world().audit().pop().unwrap();
    assert_eq!(last.details[0].1, "too_many_attempts");
}

#[test]
fn it_leaves_its_line_and_is_in_the_tokens() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let ticket = stage.ticket(ANN);
    let done = stage.post("/2fa/verify", &stage.second(&ticket, &mut device)).json();
    let token = done["access_token"].as_str().unwrap();
    assert_eq!(stage.post_as(token, "/reauthenticate", &stage.signed(&mut device)).status, 204);
    let last = stage.world().audit().pop().unwrap();
    assert_eq!((last.event.as_str(), last.details[0].1.as_str()), ("Reauthenticated", "hwk user mfa"));
    assert!(last.user.is_some() && last.session.is_some(), "{last:?}");
    let next = stage.post("/refresh", &json!({"refresh_token": done["refresh_token"]}));
    assert_eq!(claims(&access_token(&next))["amr"], json!(["hwk", "user", "mfa"]));
}

#[test]
fn a_session_that_ended_meanwhile_is_not_made_fresh() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    let body = stage.signed(&mut device);
    let elsewhere = stage.world().another_app();
    stage.world().clock.before_next_transaction(move || {
        admin::disable(&elsewhere, &operator(), &user_ref(ANN)).unwrap();
    });
    assert_eq!(stage.post_as(&token, "/reauthenticate", &body).problem(), "invalid_token");
    assert!(!stage.world().events().contains(&"Reauthenticated".to_owned()));
}

#[test]
fn it_lives_no_longer_than_two_factors_let_it() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let signed_in = stage.sign_in(&mut device).json();
    let shorter = [("tokens.two_factor_ttl", "2h"), ("tokens.two_factor_idle", "1h")];
    let stage = Stage { daemon: stage.daemon.restarted_with(&shorter) };
    let token = signed_in["access_token"].as_str().unwrap();
    assert_eq!(stage.post_as(token, "/reauthenticate", &stage.signed(&mut device)).status, 204);
    let next = stage.post("/refresh", &json!({"refresh_token": signed_in["refresh_token"]})).json();
    assert_eq!(next["refresh_expires_in"], json!(7200), "{next}");
    stage.world().advance(std::time::Duration::from_secs(3600));
    let idle = stage.post("/refresh", &json!({"refresh_token": next["refresh_token"]}));
    assert_eq!(idle.problem(), "invalid_token", "an hour unused");
}

#[test]
fn with_the_password_it_is_told_what_was_shown_besides() {
    let (stage, mut device) = (Stage::new(), phone());
    let codes = stage.add(&stage.token(ANN), &mut device)["recovery_codes"].clone();
    let signed_in = stage.sign_in(&mut device).json();
    let token = signed_in["access_token"].as_str().unwrap();
    let body = json!({"password": PASSWORD, "recovery_code": codes[0]});
    assert_eq!(stage.post_as(token, "/reauthenticate", &body).status, 204);
    let next = stage.post("/refresh", &json!({"refresh_token": signed_in["refresh_token"]}));
    assert_eq!(claims(&access_token(&next))["amr"], json!(["pwd", "mfa"]));
}
