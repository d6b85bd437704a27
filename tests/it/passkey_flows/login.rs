//! Signing in by a passkey alone, and proving once more who one is.

use super::{ANN, BOB, Stage, access_token, claims, phone};
use crate::daemon::{JSON, exchange, request};
use crate::passkeys::device::NamesUser;
use crate::world::{PASSWORD, operator, user_ref};
use authd::ports::progress::Progress;
use authd::usecase::account::admin;
use authd::usecase::operator::prune;
use serde_json::json;
use std::time::Duration;

#[test]
fn it_is_both_factors_in_one() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    assert_eq!(claims(&token)["amr"], json!(["hwk", "user", "mfa"]));
    let me = stage.daemon.send_as(&token, "GET", "/api/auth/me", "");
    assert_eq!((me.status, &me.json()["email"]), (200, &json!(ANN)));
    assert!(stage.list(&token)[0]["last_used_at"].is_string());
    // One that is kept by a service says so (BE and BS).
    let mut synced = phone();
    synced.flags |= 0b0001_1000;
    stage.add(&token, &mut synced);
    let token = access_token(&stage.sign_in(&mut synced));
    assert_eq!(claims(&token)["amr"], json!(["swk", "user", "mfa"]));
}

#[test]
fn whatever_is_wrong_the_answer_is_the_same() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let good = stage.signed(&mut device);
    let mut answers = Vec::new();
    let mut refused = |body: &serde_json::Value| answers.push(stage.post("/passkeys/login/finish", body));
    // Of a passkey that nobody has; with a wrong signature; of a dead ceremony; of nobody's; without a user.
    let mut stranger = phone();
    stage.world().add_user(BOB, &[]);
    stage.created(&stage.token(BOB), &mut stranger);
    refused(&stage.signed(&mut stranger));
    let mut forged = stage.signed(&mut device);
    forged["credential"]["response"]["signature"] = good["credential"]["response"]["signature"].clone();
    refused(&forged);
    refused(&json!({"ceremony": "authd_pk_nonsense", "credential": good["credential"]}));
    refused(&json!({"ceremony": good["ceremony"], "credential": {"type": "public-key"}}));
    device.names_user = NamesUser::Never;
    refused(&stage.signed(&mut device));
    for answer in &answers {
        assert_eq!((answer.status, answer.problem()), (401, "invalid_credentials".into()), "{answer:?}");
    }
    let bodies: Vec<_> = answers.iter().map(|answer| answer.json()["detail"].clone()).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[test]
fn a_ceremony_counts_once_and_for_five_minutes() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let body = stage.signed(&mut device);
    assert_eq!(stage.post("/passkeys/login/finish", &body).status, 200);
    assert_eq!(stage.post("/passkeys/login/finish", &body).problem(), "invalid_credentials");
    let late = stage.signed(&mut device);
    stage.world().advance(Duration::from_secs(300));
    assert_eq!(stage.post("/passkeys/login/finish", &late).problem(), "invalid_credentials");
}

#[test]
fn of_many_at_once_one_is_signed_in() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let body = stage.signed(&mut device).to_string();
    let address = stage.daemon.running.address().tcp().unwrap();
    let request = request("POST", "/api/auth/passkeys/login/finish", &[JSON], body.as_bytes());
    let tries: Vec<_> = (0..16)
        .map(|_| {
            let request = request.clone();
            std::thread::spawn(move || exchange(address, &request).status)
        })
        .collect();
    let answers: Vec<u16> = tries.into_iter().map(|one| one.join().unwrap()).collect();
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
}

#[test]
fn a_device_that_verified_nobody_signs_nobody_in() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    device.flags &= !0b0000_0100;
    assert_eq!(stage.sign_in(&mut device).status, 401);
    assert_eq!(stage.world().audit().iter().filter(|line| line.event == "PasskeyRefused").count(), 1);
}

