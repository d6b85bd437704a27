//! What people do to their own account over HTTP: address, password, deletion, events (S3, S5, S6, S12).

use crate::authenticator::Authenticator;
use crate::daemon::{Answer, Daemon};
use crate::world::{PASSWORD, operator, user_ref};
use authd::domain::password::Password;
use authd::error::{Error, Refusal};
use authd::usecase::account::{admin, password};
use authd::usecase::session::logout;
use serde_json::{Value, json};
use std::time::Duration;

const ANN: &str = "ann@example.com";
const NEW: &str = "Ann.Lee@example.org";
const OTHER: &str = "another good long password";

struct Ann {
    daemon: Daemon,
    token: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.problem())
}

impl Ann {
    fn new() -> Self {
        let daemon = Daemon::new();
        daemon.world.add_user(ANN, &[]);
        let token = text(&daemon.login(ANN)["access_token"]);
        Self { daemon, token }
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.daemon.send_as(&self.token, "POST", path, &body.to_string())
    }

    fn get(&self, path: &str) -> Answer {
        self.daemon.send_as(&self.token, "GET", path, "")
    }

    fn confirm(&self, link: &str) -> Answer {
        self.daemon.post("/api/auth/email/change/confirm", &json!({"token": link}).to_string())
    }

    fn ask_for(&self, email: &str) {
        let answer = self.post("/api/auth/email/change/request", &json!({"new_email": email}));
        assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    }
}

#[test]
fn an_address_is_changed_by_the_link_that_goes_to_the_new_one() {
    let ann = Ann::new();
    let other = text(&ann.daemon.login(ANN)["access_token"]);
    ann.ask_for(NEW);
    assert_eq!(ann.daemon.world.mails(ANN)[0].kind, "email_change_requested");
    assert_eq!(ann.get("/api/auth/me").json()["email"], ANN, "nothing is changed yet");
    let link = ann.daemon.world.token_in_mail(NEW);
    let verify = ann.daemon.post("/api/auth/email/verify/confirm", &json!({"token": link}).to_string());
    assert_eq!(code(&verify), (400, "invalid_token".into()), "one kind of link is never taken for another");

    let changed = ann.confirm(&link);
    assert_eq!((changed.status, &changed.json()["email"]), (200, &json!(NEW)), "{changed:?}");
    assert_eq!(changed.json()["email_verified"], true);
    assert_eq!(code(&ann.confirm(&link)), (400, "invalid_token".into()));
    assert_eq!(ann.get("/api/auth/me").json()["email"], NEW, "the session that asked goes on");
    assert_eq!(ann.daemon.send_as(&other, "GET", "/api/auth/me", "").status, 401, "others end");
    assert!(ann.daemon.world.login(ANN).is_err());
    assert!(ann.daemon.world.login(&NEW.to_lowercase()).is_ok());
}

#[test]
fn an_address_that_somebody_has_is_not_told_and_not_taken() {
    let ann = Ann::new();
    ann.daemon.world.add_user("bob@example.com", &[]);
    ann.ask_for("bob@example.com");
    assert!(ann.daemon.world.mails("bob@example.com").is_empty());
    ann.ask_for(NEW);
    let link = ann.daemon.world.token_in_mail(NEW);
    ann.daemon.world.add_user(NEW, &[]);
    assert_eq!(code(&ann.confirm(&link)), (409, "email_taken".into()));
    assert_eq!(ann.get("/api/auth/me").json()["email"], ANN);
}

#[test]
fn a_link_for_a_new_address_lives_a_day_and_a_newer_one_voids_it() {
    let ann = Ann::new();
    ann.ask_for(NEW);
    let first = ann.daemon.world.token_in_mail(NEW);
    ann.ask_for("third@example.com");
    assert_eq!(code(&ann.confirm(&first)), (400, "invalid_token".into()));
    let second = ann.daemon.world.token_in_mail("third@example.com");
    ann.daemon.world.advance(Duration::from_secs(86400));
    assert_eq!(code(&ann.confirm(&second)), (400, "invalid_token".into()));
}

#[test]
fn the_older_link_dies_whatever_comes_of_the_newer_wish() {
    let story = |wish: fn(&Ann)| {
        let ann = Ann::new();
        ann.daemon.world.add_user("bob@example.com", &[]);
        ann.ask_for(NEW);
        let link = ann.daemon.world.token_in_mail(NEW);
        wish(&ann);
        code(&ann.confirm(&link))
    };
    let free = story(|ann| ann.ask_for("third@example.com"));
    assert_eq!(free, (400, "invalid_token".into()));
    assert_eq!(story(|ann| ann.ask_for("bob@example.com")), free, "taken");
    let capped = story(|ann| {
        for _ in 0..3 {
            ann.daemon.world.register("full@example.com").unwrap();
        }
        ann.ask_for("full@example.com");
        let mails = ann.daemon.world.mails("full@example.com");
        assert!(mails.iter().all(|mail| mail.kind == "verify_email"), "{mails:?}");
    });
    assert_eq!(capped, free, "an address that has had its mails");
}

