//! A passkey as the second factor.

use super::{ANN, BOB, Stage, access_token, claims, phone};
use crate::authenticator::Authenticator;
use crate::world::{operator, user_ref};
use authd::usecase::account::admin_two_factor;
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn it_finishes_a_login() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let ticket = stage.ticket(ANN);
    assert!(ticket.get("access_token").is_none());
    let begun = stage.post("/2fa/passkey/start", &json!({"ticket": ticket["ticket"]})).json();
    let allowed = begun["publicKey"]["allowCredentials"].as_array().unwrap();
    assert_eq!((allowed.len(), &allowed[0]["type"]), (1, &json!("public-key")));
    // Somebody without a PIN: it is the second factor all the same, and need not say whose it is.
    device.flags &= !0b0000_0100;
    device.names_user = crate::passkeys::device::NamesUser::Never;
    let (body, unused) = (stage.second(&ticket, &mut device), stage.second(&ticket, &mut device));
    let done = stage.post("/2fa/verify", &body);
    assert_eq!(claims(&access_token(&done))["amr"], json!(["pwd", "hwk", "user", "mfa"]));
    assert_eq!(stage.post("/2fa/verify", &body).problem(), "invalid_code");
    assert_eq!(stage.post("/2fa/verify", &unused).problem(), "invalid_code", "the ticket is spent");
}

#[test]
fn a_wrong_one_counts_as_a_wrong_code() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let ticket = stage.ticket(ANN);
    for _ in 0..5 {
        let mut body = stage.second(&ticket, &mut device);
        body["credential"]["response"]["signature"] = json!("AAAA");
        assert_eq!(stage.post("/2fa/verify", &body).problem(), "invalid_code");
    }
    let burnt = stage.post("/2fa/passkey/start", &json!({"ticket": ticket["ticket"]}));
    assert_eq!((burnt.status, burnt.problem()), (401, "invalid_code".into()));
}

#[test]
fn a_ceremony_is_of_its_kind_and_its_user() {
    let stage = Stage::new();
    stage.world().add_user(BOB, &[]);
    let mut anns = stage.ann_with_passkey();
    let mut bobs = phone();
    stage.add(&stage.token(BOB), &mut bobs);
    let (ann, bob) = (stage.ticket(ANN), stage.ticket(BOB));
    // A sign-in's.
    let mut body = stage.signed(&mut anns);
    body["ticket"] = ann["ticket"].clone();
    assert_eq!(stage.post("/2fa/verify", &body).problem(), "invalid_code");
    // Another's: Bob has the password of Ann's, and a passkey of his own.
    let mut body = stage.second(&bob, &mut bobs);
    body["ticket"] = ann["ticket"].clone();
    assert_eq!(stage.post("/2fa/verify", &body).problem(), "invalid_code");
    // Nor is a second step's a sign-in.
    let body = stage.second(&ann, &mut anns);
    let alone = json!({"ceremony": body["ceremony"], "credential": body["credential"]});
    assert_eq!(stage.post("/passkeys/login/finish", &alone).status, 401);
    let mut missing = stage.second(&ann, &mut anns);
    missing.as_object_mut().unwrap().remove("ceremony");
    assert_eq!(stage.post("/2fa/verify", &missing).problem(), "invalid_code");
    let mut two = stage.second(&ann, &mut anns);
    two["code"] = json!("123456");
    assert_eq!(stage.post("/2fa/verify", &two).status, 422);
}

pub fn turn_on_codes(stage: &Stage, token: &str) -> (Authenticator, Vec<Value>) {
    let setup = stage.post_as(token, "/2fa/setup", &json!({})).json();
    let app = Authenticator::new(setup["secret"].as_str().unwrap());
    let code = app.code_at(stage.world().now().as_secs());
    let enabled = stage.post_as(token, "/2fa/enable", &json!({"code": code}));
    assert_eq!(enabled.status, 200, "{enabled:?}");
    (app, enabled.json()["recovery_codes"].as_array().unwrap().clone())
}

