//! Whose account somebody comes into, or whether they get one: the rules, through the front door.

use super::{ANN, Browser, Stage};
use crate::providers::stand_in::StandIn;
use crate::world::{PASSWORD, operator, user_ref};
use authd::config::{LinkByEmail, Provider, ProviderKind};
use authd::domain::email::Email;
use authd::domain::identity::ProviderName;
use authd::domain::name::Name;
use authd::domain::password::Password;
use authd::usecase::account::admin;
use authd::usecase::federation::identities;
use serde_json::json;
use std::sync::Arc;

pub(super) fn trusts_addresses(provider: &mut Provider) {
    provider.link_by_email = LinkByEmail::Verified;
    provider.allowed_domains = vec!["example.com".into()];
}

#[test]
fn an_account_that_has_the_address_is_not_taken_by_it() {
    let stage = Stage::new();
    stage.world().add_user(ANN, &["admin"]);
    stage.states(Some(ANN), json!(true));
    let mut browser = Browser::default();
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in?error=link_required");
    // Of an address that the provider has not verified nobody learns whether it has an account; its owner
    // does.
    for verified in [json!(false), json!(null), json!("true"), json!(1)] {
        for address in [ANN, "nobody@example.com"] {
            stage.states(Some(address), verified.clone());
            assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in?error=email_not_verified", "{verified}");
        }
    }
    assert!(!browser.has("session"));
    assert_eq!(stage.world().mails(ANN)[0].kind, "already_registered");
    assert_eq!(stage.world().mails("nobody@example.com")[0].kind, "verify_email");
    assert!(stage.world().login(ANN).is_ok(), "the account is as it was");
}

#[test]
fn where_the_provider_is_believed_a_verified_account_is_linked_and_its_owner_told() {
    let stage = Stage::with(&[], trusts_addresses);
    stage.world().add_user(ANN, &[]);
    // Not what it hasn't verified, nor what it says in another document than the address.
    stage.states(Some(ANN), json!(false));
    let mut browser = Browser::default();
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in?error=domain_not_allowed");
    stage.states(Some(ANN), json!(true));
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in");
    stage.assert_signed_in(&browser, ANN);
    assert_eq!(stage.world().mails(ANN).iter().filter(|mail| mail.kind == "identity_linked").count(), 1);
    assert!(stage.world().login(ANN).is_ok(), "the password counts still");
}

#[test]
fn an_account_that_nobody_has_verified_is_claimed_and_what_was_set_up_on_it_dies() {
    let stage = Stage::with(&[("email_verification.required", "false")], trusts_addresses);
    stage.world().add_unverified(ANN);
    // Somebody knows its password, and is signed in.
    let stranger = stage.world().login(ANN).unwrap();
    stage.states(Some(ANN), json!(true));
    let mut browser = Browser::default();
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in");
    stage.assert_signed_in(&browser, ANN);
    assert!(!stage.world().is_signed_in(&stranger), "their session has ended");
    assert!(stage.world().login_with(ANN, PASSWORD).is_err(), "their password is gone");
    let user = admin::find(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    assert!(user.email_verified_at.is_some());
    assert!(stage.world().events().contains(&"AccountClaimed".into()));
}

#[test]
fn an_address_that_the_provider_has_not_verified_is_confirmed_by_mail_first() {
    let stage = Stage::new();
    for verified in [json!(false), json!(null), json!("true")] {
        stage.states(Some(ANN), verified);
        let mut browser = Browser::default();
        assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in?error=email_not_verified");
        assert!(!browser.has("session"));
    }
    assert!(admin::find(&stage.world().app, &operator(), &user_ref(ANN)).is_err(), "there is no account yet");
    let page = stage.get(&Browser::default(), "/auth/sign-in?error=email_not_verified");
    assert!(page.body.contains("/auth/send-confirmation"), "the mail can be asked for again: {page:?}");
    let token = stage.world().token_in_mail(ANN);
    let body = json!({"token": token}).to_string();
    let confirmed = stage.daemon.post("/api/auth/email/verify/confirm", &body);
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    let mut browser = Browser::default();
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in");
    stage.assert_signed_in(&browser, ANN);
    assert!(stage.world().events().contains(&"IdentityFirstUsed".into()));
}

#[test]
fn whether_they_get_an_account_is_asked_once_more_when_the_address_is_confirmed() {
    type Close = fn(&mut Vec<Provider>);
    let closed: [Close; 3] = [
        |providers| providers[0].sign_up = false,
        |providers| providers[0].allowed_domains = vec!["example.com".into()],
        Vec::clear,
    ];
    for (number, close) in closed.into_iter().enumerate() {
        let stage = Stage::new();
        stage.states(Some(ANN), json!(false));
        stage.sign_in(&mut Browser::default());
        let token = stage.world().token_in_mail(ANN);
        let stage = stage.restarted_with_providers(close);
        let body = json!({"token": token}).to_string();
        let answer = stage.daemon.post("/api/auth/email/verify/confirm", &body);
        assert_eq!(answer.problem(), "registration_closed", "{number}");
        assert!(admin::find(&stage.world().app, &operator(), &user_ref(ANN)).is_err(), "{number}");
    }
}

#[test]
fn making_an_account_voids_registrations_that_wait_for_its_address() {
    let stage = Stage::new();
    stage.world().register(ANN).unwrap();
    let token = stage.world().token_in_mail(ANN);
    stage.states(Some(ANN), json!(true));
    stage.sign_in(&mut Browser::default());
    let body = json!({"token": token}).to_string();
    let answer = stage.daemon.post("/api/auth/email/verify/confirm", &body);
    assert_eq!(answer.problem(), "invalid_token");
}

#[test]
fn nobody_gets_an_account_where_registration_is_closed() {
    type Close = fn(&mut Provider);
    let open: Close = |_| {};
    let closed: Close = |provider| provider.sign_up = false;
    for (setting, change) in [("closed", open), ("open", closed)] {
        let stage = Stage::with(&[("registration", setting)], change);
        let mut browser = Browser::default();
        assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in?error=registration_closed", "{setting}");
        stage.states(Some("new@example.com"), json!(false));
        assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in?error=registration_closed", "{setting}");
        assert_eq!(stage.world().mails("new@example.com").len(), 0);
    }
}

#[test]
fn domains_are_asked_at_every_sign_in_and_exactly() {
    let stage = Stage::with(&[], |provider| provider.allowed_domains = vec!["example.com".into()]);
    let mut browser = Browser::default();
    stage.sign_in(&mut browser);
    stage.assert_signed_in(&browser, ANN);
    for address in ["ann@sub.example.com", "ann@example.com.evil.example", "ann@notexample.com"] {
        stage.states(Some(address), json!(true));
        assert_eq!(stage.sign_in(&mut Browser::default()), "/auth/sign-in?error=domain_not_allowed");
    }
    stage.states(None, json!(null));
    assert_eq!(stage.sign_in(&mut Browser::default()), "/auth/sign-in?error=domain_not_allowed");
}

#[test]
fn another_address_there_changes_what_the_identity_says_and_nothing_else() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    stage.sign_in(&mut browser);
    stage.world().add_user("bob@example.com", &[]);
    for address in ["ann.new@example.com", "bob@example.com"] {
        stage.states(Some(address), json!(true));
        let mut browser = Browser::default();
        stage.sign_in(&mut browser);
        stage.assert_signed_in(&browser, ANN);
        let listed = stage.get(&browser, "/api/auth/me/identities").json();
        assert_eq!(listed["identities"][0]["email"], json!(address));
    }
    // Somebody else with the address that she had is somebody else.
    stage.is("another");
    stage.states(Some(ANN), json!(true));
    assert_eq!(stage.sign_in(&mut Browser::default()), "/auth/sign-in?error=link_required");
}

