//! Signing in by a mail alone, over HTTP: the browser that asks and the mail that comes, each worth nothing
//! without the other, and nobody learns from it who has an account.

mod account;
mod guesses;

use crate::authenticator::Authenticator;
use crate::daemon::{Answer, Daemon, JSON, exchange, request};
use crate::world::{PASSWORD, anonymous, operator, user_ref};
use authd::domain::email::Email;
use authd::domain::mail::Mail;
use authd::domain::name::Name;
use authd::domain::password::Password;
use authd::domain::secret::Secret;
use authd::ports::progress::Progress;
use authd::usecase::account::admin::{FirstPassword, NewAccount, Verified};
use authd::usecase::account::{admin, edit, password, two_factor};
use authd::usecase::mail::compose;
use authd::usecase::operator::prune::prune;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::sync::Barrier;
use std::time::Duration;

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";
const NOBODY: &str = "nobody@example.com";
const REQUEST: &str = "/api/auth/magic-link/request";
const CONFIRM: &str = "/api/auth/magic-link/confirm";
const HOME: &str = "192.0.2.1";
const AWAY: &str = "198.51.100.1";
const WRONG: &str = "00000000";

/// A daemon with Ann, where signing in by mail is on.
fn daemon() -> Daemon {
    daemon_with(&[])
}

fn daemon_with(settings: &[(&str, &str)]) -> Daemon {
    let on = [("magic_link.enabled", "true"), ("proxy.trusted", "127.0.0.1/32")];
    let daemon = Daemon::with(&[&on, settings].concat());
    daemon.world.add_user(ANN, &[]);
    daemon
}

fn from(daemon: &Daemon, ip: &str, path: &str, body: &Value) -> Answer {
    let headers = [JSON, ("x-forwarded-for", ip), ("x-request-id", "same"), ("user-agent", FIREFOX)];
    daemon.send("POST", path, &headers, body.to_string().as_bytes())
}

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

/// Asks for a mail, and gives what the browser gets.
fn ask(daemon: &Daemon, email: &str) -> String {
    let answer = from(daemon, HOME, REQUEST, &json!({"email": email}));
    assert_eq!(answer.status, 202, "{answer:?}");
    daemon.world.work_off();
    daemon.world.advance(Duration::from_millis(1));
    answer.json()["request"].as_str().unwrap().to_owned()
}

/// What comes in a mail: the link's secret, and the code.
#[derive(Clone, Debug)]
struct InMail {
    token: String,
    code: String,
}

fn body(daemon: &Daemon, mail: &Mail) -> String {
    let opened = compose::show(&daemon.world.app, &operator(), &mail.id.to_string()).unwrap();
    opened.body.unwrap().expose().clone()
}

fn magic_mails(daemon: &Daemon, email: &str) -> Vec<Mail> {
    let mut mails = daemon.world.mails(email);
    mails.retain(|mail| mail.kind == "magic_link");
    mails
}

fn in_mail(daemon: &Daemon, email: &str) -> InMail {
    let mail = magic_mails(daemon, email).remove(0);
    let code = body(daemon, &mail).lines().find_map(digits).expect("the mail has a code");
    InMail { token: daemon.world.token_in(&mail), code }
}

