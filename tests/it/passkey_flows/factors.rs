//! A passkey beside other second factors, and where passkeys are off.

use super::second_step::turn_on_codes;
use super::{ANN, Stage, access_token, claims, phone};
use crate::world::{operator, user_ref};
use authd::usecase::account::admin_two_factor;
use serde_json::json;
use std::time::Duration;

/// Wrong codes in a row, and whether the app answers no more.
fn failures(stage: &Stage) -> (u32, bool) {
    let factor = admin_two_factor::second_factor(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    (factor.failures, factor.blocked)
}

/// Ann with an app, and with a passkey beside it.
fn ann_with_both(stage: &Stage) -> crate::passkeys::device::Device {
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    turn_on_codes(stage, &token);
    device
}

#[test]
fn wrong_passkeys_count_as_wrong_codes_and_no_number_of_them_is_in_ones_way() {
    let stage = Stage::new();
    let mut device = ann_with_both(&stage);
    let ticket = stage.ticket(ANN);
    let mut body = stage.second(&ticket, &mut device);
    body["credential"]["response"]["signature"] = json!("AAAA");
    assert_eq!(stage.post("/2fa/verify", &body).problem(), "invalid_code");
    assert_eq!(failures(&stage), (1, false));
    assert_eq!(stage.world().database().change("UPDATE totp SET failures = 99", &[]), 1);
    let mut body = stage.second(&ticket, &mut device);
    body["credential"]["response"]["signature"] = json!("AAAA");
    assert_eq!(stage.post("/2fa/verify", &body).problem(), "invalid_code");
    assert_eq!(failures(&stage), (100, true));
    assert!(stage.world().events().contains(&"SecondFactorBlocked".to_owned()));
    let body = stage.second(&ticket, &mut device);
    assert_eq!(stage.post("/2fa/verify", &body).status, 200, "nothing is guessed at a signature");
}

#[test]
fn whoever_has_an_app_alone_is_asked_for_no_passkey() {
    let stage = Stage::new();
    turn_on_codes(&stage, &stage.token(ANN));
    let ticket = stage.ticket(ANN);
    assert_eq!(ticket["methods"], json!(["totp", "recovery_code"]));
    let refused = stage.post("/2fa/passkey/start", &json!({"ticket": ticket["ticket"]}));
    assert_eq!((refused.status, refused.problem()), (401, "invalid_code".into()));
}

#[test]
fn beside_an_app_the_first_passkey_brings_no_codes_and_ends_nothing() {
    let stage = Stage::new();
    let token = stage.token(ANN);
    let (app, codes) = turn_on_codes(&stage, &token);
    let log_in = || {
        stage.world().advance(Duration::from_secs(30));
        let code = app.code_at(stage.world().now().as_secs());
        stage.post("/2fa/verify", &json!({"ticket": stage.ticket(ANN)["ticket"], "code": code}))
    };
    let (token, other) = (access_token(&log_in()), access_token(&log_in()));
    assert!(stage.add(&token, &mut phone())["recovery_codes"].is_null());
    assert_eq!(stage.daemon.send_as(&other, "GET", "/api/auth/me", "").status, 200);
    let body = json!({"ticket": stage.ticket(ANN)["ticket"], "recovery_code": codes[0]});
    assert_eq!(stage.post("/2fa/verify", &body).status, 200, "the old codes are good");
    // Without the passkey, the app is the second factor still, and its codes stay.
    let id = stage.list(&token)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(stage.daemon.send_as(&token, "DELETE", &format!("/api/auth/passkeys/{id}"), "").status, 204);
    assert_eq!(stage.ticket(ANN)["methods"], json!(["totp", "recovery_code"]));
    let body = json!({"ticket": stage.ticket(ANN)["ticket"], "recovery_code": codes[1]});
    assert_eq!(stage.post("/2fa/verify", &body).status, 200);
}

#[test]
fn where_they_are_off_they_are_a_factor_still_that_nobody_can_show() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    let id = stage.list(&token)[0]["id"].as_str().unwrap().to_owned();
    let (alone, ticket) = (stage.signed(&mut device), stage.ticket(ANN));
    let second = stage.second(&ticket, &mut device);
    let stage = Stage { daemon: stage.daemon.restarted_with(&[("passkeys.enabled", "false")]) };
    assert_eq!(stage.post("/passkeys/login/finish", &alone).status, 404);
    assert_eq!(stage.post_as(&token, "/reauthenticate", &alone).status, 404);
    assert_eq!(stage.post("/2fa/verify", &second).problem(), "invalid_code");
    assert_eq!(stage.ticket(ANN)["methods"], json!(["recovery_code"]));
    let path = format!("/api/auth/passkeys/{id}");
    for (method, body) in [("PATCH", r#"{"name":"Mine"}"#), ("DELETE", "")] {
        let refused = stage.daemon.send_as(&token, method, &path, body);
        assert_eq!((refused.status, refused.problem()), (404, "not_found".into()), "{method}");
    }
    let me = stage.daemon.send_as(&token, "GET", "/api/auth/me", "").json();
    assert_eq!((&me["two_factor"], &me["passkeys"]), (&json!(true), &json!(1)));
    let proved = stage.post_as(&token, "/reauthenticate", &json!({"password": crate::world::PASSWORD}));
    assert_eq!(proved.problem(), "invalid_code", "nor is the password enough");
    let stage = Stage { daemon: stage.daemon.restarted_with(&[("passkeys.enabled", "true")]) };
    assert_eq!(stage.post("/2fa/verify", &stage.second(&ticket, &mut device)).status, 200);
}

#[test]
fn what_was_shown_first_stays_in_amr() {
    // By a passkey, then an app is set up.
    let stage = Stage::with(&[("magic_link.enabled", "true")]);
    let mut device = stage.ann_with_passkey();
    let signed_in = stage.sign_in(&mut device).json();
    turn_on_codes(&stage, signed_in["access_token"].as_str().unwrap());
    let amr = |tokens: &serde_json::Value| {
        let next = stage.post("/refresh", &json!({"refresh_token": tokens["refresh_token"]}));
        claims(&access_token(&next))["amr"].clone()
    };
    assert_eq!(amr(&signed_in), json!(["hwk", "otp", "user", "mfa"]));
    // By one that goes, and another comes.
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let signed_in = stage.sign_in(&mut device).json();
    let token = signed_in["access_token"].as_str().unwrap();
    let id = stage.list(token)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(stage.daemon.send_as(token, "DELETE", &format!("/api/auth/passkeys/{id}"), "").status, 204);
    assert_eq!(stage.add(token, &mut phone())["recovery_codes"].as_array().unwrap().len(), 10);
    let next = stage.post("/refresh", &json!({"refresh_token": signed_in["refresh_token"]}));
    assert_eq!(claims(&access_token(&next))["amr"], json!(["hwk", "user", "mfa"]));
    // By a mail, then the first passkey is added.
    let stage = Stage::with(&[("magic_link.enabled", "true")]);
    let asked = stage.post("/magic-link/request", &json!({"email": ANN})).json();
    let mails = stage.world().mails(ANN);
    let token = stage.world().token_in(mails.iter().find(|mail| mail.kind == "magic_link").unwrap());
    let mailed = stage.post("/magic-link/confirm", &json!({"request": asked["request"], "token": token}));
    let mailed = mailed.json();
    stage.add(mailed["access_token"].as_str().unwrap(), &mut phone());
    let next = stage.post("/refresh", &json!({"refresh_token": mailed["refresh_token"]}));
    assert_eq!(claims(&access_token(&next))["amr"], json!(["email", "hwk", "user", "mfa"]));
}
