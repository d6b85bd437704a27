//! Linking an account elsewhere to one's own, and unlinking it.

use super::{ANN, BACK, Browser, Stage, enable_second_factor};
use crate::daemon::JSON;
use crate::world::{PASSWORD, operator, user_ref};
use authd::usecase::federation::identities;
use serde_json::json;
use std::time::Duration;

const BOB: &str = "bob@example.com";

/// Bob, who has a password, asks to link; gives his token, the browser and the provider's address.
fn begin(stage: &Stage, body: &str) -> (String, Browser, String) {
    let token = stage.daemon.token_of(BOB, &[]);
    let answer = stage.daemon.send_as(&token, "POST", "/api/auth/oauth/acme/link", body);
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut browser = Browser::default();
    browser.keep(&answer);
    let url = answer.json()["authorization_url"].as_str().unwrap().to_owned();
    (token, browser, url)
}

fn listed(stage: &Stage, token: &str) -> Vec<serde_json::Value> {
    let answer = stage.daemon.send_as(token, "GET", "/api/auth/me/identities", "");
    answer.json()["identities"].as_array().unwrap().clone()
}

#[test]
fn an_identity_is_linked_and_signs_in_from_then_on() {
    let stage = Stage::new();
    let (token, mut browser, url) = begin(&stage, "{}");
    let landed = stage.land(&mut browser, &stage.stand_in.approve(&url));
    assert_eq!(landed.header("location"), "/auth/account/identities");
    assert!(!browser.has("session"), "linking signs nobody in");
    let all = listed(&stage, &token);
    assert_eq!((all.len(), &all[0]["provider"], &all[0]["email"]), (1, &json!("acme"), &json!(ANN)));
    let mut other = Browser::default();
    stage.sign_in(&mut other);
    stage.assert_signed_in(&other, BOB);
    assert_eq!(stage.world().mails(BOB).iter().filter(|mail| mail.kind == "identity_linked").count(), 1);
    // Once more changes nothing.
    let (_, mut again, url) = begin(&stage, &json!({"redirect_to": BACK}).to_string());
    assert_eq!(stage.land(&mut again, &stage.stand_in.approve(&url)).header("location"), BACK);
    assert_eq!(listed(&stage, &token).len(), 1);
}

#[test]
fn it_counts_for_the_browser_that_asked_and_while_its_session_lives() {
    let stage = Stage::new();
    let (token, mut browser, url) = begin(&stage, "{}");
    let returned = stage.stand_in.approve(&url);
    let landed = stage.land(&mut Browser::default(), &returned);
    assert_eq!(landed.header("location"), "/auth/sign-in?error=state_mismatch");
    stage.daemon.send_as(&token, "POST", "/api/auth/logout", "");
    let landed = stage.land(&mut browser, &returned);
    assert_eq!(landed.header("location"), "/auth/account/identities?error=state_mismatch");
    assert!(
        identities::page(&stage.world().app, &operator(), &user_ref(BOB), 10, None).unwrap().items.is_empty()
    );
}

#[test]
fn only_listed_addresses_are_gone_back_to() {
    let stage = Stage::new();
    let token = stage.daemon.token_of(BOB, &[]);
    for wrong in ["https://evil.example", "https://app.example.com/signed-in", "/auth/account"] {
        let body = json!({"redirect_to": wrong}).to_string();
        let answer = stage.daemon.send_as(&token, "POST", "/api/auth/oauth/acme/link", &body);
        assert_eq!((answer.status, answer.field_errors()[0].0.as_str()), (422, "redirect_to"), "{wrong}");
    }
}

#[test]
fn an_identity_that_may_not_sign_in_is_not_linked() {
    let stage = Stage::with(&[], |provider| provider.allowed_domains = vec!["corp.example".into()]);
    let (token, mut browser, url) = begin(&stage, "{}");
    let landed = stage.land(&mut browser, &stage.stand_in.approve(&url));
    assert_eq!(landed.header("location"), "/auth/account/identities?error=domain_not_allowed");
    assert!(listed(&stage, &token).is_empty());
}

#[test]
fn a_stale_login_links_nothing() {
    let stage = Stage::new();
    let token = stage.daemon.token_of(BOB, &[]);
    stage.world().advance(Duration::from_secs(301));
    let answer = stage.daemon.send_as(&token, "POST", "/api/auth/oauth/acme/link", "{}");
    assert_eq!(answer.problem(), "fresh_login_required");
}

#[test]
fn an_identity_of_somebody_else_is_not_taken() {
    let stage = Stage::new();
    stage.sign_in(&mut Browser::default());
    let (token, mut browser, url) = begin(&stage, "{}");
    let landed = stage.land(&mut browser, &stage.stand_in.approve(&url));
    assert_eq!(landed.header("location"), "/auth/account/identities?error=identity_in_use");
    assert!(listed(&stage, &token).is_empty());
}

