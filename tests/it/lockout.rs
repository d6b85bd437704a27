//! Guessing over HTTP: how soon it ends, for whom, and that nobody learns from it who has an account
//! (S7, S9, S10).

use crate::daemon::{Answer, Daemon, JSON};
use crate::world::{PASSWORD, anonymous, operator, user_ref};
use authd::error::{Error, Refusal};
use authd::usecase::account::admin;
use serde_json::json;
use std::time::Duration;

const ANN: &str = "ann@example.com";
const HOME: &str = "192.0.2.1";
const AWAY: &str = "198.51.100.1";
const WRONG: &str = "not the password at all";

fn daemon() -> Daemon {
    daemon_with(&[])
}

fn daemon_with(settings: &[(&str, &str)]) -> Daemon {
    let daemon = Daemon::with(&[&[("proxy.trusted", "127.0.0.1/32")], settings].concat());
    daemon.world.add_user(ANN, &[]);
    daemon
}

fn post_from(daemon: &Daemon, ip: &str, path: &str, body: &serde_json::Value) -> Answer {
    let headers = [JSON, ("x-forwarded-for", ip), ("x-request-id", "same")];
    daemon.send("POST", path, &headers, body.to_string().as_bytes())
}

fn login(daemon: &Daemon, ip: &str, email: &str, password: &str) -> Answer {
    post_from(daemon, ip, "/api/auth/login", &json!({"email": email, "password": password}))
}

fn fail(daemon: &Daemon, ip: &str, email: &str, times: u32) {
    for _ in 0..times {
        let answer = login(daemon, ip, email, WRONG);
        assert_eq!((answer.status, answer.problem().as_str()), (401, "invalid_credentials"), "{answer:?}");
    }
}

#[track_caller]
fn assert_locked(answer: &Answer, retry_after_s: u64) {
    assert_eq!((answer.status, answer.problem().as_str()), (429, "too_many_attempts"), "{answer:?}");
    assert_eq!(answer.header("retry-after"), retry_after_s.to_string());
}

#[test]
fn five_failures_lock_the_pair_and_each_further_lock_is_twice_as_long() {
    let daemon = daemon();
    for seconds in [60, 120, 240, 480, 960, 1920, 3600, 3600] {
        fail(&daemon, HOME, ANN, 5);
        assert_locked(&login(&daemon, HOME, ANN, WRONG), seconds);
        assert_locked(&login(&daemon, HOME, ANN, PASSWORD), seconds);
        daemon.world.advance(Duration::from_millis(seconds * 1000 - 1));
        assert_locked(&login(&daemon, HOME, ANN, PASSWORD), 1);
        daemon.world.advance(Duration::from_millis(1));
    }
    assert_eq!(login(&daemon, HOME, ANN, PASSWORD).status, 200, "the owner comes in when the lock ends");
    fail(&daemon, HOME, ANN, 5);
    assert_locked(&login(&daemon, HOME, ANN, PASSWORD), 60);
}

#[test]
fn a_success_begins_the_count_anew() {
    let daemon = daemon();
    for _ in 0..3 {
        fail(&daemon, HOME, ANN, 4);
        assert_eq!(login(&daemon, HOME, ANN, PASSWORD).status, 200);
    }
}

#[test]
fn a_lock_is_one_networks_and_one_accounts_and_outlives_a_restart() {
    let daemon = daemon();
    daemon.world.add_user("bob@example.com", &[]);
    fail(&daemon, HOME, ANN, 5);
    assert_locked(&login(&daemon, HOME, "ANN@Example.com", PASSWORD), 60);
    assert_eq!(login(&daemon, AWAY, ANN, PASSWORD).status, 200);
    assert_eq!(login(&daemon, HOME, "bob@example.com", PASSWORD).status, 200);
    assert_locked(&login(&daemon, HOME, ANN, PASSWORD), 60);
    assert_locked(&login(&daemon, "::ffff:192.0.2.1", ANN, PASSWORD), 60);

    let restarted = daemon.world.another_app();
    let caller = authd::domain::caller::Caller { ip: Some(HOME.parse().unwrap()), ..anonymous() };
    let credentials = authd::usecase::signin::login::Credentials {
        email: authd::domain::email::Email::parse(ANN).unwrap(),
        password: authd::domain::password::Password::new(PASSWORD).unwrap(),
    };
    let refused = authd::usecase::signin::login::login(&restarted, &caller, &credentials);
    assert!(matches!(
        refused,
        Err(Error::Refused(Refusal::TooManyAttempts { retry_after })) if retry_after.as_secs() == 60
    ));
}

