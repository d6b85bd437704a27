//! What an operator's link to get back in ends, besides passkeys.

use super::second_step::turn_on_codes;
use super::{ANN, Stage, access_token, phone};
use crate::world::{PASSWORD, anonymous, operator, user_ref};
use authd::domain::password::Password;
use authd::usecase::account::{admin, admin_two_factor, recover};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const NEW: &str = "a brand new battery staple";

fn link(stage: &Stage) -> String {
    let made = recover::make_link(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    made.url.expose().split("token=").nth(1).unwrap().to_owned()
}

fn recover(stage: &Stage) -> crate::daemon::Answer {
    let token = link(stage);
    let back = stage.post("/recover", &json!({"token": token, "new_password": NEW}));
    assert_eq!(back.status, 200, "{back:?}");
    back
}

#[test]
fn the_lock_ends_for_whoever_comes_back() {
    let stage = Stage::new();
    let login = |password: &str| stage.post("/login", &json!({"email": ANN, "password": password}));
    for _ in 0..6 {
        login("wrong battery staple horse");
    }
    assert_eq!(login(PASSWORD).problem(), "too_many_attempts");
    recover(&stage);
    assert_eq!(login(NEW).status, 200);
}

#[test]
fn the_app_and_the_recovery_codes_are_gone() {
    let stage = Stage::new();
    turn_on_codes(&stage, &stage.token(ANN));
    let token = access_token(&recover(&stage));
    let status = stage.daemon.send_as(&token, "GET", "/api/auth/2fa", "").json();
    let none =
        json!({"totp": {"enabled": false, "enabled_at": null}, "passkeys": 0, "recovery_codes_left": 0});
    assert_eq!(status, none);
    // The next factor is the first one again.
    assert_eq!(stage.add(&token, &mut phone())["recovery_codes"].as_array().unwrap().len(), 10);
    // One that was only begun is gone as well: nobody who has its secret turns it on.
    let stage = Stage::new();
    let token = stage.token(ANN);
    let setup = stage.post_as(&token, "/2fa/setup", &json!({})).json();
    let app = crate::authenticator::Authenticator::new(setup["secret"].as_str().unwrap());
    let token = access_token(&recover(&stage));
    let code = app.code_at(stage.world().now().as_secs());
    assert_eq!(stage.post_as(&token, "/2fa/enable", &json!({"code": code})).problem(), "invalid_code");
}

#[test]
fn what_the_old_password_began_is_void() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let (ticket, other) = (stage.ticket(ANN), access_token(&stage.sign_in(&mut device)));
    let second = stage.second(&ticket, &mut device);
    let reset = admin::reset_link(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    let back = recover(&stage);
    assert_eq!(stage.post("/2fa/verify", &second).problem(), "invalid_code");
    assert_eq!(stage.daemon.send_as(&other, "GET", "/api/auth/me", "").status, 401);
    let token = reset.url.expose().split("token=").nth(1).unwrap();
    let body = json!({"token": token, "new_password": PASSWORD});
    assert_eq!(stage.post("/password/reset/confirm", &body).problem(), "invalid_token");
    let factor = admin_two_factor::second_factor(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!((factor.recovery_codes_left, factor.user.passkeys), (0, 0));
    // The session that begins is one of a password, and fresh for five minutes.
    let me = stage.daemon.send_as(&access_token(&back), "GET", "/api/auth/me", "").json();
    assert_eq!(me["two_factor"], json!(false));
    let claims: Value = super::claims(&access_token(&back));
    assert_eq!(claims["amr"], json!(["pwd"]));
    stage.world().advance(Duration::from_secs(300));
    let stale = stage.post_as(&access_token(&back), "/passkeys/register/start", &json!({}));
    assert_eq!(stale.problem(), "fresh_login_required");
}

#[test]
fn a_link_that_was_spent_or_ended_meanwhile_changes_nothing() {
    let stage = Stage::new();
    let spend = |token: &str| stage.post("/recover", &json!({"token": token, "new_password": NEW})).problem();
    let (token, elsewhere) = (link(&stage), stage.world().another_app());
    let faster = token.clone();
    stage.world().clock.before_next_transaction(move || {
        let password = Password::new("a rather good battery staple").unwrap();
        recover::recover(&elsewhere, &anonymous(), &faster, &password).unwrap();
    });
    assert_eq!(spend(&token), "invalid_token");
    let (token, clock) = (link(&stage), Arc::clone(&stage.world().clock));
    let end = stage.world().now().plus(Duration::from_secs(3600));
    stage.world().clock.before_next_transaction(move || clock.set(end));
    assert_eq!(spend(&token), "invalid_token");
    let recovered = stage.world().events().iter().filter(|event| *event == "AccountRecovered").count();
    assert_eq!(recovered, 1);
}