#[test]
fn a_changed_password_keeps_this_session_alone() {
    let ann = Ann::new();
    let other = ann.daemon.login(ANN);
    let change = |current: &str, new: &str| {
        ann.post("/api/auth/password/change", &json!({"current_password": current, "new_password": new}))
    };
    assert_eq!(code(&change(PASSWORD, "short")), (422, "weak_password".into()));
    assert_eq!(code(&change(OTHER, OTHER)), (403, "invalid_credentials".into()));
    let changed = change(PASSWORD, OTHER);
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(ann.daemon.world.mails(ANN)[0].kind, "password_changed");
    let next = json!({"refresh_token": changed.json()["refresh_token"]}).to_string();
    assert_eq!(ann.daemon.post("/api/auth/refresh", &next).status, 200);
    for dead in [&other["refresh_token"], &json!("authd_rt_x")] {
        let answer = ann.daemon.post("/api/auth/refresh", &json!({"refresh_token": dead}).to_string());
        assert_eq!(code(&answer), (401, "invalid_token".into()));
    }
    assert_eq!(ann.daemon.send_as(&text(&other["access_token"]), "GET", "/api/auth/me", "").status, 401);
    assert!(ann.daemon.world.login(ANN).is_err());
    assert!(ann.daemon.world.login_with(ANN, OTHER).is_ok());
}

#[test]
fn a_login_is_made_fresh_by_proving_once_more_who_one_is() {
    let daemon = Daemon::new();
    let world = &daemon.world;
    let token = daemon.token_of("ann@example.com", &[]);
    let prove = |body: Value| daemon.send_as(&token, "POST", "/api/auth/reauthenticate", &body.to_string());
    let set_up = || daemon.send_as(&token, "POST", "/api/auth/2fa/setup", "").status;
    world.advance(Duration::from_secs(5 * 60));
    assert_eq!(set_up(), 403);
    assert_eq!(
        code(&prove(json!({"password": "not hers at all, this"}))),
        (403, "invalid_credentials".into())
    );
    assert_eq!(set_up(), 403);
    assert_eq!(prove(json!({"password": PASSWORD})).status, 204);
    let setup = daemon.send_as(&token, "POST", "/api/auth/2fa/setup", "");
    assert_eq!(setup.status, 200, "the same token is fresh again: {setup:?}");
    let app = Authenticator::new(setup.json()["secret"].as_str().unwrap());
    let now = || app.code_at(world.now().as_secs());
    let enabled = daemon.send_as(&token, "POST", "/api/auth/2fa/enable", &json!({"code": now()}).to_string());
    assert_eq!(enabled.status, 200, "{enabled:?}");
    let recovery = enabled.json()["recovery_codes"][0].as_str().unwrap().to_owned();
    let delete = || {
        code(&daemon.send_as(&token, "POST", "/api/auth/me/delete", &json!({"password": "x"}).to_string()))
    };

    // With a second factor on, the password alone is not enough, nor is the code.
    world.advance(Duration::from_secs(5 * 60));
    assert_eq!(delete().1, "fresh_login_required");
    assert_eq!(code(&prove(json!({"password": PASSWORD}))), (401, "invalid_code".into()));
    assert_eq!(code(&prove(json!({"code": now()}))), (422, "validation_failed".into()));
    assert_eq!(delete().1, "fresh_login_required");
    assert_eq!(prove(json!({"password": PASSWORD, "code": now()})).status, 204);
    assert_eq!(delete().1, "invalid_credentials", "it is asked for the password now");
    assert_eq!(prove(json!({"password": PASSWORD, "recovery_code": recovery})).status, 204);
    let proven = world.events().iter().filter(|event| *event == "Reauthenticated").count();
    assert_eq!(proven, 3);
    // Whoever guesses is locked out as at the login.
    for _ in 0..10 {
        prove(json!({"password": "not hers at all, this"}));
    }
    assert_eq!(prove(json!({"password": PASSWORD})).problem(), "too_many_attempts");
}

#[test]
fn a_session_that_ended_meanwhile_changes_nothing() {
    let ann = Ann::new();
    let world = &ann.daemon.world;
    let caller = world.caller(&world.login(ANN).unwrap());
    logout::logout(&world.app, &caller).unwrap();
    let change = password::Change {
        current: Password::new(PASSWORD).unwrap(),
        new: Password::new(OTHER).unwrap(),
        factor: None,
    };
    let refused = |outcome: Result<(), Error>| assert_eq!(outcome, Err(Refusal::InvalidToken.into()));
    refused(password::change(&world.app, &caller, &change).map(drop));
    refused(authd::usecase::account::two_factor::setup(&world.app, &caller).map(drop));
    refused(authd::usecase::account::me::delete(
        &world.app,
        &caller,
        Some(&Password::new(PASSWORD).unwrap()),
    ));
    assert!(world.login(ANN).is_ok(), "the old password holds");
}

