//! API keys as the secrets of OAuth clients, in HTTP Basic (RFC 6749 §2.3.1).

use crate::daemon::{Answer, Daemon, JSON};
use authd::api::route::Access;
use authd::api::table::routes;
use data_encoding::BASE64;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;

const INTROSPECT: &str = "/api/auth/introspect";
const REVOKE: &str = "/api/auth/revoke";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const CHALLENGE: &str = "Basic realm=\"authd\"";

fn basic(pair: &str) -> String {
    format!("Basic {}", BASE64.encode(pair.as_bytes()))
}

fn ask(daemon: &Daemon, path: &str, authorization: &str, others: &[(&str, &str)], token: &str) -> Answer {
    let headers = [&[("authorization", authorization), FORM], others].concat();
    daemon.send("POST", path, &headers, format!("token={token}").as_bytes())
}

/// The one answer to everything that is wrong, without what differs from request to request.
fn assert_bad_client(answer: &Answer, tried: &str) {
    let mut document = answer.json();
    document.as_object_mut().unwrap().remove("request_id");
    let expected = json!({
        "type": "urn:authd:problem:invalid_token", "title": "Invalid token", "status": 401,
        "detail": "these are no name and key that belong together and count; \
            the client's id is the name of an API key, its secret the key",
        "code": "invalid_token",
    });
    assert_eq!(
        (answer.status, answer.header("www-authenticate"), document),
        (401, CHALLENGE, expected),
        "{tried}"
    );
}

#[test]
fn a_key_with_its_name_is_as_good_as_the_key_alone() {
    let daemon = Daemon::new();
    let key = daemon.key("gate.eu-1", &["sessions:revoke"]);
    let access = daemon.token();
    let encoded = key.replace('_', "%5F").replace('-', "%2d");
    let pairs = [format!("gate.eu-1:{key}"), format!("gate%2Eeu%2d1:{encoded}")];
    for authorization in pairs.iter().map(|pair| basic(pair)) {
        let answer = ask(&daemon, INTROSPECT, &authorization, &[], &access);
        assert_eq!((answer.status, answer.json()["active"].clone()), (200, json!(true)), "{answer:?}");
    }
    let in_lower_case = basic(&pairs[0]).replace("Basic", "bASIC ");
    assert_eq!(ask(&daemon, REVOKE, &in_lower_case, &[], &access).status, 200);
    let answer = ask(&daemon, INTROSPECT, &basic(&pairs[0]), &[], &access);
    assert_eq!(answer.json(), json!({"active": false}), "the token was revoked");
}

#[test]
fn whatever_is_wrong_gets_the_same_answer() {
    let daemon = Daemon::new();
    let (key, other) = (daemon.key("gate", &["sessions:revoke"]), daemon.key("other", &[]));
    let user = daemon.token();
    let refresh = daemon.login("tess@example.com")["refresh_token"].as_str().unwrap().to_owned();
    let pairs = [
        format!("other:{key}"),
        format!("gate:{other}"),
        format!(":{key}"),
        format!("{key}:"),
        format!("{key}:{key}"),
        format!("gate:{key}:"),
        format!("gate::{key}"),
        format!("gate:gate:{key}"),
        format!("gate:{key}\0"),
        format!("gate\0:{key}"),
        format!("gate:%00{key}"),
        format!("GATE:{key}"),
        format!("gate :{key}"),
        format!("gate:{key}+"),
        format!("gate:{}", key.to_uppercase()),
        format!("gate:{}", &key[..key.len() - 1]),
        format!("tess@example.com:{}", crate::world::PASSWORD),
        format!("gate:{user}"),
        format!("gate:{refresh}"),
        format!("gate%zz:{key}"),
        "gate:".into(),
        ":".into(),
        String::new(),
        "gate".into(),
    ];
    let mut shown: Vec<String> = pairs.iter().map(|pair| basic(pair)).collect();
    let right = basic(&format!("gate:{key}"));
    shown.extend(["Basic", "basic ", "Basic *", "Basic Z2F0ZQ", "Basic /w=="].map(str::to_owned));
    shown.extend([format!("{right}="), right.trim_end_matches('=').to_owned() + "==="]);
    shown.push(format!("Basic {}", "QUFB".repeat(3_000)));
    shown.push(basic(&format!("gate:{}{key}", "%41".repeat(200))));
    for authorization in &shown {
        for path in [INTROSPECT, REVOKE] {
            assert_bad_client(&ask(&daemon, path, authorization, &[], &user), authorization);
        }
    }
    assert_eq!(daemon.send_as(&user, "GET", "/api/auth/me", "").status, 200, "none of it revoked anything");
    assert_eq!(ask(&daemon, REVOKE, &right, &[], &user).status, 200);

    daemon.key("gate", &[]);
    assert_bad_client(&ask(&daemon, INTROSPECT, &right, &[], &user), "a key that was replaced");
    let without = ask(&daemon, REVOKE, &basic(&format!("other:{other}")), &[], &user);
    assert_eq!(
        (without.status, without.problem().as_str()),
        (403, "forbidden"),
        "the name doesn't give more"
    );
}

