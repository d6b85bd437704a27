//! Somebody whose provider states no address: a page asks for one, and the mailed link makes the account.

use super::{ANN, Browser, Stage};
use crate::world::{operator, user_ref};
use authd::usecase::account::admin;
use authd::usecase::federation::identities;
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use std::time::Duration;

const COMPLETE: &str = "/auth/complete";
const SIGN_IN: &str = "/auth/sign-in";
const MISMATCH: &str = "/auth/sign-in?error=state_mismatch";
const BOB: &str = "bob@example.com";
const HANDOVER: &str = "__Host-authd_handover";

/// A browser that is to say its address.
fn asked(stage: &Stage) -> Browser {
    stage.states(None, json!(null));
    let mut browser = Browser::default();
    assert_eq!(stage.sign_in(&mut browser), COMPLETE);
    assert!(browser.has("handover") && !browser.has("session"));
    browser
}

fn types(stage: &Stage, browser: &mut Browser, email: &str) -> String {
    stage.submit(browser, COMPLETE, &[("email", email)]).header("location").to_owned()
}

#[test]
fn what_is_typed_becomes_an_account_once_its_mail_is_opened() {
    let stage = Stage::new();
    let mut browser = asked(&stage);
    let wrong = stage.submit(&mut browser, COMPLETE, &[("email", "<ann")]);
    assert_eq!(wrong.status, 422, "{wrong:?}");
    assert_eq!(types(&stage, &mut browser, ANN), SIGN_IN);
    assert!(!browser.has("handover"), "it is done with");
    assert!(stage.get(&browser, SIGN_IN).body.contains("Nearly done"));
    let find = || admin::find(&stage.world().app, &operator(), &user_ref(ANN));
    assert!(find().is_err(), "what somebody types is nobody's word");
    stage.confirm_by_mail(ANN);
    let ann = find().unwrap();
    assert_eq!((ann.email_verified_at.is_some(), ann.name.as_str()), (true, "Ann Lee"));
    let mut browser = Browser::default();
    assert_eq!(stage.sign_in(&mut browser), SIGN_IN);
    stage.assert_signed_in(&browser, ANN);
}

#[test]
fn it_takes_ten_minutes_at_most() {
    let stage = Stage::new();
    let mut browser = asked(&stage);
    stage.world().advance(Duration::from_secs(599));
    assert_eq!(stage.get(&browser, COMPLETE).status, 200);
    let late = browser.clone();
    stage.world().advance(Duration::from_secs(1));
    assert_eq!(stage.get(&browser, COMPLETE).header("location"), SIGN_IN);
    // The page was opened in time, and sent too late.
    let page = asked(&stage);
    browser.0.insert(HANDOVER.into(), page.0[HANDOVER].clone());
    let sent = stage.submit_after(&mut browser, COMPLETE, &[("email", ANN)], |browser| {
        browser.0.insert(HANDOVER.into(), late.0[HANDOVER].clone());
    });
    assert_eq!(sent.header("location"), MISMATCH, "{sent:?}");
    assert!(!browser.has("handover") && stage.world().mails(ANN).is_empty());
}

#[test]
fn who_it_is_can_not_be_made_up() {
    let stage = Stage::new();
    let good = asked(&stage);
    let forged = json!({
        "provider": "acme", "issuer": stage.stand_in.origin(), "subject": "somebody", "name": "",
        "ends": i64::MAX
    });
    let mut turned = good.0[HANDOVER].clone().into_bytes();
    turned[40] ^= 1;
    for value in [
        BASE64URL_NOPAD.encode(forged.to_string().as_bytes()),
        String::from_utf8(turned).unwrap(),
        good.0[HANDOVER][1..].to_owned(),
    ] {
        let mut browser = good.clone();
        browser.0.insert(HANDOVER.into(), value);
        assert_eq!(stage.get(&browser, COMPLETE).header("location"), SIGN_IN);
    }
    assert_eq!(stage.get(&Browser::default(), COMPLETE).header("location"), SIGN_IN, "nor left out");
    assert_eq!(stage.get(&good, COMPLETE).status, 200);
}

#[test]
fn an_address_that_is_taken_is_not_told_but_its_owner_is() {
    let stage = Stage::new();
    stage.world().add_user(BOB, &[]);
    let mut browser = asked(&stage);
    assert_eq!(types(&stage, &mut browser, BOB), SIGN_IN);
    let mails = stage.world().mails(BOB);
    let kinds: Vec<_> = mails.iter().map(|mail| mail.kind.as_str()).collect();
    assert_eq!(kinds, ["already_registered"]);
}

#[test]
fn an_identity_that_was_linked_meanwhile_is_not_touched() {
    let stage = Stage::new();
    stage.world().add_user(BOB, &[]);
    let mut browser = asked(&stage);
    let (app, bob) = (&stage.world().app, user_ref(BOB));
    identities::link(app, &operator(), &bob, "acme", "42").unwrap();
    assert_eq!(types(&stage, &mut browser, ANN), MISMATCH);
    let linked = identities::page(app, &operator(), &bob, 1, None).unwrap().items.remove(0);
    assert_eq!((linked.last_used_at, linked.email), (None, None), "nobody has signed in by it");
    assert!(stage.world().mails(ANN).is_empty());
}

#[test]
fn whoever_else_signs_in_in_the_browser_finishes_nothing_of_it() {
    let stage = Stage::new();
    let mut browser = asked(&stage);
    stage.is("another");
    stage.states(Some(BOB), json!(true));
    assert_eq!(stage.sign_in(&mut browser), SIGN_IN);
    assert!(browser.has("session") && !browser.has("handover"));
}

#[test]
fn nobody_is_asked_where_nobody_gets_an_account() {
    let stage = Stage::with(&[], |provider| provider.sign_up = false);
    stage.states(None, json!(null));
    assert_eq!(stage.sign_in(&mut Browser::default()), "/auth/sign-in?error=registration_closed");
}
