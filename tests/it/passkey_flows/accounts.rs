//! Whose account it is that a passkey signs in to: disabled, unverified, locked.

use super::{ANN, Stage, access_token, phone};
use crate::world::{PASSWORD, operator, user_ref};
use authd::usecase::account::admin;
use serde_json::{Value, json};
use std::time::Duration;

/// The last line of the log: its event, whether it names an account, and its first detail.
fn last_line(stage: &Stage) -> (String, bool, String) {
    let line = stage.world().audit().pop().unwrap();
    (line.event, line.user.is_some(), line.details[0].1.clone())
}

fn forget_that_ann_is_verified(stage: &Stage) {
    assert_eq!(stage.world().database().change("UPDATE users SET email_verified_at = NULL", &[]), 1);
}

#[test]
fn one_that_is_disabled_leaves_its_line() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    admin::disable(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!(stage.sign_in(&mut device).problem(), "account_disabled");
    assert_eq!(last_line(&stage), ("LoginFailed".into(), true, "account_disabled".into()));
}

#[test]
fn an_address_that_is_not_verified_is_in_the_way_where_that_is_required() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    forget_that_ann_is_verified(&stage);
    let refused = stage.sign_in(&mut device);
    assert_eq!((refused.status, refused.problem()), (403, "email_not_verified".into()));
    assert_eq!(last_line(&stage), ("LoginFailed".into(), true, "email_not_verified".into()));
    let stage = Stage { daemon: stage.daemon.restarted_with(&[("email_verification.required", "false")]) };
    assert_eq!(stage.sign_in(&mut device).status, 200);
}

#[test]
fn an_address_that_is_not_verified_any_more_gets_no_passkey() {
    let stage = Stage::new();
    let (token, mut device) = (stage.token(ANN), phone());
    let body = stage.created(&token, &mut device);
    forget_that_ann_is_verified(&stage);
    let refused = stage.post_as(&token, "/passkeys/register/finish", &body);
    assert_eq!((refused.status, refused.problem()), (403, "email_not_verified".into()));
}

#[test]
fn a_passkey_ends_the_lock_of_this_network() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let login = |password: &str| stage.post("/login", &json!({"email": ANN, "password": password}));
    for _ in 0..6 {
        login("wrong battery staple horse");
    }
    assert_eq!(login(PASSWORD).problem(), "too_many_attempts");
    access_token(&stage.sign_in(&mut device));
    assert!(login(PASSWORD).json()["ticket"].is_string());
}

#[test]
fn a_session_of_a_passkey_lives_as_long_as_two_factors_let_it() {
    let settings = [("tokens.two_factor_ttl", "2h"), ("tokens.two_factor_idle", "1h")];
    // That of whoever signs in by it, and that of whoever has added the first one.
    for signs_in in [true, false] {
        let stage = Stage::with(&settings);
        let (mut device, mut tokens) = (phone(), stage.daemon.login(ANN));
        stage.add(tokens["access_token"].as_str().unwrap(), &mut device);
        if signs_in {
            tokens = stage.sign_in(&mut device).json();
            assert_eq!(tokens["refresh_expires_in"], json!(7200));
        }
        let refresh =
            |tokens: &Value| stage.post("/refresh", &json!({"refresh_token": tokens["refresh_token"]}));
        let first = refresh(&tokens).json();
        assert_eq!(first["refresh_expires_in"], json!(7200), "{first}");
        stage.world().advance(Duration::from_secs(3599));
        let second = refresh(&first);
        assert_eq!(second.status, 200, "{second:?}");
        stage.world().advance(Duration::from_secs(3600));
        assert_eq!(refresh(&second.json()).problem(), "invalid_token", "an hour unused");
    }
}