#[test]
fn a_hundred_failures_lock_the_account_but_not_for_those_who_know_it() {
    let daemon = daemon();
    assert_eq!(login(&daemon, HOME, ANN, PASSWORD).status, 200);
    daemon.world.advance(Duration::from_secs(30 * 86400 - 2));
    for network in 0..25 {
        fail(&daemon, &format!("198.51.100.{network}"), ANN, 4);
    }
    assert_locked(&login(&daemon, "203.0.113.1", ANN, PASSWORD), 3600);
    assert_locked(&login(&daemon, "198.51.100.0", ANN, PASSWORD), 3600);
    let mails = daemon.world.mails(ANN);
    assert_eq!(mails.iter().filter(|mail| mail.kind == "account_locked").count(), 1);
    daemon.world.advance(Duration::from_secs(1));
    assert_eq!(login(&daemon, HOME, ANN, PASSWORD).status, 200, "strangers can't keep the owner out");

    for network in 0..25 {
        fail(&daemon, &format!("203.0.113.{network}"), ANN, 4);
    }
    daemon.world.advance(Duration::from_secs(3600));
    assert_eq!(login(&daemon, "203.0.113.99", ANN, PASSWORD).status, 200, "and not for more than an hour");
}

#[test]
fn the_networks_that_are_counted_of_one_account_are_bounded_and_a_lock_outlives_the_others() {
    let daemon = daemon_with(&[("lockout.account_failures", "1000000")]);
    fail(&daemon, HOME, ANN, 5);
    for network in 0..1_100 {
        fail(&daemon, &format!("203.0.{}.{}", network / 250, network % 250), ANN, 1);
    }
    let rows: i64 = daemon.world.database().one("SELECT count(*) FROM pair_failures");
    assert!((900..=1_000).contains(&rows), "{rows}");
    assert_locked(&login(&daemon, HOME, ANN, PASSWORD), 60);
}

#[test]
fn a_network_that_was_last_seen_a_month_ago_is_a_strange_one() {
    let daemon = daemon();
    assert_eq!(login(&daemon, HOME, ANN, PASSWORD).status, 200);
    daemon.world.advance(Duration::from_secs(30 * 86400));
    for network in 0..25 {
        fail(&daemon, &format!("198.51.100.{network}"), ANN, 4);
    }
    assert_locked(&login(&daemon, HOME, ANN, PASSWORD), 3600);
}

#[test]
fn an_operator_ends_every_lock() {
    let daemon = daemon();
    for network in 0..25 {
        fail(&daemon, &format!("198.51.100.{network}"), ANN, 4);
    }
    let daemons_answer = login(&daemon, HOME, ANN, PASSWORD);
    assert_locked(&daemons_answer, 3600);
    let unlocked = admin::unlock(&daemon.world.another_app(), &operator(), &user_ref(ANN));
    assert_eq!(unlocked, Ok(1));
    assert_eq!(login(&daemon, HOME, ANN, PASSWORD).status, 200);
}

#[test]
fn a_wrong_password_counts_wherever_it_is_asked_for() {
    let daemon = daemon();
    let token = login(&daemon, HOME, ANN, PASSWORD).json()["access_token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let ask = |path: &str, body: serde_json::Value| {
        let headers = [JSON, ("x-forwarded-for", HOME), ("authorization", bearer.as_str())];
        daemon.send("POST", path, &headers, body.to_string().as_bytes())
    };
    let change = json!({"current_password": WRONG, "new_password": "another good long password"});
    let delete = json!({"password": WRONG});
    for (path, body) in [
        ("/api/auth/password/change", &change),
        ("/api/auth/me/delete", &delete),
        ("/api/auth/password/change", &change),
        ("/api/auth/me/delete", &delete),
    ] {
        let answer = ask(path, body.clone());
        assert_eq!((answer.status, answer.problem().as_str()), (403, "invalid_credentials"), "{path}");
    }
    fail(&daemon, HOME, ANN, 1);
    assert_locked(&login(&daemon, HOME, ANN, PASSWORD), 60);
    let change = json!({"current_password": PASSWORD, "new_password": "another good long password"});
    assert_locked(&ask("/api/auth/password/change", change), 60);
    assert_locked(&ask("/api/auth/me/delete", json!({"password": PASSWORD})), 60);
    assert_eq!(login(&daemon, AWAY, ANN, PASSWORD).status, 200, "nothing was changed");
}

/// What an answer shows, but for the time it was given.
fn shown(answer: Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.into_iter().filter(|(name, _)| name != "date").collect();
    (answer.status, headers, answer.body)
}