#[test]
fn unlinking_wants_another_way_in_and_a_fresh_login() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    stage.sign_in(&mut browser);
    let csrf = browser.0["__Host-authd_csrf"].clone();
    let id = stage.get(&browser, "/api/auth/me/identities").json()["identities"][0]["id"].clone();
    let path = format!("/api/auth/me/identities/{}", id.as_str().unwrap());
    let delete = |browser: &Browser| {
        let headers = [("cookie", &*browser.cookies()), ("x-csrf-token", csrf.as_str())];
        stage.daemon.send("DELETE", &path, &headers, b"")
    };
    assert_eq!(delete(&browser).problem(), "last_way_in");
    // Nobody else's is found by its id.
    let token = stage.daemon.token_of(BOB, &[]);
    assert_eq!(stage.daemon.send_as(&token, "DELETE", &path, "").problem(), "not_found");
    let reset = json!({"email": ANN}).to_string();
    stage.daemon.post("/api/auth/password/reset/request", &reset);
    stage.world().work_off();
    let mail = stage.world().mails(ANN).into_iter().find(|mail| mail.kind == "reset_password").unwrap();
    let body = json!({"token": stage.world().token_in(&mail), "new_password": PASSWORD}).to_string();
    let set = stage.daemon.send("POST", "/api/auth/password/reset/confirm", &[JSON], body.as_bytes());
    assert_eq!(set.status, 204, "{set:?}");
    let token = stage.world().login(ANN).unwrap();
    let token = token.access_token.expose();
    stage.world().advance(Duration::from_secs(301));
    assert_eq!(stage.daemon.send_as(token, "DELETE", &path, "").problem(), "fresh_login_required");
    let token = stage.world().login(ANN).unwrap();
    assert_eq!(stage.daemon.send_as(token.access_token.expose(), "DELETE", &path, "").status, 204);
    assert_eq!(stage.sign_in(&mut Browser::default()), "/auth/sign-in?error=link_required");
    assert_eq!(stage.world().mails(ANN).iter().filter(|mail| mail.kind == "identity_unlinked").count(), 1);
}

#[test]
fn administrators_see_and_unlink_them() {
    let stage = Stage::new();
    stage.sign_in(&mut Browser::default());
    let admin = stage.daemon.token_of("olga@example.com", &["admin"]);
    let user = authd::usecase::account::admin::find(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    let path = format!("/api/auth/admin/users/{}/identities", user.id);
    let page = stage.daemon.send_as(&admin, "GET", &path, "").json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (1, &json!(null)), "{page}");
    let one = format!("{path}/{}", page["items"][0]["id"].as_str().unwrap());
    assert_eq!(stage.daemon.send_as(&admin, "DELETE", &one, "").status, 204);
    assert_eq!(stage.daemon.send_as(&admin, "DELETE", &one, "").problem(), "not_found");
}

#[test]
fn a_second_factor_is_wanted_for_linking_where_one_is_on() {
    let stage = Stage::new();
    let token = stage.daemon.token_of(BOB, &[]);
    let phone = enable_second_factor(&stage, &token);
    stage.world().advance(Duration::from_secs(301));
    let ticket = stage.daemon.login(BOB)["ticket"].as_str().unwrap().to_owned();
    let body = json!({"ticket": ticket, "code": phone.code_at(stage.world().now().as_secs())}).to_string();
    let fresh = stage.daemon.post("/api/auth/2fa/verify", &body).json();
    let fresh = fresh["access_token"].as_str().unwrap();
    assert_eq!(stage.daemon.send_as(fresh, "POST", "/api/auth/oauth/acme/link", "{}").status, 200);
    // Were the session one of a password alone, however it came to be.
    assert!(stage.world().database().change("UPDATE sessions SET amr = 'pwd'", &[]) > 0);
    assert_eq!(
        stage.daemon.send_as(fresh, "POST", "/api/auth/oauth/acme/link", "{}").problem(),
        "fresh_login_required"
    );
}

#[test]
fn whoever_has_not_shown_that_the_address_is_theirs_links_nothing() {
    let stage = Stage::with(&[("email_verification.required", "false")], |_| {});
    stage.world().add_unverified(BOB);
    let tokens = stage.world().login(BOB).unwrap();
    let token = tokens.access_token.expose();
    let answer = stage.daemon.send_as(token, "POST", "/api/auth/oauth/acme/link", "{}");
    assert_eq!((answer.status, &*answer.problem()), (403, "email_not_verified"));
}

#[test]
fn a_code_does_not_outlive_the_identity_that_it_came_by() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    let code = super::parameter(&stage.sign_in_for_front_end(&mut browser), "code").unwrap();
    let user = user_ref(ANN);
    let linked = identities::page(&stage.world().app, &operator(), &user, 1, None).unwrap().items.remove(0);
    identities::unlink(&stage.world().app, &operator(), &user, &linked.id.to_string()).unwrap();
    assert_eq!(stage.exchange(&code, super::VERIFIER).problem(), "invalid_token");
}

#[test]
fn the_account_page_links_and_unlinks() {
    const PAGE: &str = "/auth/account/identities";
    let stage = Stage::new();
    let mut browser = Browser::default();
    stage.sign_in(&mut browser);
    let ids = |browser: &Browser| {
        let all = stage.get(browser, "/api/auth/me/identities").json();
        let all = all["identities"].as_array().unwrap().clone();
        all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = ids(&browser).remove(0);
    assert_eq!(stage.submit(&mut browser, PAGE, &[("identity", &first)]).status, 409, "the last way in");
    stage.is("another");
    let led = stage.submit(&mut browser, PAGE, &[("provider", "acme")]);
    let url =
        led.body.split('"').find(|part| part.starts_with(&stage.stand_in.origin())).expect("a page leads on");
    let landed = stage.land(&mut browser, &stage.stand_in.approve(&url.replace("&amp;", "&")));
    assert_eq!((landed.header("location"), ids(&browser).len()), (PAGE, 2));
    assert!(stage.get(&browser, PAGE).body.contains("You can sign in with it from now on."));
    let done = stage.submit(&mut browser, PAGE, &[("identity", &first)]);
    assert_eq!((done.header("location"), ids(&browser).contains(&first)), (PAGE, false));
    assert!(stage.get(&browser, PAGE).body.contains("The account is not linked any more."));
    stage.world().advance(Duration::from_secs(301));
    let stale = stage.submit(&mut browser, PAGE, &[("provider", "acme")]);
    assert!(stale.header("location").starts_with("/auth/confirm?"), "{stale:?}");
}
