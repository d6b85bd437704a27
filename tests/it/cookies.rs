//! Cookie mode: what is set, what it opens, and what another site's page can't do with it (S17).

use crate::daemon::{Answer, Daemon, JSON};
use crate::world::PASSWORD;
use authd::api::table::routes;
use serde_json::json;

pub const ANN: &str = "ann@example.com";
const OURS: &str = "http://127.0.0.1:8080";
const APP: &str = "https://app.example.com";

/// The cookies that an answer sets: name, value, attributes.
pub fn set_cookies(answer: &Answer) -> Vec<(String, String, String)> {
    let lines = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    lines
        .map(|(_, line)| {
            let (pair, attributes) = line.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned(), attributes.to_owned())
        })
        .collect()
}

/// What a browser keeps of a login.
#[derive(Clone, Debug)]
pub struct Jar {
    pub cookies: String,
    pub csrf: String,
}

impl Jar {
    pub fn of(answer: &Answer) -> Self {
        let set = set_cookies(answer);
        assert_eq!(set.len(), 3, "{answer:?}");
        let cookies: Vec<_> = set.iter().map(|(name, value, _)| format!("{name}={value}")).collect();
        let csrf = set.iter().find(|(name, ..)| name == "__Host-authd_csrf").unwrap().1.clone();
        Self { cookies: cookies.join("; "), csrf }
    }
}

pub fn log_in(daemon: &Daemon) -> Jar {
    let answer = log_in_with(daemon, &[]);
    assert_eq!(answer.status, 200, "{answer:?}");
    Jar::of(&answer)
}

pub fn log_in_with(daemon: &Daemon, headers: &[(&str, &str)]) -> Answer {
    let body = json!({"email": ANN, "password": PASSWORD, "cookies": true}).to_string();
    daemon.send("POST", "/api/auth/login", &[&[JSON], headers].concat(), body.as_bytes())
}

pub fn daemon() -> Daemon {
    daemon_with(&[])
}

pub fn daemon_with(settings: &[(&str, &str)]) -> Daemon {
    let daemon = Daemon::with(settings);
    daemon.world.add_user(ANN, &[]);
    daemon
}

/// Sends with the cookies and the session's value, and whatever `headers` add.
pub fn send(
    daemon: &Daemon,
    jar: &Jar,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let own = [("cookie", jar.cookies.as_str()), ("x-csrf-token", jar.csrf.as_str()), JSON];
    let own = if body.is_empty() { &own[..2] } else { &own[..] };
    daemon.send(method, path, &[own, headers].concat(), body.as_bytes())
}

pub fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.problem())
}

const CSRF_FAILED: (u16, &str) = (403, "csrf_failed");

#[track_caller]
fn assert_csrf_failed(answer: &Answer) {
    assert_eq!(code(answer), (CSRF_FAILED.0, CSRF_FAILED.1.to_owned()), "{answer:?}");
}

#[test]
fn a_login_sets_three_cookies_and_shows_no_token() {
    for (settings, same_site) in [(&[][..], "Strict"), (&[("cookies.same_site", "lax")], "Lax")] {
        let daemon = daemon_with(settings);
        let answer = log_in_with(&daemon, &[]);
        let body = answer.json();
        assert_eq!((&body["expires_in"], &body["user"]["email"]), (&json!(900), &json!(ANN)));
        assert!(body.get("access_token").is_none() && body.get("refresh_token").is_none(), "{body}");
        let attributes = |age| format!("Path=/; Max-Age={age}; Secure; SameSite={same_site}");
        let set = set_cookies(&answer);
        let shown: Vec<_> =
            set.iter().map(|(name, _, attributes)| (name.as_str(), attributes.clone())).collect();
        assert_eq!(
            shown,
            [
                ("__Host-authd_access", attributes(900) + "; HttpOnly"),
                ("__Host-authd_refresh", attributes(30 * 86400) + "; HttpOnly"),
                ("__Host-authd_csrf", attributes(30 * 86400)),
            ]
        );
        for (name, value, _) in &set {
            assert_eq!(answer.body.contains(value.as_str()), name == "__Host-authd_csrf", "{name}");
        }
        assert_eq!(body["csrf_token"], set[2].1);
    }
}

