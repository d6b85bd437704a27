//! How a browser's session goes on and how it ends, and the access token that its pages may have.

use crate::authenticator::Authenticator;
use crate::browser::{Browser, begin};
use crate::browser_session::cleared;
use crate::cookies::{ANN, Jar, code, daemon, daemon_with, log_in, set_cookies};
use crate::daemon::{Daemon, JSON};
use crate::world::{PASSWORD, anonymous, operator, user_ref};
use authd::domain::caller::Caller;
use authd::domain::secret::Secret;
use authd::usecase::account::admin;
use authd::usecase::session::inspect::inspect;
use authd::usecase::session::session_uses::{self, Take};
use authd::usecase::session::tokens::{self, Target};
use serde_json::json;
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

/// The id of the browser's session.
fn id(daemon: &Daemon, browser: &Browser) -> String {
    let listed = browser.send(daemon, "GET", "/api/auth/sessions", "").json();
    let sessions = listed["sessions"].as_array().unwrap().iter();
    let current = sessions.filter(|session| session["current"] == true).collect::<Vec<_>>();
    assert_eq!(current.len(), 1, "{listed}");
    current[0]["id"].as_str().unwrap().to_owned()
}

/// What ends the browser's session.
type End = dyn Fn(&Daemon, &Browser);

#[test]
fn what_ends_a_session_counts_on_the_next_request() {
    let ends: [&End; 6] = [
        &|daemon, browser| {
            tokens::revoke(&daemon.world.app, &operator(), &Target::Session(id(daemon, browser)))
                .map(drop)
                .unwrap();
        },
        &|daemon, _| {
            tokens::revoke(&daemon.world.app, &operator(), &Target::User(user_ref(ANN))).map(drop).unwrap();
        },
        &|daemon, _| {
            admin::disable(&daemon.world.app, &operator(), &user_ref(ANN)).map(drop).unwrap();
        },
        &|daemon, _| {
            let token = daemon.token_of(ANN, &[]);
            assert_eq!(daemon.send_as(&token, "POST", "/api/auth/logout/all", "").status, 204);
        },
        &|daemon, browser| {
            let (token, id) = (daemon.token_of(ANN, &[]), id(daemon, browser));
            assert_eq!(daemon.send_as(&token, "DELETE", &format!("/api/auth/sessions/{id}"), "").status, 204);
        },
        &|daemon, _| {
            admin::delete(&daemon.world.app, &operator(), &user_ref(ANN)).map(drop).unwrap();
        },
    ];
    for (number, end) in ends.iter().enumerate() {
        let daemon = daemon();
        let browser = Browser::sign_in(&daemon, ANN);
        assert_eq!(browser.me(&daemon), 200, "{number}");
        end(&daemon, &browser);
        for (method, path) in
            [("GET", "/api/auth/me"), ("GET", "/api/auth/verify"), ("POST", "/api/auth/session/token")]
        {
            let answer = browser.send(&daemon, method, path, "");
            assert_eq!(code(&answer), (401, "invalid_token".into()), "{number} {path}");
            assert_eq!(cleared(&answer), ["session"], "{number} {path}");
        }
    }
}

