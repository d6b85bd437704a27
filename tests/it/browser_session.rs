//! The cookie of a browser's session: what it opens, what is none, and what replaces it.

use crate::authenticator::Authenticator;
use crate::browser::{Browser, begin};
use crate::cookies::{ANN, code, daemon, daemon_with, log_in, set_cookies};
use crate::daemon::{Answer, Daemon, JSON};
use crate::world::{PASSWORD, anonymous};
use authd::api::route::Access;
use authd::api::table::routes;
use serde_json::json;
use std::time::Duration;

const NEW: &str = "another good long password";
const DAY: u64 = 86_400;

/// The cookies of ours that an answer takes away.
pub fn cleared(answer: &Answer) -> Vec<String> {
    let gone = set_cookies(answer).into_iter().filter(|(_, value, attributes)| {
        value.is_empty() && attributes.starts_with("Path=/; Max-Age=0; Secure; SameSite=")
    });
    gone.map(|(name, ..)| name.replace("__Host-authd_", "")).collect()
}

/// Those that it sets, with their attributes.
fn set(answer: &Answer) -> Vec<(String, String)> {
    let set = set_cookies(answer).into_iter().filter(|(_, value, _)| !value.is_empty());
    set.map(|(name, _, attributes)| (name, attributes)).collect()
}

/// What the browser has after an answer that sets the next cookie.
fn next(answer: &Answer) -> Browser {
    let value = |wanted: &str| {
        let found = set_cookies(answer).into_iter().find(|(name, ..)| name == wanted);
        found.unwrap_or_else(|| panic!("{wanted} is not set: {answer:?}")).1
    };
    Browser { value: value("__Host-authd_session"), csrf: value("__Host-authd_csrf") }
}

