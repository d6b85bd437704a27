//! A password that somebody else made is good for one login, which asks for another.

use crate::authenticator::Authenticator;
use crate::daemon::{self, Answer, Daemon, JSON};
use crate::world::{PASSWORD, operator, user_ref};
use authd::domain::email::Email;
use authd::domain::name::Name;
use authd::domain::password::Password;
use authd::usecase::account::admin::{FirstPassword, NewAccount, Term, Verified};
use authd::usecase::account::{admin, admin_two_factor};
use serde_json::{Value, json};
use std::time::Duration;

const ANN: &str = "ann@example.com";
const MADE: &str = "made2-for3-ann4-alone5";
const CHOSEN: &str = "another good long password";
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// A daemon on which Ann has a password that was made for her.
fn daemon() -> Daemon {
    let daemon = Daemon::new();
    let new = NewAccount {
        email: Email::parse(ANN).unwrap(),
        name: Name::default(),
        roles: Vec::new(),
        verified: Verified::Yes,
        password: FirstPassword::Temporary(Password::new(MADE).unwrap()),
    };
    admin::add(&daemon.world.app, &operator(), new).unwrap();
    daemon
}

fn login(daemon: &Daemon, password: &str) -> Answer {
    daemon.post("/api/auth/login", &json!({"email": ANN, "password": password}).to_string())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn ticket(daemon: &Daemon) -> String {
    text(&login(daemon, MADE).json()["ticket"])
}

fn change(daemon: &Daemon, ticket: &str, new: &str) -> Answer {
    let body = json!({"ticket": ticket, "new_password": new}).to_string();
    daemon.post("/api/auth/password/change/required", &body)
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.problem())
}

fn dead() -> (u16, String) {
    (400, "invalid_token".into())
}

#[test]
fn the_first_login_gives_a_ticket_and_the_new_password_a_session() {
    let daemon = daemon();
    let due = login(&daemon, MADE);
    assert_eq!(due.status, 200);
    let members: Vec<_> = due.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["password_change_required", "ticket", "expires_in"], "and nothing else");
    let due = due.json();
    assert_eq!((&due["password_change_required"], &due["expires_in"]), (&json!(true), &json!(300)));
    assert!(text(&due["ticket"]).starts_with("authd_pc_"));
    assert_eq!(daemon.world.events().last().unwrap(), "PasswordChangeAsked");
    let user = admin::find(&daemon.world.app, &operator(), &user_ref(ANN)).unwrap();
    assert_eq!(user.last_login_at, None, "nobody is in yet");

    let ticket = text(&due["ticket"]);
    for (weak, why) in [("short", "shorter"), (MADE, "must be changed"), ("annannannannannann", "")] {
        let refused = change(&daemon, &ticket, weak);
        assert_eq!(code(&refused), (422, "weak_password".into()), "{weak}");
        assert!(refused.body.contains(why), "{refused:?}");
    }
    let changed = change(&daemon, &ticket, CHOSEN);
    assert_eq!(changed.status, 200, "the ticket outlived them: {changed:?}");
    let token = text(&changed.json()["access_token"]);
    assert_eq!(daemon.send_as(&token, "GET", "/api/auth/me", "").status, 200);
    let events = daemon.world.events();
    assert_eq!(events[events.len() - 2..], ["PasswordChanged", "LoginSucceeded"]);
    assert_eq!(daemon.world.mails(ANN)[0].kind, "password_changed");

    assert_eq!(code(&change(&daemon, &ticket, "yet another long password")), dead());
    assert_eq!(code(&login(&daemon, MADE)), (401, "invalid_credentials".into()));
    assert!(login(&daemon, CHOSEN).json().get("access_token").is_some(), "this one stays");
}

#[test]
fn a_ticket_dies_in_five_minutes_and_with_whatever_sets_another_password() {
    let daemon = daemon();
    let late = ticket(&daemon);
    daemon.world.advance(Duration::from_secs(300));
    assert_eq!(code(&change(&daemon, &late, CHOSEN)), dead());

    let replaced = ticket(&daemon);
    let again = Password::new(MADE).unwrap();
    let of = user_ref(ANN);
    admin::set_password(&daemon.world.app, &operator(), &of, &again, Term::Temporary).unwrap();
    assert_eq!(code(&change(&daemon, &replaced, CHOSEN)), dead());

    let disabled = ticket(&daemon);
    admin::disable(&daemon.world.app, &operator(), &of).unwrap();
    assert_eq!(code(&change(&daemon, &disabled, CHOSEN)), dead());
    admin::enable(&daemon.world.app, &operator(), &of).unwrap();
    for odd in ["", "authd_pc_", "authd_2fa_3kzbwZKkGk0cwn2M3vQ5mOUK1FZiQ7a1xJcJ3uU7hxY"] {
        assert_eq!(code(&change(&daemon, odd, CHOSEN)), dead());
    }
}

