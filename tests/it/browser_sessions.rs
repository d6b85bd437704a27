//! One session a browser: what becomes of the one that it has when somebody logs in anew, and of its cookies
//! when they are good for nothing any more.

use crate::authenticator::Authenticator;
use crate::cookies::{ANN, Jar, code, daemon, daemon_with, log_in, log_in_with, send, set_cookies};
use crate::daemon::{Answer, Daemon, JSON};
use crate::world::{PASSWORD, operator, user_ref};
use authd::usecase::session::tokens::{self, Target};
use serde_json::json;
use std::time::Duration;

const BOB: &str = "bob@example.com";

fn log_in_again(daemon: &Daemon, email: &str, jar: &Jar) -> Answer {
    let body = json!({"email": email, "password": PASSWORD, "cookies": true}).to_string();
    daemon.send("POST", "/api/auth/login", &[JSON, ("cookie", &jar.cookies)], body.as_bytes())
}

fn me(daemon: &Daemon, jar: &Jar) -> u16 {
    send(daemon, jar, "GET", "/api/auth/me", &[], "").status
}

/// The names of the cookies that an answer takes away.
fn cleared(answer: &Answer) -> Vec<String> {
    let set = set_cookies(answer).into_iter();
    let gone =
        set.filter(|(_, value, attributes)| value.is_empty() && attributes.contains("Max-Age=0; Secure"));
    gone.map(|(name, ..)| name.replace("__Host-authd_", "")).collect()
}

const ALL: [&str; 3] = ["access", "refresh", "csrf"];

#[test]
fn a_login_ends_the_session_that_the_browser_had() {
    let daemon = daemon();
    daemon.world.add_user(BOB, &[]);
    let elsewhere = log_in(&daemon);
    let first = log_in(&daemon);
    let second = Jar::of(&log_in_again(&daemon, ANN, &first));
    assert_eq!([me(&daemon, &first), me(&daemon, &second), me(&daemon, &elsewhere)], [401, 200, 200]);
    // Whoever's it was.
    let third = Jar::of(&log_in_again(&daemon, BOB, &second));
    assert_eq!([me(&daemon, &second), me(&daemon, &third), me(&daemon, &elsewhere)], [401, 200, 200]);
    let events = daemon.world.events();
    assert_eq!(events.iter().filter(|event| *event == "SessionReplaced").count(), 2, "{events:?}");
}

#[test]
fn only_a_login_that_succeeds_and_sets_cookies_ends_it() {
    let daemon = daemon();
    let jar = log_in(&daemon);
    let cookie = ("cookie", jar.cookies.as_str());
    for (body, status) in [
        (json!({"email": ANN, "password": PASSWORD}), 200),
        (json!({"email": ANN, "password": PASSWORD, "cookies": false}), 200),
        (json!({"email": ANN, "password": "not the password", "cookies": true}), 401),
    ] {
        let answer = daemon.send("POST", "/api/auth/login", &[JSON, cookie], body.to_string().as_bytes());
        assert_eq!((answer.status, me(&daemon, &jar)), (status, 200), "{body}");
    }
    // A token that authd didn't make ends nothing, though it names the session.
    let forged = Jar { cookies: jar.cookies.replace("authd_rt_", "authd_rt_A"), ..jar.clone() };
    let (start, end) = jar.cookies.split_once("authd_rt_").unwrap();
    let last_changed = Jar { cookies: format!("{start}authd_rt_{}", flipped(end)), ..jar.clone() };
    for odd in [forged, last_changed] {
        assert_eq!((log_in_again(&daemon, ANN, &odd).status, me(&daemon, &jar)), (200, 200), "{odd:?}");
    }
    let twice = Jar { cookies: format!("{}; __Host-authd_refresh=x", jar.cookies), ..jar.clone() };
    assert_eq!(code(&log_in_again(&daemon, ANN, &twice)), (400, "bad_request".into()));
}

