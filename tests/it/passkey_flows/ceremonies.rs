//! A ceremony is of one kind, of one user, and counts once, whatever comes of it.

use super::{ANN, BOB, Stage, access_token, phone};
use crate::passkeys::device::Device;
use crate::restore::{back_up, restored};
use crate::world::{anonymous, operator};
use authd::ports::progress::Progress;
use authd::usecase::app::App;
use authd::usecase::operator::prune::prune;
use authd::usecase::signin::passkey::check::ShownPasskey;
use authd::usecase::signin::passkey::login;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::time::Duration;

/// What a device signs for a challenge, whoever asked for it.
fn signed_for(challenge: &Value, device: &mut Device) -> Value {
    device.get(&json!({"challenge": challenge, "allowCredentials": []}))
}

#[test]
fn each_has_a_challenge_of_its_own() {
    let stage = Stage::new();
    let token = stage.token(ANN);
    let begun = [
        stage.post("/passkeys/login/start", &json!({})).json(),
        stage.post("/passkeys/login/start", &json!({})).json(),
        stage.post_as(&token, "/passkeys/register/start", &json!({})).json(),
        stage.post_as(&token, "/passkeys/register/start", &json!({})).json(),
    ];
    let mut seen = std::collections::HashSet::new();
    for one in &begun {
        let challenge = one["publicKey"]["challenge"].as_str().unwrap();
        assert_eq!(BASE64URL_NOPAD.decode(challenge.as_bytes()).unwrap().len(), 32);
        assert!(seen.insert(challenge) && seen.insert(one["ceremony"].as_str().unwrap()), "{begun:?}");
    }
    // The handle, too, is another each time, so that it says nothing of the account.
    let handle = |at: usize| begun[at]["publicKey"]["user"]["id"].as_str().unwrap();
    assert_eq!(BASE64URL_NOPAD.decode(handle(2).as_bytes()).unwrap().len(), 64);
    assert_ne!(handle(2), handle(3));
}

#[test]
fn one_that_failed_is_spent() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    for bent in [json!({"type": "public-key"}), json!({})] {
        let good = stage.signed(&mut device);
        let bad = json!({"ceremony": good["ceremony"], "credential": bent});
        assert_eq!(stage.post("/passkeys/login/finish", &bad).status, 401);
        assert_eq!(stage.post("/passkeys/login/finish", &good).status, 401, "unreadable: {bent}");
    }
    let good = stage.signed(&mut device);
    let mut forged = good.clone();
    forged["credential"]["response"]["signature"] = json!("AAAA");
    assert_eq!(stage.post("/passkeys/login/finish", &forged).status, 401);
    assert_eq!(stage.post("/passkeys/login/finish", &good).status, 401, "a wrong signature");
    let ticket = stage.ticket(ANN);
    let good = stage.second(&ticket, &mut device);
    let mut forged = good.clone();
    forged["credential"]["response"]["signature"] = json!("AAAA");
    assert_eq!(stage.post("/2fa/verify", &forged).problem(), "invalid_code");
    assert_eq!(stage.post("/2fa/verify", &good).problem(), "invalid_code", "the ticket is good still");
    let next = stage.second(&ticket, &mut device);
    assert_eq!(stage.post("/2fa/verify", &next).status, 200);
}

#[test]
fn one_that_is_to_add_a_passkey_shows_none() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    let mut shown = || {
        let begun = stage.post_as(&token, "/passkeys/register/start", &json!({})).json();
        let credential = signed_for(&begun["publicKey"]["challenge"], &mut device);
        json!({"ceremony": begun["ceremony"], "credential": credential})
    };
    assert_eq!(stage.post("/passkeys/login/finish", &shown()).status, 401);
    assert_eq!(stage.post_as(&token, "/reauthenticate", &shown()).problem(), "invalid_credentials");
    let mut second = shown();
    second["ticket"] = stage.ticket(ANN)["ticket"].clone();
    assert_eq!(stage.post("/2fa/verify", &second).problem(), "invalid_code");
}

#[test]
fn one_of_a_sign_in_adds_no_passkey() {
    let stage = Stage::new();
    let (token, mut device) = (stage.token(ANN), phone());
    let login = stage.post("/passkeys/login/start", &json!({})).json();
    let mut options =
        stage.post_as(&token, "/passkeys/register/start", &json!({})).json()["publicKey"].clone();
    options["challenge"] = login["publicKey"]["challenge"].clone();
    let body = json!({"ceremony": login["ceremony"], "credential": device.create(&options)});
    let refused = stage.post_as(&token, "/passkeys/register/finish", &body);
    assert_eq!((refused.status, refused.problem()), (400, "invalid_token".into()), "{refused:?}");
}

