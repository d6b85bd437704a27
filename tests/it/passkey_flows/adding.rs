//! Adding a passkey.

use super::{ANN, BOB, Stage, access_token, phone};
use serde_json::json;
use std::time::Duration;

#[test]
fn the_first_one_turns_the_second_factor_on() {
    let stage = Stage::new();
    let (token, other) = (stage.token(ANN), stage.token(ANN));
    let begun = stage.post_as(&token, "/passkeys/register/start", &json!({})).json();
    let options = &begun["publicKey"];
    assert_eq!(options["rp"], json!({"id": super::RP_ID, "name": "authd"}));
    assert_eq!(options["user"]["name"], json!(ANN));
    assert_eq!(options["excludeCredentials"], json!([]));
    let algorithms: Vec<i64> = options["pubKeyCredParams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["alg"].as_i64().unwrap())
        .collect();
    assert_eq!(algorithms, [-8, -7, -257]);

    let mut device = phone();
    let added = stage.add(&token, &mut device);
    assert_eq!((&added["name"], &added["rp_id"]), (&json!("My phone"), &json!(super::RP_ID)));
    assert_eq!(added["recovery_codes"].as_array().unwrap().len(), 10);
    // Other sessions have ended; this one goes on.
    assert_eq!(stage.daemon.send_as(&other, "GET", "/api/auth/me", "").status, 401);
    assert_eq!(stage.daemon.send_as(&token, "GET", "/api/auth/me", "").status, 200);
    let due = stage.ticket(ANN);
    assert_eq!(due["methods"], json!(["passkey", "recovery_code"]), "{due}");
    assert_eq!(stage.count_mails(ANN, "passkey_added"), 1);

    // A second one comes without codes, and ends nothing.
    let fresh = access_token(&stage.sign_in(&mut device));
    let me = stage.daemon.send_as(&fresh, "GET", "/api/auth/me", "").json();
    assert_eq!((&me["two_factor"], &me["passkeys"]), (&json!(true), &json!(1)));
    let begun = stage.post_as(&fresh, "/passkeys/register/start", &json!({})).json();
    assert_eq!(begun["publicKey"]["excludeCredentials"].as_array().unwrap().len(), 1);
    let again = stage.add(&fresh, &mut phone());
    assert!(again["recovery_codes"].is_null());
    assert_eq!(stage.list(&fresh).len(), 2);
}

#[test]
fn the_session_that_added_the_first_is_fresh_with_both_factors() {
    let stage = Stage::new();
    let login = stage.daemon.login(ANN);
    stage.add(login["access_token"].as_str().unwrap(), &mut phone());
    let refreshed = stage.post("/refresh", &json!({"refresh_token": login["refresh_token"]}));
    let token = access_token(&refreshed);
    assert_eq!(super::claims(&token)["amr"], json!(["pwd", "hwk", "user", "mfa"]));
    assert_eq!(stage.post_as(&token, "/passkeys/register/start", &json!({})).status, 200);
}

#[test]
fn it_wants_a_fresh_login_with_what_there_is() {
    let stage = Stage::new();
    let token = stage.token(ANN);
    stage.world().advance(Duration::from_secs(301));
    let stale = stage.post_as(&token, "/passkeys/register/start", &json!({}));
    assert_eq!((stale.status, stale.problem()), (403, "fresh_login_required".into()));
    let fresh = stage.token(ANN);
    let body = stage.created(&fresh, &mut phone());
    stage.world().advance(Duration::from_secs(299));
    assert_eq!(stage.post_as(&fresh, "/passkeys/register/finish", &body).status, 201);
}

#[test]
fn a_ceremony_counts_once_for_one_person_one_purpose_and_five_minutes() {
    let stage = Stage::new();
    stage.world().add_user(BOB, &[]);
    let (ann, bob) = (stage.token(ANN), stage.token(BOB));
    let mut device = phone();
    let anns = stage.created(&ann, &mut device);
    let refused = stage.post_as(&bob, "/passkeys/register/finish", &anns);
    assert_eq!((refused.status, refused.problem()), (400, "invalid_token".into()), "another's");
    let begun = stage.post("/passkeys/login/start", &json!({})).json();
    let mut other = anns.clone();
    other["ceremony"] = begun["ceremony"].clone();
    assert_eq!(
        stage.post_as(&ann, "/passkeys/register/finish", &other).problem(),
        "invalid_token",
        "a sign-in's"
    );
    for bad in ["", "authd_pk_", "authd_pk_AAAA", "nonsense"] {
        other["ceremony"] = json!(bad);
        assert_eq!(
            stage.post_as(&ann, "/passkeys/register/finish", &other).problem(),
            "invalid_token",
            "{bad}"
        );
    }
    // What is wrong with the credential spends it.
    let mut bent = anns.clone();
    bent["credential"]["response"]["clientDataJSON"] = json!("e30");
    let refused = stage.post_as(&ann, "/passkeys/register/finish", &bent);
    let field = ("credential.response.clientDataJSON".to_owned(), "invalid_credential".to_owned());
    assert_eq!((refused.status, refused.field_errors()), (422, vec![field]));
    assert_eq!(stage.post_as(&ann, "/passkeys/register/finish", &anns).problem(), "invalid_token");

    let late = stage.created(&ann, &mut device);
    stage.world().advance(Duration::from_secs(300));
    let fresh = stage.token(ANN);
    assert_eq!(stage.post_as(&fresh, "/passkeys/register/finish", &late).problem(), "invalid_token");
    let good = stage.created(&fresh, &mut device);
    assert_eq!(stage.post_as(&fresh, "/passkeys/register/finish", &good).status, 201);
}

#[test]
fn a_passkey_is_of_one_account() {
    let stage = Stage::new();
    stage.world().add_user(BOB, &[]);
    let mut device = stage.ann_with_passkey();
    let bob = stage.token(BOB);
    let begun = stage.post_as(&bob, "/passkeys/register/start", &json!({})).json();
    let id = device.credentials[0].id.clone();
    let credential = device.create_bent(&begun["publicKey"], |parts| parts.attested().id = id.clone());
    let mut credential = credential;
    let text = data_encoding::BASE64URL_NOPAD.encode(&id);
    (credential["id"], credential["rawId"]) = (json!(text), json!(text));
    let body = json!({"ceremony": begun["ceremony"], "credential": credential});
    let refused = stage.post_as(&bob, "/passkeys/register/finish", &body);
    assert_eq!((refused.status, refused.problem()), (409, "already_exists".into()), "{refused:?}");
}

#[test]
fn whoever_has_not_shown_that_the_address_is_theirs_adds_none() {
    let stage = Stage::with(&[("email_verification.required", "false")]);
    stage.world().add_unverified(BOB);
    let token = stage.token(BOB);
    let refused = stage.post_as(&token, "/passkeys/register/start", &json!({}));
    assert_eq!((refused.status, refused.problem()), (403, "email_not_verified".into()));
}

#[test]
fn there_is_a_bound() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    for _ in 1..authd::domain::passkey::PASSKEYS_MAX {
        stage.add(&token, &mut phone());
    }
    let refused = stage.post_as(&token, "/passkeys/register/start", &json!({}));
    assert_eq!((refused.status, refused.problem()), (409, "conflict".into()));
}