fn change_password(daemon: &Daemon, browser: &Browser, current: &str, new: &str) -> Answer {
    let body = json!({"current_password": current, "new_password": new}).to_string();
    let answer = browser.send(daemon, "POST", "/api/auth/password/change", &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

#[test]
fn it_opens_what_a_bearer_opens_and_has_no_token() {
    let daemon = daemon();
    let browser = Browser::sign_in(&daemon, ANN);
    let cookie = [("cookie", &*browser.cookie())];
    let me = daemon.send("GET", "/api/auth/me", &cookie, b"");
    assert_eq!((me.status, &me.json()["email"]), (200, &json!(ANN)), "reading needs no value");
    for method in ["GET", "POST", "DELETE"] {
        let verify = daemon.send(method, "/api/auth/verify", &cookie, b"");
        assert_eq!((verify.status, verify.header("remote-email")), (200, ANN), "{method}");
    }
    assert_eq!(browser.send(&daemon, "PATCH", "/api/auth/me", r#"{"name":"Ann"}"#).json()["name"], "Ann");
    let crowded = format!("theme=dark; odd; ={}; {}", "x=y", browser.cookie());
    assert_eq!(daemon.send("GET", "/api/auth/me", &[("cookie", &crowded)], b"").status, 200);
    let listed = browser.send(&daemon, "GET", "/api/auth/sessions", "").json();
    let session = &listed["sessions"][0];
    assert_eq!((&session["current"], &session["ip"]), (&json!(true), &json!("192.0.2.7")), "a row like any");
    // An administrator's, too.
    daemon.world.add_user("root@example.com", &["admin"]);
    let root = Browser::sign_in(&daemon, "root@example.com");
    assert_eq!(root.send(&daemon, "GET", "/api/auth/admin/users", "").status, 200);
    assert_eq!(code(&browser.send(&daemon, "GET", "/api/auth/admin/users", "")), (403, "forbidden".into()));
}

#[test]
fn nothing_is_changed_by_it_without_the_sessions_value() {
    let daemon = daemon();
    let (browser, other) = (Browser::sign_in(&daemon, ANN), Browser::sign_in(&daemon, ANN));
    let before = daemon.world.events();
    let takes = |access: Access| access.takes_users() || access == Access::Browser;
    for route in routes().filter(|route| takes(route.access) && !route.method.is_safe()) {
        let path = route.path.replace("{id}", "0198a0b2-7c00-7000-8000-000000000001");
        let body = route.request.map_or("", |body| body.example);
        for csrf in [None, Some(""), Some(other.csrf.as_str()), Some(&browser.csrf[1..])] {
            let cookie = browser.cookie();
            let mut headers = vec![("cookie", cookie.as_str()), JSON];
            headers.extend(csrf.map(|csrf| ("x-csrf-token", csrf)));
            let answer = daemon.send(route.method.name(), &path, &headers, body.as_bytes());
            assert_eq!(code(&answer), (403, "csrf_failed".into()), "{route:?} {csrf:?}");
        }
    }
    assert_eq!(daemon.world.events(), before, "none of it left a trace");
}

#[test]
fn another_sites_page_can_do_nothing_by_it() {
    let daemon = daemon();
    let browser = Browser::sign_in(&daemon, ANN);
    for path in ["/api/auth/logout", "/api/auth/session/token"] {
        for foreign in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            let own = browser.headers();
            let own = own.iter().map(|(name, value)| (*name, value.as_str()));
            let headers: Vec<_> = own.chain([foreign]).collect();
            let answer = daemon.send("POST", path, &headers, b"");
            assert_eq!(code(&answer), (403, "csrf_failed".into()), "{path} {foreign:?}");
        }
    }
    assert_eq!(browser.me(&daemon), 200);
}

#[test]
fn what_authd_did_not_make_opens_nothing_and_is_taken_away() {
    let daemon = daemon();
    let (browser, other) = (Browser::sign_in(&daemon, ANN), Browser::sign_in(&daemon, ANN));
    let refresh = daemon.login(ANN)["refresh_token"].as_str().unwrap().to_owned();
    let (prefix, body) = browser.value.split_at("authd_bs_".len());
    assert_eq!((prefix, body.len()), ("authd_bs_", 76));
    let mut odd: Vec<String> = (0..body.len())
        .map(|at| {
            let other = if body.as_bytes()[at] == b'A' { "B" } else { "A" };
            format!("{prefix}{}{other}{}", &body[..at], &body[at + 1..])
        })
        .collect();
    // The beginnings and ends of two, a refresh token in its guise, and what is cut or longer.
    let others = &other.value[prefix.len()..];
    odd.extend([21, 32, 34].map(|at| format!("{prefix}{}{}", &others[..at], &body[at..])));
    odd.extend([refresh.clone(), refresh.replace("authd_rt_", prefix)]);
    odd.extend(
        (0..browser.value.len()).map(|end| browser.value[..end].to_owned()).filter(|cut| !cut.is_empty()),
    );
    odd.extend([format!("{}A", browser.value), format!("{}=", browser.value), body.to_owned(), "x".into()]);
    for value in odd {
        let cookie = format!("__Host-authd_session={value}");
        let answer = daemon.send("GET", "/api/auth/me", &[("cookie", &cookie)], b"");
        assert_eq!(code(&answer), (401, "invalid_token".into()), "{value}");
        assert_eq!(cleared(&answer), ["session"], "{value}");
    }
    // Nor is it any other thing than that cookie.
    let as_bearer = daemon.send_as(&browser.value, "GET", "/api/auth/me", "");
    assert_eq!(code(&as_bearer), (401, "invalid_token".into()));
    for name in ["__Host-authd_access", "authd_session", "__Host-authd_Session"] {
        let cookie = format!("{name}={}", browser.value);
        assert_eq!(daemon.send("GET", "/api/auth/me", &[("cookie", &cookie)], b"").status, 401, "{name}");
    }
    assert_eq!([browser.me(&daemon), other.me(&daemon)], [200, 200], "and it has ended nothing");
}

#[test]
fn no_refresh_comes_of_it() {
    let daemon = daemon();
    let browser = Browser::sign_in(&daemon, ANN);
    for body in ["", "{}"] {
        let answer = browser.send(&daemon, "POST", "/api/auth/refresh", body);
        assert_eq!(answer.field_errors(), [("refresh_token".into(), "missing".into())], "{body:?}");
    }
    let answer = browser.send(&daemon, "POST", "/api/auth/refresh", r#"{"cookies":true}"#);
    assert_eq!(code(&answer), (401, "invalid_token".into()));
    for text in [browser.value.clone(), browser.value.replace("authd_bs_", "authd_rt_")] {
        let body = json!({"refresh_token": text}).to_string();
        assert_eq!(daemon.post("/api/auth/refresh", &body).status, 401);
    }
    assert_eq!(browser.me(&daemon), 200);
}

#[test]
fn a_cookie_that_stands_twice_is_none() {
    let daemon = daemon();
    let browser = Browser::sign_in(&daemon, ANN);
    let twice = format!("{}; __Host-authd_session=x", browser.cookie());
    let first = format!("__Host-authd_session=x; {}", browser.cookie());
    for (method, path) in
        [("GET", "/api/auth/me"), ("POST", "/api/auth/session/token"), ("GET", "/api/auth/verify")]
    {
        for cookies in [&[twice.as_str()][..], &[first.as_str()], &[&browser.cookie(), "a=b"]] {
            let mut headers: Vec<_> = cookies.iter().map(|cookie| ("cookie", *cookie)).collect();
            headers.push(("x-csrf-token", &browser.csrf));
            let answer = daemon.send(method, path, &headers, b"");
            assert_eq!(code(&answer), (400, "bad_request".into()), "{path} {cookies:?}");
        }
    }
}

#[test]
fn a_bearer_and_the_apis_cookies_count_before_it() {
    let daemon = daemon();
    daemon.world.add_user("bob@example.com", &[]);
    let bob = Browser::sign_in(&daemon, "bob@example.com");
    let jar = log_in(&daemon);
    let both = format!("{}; {}", bob.cookie(), jar.cookies);
    let bearer = format!("Bearer {}", daemon.login(ANN)["access_token"].as_str().unwrap());
    let cookie = bob.cookie();
    for headers in
        [&[("cookie", both.as_str())][..], &[("cookie", cookie.as_str()), ("authorization", &bearer)]]
    {
        assert_eq!(daemon.send("GET", "/api/auth/me", headers, b"").json()["email"], ANN);
    }
    let wrong = [("cookie", cookie.as_str()), ("authorization", "Bearer x")];
    let answer = daemon.send("GET", "/api/auth/me", &wrong, b"");
    assert_eq!((code(&answer), cleared(&answer)), ((401, "invalid_token".into()), vec![]));
    // What is left of an older login of the API's doesn't stand in its way.
    let dead = format!("__Host-authd_access=x; __Host-authd_refresh=y; {cookie}");
    let answer = daemon.send("GET", "/api/auth/me", &[("cookie", &dead)], b"");
    assert_eq!((answer.status, set_cookies(&answer).len()), (200, 0), "{answer:?}");
    assert_eq!(answer.json()["email"], "bob@example.com");
    let headers = [("cookie", dead.as_str()), ("x-csrf-token", &bob.csrf), JSON];
    assert_eq!(daemon.send("PATCH", "/api/auth/me", &headers, b"{}").status, 200);
}

#[test]
fn a_changed_password_replaces_it() {
    for (remember, life) in [(false, String::new()), (true, format!(" Max-Age={};", 29 * DAY))] {
        let daemon = daemon();
        let browser = Browser::of(&begin(&daemon.world, &anonymous(), ANN, remember));
        let elsewhere = Browser::sign_in(&daemon, ANN);
        daemon.world.advance(Duration::from_secs(DAY));
        assert_eq!(browser.me(&daemon), 200);
        let answer = change_password(&daemon, &browser, PASSWORD, NEW);
        let attributes = format!("Path=/;{life} Secure; SameSite=Lax");
        assert_eq!(
            set(&answer),
            [
                ("__Host-authd_session".into(), format!("{attributes}; HttpOnly")),
                ("__Host-authd_csrf".into(), attributes),
            ]
        );
        let body = answer.json();
        assert!(body.get("access_token").is_none() && body.get("refresh_token").is_none(), "{body}");
        assert_eq!((&body["csrf_token"], &body["user"]["email"]), (&json!(browser.csrf), &json!(ANN)));
        assert_eq!((&body["expires_in"], &body["refresh_expires_in"]), (&json!(29 * DAY), &json!(29 * DAY)));
        assert!(!answer.body.contains("authd_bs_"), "{body}");
        let renewed = next(&answer);
        assert_eq!(renewed.csrf, browser.csrf, "the value is the session's");
        assert_eq!([browser.me(&daemon), elsewhere.me(&daemon), renewed.me(&daemon)], [401, 401, 200]);
        // Once more, and it is remembered as it was.
        let again = change_password(&daemon, &renewed, NEW, PASSWORD);
        assert_eq!(set(&again), set(&answer));
        assert_eq!([renewed.me(&daemon), next(&again).me(&daemon)], [401, 200]);
    }
}

#[test]
fn factors_that_change_replace_it() {
    let daemon = daemon_with(&[("tokens.two_factor_idle", "1d")]);
    let first = Browser::sign_in(&daemon, ANN);
    let setup = first.send(&daemon, "POST", "/api/auth/2fa/setup", "").json();
    assert_eq!(first.me(&daemon), 200, "nothing is on yet");
    let phone = Authenticator::new(setup["secret"].as_str().unwrap());
    let code = || {
        daemon.world.advance(Duration::from_secs(30));
        phone.code_at(daemon.world.now().as_secs())
    };
    let send = |browser: &Browser, path: &str, body: serde_json::Value| {
        let answer = browser.send(&daemon, "POST", &format!("/api/auth/2fa/{path}"), &body.to_string());
        let renewed = next(&answer);
        assert_eq!([browser.me(&daemon), renewed.me(&daemon)], [401, 200], "{path}");
        assert_eq!(browser.send(&daemon, "POST", "/api/auth/logout", "").status, 401, "{path}");
        (answer, renewed)
    };
    let (answer, second) = send(&first, "enable", json!({"code": code()}));
    assert_eq!((answer.status, answer.json()["recovery_codes"].as_array().unwrap().len()), (200, 10));
    let (answer, third) = send(&second, "recovery-codes", json!({"code": code()}));
    assert_eq!((answer.status, answer.json()["recovery_codes"].as_array().unwrap().len()), (200, 10));
    let (answer, fourth) = send(&third, "disable", json!({"password": PASSWORD, "code": code()}));
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    // What is refused changes nothing.
    let refused = fourth.send(&daemon, "POST", "/api/auth/2fa/enable", r#"{"code":"000000"}"#);
    assert_eq!((refused.status, set_cookies(&refused).len(), fourth.me(&daemon)), (401, 0, 200));
}

#[test]
fn what_a_bearer_changes_is_answered_as_it_is_asked() {
    let daemon = daemon();
    let browser = Browser::sign_in(&daemon, ANN);
    let token = browser.send(&daemon, "POST", "/api/auth/session/token", "").json();
    let token = token["access_token"].as_str().unwrap();
    let body = json!({"current_password": PASSWORD, "new_password": NEW}).to_string();
    let changed = daemon.send_as(token, "POST", "/api/auth/password/change", &body);
    assert_eq!((changed.status, set_cookies(&changed).len()), (200, 0));
    assert_eq!(browser.me(&daemon), 401, "the session went on without its cookie");
    let next = changed.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(daemon.post("/api/auth/refresh", &json!({"refresh_token": next}).to_string()).status, 200);
    assert_eq!(browser.me(&daemon), 401);
}

#[test]
fn it_outlives_a_restart_and_nothing_of_it_is_in_the_database() {
    let daemon = daemon();
    let browser = Browser::sign_in(&daemon, ANN);
    let daemon = daemon.restarted_with(&[]);
    assert_eq!(browser.me(&daemon), 200);
    let database = daemon.world.database();
    assert!(database.holds(ANN), "it is the right one");
    assert!(!database.holds(&browser.value[browser.value.len() - 40..]));
    let raw = data_encoding::BASE64URL_NOPAD.decode(&browser.value.as_bytes()["authd_bs_".len()..]).unwrap();
    assert!(!database.holds(&raw[raw.len() - 32..]), "nor its tag");
}
