//! A flood on an account that is locked: refused as ever, and told in few lines of the audit log.

use crate::daemon::{Answer, Daemon, JSON};
use crate::world::{PASSWORD, operator, user_ref};
use authd::domain::audit::Line;
use authd::usecase::account::admin;
use authd::usecase::app::locked_tries::Take;
use authd::usecase::operator::figures;
use authd::usecase::signin::locked_tries;
use serde_json::json;
use std::time::Duration;

const ANN: &str = "ann@example.com";
const NOBODY: &str = "nobody@example.com";

fn daemon() -> Daemon {
    let daemon = Daemon::with(&[("proxy.trusted", "127.0.0.1/32")]);
    daemon.world.add_user(ANN, &[]);
    daemon
}

fn login(daemon: &Daemon, ip: &str, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password}).to_string();
    daemon.send("POST", "/api/auth/login", &[JSON, ("x-forwarded-for", ip)], body.as_bytes())
}

fn lock(daemon: &Daemon, ip: &str, email: &str) {
    for _ in 0..5 {
        assert_eq!(login(daemon, ip, email, "not the password at all").status, 401);
    }
}

/// The lines of refused tries: of how many, whose, and from where.
fn told(lines: &[Line]) -> Vec<(String, Option<String>, Option<String>)> {
    let detail = |line: &Line, name: &str| {
        line.details.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    };
    let locked = lines.iter().filter(|line| detail(line, "why").as_deref() == Some("too_many_attempts"));
    locked
        .map(|line| {
            assert_eq!((line.event.as_str(), line.actor.as_str()), ("LoginFailed", "anonymous"));
            let whose = line.user.clone().or_else(|| detail(line, "email"));
            (detail(line, "tries").unwrap_or_else(|| "1".into()), whose, line.ip.clone())
        })
        .collect()
}

#[test]
fn the_first_try_is_a_line_and_those_of_the_next_minute_are_one() {
    let daemon = daemon();
    let ann = admin::find(&daemon.world.app, &operator(), &user_ref(ANN)).unwrap().id.to_string();
    for (email, whose) in [(ANN, ann.as_str()), (NOBODY, NOBODY)] {
        let line = |tries: &str, ip: &str| (tries.to_owned(), Some(whose.to_owned()), Some(ip.to_owned()));
        lock(&daemon, "192.0.2.1", email);
        lock(&daemon, "192.0.2.2", email);
        let before = daemon.world.audit().len();
        let since = || told(&daemon.world.audit()[before..]);
        for try_ in 0..50 {
            // By the right password, too.
            let ip = ["192.0.2.1", "192.0.2.2"][try_ % 2];
            let answer = login(&daemon, ip, email, PASSWORD);
            assert_eq!((answer.status, answer.problem().as_str()), (429, "too_many_attempts"));
        }
        assert_eq!(since(), [line("1", "192.0.2.1")]);
        locked_tries::write(&daemon.world.app, Take::Due).unwrap();
        assert_eq!(since().len(), 1, "the minute is not over");
        daemon.world.advance(Duration::from_secs(60));
        locked_tries::write(&daemon.world.app, Take::Due).unwrap();
        assert_eq!(since(), [line("1", "192.0.2.1"), line("49", "192.0.2.2")]);
        locked_tries::write(&daemon.world.app, Take::All).unwrap();
        assert_eq!(since().len(), 2, "nothing is told twice");
    }
}

#[test]
fn a_try_after_the_minute_tells_of_those_before() {
    let daemon = daemon();
    lock(&daemon, "192.0.2.1", ANN);
    let mut expected = vec!["1"];
    for _ in 0..3 {
        login(&daemon, "192.0.2.1", ANN, PASSWORD);
    }
    daemon.world.advance(Duration::from_millis(59_999));
    login(&daemon, "192.0.2.1", ANN, PASSWORD);
    daemon.world.advance(Duration::from_millis(1));
    lock(&daemon, "192.0.2.1", ANN);
    login(&daemon, "192.0.2.1", ANN, PASSWORD);
    expected.push("4");
    let found = told(&daemon.world.audit());
    assert_eq!(found.iter().map(|(tries, ..)| tries.as_str()).collect::<Vec<_>>(), expected);
    let figures = figures::read(&daemon.world.app);
    assert!(format!("{figures:?}").contains("(\"too_many_attempts\", 5)"), "{figures:?}");
}

#[test]
fn whoever_knows_the_password_is_counted_too() {
    let daemon = daemon();
    let tokens = daemon.login(ANN);
    let token = tokens["access_token"].as_str().unwrap();
    let body = json!({"current_password": "not it", "new_password": "another horse, another staple"});
    let change = || daemon.send_as(token, "POST", "/api/auth/password/change", &body.to_string());
    for _ in 0..5 {
        assert_eq!(change().status, 403);
    }
    let before = daemon.world.audit().len();
    for _ in 0..20 {
        assert_eq!(change().problem(), "too_many_attempts");
    }
    assert_eq!(daemon.world.audit().len(), before + 1);
}
