//! What the audit log and the mails say of identities, and what they don't.

use super::{ANN, BACK, Browser, Stage, parameter};
use crate::world::{operator, user_ref};
use authd::domain::audit::Line;
use authd::usecase::account::admin;
use authd::usecase::federation::identities;
use serde_json::json;
use std::time::Duration;

const BOB: &str = "bob@example.com";

fn lines(stage: &Stage, event: &str) -> Vec<Line> {
    stage.world().audit().into_iter().filter(|line| line.event == event).collect()
}

fn mailed(stage: &Stage, to: &str, kind: &str) -> usize {
    stage.world().mails(to).iter().filter(|mail| mail.kind == kind).count()
}

fn detail(line: &Line, name: &str) -> Option<String> {
    line.details.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

#[test]
fn a_refusal_names_the_account_or_the_address_and_never_both() {
    let stage = Stage::with(&[], |provider| provider.sign_up = false);
    let bob = stage.world().add_user(BOB, &[]);
    stage.states(Some(BOB), json!(true));
    stage.sign_in(&mut Browser::default());
    stage.states(Some(ANN), json!(true));
    stage.sign_in(&mut Browser::default());
    let told: Vec<_> = lines(&stage, "LoginFailed")
        .iter()
        .map(|line| (detail(line, "why").unwrap(), line.user.clone(), detail(line, "email")))
        .collect();
    let wanted = [
        ("link_required".to_owned(), Some(bob.id.to_string()), None),
        ("registration_closed".to_owned(), None, Some(ANN.to_owned())),
    ];
    assert_eq!(told, wanted);
}

#[test]
fn an_account_that_was_made_has_its_lines_its_name_and_the_mails_of_its_address() {
    let stage = Stage::new();
    stage.world().register(ANN).unwrap();
    assert_eq!(stage.world().mails(ANN)[0].user, None);
    stage.sign_in(&mut Browser::default());
    let ann = admin::find(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!((ann.name.as_str(), ann.email_verified_at.is_some()), ("Ann Lee", true));
    assert!(stage.world().mails(ANN).iter().all(|mail| mail.user == Some(ann.id)));
    for event in ["UserRegistered", "EmailVerified", "IdentityLinked"] {
        let told = lines(&stage, event);
        assert_eq!((told.len(), told[0].user.clone()), (1, Some(ann.id.to_string())), "{event}");
    }
    // What the provider calls her later is the provider's affair.
    stage.stand_in.set(|script| {
        for claims in [&mut script.claims, &mut script.userinfo] {
            claims.insert("name".into(), json!("Somebody Else"));
        }
    });
    stage.sign_in(&mut Browser::default());
    assert_eq!(
        admin::find(&stage.world().app, &operator(), &user_ref(ANN)).unwrap().name.as_str(),
        "Ann Lee"
    );
}

#[test]
fn the_first_use_of_what_an_operator_linked_is_told_once() {
    let stage = Stage::new();
    stage.world().add_user(BOB, &[]);
    let (app, bob) = (&stage.world().app, user_ref(BOB));
    identities::link(app, &operator(), &bob, "acme", "42").unwrap();
    assert_eq!((lines(&stage, "IdentityLinked").len(), mailed(&stage, BOB, "identity_linked")), (1, 1));
    for _ in 0..2 {
        stage.sign_in(&mut Browser::default());
        let told = (lines(&stage, "IdentityFirstUsed").len(), mailed(&stage, BOB, "identity_first_used"));
        assert_eq!(told, (1, 1));
    }
    let used = || identities::page(app, &operator(), &bob, 1, None).unwrap().items[0].last_used_at;
    assert_eq!(used(), Some(stage.world().now()));
    stage.world().advance(Duration::from_secs(60));
    stage.sign_in(&mut Browser::default());
    assert_eq!(used(), Some(stage.world().now()));
}

#[test]
fn linking_and_unlinking_are_told_by_a_line_and_a_mail() {
    let stage = Stage::new();
    let token = stage.daemon.token_of(BOB, &[]);
    let begun = stage.daemon.send_as(&token, "POST", "/api/auth/oauth/acme/link", "{}");
    let mut browser = Browser::default();
    browser.keep(&begun);
    let url = begun.json()["authorization_url"].as_str().unwrap().to_owned();
    let landed = stage.land(&mut browser, &stage.stand_in.approve(&url));
    assert_eq!(browser.0["__Host-authd_notice"], "identity_linked", "the next page says it: {landed:?}");
    let linked = lines(&stage, "IdentityLinked");
    assert_eq!((linked.len(), detail(&linked[0], "subject").as_deref()), (1, Some("42")));
    let all = stage.daemon.send_as(&token, "GET", "/api/auth/me/identities", "").json();
    let path = format!("/api/auth/me/identities/{}", all["identities"][0]["id"].as_str().unwrap());
    assert_eq!(stage.daemon.send_as(&token, "DELETE", &path, "").status, 204);
    assert_eq!((lines(&stage, "IdentityUnlinked").len(), mailed(&stage, BOB, "identity_unlinked")), (1, 1));
    assert_eq!(stage.daemon.send_as(&token, "DELETE", &path, "").problem(), "not_found");
    assert_eq!(lines(&stage, "IdentityUnlinked").len(), 1);
}

#[test]
fn a_registration_that_is_confirmed_links_what_it_was_made_with() {
    let stage = Stage::new();
    stage.states(Some(ANN), json!(false));
    stage.sign_in(&mut Browser::default());
    assert!(lines(&stage, "IdentityLinked").is_empty());
    stage.confirm_by_mail(ANN);
    let linked = lines(&stage, "IdentityLinked");
    assert_eq!((linked.len(), detail(&linked[0], "email").as_deref()), (1, Some(ANN)));
    let ann = admin::find(&stage.world().app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!(ann.name.as_str(), "Ann Lee");
}

#[test]
fn a_registration_whose_identity_was_linked_meanwhile_makes_no_account() {
    let stage = Stage::new();
    stage.states(Some(ANN), json!(false));
    stage.sign_in(&mut Browser::default());
    stage.world().add_user(BOB, &[]);
    identities::link(&stage.world().app, &operator(), &user_ref(BOB), "acme", "42").unwrap();
    let body = json!({"token": stage.world().token_in_mail(ANN)}).to_string();
    let confirmed = stage.daemon.post("/api/auth/email/verify/confirm", &body);
    assert_eq!((confirmed.status, &*confirmed.problem()), (409, "identity_in_use"));
    assert!(admin::find(&stage.world().app, &operator(), &user_ref(ANN)).is_err());
}

#[test]
fn what_the_provider_says_of_its_proof_is_told_only_where_it_is_trusted() {
    let stage = Stage::new();
    stage.stand_in.set(|script| {
        script.claims.insert("amr".into(), json!(["pwd", "mfa"]));
    });
    let code = parameter(&stage.sign_in_for_front_end(&mut Browser::default()), "code").unwrap();
    let tokens = stage.exchange(&code, super::VERIFIER).json();
    assert_eq!(super::claims(tokens["access_token"].as_str().unwrap())["amr"], json!(["fed"]));
}

#[test]
fn a_provider_that_can_not_be_reached_is_told_where_the_sign_in_would_have_gone() {
    let stage = Stage::new();
    stage.stand_in.set(|script| drop(script.instead.insert("/openid-configuration", (500, "{}".into()))));
    let begun = |query: &str| {
        let answer = stage.get(&Browser::default(), &format!("/api/auth/oauth/acme/start{query}"));
        (answer.status, answer.header("location").to_owned())
    };
    assert_eq!(begun(""), (303, "/auth/sign-in?error=provider_failed".to_owned()));
    assert_eq!(begun(&super::for_front_end()), (303, format!("{BACK}&error=provider_failed")));
}
