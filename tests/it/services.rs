//! API keys as callers, and what services ask of tokens (RFC 7662, RFC 7009).

use crate::daemon::Daemon;
use crate::world::{operator, user_ref};
use authd::domain::access::OWN_PERMISSIONS;
use authd::domain::api_key::ApiKeyName;
use authd::domain::time::Timestamp;
use authd::usecase::account::admin;
use authd::usecase::keys::api_keys::ApiKeyRef;
use authd::usecase::keys::{api_key_uses, api_keys};
use authd::usecase::session::refresh;
use serde_json::{Value, json};
use std::time::Duration;

const ANN: &str = "ann@example.com";

fn daemon() -> Daemon {
    let daemon = Daemon::new();
    daemon.world.add_user(ANN, &["admin"]);
    daemon
}

fn introspect(daemon: &Daemon, key: &str, token: &str) -> Value {
    let answer =
        daemon.post_form(key, "/api/auth/introspect", &format!("token={token}&token_type_hint=nonsense"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

fn last_use(daemon: &Daemon) -> Option<Timestamp> {
    api_keys::page(&daemon.world.app, &operator(), 200, None).unwrap().items[0].last_used_at
}

#[test]
fn a_keys_last_use_is_written_later_and_never_goes_back() {
    let daemon = daemon();
    let key = daemon.key("gate", &["users:read"]);
    let ask = || assert_eq!(daemon.send_as(&key, "GET", "/api/auth/admin/users", "").status, 200);
    api_key_uses::write(&daemon.world.app).unwrap();
    assert_eq!(last_use(&daemon), None);
    ask();
    assert_eq!(last_use(&daemon), None, "a request writes nothing");
    daemon.world.advance(Duration::from_secs(7));
    ask();
    let used = daemon.world.now();
    daemon.world.advance(Duration::from_secs(60));
    api_key_uses::write(&daemon.world.app).unwrap();
    assert_eq!(last_use(&daemon), Some(used));
    daemon.world.clock.set(used.minus(Duration::from_secs(3600)));
    ask();
    api_key_uses::write(&daemon.world.app).unwrap();
    assert_eq!(last_use(&daemon), Some(used), "the clock was set back");
    assert_eq!(
        daemon.send_as("authd_key_wrong", "GET", "/api/auth/admin/users", "").problem(),
        "invalid_token"
    );
}

#[test]
fn a_key_in_use_is_a_line_a_minute() {
    let daemon = daemon();
    let (gate, other) = (daemon.key("gate", &["users:read"]), daemon.key("other", &[]));
    let ask = |key: &str, status| {
        assert_eq!(daemon.send_as(key, "GET", "/api/auth/admin/users", "").status, status);
    };
    let told = || {
        let lines = daemon.world.audit().into_iter().filter(|line| line.event == "ApiKeyUsed");
        lines.map(|line| (line.details[0].1.clone(), line.details[2].1.clone())).collect::<Vec<_>>()
    };
    let line = |name: &str, uses: &str| (name.to_owned(), uses.to_owned());
    for _ in 0..5 {
        ask(&gate, 200);
    }
    ask(&other, 403);
    assert_eq!(told(), [], "a request writes nothing");
    api_key_uses::write(&daemon.world.app).unwrap();
    let mut first = told();
    first.sort();
    assert_eq!(first, [line("gate", "5"), line("other", "1")]);
    api_key_uses::write(&daemon.world.app).unwrap();
    ask(&gate, 200);
    ask(&other, 403);
    api_keys::revoke(&daemon.world.app, &operator(), &ApiKeyRef::Name(ApiKeyName::parse("other").unwrap()))
        .unwrap();
    api_key_uses::write(&daemon.world.app).unwrap();
    assert_eq!(told()[2..], [line("gate", "1")], "one that is gone has had its last line");
}

#[test]
fn a_key_counts_until_it_expires() {
    let daemon = daemon();
    let token = daemon.token_of(ANN, &[]);
    let body = json!({"name": "gate", "permissions": ["users:read"], "ttl_s": 60}).to_string();
    let made = daemon.send_as(&token, "POST", "/api/auth/admin/api-keys", &body).json();
    let status = || daemon.send_as(text(&made, "key"), "GET", "/api/auth/admin/users", "").status;
    daemon.world.advance(Duration::from_millis(59_999));
    assert_eq!(status(), 200);
    daemon.world.advance(Duration::from_millis(1));
    assert_eq!(status(), 401);
}

#[test]
fn an_access_token_is_told_of_as_long_as_it_counts() {
    let daemon = daemon();
    let key = daemon.key("gate", &[]);
    let tokens = daemon.login(ANN);
    let found = introspect(&daemon, &key, text(&tokens, "access_token"));
    let now = daemon.world.now().as_secs();
    let id = tokens["user"]["id"].clone();
    for (claim, value) in [
        ("active", json!(true)),
        ("token_type", json!("Bearer")),
        ("client_id", json!("authd")),
        ("username", json!(ANN)),
        ("sub", id),
        ("sid", tokens["session_id"].clone()),
        ("aud", json!("authd")),
        ("iat", json!(now)),
        ("nbf", json!(now)),
        ("exp", json!(now + 900)),
        ("roles", json!(["admin"])),
    ] {
        assert_eq!(found[claim], value, "{claim}");
    }
    assert_eq!(found["iss"], daemon.world.app.config.tokens.issuer);
    assert_eq!(found["permissions"].as_array().unwrap().len(), OWN_PERMISSIONS.len());

    admin::disable(&daemon.world.app, &operator(), &{
        daemon.world.add_user("bea@example.com", &["admin"]);
        user_ref(ANN)
    })
    .unwrap();
    assert_eq!(introspect(&daemon, &key, text(&tokens, "access_token")), json!({"active": false}));
}

#[test]
fn a_refresh_token_is_told_apart_and_not_spent() {
    let daemon = daemon();
    let key = daemon.key("gate", &[]);
    let tokens = daemon.login(ANN);
    let old = text(&tokens, "refresh_token");
    for _ in 0..2 {
        let found = introspect(&daemon, &key, old);
        assert_eq!((&found["active"], &found["token_type"]), (&json!(true), &json!("refresh_token")));
        assert_eq!(found["sid"], tokens["session_id"]);
    }
    let next = refresh::refresh(&daemon.world.app, &crate::world::anonymous(), old).unwrap();
    assert_eq!(introspect(&daemon, &key, old), json!({"active": false}));
    let next = next.refresh_token.expose();
    assert_eq!(introspect(&daemon, &key, next)["active"], true, "asking about a spent one ended nothing");
}

#[test]
fn whatever_else_is_asked_about_is_not_active_and_nothing_more() {
    let daemon = daemon();
    let key = daemon.key("gate", &[]);
    let token = daemon.token_of(ANN, &[]);
    let cut = &token[..token.len() - 2];
    for wrong in ["", "x", "a.b.c", cut, key.as_str(), "authd_rt_AZigsnwAcACAAAAAAAAAAg", "authd_pr_x"] {
        assert_eq!(introspect(&daemon, &key, wrong), json!({"active": false}), "{wrong}");
    }
    daemon.world.advance(Duration::from_secs(901));
    assert_eq!(introspect(&daemon, &key, &token), json!({"active": false}));
}

#[test]
fn a_service_that_may_ends_what_a_token_belongs_to() {
    let daemon = daemon();
    let key = daemon.key("gate", &["sessions:revoke"]);
    let revoke = |token: &str, hint: &str| {
        let form = format!("token={token}&token_type_hint={hint}");
        let answer = daemon.post_form(&key, "/api/auth/revoke", &form);
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{answer:?}");
    };
    let me = |tokens: &Value| daemon.send_as(text(tokens, "access_token"), "GET", "/api/auth/me", "").status;
    let (one, two) = (daemon.login(ANN), daemon.login(ANN));
    revoke(text(&one, "access_token"), "refresh_token");
    assert_eq!((me(&one), me(&two)), (401, 200));
    let body = json!({"refresh_token": one["refresh_token"]}).to_string();
    assert_eq!(daemon.post("/api/auth/refresh", &body).status, 200, "the session lives on");
    revoke(text(&two, "refresh_token"), "");
    assert_eq!(me(&two), 401);
    assert!(daemon.world.audit().last().unwrap().actor.starts_with("api_key:gate:"));
    for unknown in ["x", "a.b.c", "authd_rt_AZigsnwAcACAAAAAAAAAAg", text(&two, "refresh_token")] {
        revoke(unknown, "access_token");
    }
}

#[test]
fn a_user_ends_their_own_tokens_and_nobody_elses() {
    let daemon = daemon();
    for email in ["bob@example.com", "cyd@example.com"] {
        daemon.world.add_user(email, &[]);
    }
    let (bob, cyd) = (daemon.login("bob@example.com"), daemon.login("cyd@example.com"));
    let me = |tokens: &Value| daemon.send_as(text(tokens, "access_token"), "GET", "/api/auth/me", "").status;
    let revoke = |by: &str, token: &str| {
        let answer = daemon.post_form(by, "/api/auth/revoke", &format!("token={token}"));
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{answer:?}");
    };
    let before = daemon.world.events();
    for name in ["access_token", "refresh_token"] {
        revoke(text(&cyd, "access_token"), text(&bob, name));
    }
    assert_eq!((me(&bob), daemon.world.events()), (200, before), "the same answer, and nothing done");
    revoke(text(&bob, "access_token"), text(&bob, "refresh_token"));
    assert_eq!((me(&bob), me(&cyd)), (401, 200));
    revoke(&daemon.token_of(ANN, &[]), text(&cyd, "access_token"));
    assert_eq!(me(&cyd), 401, "an admin may end anybody's");
}