#[test]
fn signing_out_takes_every_cookie_along() {
    let daemon = daemon();
    for path in ["logout", "logout/all", "sessions/own", "me/delete"] {
        let browser = Browser::sign_in(&daemon, ANN);
        let (method, path, body) = match path {
            "sessions/own" => ("DELETE", format!("sessions/{}", id(&daemon, &browser)), String::new()),
            "me/delete" => ("POST", path.to_owned(), json!({"password": PASSWORD}).to_string()),
            _ => ("POST", path.to_owned(), String::new()),
        };
        let answer = browser.send(&daemon, method, &format!("/api/auth/{path}"), &body);
        assert_eq!(answer.status, 204, "{path}: {answer:?}");
        assert_eq!(answer.header("clear-site-data"), r#""cache", "storage""#, "{path}");
        assert_eq!(cleared(&answer), ["session", "access", "refresh", "csrf"], "{path}");
        assert_eq!(browser.me(&daemon), 401, "{path}");
    }
}

#[test]
fn the_end_of_another_session_leaves_the_cookie() {
    let daemon = daemon();
    let (browser, other) = (Browser::sign_in(&daemon, ANN), Browser::sign_in(&daemon, ANN));
    let path = format!("/api/auth/sessions/{}", id(&daemon, &other));
    let answer = browser.send(&daemon, "DELETE", &path, "");
    assert_eq!((answer.status, set_cookies(&answer).len()), (204, 0));
    assert_eq!([browser.me(&daemon), other.me(&daemon)], [200, 401]);
}

/// A caller whose browser has these values in its cookies.
fn with(values: &[&str]) -> Caller {
    let browser_sessions = values.iter().map(|value| Secret::new((*value).to_owned())).collect();
    Caller { browser_sessions, ..anonymous() }
}

#[test]
fn a_new_sign_in_ends_what_the_browser_had() {
    let daemon = daemon();
    daemon.world.add_user("bob@example.com", &[]);
    let elsewhere = Browser::sign_in(&daemon, ANN);
    let first = Browser::sign_in(&daemon, ANN);
    let second = Browser::of(&begin(&daemon.world, &with(&[&first.value]), ANN, false));
    assert_eq!([first.me(&daemon), second.me(&daemon), elsewhere.me(&daemon)], [401, 200, 200]);
    // Whoever's it was, and the one of the API's cookies with it.
    let jar = log_in(&daemon);
    let refresh = jar.cookies.split("; ").find_map(|pair| pair.strip_prefix("__Host-authd_refresh="));
    let caller = with(&[refresh.unwrap(), &second.value]);
    let third = Browser::of(&begin(&daemon.world, &caller, "bob@example.com", false));
    let api = daemon.send("GET", "/api/auth/me", &[("cookie", &jar.cookies)], b"").status;
    assert_eq!([second.me(&daemon), api, third.me(&daemon), elsewhere.me(&daemon)], [401, 401, 200, 200]);
    let events = daemon.world.events();
    assert_eq!(events.iter().filter(|event| *event == "SessionReplaced").count(), 3, "{events:?}");
    // A login of the API's that sets cookies does the same; one that sets none doesn't.
    for (cookies, status) in [(false, 200), (true, 401)] {
        let body = json!({"email": ANN, "password": PASSWORD, "cookies": cookies}).to_string();
        let cookie = third.cookie();
        let headers = [JSON, ("cookie", cookie.as_str())];
        assert_eq!(daemon.send("POST", "/api/auth/login", &headers, body.as_bytes()).status, 200);
        assert_eq!(third.me(&daemon), status, "cookies: {cookies}");
    }
}

#[test]
fn a_value_that_is_not_the_browsers_ends_nothing() {
    let daemon = daemon();
    let browser = Browser::sign_in(&daemon, ANN);
    let body =
        json!({"current_password": PASSWORD, "new_password": "another good long password"}).to_string();
    let changed = browser.send(&daemon, "POST", "/api/auth/password/change", &body);
    let value = &set_cookies(&changed)[0].1;
    let renewed = Browser { value: value.clone(), ..browser.clone() };
    let forged = format!("{}A", &value[..value.len() - 1]);
    let forged = if forged == *value { format!("{}Q", &value[..value.len() - 1]) } else { forged };
    let anew = json!({"email": ANN, "password": "another good long password", "cookies": true}).to_string();
    // The one from before the change, and one with another tag.
    for odd in [&browser.value, &forged] {
        let cookie = format!("__Host-authd_session={odd}");
        let headers = [JSON, ("cookie", cookie.as_str())];
        assert_eq!(daemon.send("POST", "/api/auth/login", &headers, anew.as_bytes()).status, 200);
        assert_eq!(renewed.me(&daemon), 200, "{odd}");
    }
    let twice = format!("{}; __Host-authd_session=x", renewed.cookie());
    let answer = daemon.send("POST", "/api/auth/login", &[JSON, ("cookie", &twice)], anew.as_bytes());
    assert_eq!(code(&answer), (400, "bad_request".into()));
}

#[test]
fn a_dead_one_beside_the_apis_cookies_goes_alone() {
    let daemon = daemon();
    let browser = Browser::sign_in(&daemon, ANN);
    let body = json!({"email": ANN, "password": PASSWORD, "cookies": true}).to_string();
    let answer =
        daemon.send("POST", "/api/auth/login", &[JSON, ("cookie", &browser.cookie())], body.as_bytes());
    let jar = Jar::of(&answer);
    let both = format!("{}; {}", browser.cookie(), jar.cookies);
    assert_eq!(daemon.send("GET", "/api/auth/me", &[("cookie", &both)], b"").status, 200);
    // The access token's cookie has run out.
    let without = both.split("; ").filter(|pair| !pair.contains("_access=")).collect::<Vec<_>>().join("; ");
    let answer = daemon.send("GET", "/api/auth/me", &[("cookie", &without)], b"");
    assert_eq!((code(&answer), cleared(&answer)), ((401, "invalid_token".into()), vec!["session".into()]));
    let headers = [("cookie", without.as_str()), ("x-csrf-token", &jar.csrf)];
    assert_eq!(daemon.send("POST", "/api/auth/refresh", &headers, b"").status, 200);
}

/// Uses the session every so often, while what the daemon does in the background is done every minute; gives
/// for how long that goes well.
fn lived(daemon: &Daemon, browser: &Browser, pause: u64) -> u64 {
    let begun = daemon.world.now();
    loop {
        for second in 1..=pause {
            daemon.world.advance(Duration::from_secs(1));
            if second % MINUTE == 0 {
                session_uses::write(&daemon.world.app, Take::Due).unwrap();
            }
        }
        if browser.me(daemon) == 401 {
            return daemon.world.now().since(begun).as_secs();
        }
    }
}

#[test]
fn a_session_that_is_used_lives_to_its_end_and_one_that_is_not_ends() {
    let settings = [("tokens.refresh_idle", "1h"), ("tokens.refresh_ttl", "1d")];
    for (pause, life) in [(7 * MINUTE, DAY), (HOUR - 1, DAY), (HOUR, HOUR), (2 * HOUR, 2 * HOUR)] {
        let daemon = daemon_with(&settings);
        let browser = Browser::sign_in(&daemon, ANN);
        let lived = lived(&daemon, &browser, pause);
        assert_eq!(lived, life.div_ceil(pause) * pause, "used every {pause} s");
    }
}

#[test]
fn a_use_is_written_once_in_some_minutes_and_when_the_daemon_stops() {
    let daemon = daemon();
    let browser = Browser::sign_in(&daemon, ANN);
    let begun = daemon.world.now();
    let used = || {
        let listed = browser.send(&daemon, "GET", "/api/auth/sessions", "").json();
        listed["sessions"][0]["last_used_at"].as_str().unwrap().to_owned()
    };
    let mut seen = vec![used()];
    for _ in 0..20 {
        daemon.world.advance(Duration::from_secs(MINUTE));
        assert_eq!(browser.me(&daemon), 200);
        session_uses::write(&daemon.world.app, Take::Due).unwrap();
        seen.push(used());
    }
    seen.dedup();
    let expected =
        [0, 5, 10, 15, 20].map(|minutes| begun.plus(Duration::from_secs(minutes * MINUTE)).to_string());
    assert_eq!(seen, expected);
    daemon.world.advance(Duration::from_secs(MINUTE));
    assert_eq!(browser.me(&daemon), 200);
    session_uses::write(&daemon.world.app, Take::All).unwrap();
    assert_eq!(used(), daemon.world.now().to_string());
    // Of a session that has ended nothing is written.
    daemon.world.advance(Duration::from_secs(MINUTE));
    assert_eq!(browser.me(&daemon), 200);
    tokens::revoke(&daemon.world.app, &operator(), &Target::User(user_ref(ANN))).unwrap();
    session_uses::write(&daemon.world.app, Take::All).unwrap();
    assert_eq!(browser.me(&daemon), 401);
}

#[test]
fn its_pages_may_have_an_access_token_that_dies_with_it() {
    let daemon = daemon();
    let browser = Browser::sign_in(&daemon, ANN);
    let answer = browser.send(&daemon, "POST", "/api/auth/session/token", "");
    let body = answer.json();
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["access_token", "token_type", "expires_in"]);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!((answer.status, set_cookies(&answer).len()), (200, 0));
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(daemon.send_as(token, "GET", "/api/auth/me", "").status, 200);
    // It says of itself what the session is, and no more.
    let claims = data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["sid"], &claims["amr"]), (&json!(id(&daemon, &browser)), &json!(["pwd"])));
    assert_eq!(claims["auth_time"], daemon.world.now().as_secs());
    assert_eq!(browser.send(&daemon, "POST", "/api/auth/logout", "").status, 204);
    assert_eq!(daemon.send_as(token, "GET", "/api/auth/me", "").status, 401);
}