#[test]
fn the_cookies_open_what_a_bearer_opens() {
    let daemon = daemon();
    let jar = log_in(&daemon);
    let me = daemon.send("GET", "/api/auth/me", &[("cookie", &jar.cookies)], b"");
    assert_eq!((me.status, &me.json()["email"]), (200, &json!(ANN)), "reading needs no value");
    let crowded = format!("theme=dark; odd; ={}; {}", "x=y", jar.cookies);
    assert_eq!(daemon.send("GET", "/api/auth/me", &[("cookie", &crowded)], b"").status, 200);
    assert_eq!(send(&daemon, &jar, "PATCH", "/api/auth/me", &[], r#"{"name":"Ann"}"#).json()["name"], "Ann");
    assert_eq!(code(&daemon.get("/api/auth/me")), (401, "unauthenticated".into()));
    let wrong = [("cookie", "__Host-authd_access=eyJhbGciOiJub25lIn0.e30.")];
    assert_eq!(code(&daemon.send("GET", "/api/auth/me", &wrong, b"")), (401, "invalid_token".into()));
}

#[test]
fn nothing_is_changed_by_cookie_without_the_sessions_value() {
    let daemon = daemon();
    let (jar, other) = (log_in(&daemon), log_in(&daemon));
    let before = daemon.world.events();
    for route in routes().filter(|route| route.access.takes_users() && !route.method.is_safe()) {
        let path = route.path.replace("{id}", "0198a0b2-7c00-7000-8000-000000000001");
        let body = route.request.map_or("", |body| body.example);
        let value = "x".repeat(43);
        for csrf in [None, Some(""), Some(value.as_str()), Some(other.csrf.as_str()), Some(&jar.csrf[1..])] {
            let mut headers = vec![("cookie", jar.cookies.as_str()), JSON];
            headers.extend(csrf.map(|csrf| ("x-csrf-token", csrf)));
            let answer = daemon.send(route.method.name(), &path, &headers, body.as_bytes());
            assert_csrf_failed(&answer);
        }
        let twice = [
            ("cookie", jar.cookies.as_str()),
            ("x-csrf-token", &jar.csrf),
            ("x-csrf-token", &jar.csrf),
            JSON,
        ];
        assert_csrf_failed(&daemon.send(route.method.name(), &path, &twice, body.as_bytes()));
    }
    assert_eq!(daemon.world.events(), before, "none of it left a trace");
}

#[test]
fn another_sites_page_can_do_nothing_by_cookie() {
    let daemon = daemon_with(&[("cors.origins", APP)]);
    let jar = log_in(&daemon);
    let status = |headers: &[(&str, &str)]| {
        let answer = send(&daemon, &jar, "PATCH", "/api/auth/me", headers, r#"{"name":"Ann"}"#);
        if answer.status == 403 {
            assert_csrf_failed(&answer);
        }
        answer.status
    };
    let site = |site: &'static str| ("sec-fetch-site", site);
    for good in [
        &[][..],
        &[site("same-origin")],
        &[site("none")],
        &[("origin", OURS)],
        &[("origin", OURS), site("same-origin")],
        &[("origin", APP), site("same-site")],
        &[("origin", OURS), site("same-site")],
    ] {
        assert_eq!(status(good), 200, "{good:?}");
    }
    for bad in [
        &[site("cross-site")][..],
        &[site("same-site")],
        &[site("")],
        &[site("something-new")],
        &[site("same-origin"), site("same-origin")],
        &[("origin", OURS), site("cross-site")],
        &[("origin", APP), site("cross-site")],
        &[("origin", "https://evil.example.com"), site("same-site")],
        &[("origin", "https://evil.example"), site("same-origin")],
        &[("origin", "null")],
        &[("origin", "")],
        &[("origin", "http://127.0.0.1:8080.evil.example")],
        &[("origin", "https://127.0.0.1:8080")],
        &[("origin", OURS), ("origin", OURS)],
    ] {
        assert_eq!(status(bad), 403, "{bad:?}");
    }
}

#[test]
fn a_bearer_wins_over_cookies_and_needs_no_value() {
    let daemon = daemon();
    daemon.world.add_user("bob@example.com", &[]);
    let jar = log_in(&daemon);
    let bob = daemon.login("bob@example.com");
    let bearer = format!("Bearer {}", bob["access_token"].as_str().unwrap());
    let headers = [
        ("authorization", bearer.as_str()),
        ("cookie", &jar.cookies),
        ("sec-fetch-site", "cross-site"),
        JSON,
    ];
    let answer = daemon.send("PATCH", "/api/auth/me", &headers, b"{}");
    assert_eq!((answer.status, &answer.json()["email"]), (200, &json!("bob@example.com")));
    let headers = [("authorization", "Bearer x"), ("cookie", &jar.cookies)];
    assert_eq!(code(&daemon.send("GET", "/api/auth/me", &headers, b"")), (401, "invalid_token".into()));
    let headers = [("authorization", "Basic YW5uOmFubg=="), ("cookie", &jar.cookies), JSON];
    assert_csrf_failed(&daemon.send("PATCH", "/api/auth/me", &headers, b"{}"));
    assert_eq!(daemon.send("GET", "/api/auth/me", &headers[..2], b"").status, 200);
}

#[test]
fn a_cookie_that_stands_twice_is_none() {
    let daemon = daemon();
    let jar = log_in(&daemon);
    let twice = format!("{}; __Host-authd_access=x", jar.cookies);
    let first = format!("__Host-authd_access=x; {}", jar.cookies);
    for headers in [
        &[("cookie", twice.as_str())][..],
        &[("cookie", first.as_str())],
        &[("cookie", jar.cookies.as_str()), ("cookie", "a=b")],
    ] {
        let answer = daemon.send("GET", "/api/auth/me", headers, b"");
        assert_eq!(code(&answer), (400, "bad_request".into()), "{headers:?}");
    }
    let twice = format!("{}; __Host-authd_refresh=x", jar.cookies);
    let headers = [("cookie", twice.as_str()), ("x-csrf-token", &jar.csrf)];
    assert_eq!(code(&daemon.send("POST", "/api/auth/refresh", &headers, b"")), (400, "bad_request".into()));
    assert_eq!(
        send(&daemon, &jar, "POST", "/api/auth/refresh", &[], "").status,
        200,
        "and nothing was spent"
    );
}

#[test]
fn a_refresh_by_cookie_sets_the_next_and_needs_the_value() {
    let daemon = daemon();
    let jar = log_in(&daemon);
    let (cookie, cross) = (("cookie", jar.cookies.as_str()), ("sec-fetch-site", "cross-site"));
    assert_csrf_failed(&daemon.send("POST", "/api/auth/refresh", &[cookie], b""));
    assert_csrf_failed(&send(&daemon, &jar, "POST", "/api/auth/refresh", &[cross], "{}"));

    let next = send(&daemon, &jar, "POST", "/api/auth/refresh", &[], "");
    assert_eq!(next.status, 200, "{next:?}");
    let next = Jar::of(&next);
    assert_eq!(next.csrf, jar.csrf, "the value is the session's");
    assert_ne!(next.cookies, jar.cookies);
    let next = Jar::of(&send(&daemon, &next, "POST", "/api/auth/refresh", &[], r#"{"cookies":false}"#));
    assert!(next.cookies.contains("authd_rt_"), "what came by cookie never goes into a body");

    let reused = send(&daemon, &jar, "POST", "/api/auth/refresh", &[], "");
    assert_eq!(code(&reused), (401, "invalid_token".into()));
    assert_eq!(send(&daemon, &next, "GET", "/api/auth/me", &[], "").status, 401, "the family has ended");
}

#[test]
fn a_refresh_without_any_token_says_what_is_missing() {
    let daemon = daemon();
    for body in ["", "{}", r#"{"cookies":false}"#] {
        let answer = daemon.send("POST", "/api/auth/refresh", &[JSON], body.as_bytes());
        assert_eq!(answer.field_errors(), [("refresh_token".into(), "missing".into())], "{body:?}");
    }
    let lost = daemon.post("/api/auth/refresh", r#"{"cookies":true}"#);
    assert_eq!(code(&lost), (401, "invalid_token".into()), "the cookie has run out");
    for odd in ["x", "authd_rt_AAAA", "%00"] {
        let headers = [("cookie", &*format!("__Host-authd_refresh={odd}")), ("x-csrf-token", "x")];
        let answer = daemon.send("POST", "/api/auth/refresh", &headers, b"");
        assert_eq!(code(&answer), (401, "invalid_token".into()), "{odd}");
    }
}

#[test]
fn a_refresh_token_in_the_body_counts_before_the_cookie() {
    let daemon = daemon();
    let jar = log_in(&daemon);
    let tokens = daemon.login(ANN);
    let body = json!({"refresh_token": tokens["refresh_token"]}).to_string();
    let answer = daemon.send("POST", "/api/auth/refresh", &[("cookie", &jar.cookies), JSON], body.as_bytes());
    assert_eq!((answer.status, &answer.json()["session_id"]), (200, &tokens["session_id"]));
    assert!(set_cookies(&answer).is_empty());
    // And a program's session may move into cookies.
    let body = json!({"refresh_token": answer.json()["refresh_token"], "cookies": true}).to_string();
    assert_eq!(set_cookies(&daemon.post("/api/auth/refresh", &body)).len(), 3);
}

#[test]
fn another_site_can_not_log_its_visitor_in() {
    let daemon = daemon();
    let before = daemon.world.events();
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        assert_csrf_failed(&log_in_with(&daemon, headers));
    }
    assert_eq!(daemon.world.events(), before, "the password was not looked at");
    assert_eq!(log_in_with(&daemon, &[("origin", OURS), ("sec-fetch-site", "same-origin")]).status, 200);
    // Without cookies there is nothing to protect: the answer is the program's that asked.
    let body = json!({"email": ANN, "password": PASSWORD}).to_string();
    let headers = [JSON, ("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    assert_eq!(daemon.send("POST", "/api/auth/login", &headers, body.as_bytes()).status, 200);
}

#[test]
fn logging_out_by_cookie_takes_the_cookies_away() {
    let daemon = daemon();
    for (path, body) in [
        ("/api/auth/logout", String::new()),
        ("/api/auth/logout/all", String::new()),
        ("/api/auth/me/delete", json!({"password": PASSWORD}).to_string()),
    ] {
        let jar = log_in(&daemon);
        let answer = send(&daemon, &jar, "POST", path, &[], &body);
        assert_eq!(answer.status, 204, "{answer:?}");
        assert_eq!(answer.header("clear-site-data"), r#""cache", "storage""#);
        let cleared = set_cookies(&answer);
        assert_eq!(cleared.len(), 3);
        for (name, value, attributes) in cleared {
            assert!(value.is_empty() && attributes.contains("Max-Age=0; Secure"), "{name}: {attributes}");
        }
        assert_eq!(send(&daemon, &jar, "GET", "/api/auth/me", &[], "").status, 401);
    }
}

#[test]
fn ending_ones_own_session_takes_its_cookies_along() {
    let daemon = daemon();
    let jar = log_in(&daemon);
    let listed = send(&daemon, &jar, "GET", "/api/auth/sessions", &[], "").json();
    let own = listed["sessions"][0]["id"].as_str().unwrap().to_owned();
    let answer = send(&daemon, &jar, "DELETE", &format!("/api/auth/sessions/{own}"), &[], "");
    assert_eq!((answer.status, set_cookies(&answer).len()), (204, 3), "{answer:?}");
}

#[test]
fn a_bearers_answers_set_no_cookie() {
    let daemon = daemon();
    let tokens = daemon.login(ANN);
    let token = tokens["access_token"].as_str().unwrap();
    let body =
        json!({"current_password": PASSWORD, "new_password": "another good long password"}).to_string();
    let changed = daemon.send_as(token, "POST", "/api/auth/password/change", &body);
    assert!(changed.status == 200 && set_cookies(&changed).is_empty(), "{changed:?}");
    let token = changed.json()["access_token"].as_str().unwrap().to_owned();
    let out = daemon.send_as(&token, "POST", "/api/auth/logout", "");
    assert!(out.status == 204 && set_cookies(&out).is_empty(), "{out:?}");
    assert_eq!(out.header("clear-site-data"), "");
}

#[test]
fn a_changed_password_sets_new_cookies() {
    let daemon = daemon();
    let jar = log_in(&daemon);
    let body =
        json!({"current_password": PASSWORD, "new_password": "another good long password"}).to_string();
    let answer = send(&daemon, &jar, "POST", "/api/auth/password/change", &[], &body);
    assert!(answer.status == 200 && answer.json().get("access_token").is_none(), "{answer:?}");
    let next = Jar::of(&answer);
    assert_eq!(send(&daemon, &next, "POST", "/api/auth/refresh", &[], "").status, 200);
    assert_eq!(
        code(&send(&daemon, &jar, "POST", "/api/auth/refresh", &[], "")),
        (401, "invalid_token".into())
    );
}

#[test]
fn the_value_outlives_a_restart() {
    let daemon = daemon();
    let answer = log_in_with(&daemon, &[]);
    let session = authd::domain::id::SessionId::parse(answer.json()["session_id"].as_str().unwrap()).unwrap();
    let restarted = daemon.world.another_app();
    assert!(authd::usecase::session::csrf::is_authentic(&restarted, session, &Jar::of(&answer).csrf));
}