#[test]
fn unused_it_ends_after_seven_days_like_a_wrong_one() {
    let daemon = daemon();
    daemon.world.advance(WEEK.checked_sub(Duration::from_millis(1)).unwrap());
    assert_eq!(login(&daemon, MADE).status, 200, "asked for, and still not changed");
    daemon.world.advance(Duration::from_millis(1));
    let wrong = login(&daemon, "wrong wrong wrong wrong");
    let ended = login(&daemon, MADE);
    assert_eq!(code(&ended), (401, "invalid_credentials".into()));
    let without_id = |answer: &Answer| {
        let mut document = answer.json();
        document.as_object_mut().unwrap().remove("request_id");
        document
    };
    assert_eq!(without_id(&ended), without_id(&wrong), "nobody is told that it was right");
    let line = daemon.world.audit().into_iter().next_back().unwrap();
    assert_eq!(line.details, [("why".to_owned(), "password_ended".to_owned())]);

    // Its owner gets in by a link, and what is set by it stays.
    daemon.post("/api/auth/password/reset/request", &json!({"email": ANN}).to_string());
    let token = daemon.world.token_in_mail(ANN);
    let body = json!({"token": token, "new_password": CHOSEN}).to_string();
    assert_eq!(daemon.post("/api/auth/password/reset/confirm", &body).status, 204);
    daemon.world.advance(WEEK * 2);
    assert!(login(&daemon, CHOSEN).json().get("access_token").is_some());
}

#[test]
fn the_second_factor_comes_before_it_and_counts_in_the_session() {
    let daemon = Daemon::new();
    let (app, of) = (&daemon.world.app, user_ref(ANN));
    daemon.world.add_user(ANN, &[]);
    let enrolled = admin_two_factor::enrol(app, &operator(), &of).unwrap();
    let phone = Authenticator::new(enrolled.setup.secret.expose());
    let now = || phone.code_at(daemon.world.now().as_secs());
    admin_two_factor::confirm_enrolment(app, &operator(), &of, &authd::domain::secret::Secret::new(now()))
        .unwrap();
    admin::set_password(app, &operator(), &of, &Password::new(MADE).unwrap(), Term::Temporary).unwrap();
    daemon.world.advance(Duration::from_secs(30));

    let first = ticket(&daemon);
    assert!(first.starts_with("authd_2fa_"));
    assert_eq!(code(&change(&daemon, &first, CHOSEN)), dead(), "the code comes first");
    let shown = json!({"ticket": first, "code": now(), "cookies": true}).to_string();
    let due = daemon.post("/api/auth/2fa/verify", &shown);
    assert_eq!(due.json()["password_change_required"], true, "{due:?}");
    assert_eq!(due.header("set-cookie"), "");
    let second = text(&due.json()["ticket"]);
    daemon.world.advance(Duration::from_secs(30));
    let replayed = daemon.post("/api/auth/2fa/verify", &json!({"ticket": second, "code": now()}).to_string());
    assert_eq!(code(&replayed), (401, "invalid_code".into()), "a ticket is for one step");
    let token = text(&change(&daemon, &second, CHOSEN).json()["access_token"]);
    // Fresh, with the factor.
    let codes = json!({"code": now()}).to_string();
    assert_eq!(daemon.send_as(&token, "POST", "/api/auth/2fa/recovery-codes", &codes).status, 200);
}

#[test]
fn its_tokens_go_as_cookies_when_asked() {
    let daemon = daemon();
    let body = json!({"ticket": ticket(&daemon), "new_password": CHOSEN, "cookies": true}).to_string();
    let path = "/api/auth/password/change/required";
    let cross = [JSON, ("sec-fetch-site", "cross-site")];
    assert_eq!(code(&daemon.send("POST", path, &cross, body.as_bytes())), (403, "csrf_failed".into()));
    let answer = daemon.post(path, &body);
    assert_eq!(answer.headers.iter().filter(|(name, _)| name == "set-cookie").count(), 3, "{answer:?}");
    assert!(answer.json().get("access_token").is_none());
}

#[test]
fn a_ticket_shown_many_times_at_once_sets_one_password() {
    const RACERS: usize = 16;
    let daemon = daemon();
    let (ticket, address) = (ticket(&daemon), daemon.running.address().tcp().unwrap());
    let ask = |number: usize| {
        let body = json!({"ticket": ticket, "new_password": format!("{CHOSEN} {number}")}).to_string();
        let request = daemon::request("POST", "/api/auth/password/change/required", &[JSON], body.as_bytes());
        daemon::exchange(address, &request).status
    };
    let statuses: Vec<_> = std::thread::scope(|scope| {
        let ask = &ask;
        let racers: Vec<_> = (0..RACERS).map(|number| scope.spawn(move || ask(number))).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(200) + count(400)), (1, RACERS), "{statuses:?}");
}

#[test]
fn a_lasting_password_asks_nobody() {
    let daemon = Daemon::new();
    daemon.world.add_user(ANN, &[]);
    daemon.world.advance(WEEK * 2);
    assert!(login(&daemon, PASSWORD).json().get("access_token").is_some());
}