#[test]
fn one_of_the_second_step_proves_nothing_else() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    let mut shown = || {
        let body = stage.second(&stage.ticket(ANN), &mut device);
        json!({"ceremony": body["ceremony"], "credential": body["credential"]})
    };
    assert_eq!(stage.post("/passkeys/login/finish", &shown()).status, 401);
    assert_eq!(stage.post_as(&token, "/reauthenticate", &shown()).problem(), "invalid_credentials");
}

#[test]
fn one_of_the_second_step_is_of_its_user_as_its_passkey_is() {
    let stage = Stage::new();
    stage.world().add_user(BOB, &[]);
    let (mut anns, mut bobs) = (stage.ann_with_passkey(), phone());
    stage.add(&stage.token(BOB), &mut bobs);
    let (ann, bob) = (stage.ticket(ANN), stage.ticket(BOB));
    let begin =
        |ticket: &Value| stage.post("/2fa/passkey/start", &json!({"ticket": ticket["ticket"]})).json();
    let verify = |begun: &Value, device: &mut Device| {
        let credential = signed_for(&begun["publicKey"]["challenge"], device);
        let body = json!({"ticket": ann["ticket"], "ceremony": begun["ceremony"], "credential": credential});
        stage.post("/2fa/verify", &body)
    };
    assert_eq!(verify(&begin(&bob), &mut anns).problem(), "invalid_code", "Bob's ceremony");
    assert_eq!(verify(&begin(&ann), &mut bobs).problem(), "invalid_code", "Bob's passkey");
    assert_eq!(verify(&begin(&ann), &mut anns).status, 200);
}

#[test]
fn what_was_spent_is_kept_until_nobody_could_use_it_any_more() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let body = stage.signed(&mut device);
    assert_eq!(stage.post("/passkeys/login/finish", &body).status, 200);
    let pruned = || {
        let counts = prune(&stage.world().app, &operator(), &Progress::default()).unwrap();
        counts.into_iter().find(|(table, _)| *table == "spent_ceremonies").unwrap().1
    };
    stage.world().advance(Duration::from_millis(299_999));
    assert_eq!(pruned(), 0);
    assert_eq!(stage.post("/passkeys/login/finish", &body).status, 401);
    stage.world().advance(Duration::from_millis(1));
    assert_eq!(pruned(), 2, "that of the registration, too");
    assert_eq!(stage.post("/passkeys/login/finish", &body).status, 401);
}

#[test]
fn one_that_was_forgotten_lives_on_no_clock() {
    let stage = Stage::new();
    let mut device = phone();
    // Passkeys that a service keeps don't count, so that no counter is in the way of an old signature.
    device.counter = 0;
    stage.add(&stage.token(ANN), &mut device);
    let body = stage.signed(&mut device);
    assert_eq!(stage.post("/passkeys/login/finish", &body).status, 200);
    let right = stage.world().now();
    stage.world().advance(Duration::from_secs(300));
    prune(&stage.world().app, &operator(), &Progress::default()).unwrap();
    stage.world().clock.set(right);
    assert_eq!(stage.post("/passkeys/login/finish", &body).problem(), "invalid_credentials");
    stage.world().advance(Duration::from_millis(1));
    assert_eq!(stage.sign_in(&mut device).status, 200, "the next one is good");
}

#[test]
fn none_from_before_a_restore_is_good_after_it() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let spent = stage.signed(&mut device);
    let file = back_up(stage.world());
    assert_eq!(stage.post("/passkeys/login/finish", &spent).status, 200);
    let begun = stage.signed(&mut device);
    let (app, _) = restored(stage.world(), &file);
    let finish = |app: &App, ceremony: &str, credential: &Value| {
        let shown = ShownPasskey { ceremony: ceremony.to_owned(), credential: credential.clone() };
        login::finish(app, &anonymous(), &shown).is_ok()
    };
    for body in [spent, begun] {
        assert!(!finish(&app, body["ceremony"].as_str().unwrap(), &body["credential"]), "{body}");
    }
    stage.world().advance(Duration::from_millis(1));
    let next = login::start(&app).unwrap();
    let credential = device.get(&serde_json::to_value(&next.options).unwrap());
    assert!(finish(&app, &next.ceremony, &credential));
}