fn digits(line: &str) -> Option<String> {
    let code: String = line.split_whitespace().collect();
    (code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

fn by_token(daemon: &Daemon, request: &str, token: &str) -> Answer {
    from(daemon, HOME, CONFIRM, &json!({"request": request, "token": token}))
}

fn by_code(daemon: &Daemon, request: &str, code: &str) -> Answer {
    from(daemon, HOME, CONFIRM, &json!({"request": request, "code": code}))
}

#[track_caller]
fn assert_dead(answer: &Answer) {
    assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid_token"), "{answer:?}");
}

#[track_caller]
fn assert_in(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    let tokens = answer.json();
    assert!(tokens["access_token"].is_string(), "{tokens}");
    tokens
}

fn amr(tokens: &Value) -> Value {
    let part = tokens["access_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap();
    claims["amr"].clone()
}

fn rows(daemon: &Daemon, sql: &str) -> i64 {
    daemon.world.database().one(sql)
}

fn times(daemon: &Daemon, event: &str) -> usize {
    daemon.world.events().iter().filter(|name| *name == event).count()
}

#[test]
fn it_is_off_unless_it_is_turned_on() {
    let daemon = Daemon::new();
    daemon.world.add_user(ANN, &[]);
    let asked = daemon.post(REQUEST, &json!({"email": ANN}).to_string());
    assert_eq!((asked.status, asked.problem().as_str()), (404, "not_found"));
    let confirmed = daemon.post(CONFIRM, &json!({"request": "authd_mr_x", "code": WRONG}).to_string());
    assert_eq!((confirmed.status, confirmed.problem().as_str()), (404, "not_found"));
    assert!(daemon.world.mails(ANN).is_empty());
    let link = format!("authd_ml_{}", "x".repeat(43));
    let looked = authd::usecase::signin::magic_link::peek(&daemon.world.app, &link, None);
    assert!(looked.is_err(), "nor is a link looked at: {looked:?}");
}

#[test]
fn the_link_signs_in_whoever_asked_once() {
    let daemon = daemon();
    let answer = from(&daemon, HOME, REQUEST, &json!({"email": ANN}));
    assert_eq!((answer.status, &answer.json()["expires_in"]), (202, &json!(600)));
    let request = answer.json()["request"].as_str().unwrap().to_owned();
    assert!(request.starts_with("authd_mr_") && request.len() == 9 + 43, "{request}");
    let mail = in_mail(&daemon, ANN);
    assert!(mail.token.starts_with("authd_ml_"));
    let tokens = assert_in(&by_token(&daemon, &request, &mail.token));
    assert_eq!((&tokens["user"]["email"], amr(&tokens)), (&json!(ANN), json!(["email"])));
    let line = daemon.world.audit().into_iter().rev().find(|line| line.event == "LoginSucceeded").unwrap();
    assert_eq!(line.details, vec![("amr".to_owned(), "email".to_owned())]);
    for again in [by_token(&daemon, &request, &mail.token), by_code(&daemon, &request, &mail.code)] {
        assert_dead(&again);
    }
    assert_eq!((times(&daemon, "MagicLinkRequested"), times(&daemon, "LoginFailed")), (1, 0));
    assert_eq!(daemon.login(ANN)["user"]["email"], ANN, "a verified account keeps its password");
}

#[test]
fn the_code_signs_in_however_it_is_typed_and_the_link_is_spent_by_it() {
    let daemon = daemon();
    for split in [0, 4] {
        let request = ask(&daemon, ANN);
        let mail = in_mail(&daemon, ANN);
        let (first, second) = mail.code.split_at(split);
        assert_eq!(
            amr(&assert_in(&by_code(&daemon, &request, &format!("{first} {second}")))),
            json!(["email"])
        );
        assert_dead(&by_token(&daemon, &request, &mail.token));
        assert_dead(&by_code(&daemon, &request, &mail.code));
    }
}

#[test]
fn tokens_go_as_cookies_where_the_browser_wants_them() {
    let daemon = daemon();
    let request = ask(&daemon, ANN);
    let InMail { token, .. } = in_mail(&daemon, ANN);
    let answer = from(&daemon, HOME, CONFIRM, &json!({"request": request, "token": token, "cookies": true}));
    assert_eq!(answer.status, 200);
    assert!(answer.json()["csrf_token"].is_string() && answer.json().get("access_token").is_none());
    let set = answer.headers.iter().filter(|(name, _)| name == "set-cookie").count();
    assert_eq!(set, 3, "{answer:?}");
}

#[test]
fn either_the_token_or_the_code_is_shown() {
    let daemon = daemon();
    let request = ask(&daemon, ANN);
    let InMail { token, code } = in_mail(&daemon, ANN);
    let both = from(&daemon, HOME, CONFIRM, &json!({"request": request, "token": token, "code": code}));
    assert_eq!(both.field_errors(), [("code".to_owned(), "conflict".to_owned())]);
    let neither = from(&daemon, HOME, CONFIRM, &json!({"request": request}));
    assert_eq!(neither.field_errors(), [("token".to_owned(), "missing".to_owned())]);
    assert_in(&by_token(&daemon, &request, &token));
}

#[test]
fn a_mail_is_worth_nothing_beside_the_request_of_another_browser() {
    let daemon = daemon();
    daemon.world.add_user(BOB, &[]);
    let anns = ask(&daemon, ANN);
    let mail = in_mail(&daemon, ANN);
    let bobs = ask(&daemon, BOB);
    for stranger in [bobs.as_str(), &ask(&daemon, NOBODY), "authd_mr_", "", &mail.token, &anns[..50]] {
        assert_dead(&by_token(&daemon, stranger, &mail.token));
        assert_dead(&by_code(&daemon, stranger, &mail.code));
    }
    for token in [anns.as_str(), "", "authd_ml_x", &in_mail(&daemon, BOB).token] {
        assert_dead(&by_token(&daemon, &anns, token));
    }
    assert_in(&by_token(&daemon, &anns, &mail.token));
}

#[test]
fn a_newer_mail_voids_the_older_whichever_browser_asked() {
    let daemon = daemon();
    let (older, first) = (ask(&daemon, ANN), in_mail(&daemon, ANN));
    let (newer, second) = (ask(&daemon, ANN), in_mail(&daemon, ANN));
    assert_ne!((&older, &first.token, &first.code), (&newer, &second.token, &second.code));
    for request in [&older, &newer] {
        assert_dead(&by_token(&daemon, request, &first.token));
        assert_dead(&by_code(&daemon, request, &first.code));
    }
    assert_dead(&by_token(&daemon, &older, &second.token));
    assert_in(&by_token(&daemon, &newer, &second.token));
}

#[test]
fn it_is_good_for_ten_minutes() {
    let daemon = daemon();
    for (millis, is_good) in [(599_998, true), (599_999, false)] {
        for shows_code in [true, false] {
            let (request, mail) = (ask(&daemon, ANN), in_mail(&daemon, ANN));
            // A millisecond has gone since it was asked for.
            daemon.world.advance(Duration::from_millis(millis));
            let answer = if shows_code {
                by_code(&daemon, &request, &mail.code)
            } else {
                by_token(&daemon, &request, &mail.token)
            };
            if is_good {
                assert_in(&answer);
            } else {
                assert_dead(&answer);
                assert_dead(&by_code(&daemon, &request, WRONG));
            }
            daemon.world.advance(Duration::from_secs(3600));
        }
    }
    assert_eq!(times(&daemon, "LoginFailed"), 0, "too late is no guess");
}

#[test]
fn the_mail_says_where_it_was_asked_for_and_for_how_long_it_is_good() {
    let daemon = daemon_with(&[("links.magic_link", "https://example.com/in#{token}")]);
    ask(&daemon, ANN);
    let mail = magic_mails(&daemon, ANN).remove(0);
    let text = body(&daemon, &mail);
    let InMail { token, code } = in_mail(&daemon, ANN);
    for part in ["192.0.2.1, Firefox on Linux", "10 minutes", &format!("https://example.com/in#{token}")] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let opened = compose::show(&daemon.world.app, &operator(), &mail.id.to_string()).unwrap();
    let html = opened.html.unwrap().expose().clone();
    for part in ["192.0.2.1, Firefox on Linux", "10 minutes", &format!("{} {}", &code[..4], &code[4..])] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!mail.subject.contains(&code[..4]), "the subject is sealed nowhere");
}

#[test]
fn a_mail_that_comes_too_late_is_not_written() {
    let daemon = daemon();
    let answer = from(&daemon, HOME, REQUEST, &json!({"email": ANN}));
    assert_eq!(answer.status, 202);
    // As after ten minutes in which the daemon was down.
    daemon.world.advance(Duration::from_secs(600));
    assert!(daemon.world.mails(ANN).is_empty());
    assert_eq!(rows(&daemon, "SELECT count(*) FROM link_requests"), 0);
}

#[test]
fn a_link_and_its_code_used_at_once_are_one_session() {
    let daemon = daemon();
    let (request_secret, mail) = (ask(&daemon, ANN), in_mail(&daemon, ANN));
    let address = daemon.running.address().tcp().unwrap();
    let bodies = [
        json!({"request": request_secret, "token": mail.token}).to_string(),
        json!({"request": request_secret, "code": mail.code}).to_string(),
    ];
    let start = Barrier::new(64);
    let statuses: Vec<_> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..64)
            .map(|number| {
                let (start, body) = (&start, &bodies[number % 2]);
                scope.spawn(move || {
                    start.wait();
                    exchange(address, &request("POST", CONFIRM, &[JSON], body.as_bytes())).status
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 400].contains(status)), "{statuses:?}");
    assert_eq!((times(&daemon, "LoginSucceeded"), times(&daemon, "LoginFailed")), (1, 0));
}