#[test]
fn that_token_is_no_fresher_than_the_session_and_lives_no_longer() {
    let daemon = daemon_with(&[("tokens.refresh_ttl", "1h"), ("tokens.refresh_idle", "1h")]);
    let browser = Browser::sign_in(&daemon, ANN);
    daemon.world.advance(Duration::from_secs(50 * MINUTE));
    let token = |browser: &Browser| browser.send(&daemon, "POST", "/api/auth/session/token", "").json();
    let made = token(&browser);
    assert_eq!(made["expires_in"], 10 * MINUTE, "the rest of the session's life");
    let made = made["access_token"].as_str().unwrap();
    let stale = daemon.send_as(made, "POST", "/api/auth/2fa/setup", "");
    assert_eq!(code(&stale), (403, "fresh_login_required".into()));
    assert_eq!(code(&browser.send(&daemon, "POST", "/api/auth/2fa/setup", "")), code(&stale));
    // One from before the password was changed counts no more.
    let body =
        json!({"current_password": PASSWORD, "new_password": "another good long password"}).to_string();
    let changed = browser.send(&daemon, "POST", "/api/auth/password/change", &body);
    let renewed = Browser { value: set_cookies(&changed)[0].1.clone(), ..browser };
    assert_eq!(code(&daemon.send_as(made, "GET", "/api/auth/me", "")), (401, "invalid_token".into()));
    let made = token(&renewed)["access_token"].as_str().unwrap().to_owned();
    assert_eq!(daemon.send_as(&made, "GET", "/api/auth/me", "").status, 200);
    daemon.world.advance(Duration::from_secs(10 * MINUTE));
    assert_eq!(daemon.send_as(&made, "GET", "/api/auth/me", "").status, 401);
}