#[test]
fn a_deleted_account_leaves_its_id_and_nothing_else() {
    let ann = Ann::new();
    ann.post("/api/auth/2fa/setup", &json!({}));
    ann.ask_for(NEW);
    let wrong = ann.post("/api/auth/me/delete", &json!({"password": OTHER}));
    assert_eq!(code(&wrong), (403, "invalid_credentials".into()));
    let id = text(&ann.get("/api/auth/me").json()["id"]);
    assert_eq!(ann.post("/api/auth/me/delete", &json!({"password": PASSWORD})).status, 204);
    assert_eq!(ann.get("/api/auth/me").status, 401);

    for (column, value) in ann.daemon.world.database().everything() {
        let text = String::from_utf8_lossy(value.bytes()).to_lowercase();
        let is_hers = text.split_once("ann").is_some_and(|(_, rest)| rest.contains("@example"));
        assert!(!is_hers, "{column}: {text}");
    }
    assert!(
        ann.daemon
            .world
            .audit()
            .iter()
            .any(|line| line.event == "UserDeleted" && line.user == Some(id.clone()))
    );
}

#[test]
fn the_last_admin_does_not_delete_itself() {
    let daemon = Daemon::new();
    daemon.world.add_user(ANN, &["admin"]);
    let token = text(&daemon.login(ANN)["access_token"]);
    let answer =
        daemon.send_as(&token, "POST", "/api/auth/me/delete", &json!({"password": PASSWORD}).to_string());
    assert_eq!(code(&answer), (409, "last_admin".into()));
}

#[test]
fn ones_own_events_are_paged_newest_first_and_nobody_elses() {
    let ann = Ann::new();
    ann.daemon.world.add_user("bob@example.com", &[]);
    ann.daemon.login("bob@example.com");
    admin::disable(&ann.daemon.world.app, &operator(), &user_ref("bob@example.com")).unwrap();
    ann.daemon.post("/api/auth/login", &json!({"email": ANN, "password": OTHER}).to_string());
    let all = ann.get("/api/auth/me/events").json();
    let event = |event: &Value| text(&event["event"]);
    let shown: Vec<_> = all["events"].as_array().unwrap().iter().map(event).collect();
    assert_eq!(shown, ["LoginFailed", "LoginSucceeded", "UserCreated"]);
    assert_eq!(all["next"], Value::Null);
    let failed = &all["events"][0];
    assert_eq!((&failed["ip"], &failed["details"]), (&json!("127.0.0.1"), &json!({"why": "wrong_password"})));
    assert!(!all.to_string().contains("olga"), "which operator it was is not the user's to know");

    let mut pages = Vec::new();
    let mut next = String::new();
    loop {
        let page = ann.get(&format!("/api/auth/me/events?limit=1{next}")).json();
        pages.extend(page["events"].as_array().unwrap().iter().map(event));
        match page["next"].as_str() {
            Some(cursor) => next = format!("&before={cursor}"),
            None => break,
        }
    }
    assert_eq!(pages, shown);
}

#[test]
fn parameters_of_a_list_are_strict() {
    let ann = Ann::new();
    let get = |query: &str| ann.get(&format!("/api/auth/me/events?{query}"));
    for (query, field, error) in [
        ("limit=0", "limit", "out_of_range"),
        ("limit=201", "limit", "out_of_range"),
        ("limit=-1", "limit", "invalid"),
        ("limit=", "limit", "invalid"),
        ("limit=1e1", "limit", "invalid"),
        ("limit=%FF", "limit", "invalid"),
        ("limit=5&limit=5", "limit", "repeated"),
        ("limt=5", "limt", "unknown"),
        ("before", "before", ""),
    ] {
        let answer = get(query);
        if error.is_empty() {
            assert_eq!(code(&answer), (400, "invalid_cursor".into()), "{query}");
        } else {
            assert_eq!(answer.field_errors(), [(field.to_owned(), error.to_owned())], "{query}");
        }
    }
    for cursor in ["x", "AAAA", "ZQAAAAAAAAAB%00"] {
        assert_eq!(code(&get(&format!("before={cursor}"))), (400, "invalid_cursor".into()), "{cursor}");
    }
    for good in ["", "limit=200", "limit=1&", "%6cimit=1"] {
        assert_eq!(get(good).status, 200, "{good}");
    }
    assert_eq!(ann.daemon.get("/api/auth/me/events?limit=0").status, 401, "who may not ask learns nothing");
}
