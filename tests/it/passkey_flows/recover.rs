//! The way back for somebody who has lost everything.

use super::{ANN, BOB, Stage, access_token, phone};
use crate::world::{PASSWORD, anonymous, operator, user_ref};
use authd::domain::password::Password;
use authd::error::Refusal;
use authd::usecase::account::admin::Term;
use authd::usecase::account::{admin, recover};
use authd::usecase::federation::identities;
use serde_json::json;
use std::time::Duration;

const NEW: &str = "a brand new battery staple";

fn link(stage: &Stage) -> String {
    let made = recover::make_link(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    let url = made.url.expose().clone();
    url.strip_prefix("https://auth.example.com/auth/recover?token=").unwrap().to_owned()
}

#[test]
fn a_link_of_the_operators_brings_somebody_back_and_ends_all_else() {
    let stage = Stage::new();
    let mut lost = stage.ann_with_passkey();
    let thief = access_token(&stage.sign_in(&mut lost));
    let token = link(&stage);
    assert!(token.starts_with("authd_rl_"));
    assert_eq!(
        stage.daemon.send_as(&thief, "GET", "/api/auth/me", "").status,
        200,
        "nothing has changed yet"
    );
    let weak = stage.post("/recover", &json!({"token": token, "new_password": "short"}));
    assert_eq!(weak.problem(), "weak_password", "the link is good still");
    let back = stage.post("/recover", &json!({"token": token, "new_password": NEW}));
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(stage.daemon.send_as(&thief, "GET", "/api/auth/me", "").status, 401);
    assert_eq!(stage.sign_in(&mut lost).status, 401);
    let old = stage.post("/login", &json!({"email": ANN, "password": PASSWORD}));
    assert_eq!(old.problem(), "invalid_credentials");
    // The session is fresh: a new passkey is added at once.
    let mut new = phone();
    assert!(stage.add(&access_token(&back), &mut new)["recovery_codes"].is_array());
    assert_eq!(stage.sign_in(&mut new).status, 200);
    let events = stage.world().events();
    assert!(
        ["RecoveryLinkMade", "AccountRecovered", "PasskeyRemoved"]
            .iter()
            .all(|name| events.contains(&(*name).into()))
    );
    assert_eq!(stage.count_mails(ANN, "account_recovered"), 1);
    assert_eq!(
        stage.post("/recover", &json!({"token": token, "new_password": NEW})).problem(),
        "invalid_token"
    );
}

#[test]
fn it_lives_an_hour_and_a_newer_one_voids_it() {
    let stage = Stage::new();
    let (first, second) = (link(&stage), link(&stage));
    let spend = |token: &str| stage.post("/recover", &json!({"token": token, "new_password": NEW})).problem();
    assert_eq!(spend(&first), "invalid_token");
    stage.world().advance(Duration::from_secs(3600));
    assert_eq!(spend(&second), "invalid_token");
    // It is no link of another kind, nor is one of another kind this.
    let token = link(&stage);
    let reset = stage.post("/password/reset/confirm", &json!({"token": token, "new_password": NEW}));
    assert_eq!(reset.problem(), "invalid_token");
    let other = admin::reset_link(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!(spend(other.url.expose().split("token=").nth(1).unwrap()), "invalid_token");
}

#[test]
fn nobody_gets_one_for_a_disabled_account_or_as_anybody() {
    let stage = Stage::new();
    let app = &stage.world().app;
    assert!(recover::make_link(app, &anonymous(), &user_ref(ANN)).is_err());
    let token = link(&stage);
    admin::disable(app, &operator(), &user_ref(ANN)).unwrap();
    assert!(recover::make_link(app, &operator(), &user_ref(ANN)).is_err());
    let spent = stage.post("/recover", &json!({"token": token, "new_password": NEW}));
    assert_eq!(spent.problem(), "invalid_token");
}

#[test]
fn accounts_elsewhere_end_with_it_and_what_they_granted() {
    let stage = Stage::with(&[
        ("oauth.acme.kind", "oidc"),
        ("oauth.acme.client_id", "authd"),
        ("oauth.acme.issuer", "https://id.acme.example"),
    ]);
    let app = &stage.world().app;
    identities::link(app, &operator(), &user_ref(ANN), "acme", "42").unwrap();
    let body = json!({"token": link(&stage), "new_password": NEW});
    assert_eq!(stage.post("/recover", &body).status, 200);
    assert!(identities::page(app, &operator(), &user_ref(ANN), 9, None).unwrap().items.is_empty());
}

#[test]
fn whoever_holds_the_account_can_not_void_it() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    stage.add(&access_token(&stage.sign_in(&mut device)), &mut phone());
    let token = link(&stage);
    let thief = access_token(&stage.sign_in(&mut device));
    let id = stage.list(&thief)[1]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/auth/passkeys/{id}");
    assert_eq!(stage.daemon.send_as(&thief, "DELETE", &path, "").status, 204);
    admin::set_password(
        &stage.world().app,
        &operator(),
        &user_ref(ANN),
        &Password::new("another fine horse battery").unwrap(),
        Term::Lasting,
    )
    .unwrap();
    assert_eq!(stage.post("/recover", &json!({"token": token, "new_password": NEW})).status, 200);
    let again = stage.post("/recover", &json!({"token": token, "new_password": NEW}));
    assert_eq!(again.problem(), "invalid_token");
}

#[test]
fn nobody_gets_one_whose_address_is_not_verified() {
    let stage = Stage::new();
    stage.world().add_unverified(BOB);
    let refused = recover::make_link(&stage.world().app, &operator(), &user_ref(BOB)).unwrap_err();
    assert_eq!(refused, Refusal::EmailNotVerified.into());
}
