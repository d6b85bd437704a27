//! How many sessions of one user live at once: whatever begins one more ends the one that was unused for
//! longest, and no list is longer.

use crate::authenticator::Authenticator;
use crate::daemon::{Daemon, JSON};
use crate::world::{PASSWORD, operator, user_ref};
use authd::usecase::session::mint::mint;
use serde_json::{Value, json};
use std::time::Duration;

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";
const MINUTE: Duration = Duration::from_secs(60);

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn daemon(most: &str) -> Daemon {
    let daemon = Daemon::with(&[("tokens.max_sessions", most)]);
    daemon.world.add_user(ANN, &[]);
    daemon
}

/// A login, a minute after whatever was before.
fn login(daemon: &Daemon) -> Value {
    daemon.world.advance(MINUTE);
    daemon.login(ANN)
}

fn me(daemon: &Daemon, tokens: &Value) -> u16 {
    daemon.send_as(&text(&tokens["access_token"]), "GET", "/api/auth/me", "").status
}

fn listed(daemon: &Daemon, tokens: &Value) -> Vec<String> {
    let answer = daemon.send_as(&text(&tokens["access_token"]), "GET", "/api/auth/sessions", "");
    answer.json()["sessions"].as_array().unwrap().iter().map(|session| text(&session["id"])).collect()
}

/// The lines of sessions that had to make room: which, and how many at once.
fn evicted(daemon: &Daemon) -> Vec<(String, String)> {
    let lines = daemon.world.audit().into_iter().filter(|line| line.event == "SessionEvicted");
    lines.map(|line| (line.session.unwrap(), line.details[0].1.clone())).collect()
}

#[test]
fn a_login_beyond_the_bound_ends_the_session_that_was_unused_for_longest() {
    let daemon = daemon("3");
    let (first, second, third) = (login(&daemon), login(&daemon), login(&daemon));
    daemon.world.advance(MINUTE);
    let refresh = json!({"refresh_token": first["refresh_token"]}).to_string();
    let first = daemon.post("/api/auth/refresh", &refresh).json();
    assert_eq!(evicted(&daemon), []);
    let ids = listed(&daemon, &third);

    let fourth = login(&daemon);
    let all = [&first, &second, &third, &fourth];
    assert_eq!(all.map(|tokens| me(&daemon, tokens)), [200, 401, 200, 200]);
    assert_eq!(evicted(&daemon), [(ids[1].clone(), "1".to_owned())]);
    assert_eq!(listed(&daemon, &fourth).len(), 3);
    let line = daemon.world.audit().into_iter().rev().nth(1).unwrap();
    assert_eq!((line.event.as_str(), line.ip.is_some()), ("SessionEvicted", true), "told before the login");

    daemon.world.add_user(BOB, &[]);
    daemon.login(BOB);
    assert_eq!(me(&daemon, &first), 200, "nobody else's session ends");
}

#[test]
fn sessions_that_live_no_more_take_no_room() {
    let daemon = daemon("2");
    let (first, second) = (login(&daemon), login(&daemon));
    let logout = daemon.send_as(&text(&first["access_token"]), "POST", "/api/auth/logout", "");
    assert_eq!(logout.status, 204);
    let third = login(&daemon);
    assert_eq!([&second, &third].map(|tokens| me(&daemon, tokens)), [200, 200]);
    daemon.world.advance(Duration::from_secs(8 * 24 * 3600));
    login(&daemon);
    login(&daemon);
    assert_eq!(evicted(&daemon), []);
}

#[test]
fn a_second_factor_and_a_minted_token_begin_a_session_like_any_other() {
    let daemon = daemon("1");
    let first = login(&daemon);
    let token = text(&first["access_token"]);
    let secret = text(&daemon.send_as(&token, "POST", "/api/auth/2fa/setup", "").json()["secret"]);
    let phone = Authenticator::new(&secret);
    let code = || phone.code_at(daemon.world.now().as_secs());
    let enabled =
        daemon.send_as(&token, "POST", "/api/auth/2fa/enable", &json!({"code": code()}).to_string());
    assert_eq!(enabled.status, 200, "{enabled:?}");
    let ticket = login(&daemon)["ticket"].clone();
    assert_eq!(me(&daemon, &first), 200, "a ticket is no session");
    let second = daemon.post("/api/auth/2fa/verify", &json!({"ticket": ticket, "code": code()}).to_string());
    assert_eq!((second.status, me(&daemon, &first)), (200, 401), "{second:?}");
    daemon.world.advance(MINUTE);
    mint(&daemon.world.app, &operator(), &user_ref(ANN), None).unwrap();
    assert_eq!(me(&daemon, &second.json()), 401);
    assert_eq!(evicted(&daemon).len(), 2);
    let logins = daemon.world.audit().into_iter().filter(|line| line.event == "LoginSucceeded");
    let proofs: Vec<String> = logins.map(|line| line.details[0].1.clone()).collect();
    assert_eq!(proofs, ["pwd", "pwd otp mfa"]);
}

#[test]
fn a_bound_that_was_lowered_holds_for_the_list_at_once_and_for_the_rest_at_the_next_login() {
    let daemon = daemon("100");
    let many: Vec<Value> = (0..120).map(|_| login(&daemon)).collect();
    assert_eq!((evicted(&daemon).len(), listed(&daemon, &many[119]).len()), (20, 100));

    let lowered = daemon.restarted_with(&[("tokens.max_sessions", "5")]);
    assert_eq!(listed(&lowered, &many[119]).len(), 5);
    let newest = login(&lowered);
    let alive = many.iter().filter(|tokens| me(&lowered, tokens) == 200).count();
    assert_eq!((alive, me(&lowered, &newest), listed(&lowered, &newest).len()), (4, 200, 5));
    assert_eq!(evicted(&lowered).last().unwrap().1, "96", "one line for all of them");
}

#[test]
fn logins_at_once_keep_to_the_bound() {
    let daemon = daemon("4");
    let body = json!({"email": ANN, "password": PASSWORD}).to_string();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (address, body) = (daemon.running.address().tcp().unwrap(), &body);
            scope.spawn(move || {
                for _ in 0..6 {
                    let request = crate::daemon::request("POST", "/api/auth/login", &[JSON], body.as_bytes());
                    assert_eq!(crate::daemon::exchange(address, &request).status, 200);
                }
            });
        }
    });
    let newest = login(&daemon);
    assert_eq!((listed(&daemon, &newest).len(), evicted(&daemon).len()), (4, 21));
}