#[test]
fn an_app_and_a_passkey_stand_beside_each_other() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    let (app, codes) = turn_on_codes(&stage, &token);
    assert_eq!(stage.ticket(ANN)["methods"], json!(["totp", "passkey", "recovery_code"]));
    // Codes are off again: the passkey and the recovery codes stay.
    let token = access_token(&stage.sign_in(&mut device));
    stage.world().advance(Duration::from_secs(60));
    let code = app.code_at(stage.world().now().as_secs());
    let body = json!({"password": crate::world::PASSWORD, "code": code});
    assert_eq!(stage.post_as(&token, "/2fa/disable", &body).status, 204);
    let ticket = stage.ticket(ANN);
    assert_eq!(ticket["methods"], json!(["passkey", "recovery_code"]));
    let body = json!({"ticket": ticket["ticket"], "recovery_code": codes[0]});
    assert_eq!(stage.post("/2fa/verify", &body).status, 200);
    let status = stage.daemon.send_as(&token, "GET", "/api/auth/2fa", "");
    let left =
        json!({"totp": {"enabled": false, "enabled_at": null}, "passkeys": 1, "recovery_codes_left": 9});
    assert_eq!((status.status, status.json()), (200, left));
}

#[test]
fn a_recovery_code_stands_for_a_passkey() {
    let stage = Stage::new();
    let added = stage.add(&stage.token(ANN), &mut phone());
    let ticket = stage.ticket(ANN);
    let body = json!({"ticket": ticket["ticket"], "recovery_code": added["recovery_codes"][0]});
    let done = stage.post("/2fa/verify", &body);
    assert_eq!(claims(&access_token(&done))["amr"], json!(["pwd", "mfa"]));
    assert_eq!(stage.count_mails(ANN, "recovery_code_used"), 1);
}

#[test]
fn other_ways_in_lead_to_the_second_step_as_well() {
    let stage = Stage::with(&[("magic_link.enabled", "true")]);
    stage.ann_with_passkey();
    let asked = stage.post("/magic-link/request", &json!({"email": ANN})).json();
    let mails = stage.world().mails(ANN);
    let token = stage.world().token_in(mails.iter().find(|mail| mail.kind == "magic_link").unwrap());
    let confirmed = stage.post("/magic-link/confirm", &json!({"request": asked["request"], "token": token}));
    assert_eq!(confirmed.json()["methods"], json!(["passkey", "recovery_code"]), "{confirmed:?}");
}

#[test]
fn turning_the_app_off_takes_an_app_and_spends_nothing_where_there_is_none() {
    let stage = Stage::new();
    let added = stage.add(&stage.token(ANN), &mut phone());
    let ticket = stage.ticket(ANN);
    let code = &added["recovery_codes"];
    let body = json!({"ticket": ticket["ticket"], "recovery_code": code[0]});
    let token = access_token(&stage.post("/2fa/verify", &body));
    let body = json!({"password": crate::world::PASSWORD, "recovery_code": code[1]});
    assert_eq!(stage.post_as(&token, "/2fa/disable", &body).problem(), "invalid_code");
    let shown = stage.daemon.send_as(&token, "GET", "/api/auth/2fa", "").json();
    assert_eq!((&shown["passkeys"], &shown["recovery_codes_left"]), (&json!(1), &json!(9)));
    assert_eq!(stage.count_mails(ANN, "two_factor_disabled"), 0);
}

#[test]
fn a_passkey_ends_a_row_of_wrong_codes() {
    let stage = Stage::with(&[("rate_limit.enabled", "false")]);
    let mut device = stage.ann_with_passkey();
    turn_on_codes(&stage, &access_token(&stage.sign_in(&mut device)));
    let guess = |ticket: &Value| {
        let body = json!({"ticket": ticket["ticket"], "code": "000000"});
        assert_eq!(stage.post("/2fa/verify", &body).problem(), "invalid_code");
    };
    let failures = || {
        let app = &stage.world().app;
        admin_two_factor::second_factor(app, &operator(), &user_ref(ANN)).unwrap().failures
    };
    let ticket = stage.ticket(ANN);
    guess(&ticket);
    guess(&ticket);
    assert_eq!(failures(), 2);
    let body = stage.second(&ticket, &mut device);
    assert_eq!(stage.post("/2fa/verify", &body).status, 200);
    assert_eq!(failures(), 0);
    // A factor that answers no more stays so.
    stage.world().database().sql("UPDATE totp SET failures = 100");
    let ticket = stage.ticket(ANN);
    let body = stage.second(&ticket, &mut device);
    assert_eq!(stage.post("/2fa/verify", &body).status, 200);
    assert_eq!(failures(), 100);
}