#[test]
fn the_same_subject_at_another_provider_is_somebody_else() {
    let mut other = None;
    let world = crate::world::World::with_providers(&[("rate_limit.enabled", "false")], |clock, folder| {
        let [one, two] = [0; 2].map(|_| Arc::new(StandIn::start(ProviderKind::Oidc, Arc::clone(clock))));
        let mut second = two.provider(folder);
        second.name = ProviderName::parse("second").unwrap();
        let first = one.provider(folder);
        other = Some((one, two));
        vec![first, second]
    });
    let (one, two) = other.unwrap();
    let stage = Stage { daemon: crate::daemon::Daemon::with_pages(world), stand_in: one };
    stage.sign_in(&mut Browser::default());
    let mut browser = Browser::default();
    let begun = stage.get(&browser, "/api/auth/oauth/second/start");
    browser.keep(&begun);
    let landed = stage.land(&mut browser, &two.approve(begun.header("location")));
    assert_eq!(landed.header("location"), "/auth/sign-in?error=link_required");
    assert!(!browser.has("session"));
}

#[test]
fn an_earlier_session_of_the_browser_ends() {
    let stage = Stage::new();
    let mut browser = Browser::default();
    stage.sign_in(&mut browser);
    let before = browser.clone();
    stage.sign_in(&mut browser);
    assert_eq!((stage.me(&before).status, stage.me(&browser).status), (401, 200));
}

#[test]
fn a_verified_address_is_believed_of_whoever_gives_it_out_alone() {
    let by_email: fn(&mut Provider) = |provider| provider.link_by_email = LinkByEmail::Verified;
    let stage = Stage::of(ProviderKind::Google, &[], by_email);
    stage.world().add_user(ANN, &[]);
    let mut browser = Browser::default();
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in?error=link_required");
    stage.stand_in.set(|script| drop(script.claims.insert("hd".into(), json!("example.com"))));
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in");
    stage.assert_signed_in(&browser, ANN);
}

#[test]
fn a_password_that_must_be_changed_is_asked_of_those_who_show_it_alone() {
    let stage = Stage::new();
    let new = admin::NewAccount {
        email: Email::parse(ANN).unwrap(),
        name: Name::default(),
        roles: Vec::new(),
        verified: admin::Verified::Yes,
        password: admin::FirstPassword::Temporary(Password::new("made2-for3-ann4-alone5").unwrap()),
    };
    admin::add(&stage.world().app, &operator(), new).unwrap();
    identities::link(&stage.world().app, &operator(), &user_ref(ANN), "acme", "42").unwrap();
    let mut browser = Browser::default();
    assert_eq!(stage.sign_in(&mut browser), "/auth/sign-in");
    stage.assert_signed_in(&browser, ANN);
}