#[test]
fn a_copy_is_refused_and_its_owner_told() {
    let stage = Stage::new();
    let mut device = phone();
    device.counter = 7;
    stage.add(&stage.token(ANN), &mut device);
    device.counter = 9;
    assert_eq!(stage.sign_in(&mut device).status, 200);
    let events = |name: &str| stage.world().events().iter().filter(|event| *event == name).count();
    for counter in [9, 8, 0] {
        device.counter = counter;
        assert_eq!(stage.sign_in(&mut device).status, 401, "{counter}");
    }
    assert_eq!(events("PasskeyRefused"), 3);
    assert!(stage.count_mails(ANN, "passkey_refused") >= 1);
    device.counter = 20;
    assert_eq!(stage.sign_in(&mut device).status, 200);
}

#[test]
fn a_disabled_account_is_not_signed_in_and_a_locked_one_is() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    for _ in 0..6 {
        stage.post("/login", &json!({"email": ANN, "password": "wrong battery staple horse"}));
    }
    let locked = stage.post("/login", &json!({"email": ANN, "password": PASSWORD}));
    assert_eq!(locked.problem(), "too_many_attempts");
    assert_eq!(stage.sign_in(&mut device).status, 200, "nothing is guessed at a passkey");
    admin::disable(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    let refused = stage.sign_in(&mut device);
    assert_eq!((refused.status, refused.problem()), (403, "account_disabled".into()));
}

#[test]
fn a_passkey_of_another_domain_counts_no_more_and_is_a_factor_still() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let moved = [("public_url", "https://login.example.com")];
    let stage = Stage { daemon: stage.daemon.restarted_with(&moved) };
    assert_eq!(stage.sign_in(&mut device).status, 401);
    // The account is as well guarded as before: the recovery codes are the way in.
    assert_eq!(stage.ticket(ANN)["methods"], json!(["recovery_code"]));
}

#[test]
fn it_goes_into_cookies_where_that_is_asked_for() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let mut body = stage.signed(&mut device);
    body["cookies"] = json!(true);
    let answer = stage.post("/passkeys/login/finish", &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.json().get("access_token").is_none());
}

#[test]
fn it_makes_a_session_fresh() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    stage.world().advance(Duration::from_secs(301));
    assert_eq!(
        stage.post_as(&token, "/passkeys/register/start", &json!({})).problem(),
        "fresh_login_required"
    );
    let body = stage.signed(&mut device);
    let mut both = body.clone();
    both["password"] = json!(PASSWORD);
    assert_eq!(stage.post_as(&token, "/reauthenticate", &both).status, 422);
    let proved = stage.post_as(&token, "/reauthenticate", &body);
    assert_eq!(proved.status, 204, "{proved:?}");
    assert_eq!(stage.post_as(&token, "/passkeys/register/start", &json!({})).status, 200);
    // Not by the same once more, nor by somebody else's.
    assert_eq!(stage.post_as(&token, "/reauthenticate", &body).problem(), "invalid_credentials");
    stage.world().add_user(BOB, &[]);
    let mut bobs = phone();
    stage.add(&stage.token(BOB), &mut bobs);
    let refused = stage.post_as(&token, "/reauthenticate", &stage.signed(&mut bobs));
    assert_eq!((refused.status, refused.problem()), (403, "invalid_credentials".into()));
    // The password alone is not enough.
    stage.world().advance(Duration::from_secs(301));
    let refused = stage.post_as(&token, "/reauthenticate", &json!({"password": PASSWORD}));
    assert_eq!(refused.problem(), "invalid_code");
}

#[test]
fn a_ceremony_that_was_pruned_does_not_live_again_when_the_clock_is_set_back() {
    let stage = Stage::new();
    // One that doesn't count, so that no counter refuses it.
    let mut device = phone();
    device.counter = 0;
    stage.add(&stage.token(ANN), &mut device);
    let body = stage.signed(&mut device);
    assert_eq!(stage.post("/passkeys/login/finish", &body).status, 200);
    let then = stage.world().now();
    stage.world().advance(Duration::from_secs(6 * 60));
    prune::prune(&stage.world().app, &operator(), &Progress::default()).unwrap();
    stage.world().clock.set(then);
    assert_eq!(stage.post("/passkeys/login/finish", &body).problem(), "invalid_credentials");
}