#[test]
fn no_answer_tells_who_has_an_account() {
    let daemon = daemon_with(&[("rate_limit.enabled", "true"), ("rate_limit.mail", "100/1h")]);
    daemon.world.register("new@example.com").unwrap();
    daemon.world.add_unverified("unverified@example.com");
    daemon.world.add_user("gone@example.com", &[]);
    admin::disable(&daemon.world.app, &operator(), &user_ref("gone@example.com")).unwrap();
    let people = [ANN, "new@example.com", "unverified@example.com", "gone@example.com", "nobody@example.com"];
    for (path, body) in [
        ("/api/auth/login", json!({"password": WRONG})),
        ("/api/auth/register", json!({"password": PASSWORD, "name": "Ann"})),
        ("/api/auth/register", json!({"password": "short"})),
        ("/api/auth/password/reset/request", json!({})),
        ("/api/auth/email/verify/request", json!({})),
    ] {
        let answers = people.map(|email| {
            // An hour apart, so that the budgets are whole for each.
            daemon.world.advance(Duration::from_secs(3600));
            let mut body = body.clone();
            body["email"] = email.into();
            shown(post_from(&daemon, HOME, path, &body))
        });
        for (email, answer) in people.iter().zip(&answers) {
            assert_eq!(answer, &answers[0], "{path} {email}");
        }
    }
}

#[test]
fn names_that_nobody_has_are_locked_like_others() {
    let story = |email: &str| {
        let daemon = daemon_with(&[("lockout.account_failures", "12"), ("rate_limit.enabled", "true")]);
        let mut told = Vec::new();
        for (ip, waits) in
            [(HOME, 0), (AWAY, 1), (HOME, 61), (AWAY, 61), ("203.0.113.1", 1), ("203.0.113.1", 3600)]
        {
            daemon.world.advance(Duration::from_secs(waits));
            told.extend((0..6).map(|_| shown(login(&daemon, ip, email, WRONG))));
        }
        told
    };
    let (known, unknown) = (story(ANN), story("nobody@example.com"));
    assert!(known.iter().any(|(status, ..)| *status == 429));
    assert_eq!(known, unknown);
}

#[test]
fn whoever_is_locked_out_learns_nothing_of_the_account_not_even_by_the_right_password() {
    let story = |email: &str| {
        let daemon = daemon();
        daemon.world.register("new@example.com").unwrap();
        daemon.world.add_unverified("unverified@example.com");
        daemon.world.add_user("disabled@example.com", &[]);
        admin::disable(&daemon.world.app, &operator(), &user_ref("disabled@example.com")).unwrap();
        fail(&daemon, HOME, email, 5);
        [WRONG, PASSWORD].map(|password| shown(login(&daemon, HOME, email, password)))
    };
    let expected = story("nobody@example.com");
    assert!(expected.iter().all(|(status, ..)| *status == 429));
    for email in [ANN, "disabled@example.com", "unverified@example.com", "new@example.com"] {
        assert_eq!(story(email), expected, "{email}");
    }
}

fn reset_from(daemon: &Daemon, ip: &str, password: &str) {
    post_from(daemon, ip, "/api/auth/password/reset/request", &json!({"email": ANN}));
    let token = daemon.world.token_in_mail(ANN);
    let body = json!({"token": token, "new_password": password});
    assert_eq!(post_from(daemon, ip, "/api/auth/password/reset/confirm", &body).status, 204);
}

#[test]
fn a_password_reset_ends_the_lock_of_the_network_that_did_it_and_of_no_other() {
    let daemon = daemon();
    let new = "another horse, another staple";
    for ip in [HOME, AWAY] {
        fail(&daemon, ip, ANN, 5);
    }
    reset_from(&daemon, HOME, new);
    assert_locked(&login(&daemon, AWAY, ANN, new), 60);
    assert_eq!(login(&daemon, HOME, ANN, new).status, 200);
    fail(&daemon, HOME, ANN, 5);
    assert_locked(&login(&daemon, HOME, ANN, new), 60);
}

#[test]
fn a_password_reset_lets_its_network_in_while_strangers_keep_the_account_locked() {
    let daemon = daemon_with(&[("lockout.account_failures", "10")]);
    for stranger in 0..10 {
        fail(&daemon, &format!("203.0.113.{stranger}"), ANN, 1);
    }
    assert_locked(&login(&daemon, HOME, ANN, PASSWORD), 3600);
    // A mail tells of the lock; the one with the link comes after it.
    daemon.world.advance(Duration::from_secs(1));
    let new = "another horse, another staple";
    reset_from(&daemon, HOME, new);
    assert_eq!(login(&daemon, HOME, ANN, new).status, 200);
}