#[test]
fn where_they_are_off_there_is_nothing() {
    let stage = Stage::with(&[("passkeys.enabled", "false")]);
    let token = stage.token(ANN);
    for (path, body) in [
        ("/passkeys/register/start", json!({})),
        ("/passkeys/register/finish", json!({"ceremony": "authd_pk_x", "credential": {}})),
        ("/passkeys/login/start", json!({})),
        ("/passkeys/login/finish", json!({"ceremony": "authd_pk_x", "credential": {}})),
        ("/2fa/passkey/start", json!({"ticket": "authd_2fa_x"})),
        ("/reauthenticate", json!({"ceremony": "authd_pk_x", "credential": {}})),
    ] {
        let answer = stage.post_as(&token, path, &body);
        assert_eq!((answer.status, answer.problem()), (404, "not_found".into()), "{path}");
    }
    assert_eq!(stage.daemon.send_as(&token, "GET", "/api/auth/passkeys", "").status, 404);
    assert_eq!(stage.daemon.get("/.well-known/webauthn").status, 404);
}

#[test]
fn one_who_must_set_up_a_factor_may_add_a_passkey() {
    let stage = Stage::with(&[("two_factor.required", "all")]);
    let token = stage.token(ANN);
    assert_eq!(stage.daemon.send_as(&token, "GET", "/api/auth/sessions", "").status, 403);
    let mut device = phone();
    stage.add(&token, &mut device);
    let token = access_token(&stage.sign_in(&mut device));
    assert_eq!(stage.daemon.send_as(&token, "GET", "/api/auth/sessions", "").status, 200);
}

#[test]
fn related_origins_are_told_and_taken() {
    let stage = Stage::with(&[("passkeys.related_origins", "https://example.org")]);
    let answer = stage.daemon.get("/.well-known/webauthn");
    assert_eq!((answer.status, answer.json()), (200, json!({"origins": ["https://example.org"]})));
    let mut device = phone();
    device.origin = "https://example.org".into();
    stage.add(&stage.token(ANN), &mut device);
    assert_eq!(stage.sign_in(&mut device).status, 200);
    device.origin = "https://sub.example.org".into();
    assert_eq!(stage.sign_in(&mut device).status, 401);
    assert_eq!(Stage::new().daemon.get("/.well-known/webauthn").status, 404, "none are configured");
}

#[test]
fn all_of_an_account_are_of_one_user_to_authenticators() {
    let stage = Stage::new();
    stage.world().add_user(BOB, &[]);
    let handle = |token: &str| {
        let begun = stage.post_as(token, "/passkeys/register/start", &json!({})).json();
        begun["publicKey"]["user"]["id"].as_str().unwrap().to_owned()
    };
    let token = stage.token(ANN);
    assert_ne!(handle(&token), handle(&token), "nothing is kept of who only begins");
    let mut device = phone();
    stage.add(&token, &mut device);
    let token = access_token(&stage.sign_in(&mut device));
    let known = handle(&token);
    assert_eq!(known, handle(&token));
    let mut second = phone();
    stage.add(&token, &mut second);
    assert_eq!(stage.sign_in(&mut second).status, 200);
    assert_ne!(handle(&stage.token(BOB)), known);
}
