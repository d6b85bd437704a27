//! What becomes of an account whose address nobody had verified, once its owner comes from a provider that
//! vouches for it: whatever somebody else has set up on it is gone.

use super::accounts::trusts_addresses;
use super::roles::{grants, with_editor};
use super::{ANN, Browser, Stage, enable_second_factor, parameter};
use crate::daemon::JSON;
use crate::world::{PASSWORD, operator, user_ref};
use authd::domain::email::Email;
use authd::domain::name::Name;
use authd::domain::password::Password;
use authd::usecase::account::admin::{FirstPassword, NewAccount, Verified};
use authd::usecase::account::{admin, edit};
use authd::usecase::federation::identities;
use serde_json::json;

const THEIRS: &str = "them@example.com";

/// Verification is off, so that somebody can set up things on an account with her address.
fn stage() -> Stage {
    let stage = Stage::with(&[("email_verification.required", "false")], |provider| {
        trusts_addresses(provider);
        grants(provider);
    });
    with_editor(&stage);
    stage
}

/// She comes in; gives her browser.
fn claim(stage: &Stage) -> Browser {
    stage.is("hers");
    stage.says_groups(json!(null));
    stage.states(Some(ANN), json!(true));
    let mut browser = Browser::default();
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in");
    stage.assert_signed_in(&browser, ANN);
    browser
}

fn times(stage: &Stage, event: &str) -> usize {
    stage.world().events().iter().filter(|name| *name == event).count()
}

#[test]
fn their_second_factor_is_gone_and_the_login_that_waited_for_it() {
    let stage = stage();
    // One that they set up while the account had an address of theirs.
    let token = stage.daemon.token_of(THEIRS, &[]);
    let phone = enable_second_factor(&stage, &token);
    crate::passkey_rows::add(stage.world(), THEIRS, "Theirs", 1);
    let email = Some(Email::parse(ANN).unwrap());
    let changes = edit::Changes { email, name: None, verified: Verified::No };
    edit::edit(&stage.world().app, &operator(), &user_ref(THEIRS), &changes).unwrap();
    stage.world().advance(std::time::Duration::from_secs(60));
    let ticket = stage.daemon.login(ANN)["ticket"].as_str().unwrap().to_owned();
    claim(&stage);
    let user = admin::find(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!((user.has_two_factor(), user.passkeys), (false, 0), "she could not get past it");
    assert_eq!(times(&stage, "PasskeyRemoved"), 1);
    let code = json!({"ticket": ticket, "code": phone.code_at(stage.world().now().as_secs())}).to_string();
    assert_eq!(stage.daemon.post("/api/auth/2fa/verify", &code).problem(), "invalid_code");
}

#[test]
fn a_login_that_waits_for_another_password_is_dead() {
    let stage = stage();
    let new = NewAccount {
        email: Email::parse(ANN).unwrap(),
        name: Name::default(),
        roles: Vec::new(),
        verified: Verified::No,
        password: FirstPassword::Temporary(Password::new(PASSWORD).unwrap()),
    };
    admin::add(&stage.world().app, &operator(), new).unwrap();
    let ticket = stage.daemon.login(ANN)["ticket"].as_str().unwrap().to_owned();
    let browser = claim(&stage);
    let body = json!({"ticket": ticket, "new_password": "another good long password"}).to_string();
    assert_eq!(stage.daemon.post("/api/auth/password/change/required", &body).problem(), "invalid_token");
    stage.assert_signed_in(&browser, ANN);
}

#[test]
fn their_identity_its_roles_and_its_codes_are_gone() {
    let stage = stage();
    stage.world().add_unverified(ANN);
    let (app, ann) = (&stage.world().app, user_ref(ANN));
    identities::link(app, &operator(), &ann, "acme", "theirs").unwrap();
    stage.is("theirs");
    stage.says_groups(json!(["writers"]));
    stage.states(Some(THEIRS), json!(true));
    let code = parameter(&stage.sign_in_for_front_end(&mut Browser::default()), "code").unwrap();
    assert_eq!(admin::find(app, &operator(), &ann).unwrap().roles.len(), 1);
    claim(&stage);
    assert_eq!(stage.exchange(&code, super::VERIFIER).problem(), "invalid_token");
    let linked = identities::page(app, &operator(), &ann, 10, None).unwrap().items;
    assert_eq!(linked.iter().map(|one| one.key.subject.as_str()).collect::<Vec<_>>(), ["hers"]);
    assert!(admin::find(app, &operator(), &ann).unwrap().roles.is_empty());
    assert_eq!((times(&stage, "RoleGranted"), times(&stage, "RoleWithdrawn")), (1, 1));
    assert_eq!((times(&stage, "AccountClaimed"), times(&stage, "EmailVerified")), (1, 1));
    // Theirs is a stranger's now.
    stage.is("theirs");
    stage.states(Some(ANN), json!(false));
    let landed = stage.sign_in(&mut Browser::default());
    assert_eq!(landed, "/auth/sign-in?error=domain_not_allowed");
}

#[test]
fn a_link_that_was_mailed_before_is_dead() {
    let stage = stage();
    stage.world().add_unverified(ANN);
    stage.daemon.post("/api/auth/password/reset/request", &json!({"email": ANN}).to_string());
    let token = stage.world().token_in_mail(ANN);
    claim(&stage);
    let body = json!({"token": token, "new_password": PASSWORD}).to_string();
    let reset = stage.daemon.send("POST", "/api/auth/password/reset/confirm", &[JSON], body.as_bytes());
    assert_eq!(reset.problem(), "invalid_token");
}

#[test]
fn a_registration_that_waits_for_the_address_is_void() {
    let stage = Stage::with(&[], trusts_addresses);
    stage.world().register(ANN).unwrap();
    let token = stage.world().token_in_mail(ANN);
    stage.world().add_unverified(ANN);
    claim(&stage);
    let confirmed = stage.daemon.post("/api/auth/email/verify/confirm", &json!({"token": token}).to_string());
    assert_eq!(confirmed.problem(), "invalid_token", "not only while the account has the address");
}

#[test]
fn a_disabled_account_is_neither_claimed_nor_linked() {
    for verified in [true, false] {
        let stage = stage();
        if verified {
            stage.world().add_user(ANN, &[])
        } else {
            stage.world().add_unverified(ANN)
        };
        admin::disable(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
        let mut browser = Browser::default();
        assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in?error=account_disabled");
        assert!(!browser.has("session"));
        let linked = identities::page(&stage.world().app, &operator(), &user_ref(ANN), 10, None).unwrap();
        assert!(linked.items.is_empty());
        assert_eq!(times(&stage, "AccountClaimed"), 0);
    }
}