/// The text with another character in the midst of its first value's tag.
fn flipped(text: &str) -> String {
    let at = 60;
    let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

#[test]
fn with_a_second_factor_it_ends_with_the_second_step() {
    let daemon = daemon();
    let token = daemon.login(ANN)["access_token"].as_str().unwrap().to_owned();
    let setup = daemon.send_as(&token, "POST", "/api/auth/2fa/setup", "").json();
    let phone = Authenticator::new(setup["secret"].as_str().unwrap());
    let code = || {
        daemon.world.advance(Duration::from_secs(30));
        phone.code_at(daemon.world.now().as_secs())
    };
    let body = json!({"code": code()}).to_string();
    assert_eq!(daemon.send_as(&token, "POST", "/api/auth/2fa/enable", &body).status, 200);
    let step = |first: &Answer, cookies: &str| {
        let body = json!({"ticket": first.json()["ticket"], "code": code(), "cookies": true}).to_string();
        let answer =
            daemon.send("POST", "/api/auth/2fa/verify", &[JSON, ("cookie", cookies)], body.as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        Jar::of(&answer)
    };
    let jar = step(&log_in_with(&daemon, &[]), "theme=dark");
    let first = log_in_again(&daemon, ANN, &jar);
    assert_eq!((me(&daemon, &jar), &first.json()["two_factor_required"]), (200, &json!(true)));
    let next = step(&first, &jar.cookies);
    assert_eq!([me(&daemon, &jar), me(&daemon, &next)], [401, 200]);
}

#[test]
fn cookies_of_a_session_that_has_ended_are_taken_away() {
    let daemon = daemon();
    for (method, path) in [("GET", "/api/auth/me"), ("GET", "/api/auth/verify"), ("POST", "/api/auth/logout")]
    {
        let jar = log_in(&daemon);
        tokens::revoke(&daemon.world.app, &operator(), &Target::User(user_ref(ANN))).unwrap();
        let answer = send(&daemon, &jar, method, path, &[], "");
        assert_eq!(code(&answer), (401, "invalid_token".into()), "{path}");
        assert_eq!(cleared(&answer), ALL, "{path}");
        let refreshed = send(&daemon, &jar, "POST", "/api/auth/refresh", &[], "");
        assert_eq!(
            (code(&refreshed).0, cleared(&refreshed)),
            (401, ALL.map(str::to_owned).to_vec()),
            "{path}"
        );
    }
    // And those that authd never made.
    let odd = "__Host-authd_access=x; __Host-authd_refresh=y; __Host-authd_csrf=z";
    assert_eq!(cleared(&daemon.send("GET", "/api/auth/me", &[("cookie", odd)], b"")), ALL);
    let headers = [("cookie", odd), ("x-csrf-token", "z")];
    assert_eq!(cleared(&daemon.send("POST", "/api/auth/refresh", &headers, b"")), ALL);
}

#[test]
fn where_the_session_goes_on_the_refresh_cookie_stays() {
    let daemon = daemon_with(&[("tokens.access_ttl", "1m")]);
    let jar = log_in(&daemon);
    daemon.world.advance(Duration::from_secs(61));
    let answer = send(&daemon, &jar, "GET", "/api/auth/me", &[], "");
    assert_eq!((code(&answer).0, cleared(&answer)), (401, vec!["access".to_owned()]));
    assert_eq!(send(&daemon, &jar, "POST", "/api/auth/refresh", &[], "").status, 200);
}

#[test]
fn nobody_else_s_401_touches_the_cookies() {
    let daemon = daemon();
    let jar = log_in(&daemon);
    let bearer = [("authorization", "Bearer x"), ("cookie", jar.cookies.as_str())];
    let wrong = json!({"email": ANN, "password": "not the password", "cookies": true}).to_string();
    for answer in [
        daemon.send("GET", "/api/auth/me", &bearer, b""),
        daemon.get("/api/auth/me"),
        daemon.send("POST", "/api/auth/login", &[JSON, bearer[1]], wrong.as_bytes()),
        daemon.post("/api/auth/refresh", r#"{"refresh_token":"x"}"#),
        // Another site's page can't have the cookies taken away.
        send(&daemon, &jar, "POST", "/api/auth/refresh", &[("sec-fetch-site", "cross-site")], ""),
    ] {
        assert!(matches!(answer.status, 401 | 403) && set_cookies(&answer).is_empty(), "{answer:?}");
    }
    assert_eq!((log_in_with(&daemon, &[]).status, me(&daemon, &jar)), (200, 200));
}