#[test]
fn nothing_shown_and_what_is_shown_twice_are_answered_as_ever() {
    let daemon = Daemon::new();
    let right = basic(&format!("gate:{}", daemon.key("gate", &[])));
    let nothing = daemon.send("POST", INTROSPECT, &[FORM], b"token=x");
    assert_eq!((nothing.status, nothing.problem().as_str()), (401, "unauthenticated"));
    assert_eq!(nothing.header("www-authenticate"), "Bearer realm=\"authd\"");
    let twice = ask(&daemon, INTROSPECT, &right, &[("authorization", &right)], "x");
    assert_eq!((twice.status, twice.problem().as_str()), (400, "bad_request"));
}

#[test]
fn no_other_route_takes_it() {
    let daemon = Daemon::new();
    let all = authd::domain::access::OWN_PERMISSIONS;
    let right = basic(&format!("gate:{}", daemon.key("gate", &all)));
    let others =
        |access| !matches!(access, Access::Public | Access::Refresh | Access::Service | Access::Holder);
    let others: Vec<_> = routes().filter(|route| others(route.access)).collect();
    assert!(others.len() > 30, "{}", others.len());
    for route in others {
        let path = route.path.replace("{id}", "0198a0b2-7c00-7000-8000-000000000001").replace("{role}", "a");
        let answer = daemon.send(route.method.name(), &path, &[("authorization", &right), JSON], b"{}");
        assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthenticated"), "{route:?}");
    }
}

#[test]
fn a_browser_that_adds_it_to_another_sites_request_is_refused_and_asks_nobody() {
    let daemon = Daemon::new();
    let user = daemon.token();
    let right = basic(&format!("gate:{}", daemon.key("gate", &["sessions:revoke"])));
    for (authorization, others) in [
        (right.as_str(), [("sec-fetch-site", "cross-site")]),
        (&right, [("sec-fetch-site", "same-site")]),
        (&right, [("origin", "https://evil.example.com")]),
        (&right, [("origin", "null")]),
        ("Basic *", [("sec-fetch-site", "cross-site")]),
    ] {
        for path in [INTROSPECT, REVOKE] {
            let answer = ask(&daemon, path, authorization, &others, &user);
            assert_eq!((answer.status, answer.problem().as_str()), (403, "csrf_failed"), "{others:?}");
            assert_eq!(answer.header("www-authenticate"), "", "no dialog opens");
        }
    }
    assert_eq!(daemon.send_as(&user, "GET", "/api/auth/me", "").status, 200);
    assert_eq!(ask(&daemon, REVOKE, &right, &[("sec-fetch-site", "none")], &user).status, 200);
}

#[test]
fn it_comes_before_cookies_and_spends_the_budget_of_tokens() {
    let daemon = Daemon::with(&[("rate_limit.enabled", "true"), ("rate_limit.token", "3/1h")]);
    let key = daemon.key("gate", &["sessions:revoke"]);
    let token = daemon.token();
    let cookie = format!("__Host-authd_access={token}");
    let answer = ask(&daemon, REVOKE, "Basic *", &[("cookie", &cookie)], &token);
    assert_bad_client(&answer, "beside a cookie");
    assert_eq!(answer.header("ratelimit"), "\"token\";r=2;t=1200");
    assert_eq!(ask(&daemon, INTROSPECT, &basic(&format!("gate:{key}")), &[], "x").status, 200);
    assert_bad_client(
        &ask(&daemon, INTROSPECT, &basic(&format!("gat:{key}")), &[], "x"),
        "the last of three",
    );
    for authorization in [basic(&format!("gate:{key}")), format!("Bearer {key}")] {
        let refused = ask(&daemon, INTROSPECT, &authorization, &[], "x");
        assert_eq!((refused.status, refused.problem().as_str()), (429, "rate_limited"));
    }
}

#[test]
fn no_credentials_of_any_form_are_taken_or_break_anything() {
    let daemon = Daemon::new();
    let texts = prop_oneof!["[A-Za-z0-9+/=:% ]{0,80}", "[!-~]{0,80}"];
    let bytes = prop::collection::vec(any::<u8>(), 0..120);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(64));
    let ran = runner.run(&(texts, bytes), |(text, bytes)| {
        for shown in [format!("Basic {}", text.trim()), format!("Basic {}", BASE64.encode(&bytes))] {
            assert_bad_client(&ask(&daemon, INTROSPECT, &shown, &[], "x"), &shown);
        }
        Ok(())
    });
    ran.unwrap();
}
