//! An account whose address nobody has verified, and an identity that an operator linked to it: the provider
//! lets it in where verification is not required, or where it vouches for the very address.

use super::{ANN, Browser, Stage};
use crate::world::{operator, user_ref};
use authd::usecase::account::admin;
use authd::usecase::federation::identities;
use serde_json::json;

fn stage(required: &str) -> Stage {
    let stage = Stage::with(&[("email_verification.required", required)], |_| {});
    stage.world().add_unverified(ANN);
    identities::link(&stage.world().app, &operator(), &user_ref(ANN), "acme", "42").unwrap();
    stage
}

fn is_verified(stage: &Stage) -> bool {
    admin::find(&stage.world().app, &operator(), &user_ref(ANN)).unwrap().email_verified_at.is_some()
}

#[test]
fn the_provider_must_vouch_for_the_very_address() {
    let stage = stage("true");
    for (address, verified) in
        [(Some("other@example.com"), json!(true)), (Some(ANN), json!(false)), (None, json!(true))]
    {
        stage.states(address, verified);
        let mut browser = Browser::default();
        assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in?error=email_not_verified", "{address:?}");
        assert!(!browser.has("session") && !is_verified(&stage), "{address:?}");
    }
    stage.states(Some("ANN@example.com"), json!(true));
    let mut browser = Browser::default();
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in");
    stage.assert_signed_in(&browser, ANN);
    assert!(is_verified(&stage), "it is by that");
    let events = stage.world().events();
    assert_eq!(events.iter().filter(|event| *event == "EmailVerified").count(), 1, "{events:?}");
}

#[test]
fn where_none_must_be_verified_it_comes_in_and_stays_as_it_is() {
    let stage = stage("false");
    stage.states(Some("other@example.com"), json!(true));
    let mut browser = Browser::default();
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in");
    stage.assert_signed_in(&browser, ANN);
    assert!(!is_verified(&stage));
}