#[test]
fn nothing_but_the_cookie_gives_that_token() {
    let daemon = daemon();
    let (browser, jar) = (Browser::sign_in(&daemon, ANN), log_in(&daemon));
    let bearer = format!("Bearer {}", daemon.token_of(ANN, &[]));
    for headers in [
        &[("authorization", bearer.as_str())][..],
        &[("cookie", jar.cookies.as_str()), ("x-csrf-token", &jar.csrf)],
    ] {
        let answer = daemon.send("POST", "/api/auth/session/token", headers, b"");
        assert_eq!(code(&answer), (401, "unauthenticated".into()), "{headers:?}");
    }
    // A second factor that is due comes first.
    let daemon = daemon.restarted_with(&[("two_factor.required", "all")]);
    let answer = browser.send(&daemon, "POST", "/api/auth/session/token", "");
    assert_eq!(code(&answer), (403, "two_factor_setup_required".into()));
    let setup = browser.send(&daemon, "POST", "/api/auth/2fa/setup", "").json();
    let phone = Authenticator::new(setup["secret"].as_str().unwrap());
    let body = json!({"code": phone.code_at(daemon.world.now().as_secs())}).to_string();
    let enabled = browser.send(&daemon, "POST", "/api/auth/2fa/enable", &body);
    let renewed = Browser { value: set_cookies(&enabled)[0].1.clone(), ..browser };
    assert_eq!(renewed.send(&daemon, "POST", "/api/auth/session/token", "").status, 200);
}

#[test]
fn an_operator_can_tell_a_cookie_that_leaked_and_end_its_session() {
    let daemon = daemon();
    let browser = Browser::sign_in(&daemon, ANN);
    let app = &daemon.world.app;
    let look = |value: &str| {
        let found = inspect(app, &operator(), value).unwrap();
        (found.kind, found.flaw.is_none(), found.facts.session.map(|session| session.to_string()))
    };
    assert_eq!(look(&browser.value), ("session_cookie", true, Some(id(&daemon, &browser))));
    let forged = format!("{}A", &browser.value[..browser.value.len() - 8]);
    assert_eq!(look(&forged), ("session_cookie", false, None));
    let end = |value: &str| tokens::revoke(app, &operator(), &Target::Token(value.to_owned()));
    assert!(end(&forged).is_err());
    assert_eq!(browser.me(&daemon), 200);
    assert_eq!(end(&browser.value), Ok(1));
    assert_eq!((browser.me(&daemon), end(&browser.value)), (401, Ok(0)));
    assert!(!look(&browser.value).1);
    // Over HTTP a user's own alone, whoever shows it.
    daemon.world.add_user("bob@example.com", &[]);
    let (ann, bob) = (Browser::sign_in(&daemon, ANN), daemon.token_of("bob@example.com", &[]));
    let form = format!("token={}", ann.value);
    assert_eq!(daemon.post_form(&bob, "/api/auth/revoke", &form).status, 200);
    assert_eq!(ann.me(&daemon), 200);
    assert_eq!(daemon.post_form(&daemon.token_of(ANN, &[]), "/api/auth/revoke", &form).status, 200);
    assert_eq!(ann.me(&daemon), 401);
}
