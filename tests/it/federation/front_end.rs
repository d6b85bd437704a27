//! Front ends of somebody's own: the code that they get, and what it is exchanged for.

use super::{ANN, BACK, Browser, CHALLENGE, Stage, VERIFIER, claims, enable_second_factor, parameter};
use crate::cookies::set_cookies;
use crate::daemon::JSON;
use serde_json::json;
use std::time::Duration;

#[test]
fn the_code_is_exchanged_once_within_a_minute_by_whoever_began() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    let back = stage.sign_in_for_front_end(&mut browser);
    assert!(back.starts_with(&format!("{BACK}&code=authd_oc_")), "{back}");
    assert!(!browser.has("session"), "the front end alone gets something");
    let code = parameter(&back, "code").unwrap();
    let answer = stage.exchange(&code, VERIFIER);
    assert_eq!((answer.status, &answer.json()["user"]["email"]), (200, &json!(ANN)), "{answer:?}");
    assert_eq!(stage.exchange(&code, VERIFIER).problem(), "invalid_token");
    // A wrong verifier spends it: the code was stolen.
    let code = parameter(&stage.sign_in_for_front_end(&mut browser), "code").unwrap();
    assert_eq!(stage.exchange(&code, "another verifier that nobody began with").problem(), "invalid_token");
    assert_eq!(stage.exchange(&code, VERIFIER).problem(), "invalid_token");
    let code = parameter(&stage.sign_in_for_front_end(&mut browser), "code").unwrap();
    stage.world().advance(Duration::from_secs(60));
    assert_eq!(stage.exchange(&code, VERIFIER).problem(), "invalid_token");
    let code = parameter(&stage.sign_in_for_front_end(&mut browser), "code").unwrap();
    stage.world().advance(Duration::from_secs(59));
    assert_eq!(stage.exchange(&code, VERIFIER).status, 200);
}

#[test]
fn tokens_come_as_cookies_where_asked_for() {
    let stage = Stage::new();
    let code = parameter(&stage.sign_in_for_front_end(&mut Browser::default()), "code").unwrap();
    let body = json!({"code": code, "code_verifier": VERIFIER, "cookies": true}).to_string();
    let answer = stage.daemon.send("POST", "/api/auth/oauth/exchange", &[JSON], body.as_bytes());
    let names: Vec<_> = set_cookies(&answer).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["__Host-authd_access", "__Host-authd_refresh", "__Host-authd_csrf"]);
}

#[test]
fn only_listed_addresses_with_a_challenge_are_gone_back_to() {
    let stage = Stage::new();
    let start = |query: &str| stage.daemon.get(&format!("/api/auth/oauth/acme/start?{query}"));
    for wrong in ["https://evil.example", "https://app.example.com/signed-in", "//app.example.com", ""] {
        let wrong: String = form_urlencoded::byte_serialize(wrong.as_bytes()).collect();
        let answer = start(&format!("redirect_to={wrong}&code_challenge={CHALLENGE}"));
        assert_eq!((answer.status, answer.field_errors()[0].0.as_str()), (422, "redirect_to"), "{wrong}");
    }
    let back: String = form_urlencoded::byte_serialize(BACK.as_bytes()).collect();
    for challenge in [
        "",
        "&code_challenge=plain",
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=",
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstwAA",
    ] {
        let answer = start(&format!("redirect_to={back}{challenge}"));
        assert_eq!(
            (answer.status, answer.field_errors()[0].0.as_str()),
            (422, "code_challenge"),
            "{challenge}"
        );
    }
}

#[test]
fn what_goes_wrong_comes_back_as_a_code() {
    let stage = Stage::with(&[], |provider| provider.sign_up = false);
    let back = stage.sign_in_for_front_end(&mut Browser::default());
    assert_eq!(back, format!("{BACK}&error=registration_closed"));
    stage.states(None, json!(false));
    let stage = Stage::new();
    stage.states(None, json!(null));
    assert_eq!(stage.sign_in_for_front_end(&mut Browser::default()), format!("{BACK}&error=email_required"));
}

#[test]
fn a_second_factor_is_asked_for_all_the_same() {
    let stage = Stage::with(&[], |provider| provider.trust_amr = true);
    stage.stand_in.set(|script| {
        script.claims.insert("amr".into(), json!(["pwd", "mfa"]));
    });
    let mut browser = Browser::default();
    let code = |browser: &mut Browser| parameter(&stage.sign_in_for_front_end(browser), "code").unwrap();
    let first = stage.exchange(&code(&mut browser), VERIFIER).json();
    let told = claims(first["access_token"].as_str().unwrap());
    assert_eq!(told["amr"], json!(["fed", "pwd", "mfa"]), "what the provider says is told beside it");
    let phone = enable_second_factor(&stage, first["access_token"].as_str().unwrap());
    stage.world().advance(Duration::from_secs(60));
    let due = stage.exchange(&code(&mut browser), VERIFIER).json();
    assert_eq!(due["two_factor_required"], json!(true), "{due}");
    let verify =
        json!({"ticket": due["ticket"], "code": phone.code_at(stage.world().now().as_secs())}).to_string();
    let answer = stage.daemon.post("/api/auth/2fa/verify", &verify);
    assert_eq!(answer.status, 200, "{answer:?}");
    let told = claims(answer.json()["access_token"].as_str().unwrap());
    assert_eq!(told["amr"], json!(["fed", "otp", "mfa", "pwd"]));
    // On the pages it is a ticket, too, and no session.
    let mut browser = Browser::default();
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in");
    assert!(browser.has("ticket") && !browser.has("session"));
}

#[test]
fn a_disabled_account_comes_in_by_no_code() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    let code = parameter(&stage.sign_in_for_front_end(&mut browser), "code").unwrap();
    let user = crate::world::user_ref(ANN);
    authd::usecase::account::admin::disable(&stage.world().app, &crate::world::operator(), &user).unwrap();
    assert_eq!(stage.exchange(&code, VERIFIER).problem(), "invalid_token", "it has gone with the sessions");
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in?error=account_disabled");
    authd::usecase::account::admin::enable(&stage.world().app, &crate::world::operator(), &user).unwrap();
    // Whatever else has disabled it.
    let code = parameter(&stage.sign_in_for_front_end(&mut browser), "code").unwrap();
    stage.world().database().sql("UPDATE users SET disabled_at = 1");
    assert_eq!(stage.exchange(&code, VERIFIER).problem(), "account_disabled");
}
