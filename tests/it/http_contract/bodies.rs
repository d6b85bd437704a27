//! Bad bodies, on every route: the right error, and nothing is stored.

use super::*;
use crate::world::{PASSWORD, operator, user_ref};
use authd::api::wire::{Alternatives, Kind, Presence};
use authd::usecase::account::admin;
use proptest::prelude::*;
use serde_json::json;

fn with_type(daemon: &Daemon, route: &Route, proof: &Proof, content_type: &str, body: &[u8]) -> Answer {
    let mut headers = Vec::new();
    headers.extend(as_sent(proof));
    if !content_type.is_empty() {
        headers.push(("content-type", content_type));
    }
    daemon.send(route.method.name(), &path_of(route), &headers, body)
}

/// Runs `check` for every route that looks at JSON, and then looks whether it left a trace.
fn on_every_route(check: impl Fn(&Daemon, &Route, &Proof)) {
    let daemon = Daemon::new();
    daemon.token();
    for route in routes().filter(|route| takes_json(route)) {
        let proof = proof(&daemon, route);
        let before = daemon.world.events();
        check(&daemon, route, &proof);
        assert_eq!(daemon.world.events(), before, "{route:?}");
    }
}

#[test]
fn a_body_that_does_not_say_json_is_415() {
    on_every_route(|daemon, route, proof| {
        for content_type in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "application/problem+json",
            "application/json; charset=utf-16",
            "application/json; boundary=x",
            "application/json, text/plain",
        ] {
            let answer = with_type(daemon, route, proof, content_type, b"{}");
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (415, "unsupported_media_type"),
                "{route:?}"
            );
        }
        let mut headers = vec![JSON, ("content-encoding", "gzip")];
        headers.extend(as_sent(proof));
        let answer = daemon.send(route.method.name(), &path_of(route), &headers, b"{}");
        assert_eq!(answer.problem(), "unsupported_media_type", "{route:?}");
    });
}

#[test]
fn the_spelling_of_the_type_does_not_matter() {
    let daemon = Daemon::new();
    for content_type in
        ["APPLICATION/JSON", "application/json;charset=UTF-8", "application/json ; charset=\"utf-8\""]
    {
        let answer = daemon.send("POST", "/api/auth/login", &[("content-type", content_type)], b"{}");
        assert_eq!(answer.status, 422, "{content_type}");
    }
}

#[test]
fn a_body_that_is_no_json_is_400() {
    on_every_route(|daemon, route, proof| {
        for body in [
            &b" "[..],
            b"{",
            b"{}}",
            b"{} {}",
            b"{},",
            b"{'email':1}",
            b"\xef\xbb\xbf{}",
            b"{\"email\":\"\xff\"}",
            b"{\"email\":\"\\ud800\"}",
            b"{\"email\":\"a\nb\"}",
            b"{\"email\":\"a\",\"email\":\"a\"}",
            b"{\"email\":\"a\",\"\\u0065mail\":\"a\"}",
            b"{\"x\":[{\"y\":1,\"y\":1}]}",
            b"{\"x\":01}",
            b"{\"x\":NaN}",
            b"// comment\n{}",
        ] {
            let answer = with_type(daemon, route, proof, JSON.1, body);
            let shown = String::from_utf8_lossy(body);
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (400, "malformed_json"),
                "{route:?} {shown}"
            );
        }
        let deep = "[".repeat(60_000);
        assert_eq!(with_type(daemon, route, proof, JSON.1, deep.as_bytes()).problem(), "malformed_json");
    });
}

#[test]
fn a_body_that_is_no_object_is_422() {
    on_every_route(|daemon, route, proof| {
        for body in ["[]", "\"email\"", "1", "null", "true", "[{}]"] {
            let answer = with_type(daemon, route, proof, JSON.1, body.as_bytes());
            assert_eq!(answer.field_errors(), [(String::new(), "wrong_type".to_owned())], "{route:?}");
        }
    });
}

#[test]
fn every_wrong_field_is_named() {
    on_every_route(|daemon, route, proof| {
        let fields = route.request.map_or(&[][..], |body| body.fields);
        let required = fields.iter().filter(|field| field.presence == Presence::Required);
        let error = |field: &str, code: &str| (field.to_owned(), code.to_owned());

        let mut missing: Vec<_> = required.map(|field| error(field.name, "missing")).collect();
        if let Some(Alternatives::ExactlyOne(names)) = route.request.map(|body| &body.alternatives) {
            missing.push(error(names[0], "missing"));
        }
        let answer = with_type(daemon, route, proof, JSON.1, br#"{"nonsense":1,"is_admin":true}"#);
        let unknown = [error("nonsense", "unknown"), error("is_admin", "unknown")];
        assert_eq!(answer.field_errors(), [missing, unknown.to_vec()].concat(), "{route:?}");

        for wrong in ["1", "null", "true", "[]", "{}", "[\"a\"]"] {
            // What is no string is no field's value, but for these kinds.
            let is_wrong = |kind: Kind| match kind {
                Kind::Flag => wrong != "true",
                Kind::Seconds => wrong != "1",
                Kind::Roles | Kind::Permissions => !wrong.starts_with('['),
                Kind::Allow | Kind::Object => !wrong.starts_with('{'),
                _ => true,
            };
            let fields: Vec<_> = fields.iter().filter(|field| is_wrong(field.kind)).collect();
            let members: Vec<_> = fields.iter().map(|field| format!(r#""{}":{wrong}"#, field.name)).collect();
            let body = format!("{{{}}}", members.join(","));
            if !fields.is_empty() {
                let answer = with_type(daemon, route, proof, JSON.1, body.as_bytes());
                let expected: Vec<_> = fields.iter().map(|field| error(field.name, "wrong_type")).collect();
                let mut found = answer.field_errors();
                // None of several alternatives was good, so that one is missing, too.
                found.retain(|(_, code)| code != "missing");
                assert_eq!(found, expected, "{route:?} {body}");
            }
        }
    });
}

#[test]
fn values_out_of_range_are_422() {
    let daemon = Daemon::new();
    let body = |email: &str, password: &str, name: &str| {
        serde_json::json!({"email": email, "password": password, "name": name}).to_string()
    };
    let good = "correct horse battery staple";
    for (body, field, code) in [
        (body("ann", good, ""), "email", "invalid"),
        (body(&format!("ann@{}.example", "a".repeat(250)), good, ""), "email", "invalid"),
        (body("ann@example.com\r\nBcc: eve@example.com", good, ""), "email", "invalid"),
        (body("ann@example.com", "", ""), "password", "too_short"),
        (body("ann@example.com", &"x".repeat(1025), ""), "password", "too_long"),
        (body("ann@example.com", good, &"x".repeat(201)), "name", "too_long"),
        (body("ann@example.com", good, "Ann\nBcc: eve@example.com"), "name", "invalid"),
    ] {
        let answer = daemon.post("/api/auth/register", &body);
        assert_eq!(answer.field_errors(), [(field.to_owned(), code.to_owned())], "{body}");
    }
    let answer = daemon.post("/api/auth/register", &body("ann", "", "\u{1b}"));
    assert_eq!(answer.field_errors().len(), 3);
    assert!(!daemon.world.events().contains(&"RegistrationRequested".to_owned()));
}

#[test]
fn no_account_over_http_has_an_address_that_no_mail_reaches() {
    let daemon = Daemon::new();
    let root = daemon.token_of("root@example.com", &["admin"]);
    let tess = daemon.token();
    let id = admin::find(&daemon.world.app, &operator(), &user_ref("tess@example.com")).unwrap().id;
    for email in ["a@localhost", "a@com", "a@1.2.3.4"] {
        let registration = json!({"email": email, "password": PASSWORD}).to_string();
        let path = format!("/api/auth/admin/users/{id}");
        let (new, change) = (json!({"email": email}).to_string(), json!({"new_email": email}).to_string());
        for (answer, field) in [
            (daemon.post("/api/auth/register", &registration), "email"),
            (daemon.send_as(&root, "POST", "/api/auth/admin/users", &new), "email"),
            (daemon.send_as(&root, "PATCH", &path, &new), "email"),
            (daemon.send_as(&tess, "POST", "/api/auth/email/change/request", &change), "new_email"),
        ] {
            assert_eq!(answer.field_errors(), [(field.to_owned(), "invalid".to_owned())], "{email}");
        }
    }
}

#[test]
fn a_body_over_the_bound_is_413() {
    on_every_route(|daemon, route, proof| {
        let answer = with_type(daemon, route, proof, JSON.1, " ".repeat(64 * 1024 + 1).as_bytes());
        assert_eq!((answer.status, answer.problem().as_str()), (413, "body_too_large"), "{route:?}");
    });
}

#[test]
fn a_missing_body_is_malformed_where_one_is_wanted() {
    on_every_route(|daemon, route, proof| {
        if route.request.is_some_and(|body| !body.may_be_empty()) {
            assert_eq!(with_type(daemon, route, proof, "", b"").problem(), "malformed_json", "{route:?}");
        }
    });
}

#[test]
fn an_empty_object_is_no_body() {
    let daemon = Daemon::new();
    let token = daemon.token();
    assert_eq!(daemon.send_as(&token, "GET", "/api/auth/me", "{}").status, 200);
    assert_eq!(daemon.send_as(&token, "POST", "/api/auth/logout", "{}").status, 204);
}

#[test]
fn an_error_repeats_nothing_of_a_secret() {
    let daemon = Daemon::new();
    for body in [
        r#"{"email":"ann@example.com","password":["hunter2-hunter2"]}"#,
        r#"{"email":"hunter2-hunter2","password":"hunter2-hunter2"}"#,
        r#"{"password":"hunter2-hunter2" "email"}"#,
        r#"{"refresh_token":"hunter2-hunter2"}"#,
    ] {
        for path in ["/api/auth/login", "/api/auth/register", "/api/auth/refresh"] {
            assert!(!daemon.post(path, body).body.contains("hunter2"), "{path} {body}");
        }
    }
}

#[test]
fn whatever_stands_in_the_fields_is_taken_or_refused() {
    let daemon = Daemon::new();
    proptest!(|(
        email in "\\PC{0,20}@\\PC{0,20}|\\PC{0,30}",
        password in "(?s).{0,40}",
        name in "(?s).{0,40}",
    )| {
        let body = serde_json::json!({"email": email, "password": password, "name": name}).to_string();
        let answer = daemon.post("/api/auth/register", &body);
        prop_assert!(matches!(answer.status, 202 | 422), "{body} {answer:?}");
        let body = serde_json::json!({"email": email, "password": password}).to_string();
        let answer = daemon.post("/api/auth/login", &body);
        prop_assert!(matches!(answer.status, 401 | 403 | 422), "{body} {answer:?}");
    });
}

#[test]
fn whatever_is_sent_as_json_is_taken_or_refused() {
    let daemon = Daemon::new();
    proptest!(|(body in "[\\[\\]{}:,\"\\\\a-z0-9.+-]{1,60}")| {
        let answer = daemon.post("/api/auth/refresh", &body);
        prop_assert!(matches!(answer.status, 400 | 401 | 422), "{body} {answer:?}");
    });
}

#[test]
fn an_object_with_too_many_members_is_refused_while_it_is_read() {
    let members = |count: usize| (0..count).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(",");
    let many = format!("{{{}}}", members(33));
    let within = format!("{{\"name\":{many}}}");
    // As many as fit into a body.
    let most = format!("{{{}}}", members(7_000));
    on_every_route(|daemon, route, proof| {
        for body in [&many, &within, &most] {
            let answer = with_type(daemon, route, proof, JSON.1, body.as_bytes());
            assert_eq!((answer.status, answer.problem().as_str()), (400, "malformed_json"), "{route:?}");
            assert!(answer.body.contains("more than 32 members"), "{answer:?}");
        }
    });
}

#[test]
fn what_is_said_of_a_body_is_short_whatever_its_length() {
    let name = "x".repeat(1500);
    let members: Vec<_> = (0..32).map(|n| format!("\"{n:02}{name}\":0")).collect();
    let body = format!("{{{}}}", members.join(","));
    on_every_route(|daemon, route, proof| {
        let answer = with_type(daemon, route, proof, JSON.1, body.as_bytes());
        let errors = answer.field_errors();
        assert_eq!(errors.len(), 16, "{route:?}");
        assert!(errors.iter().all(|(field, _)| field.len() <= 64) && answer.body.len() < 4096, "{route:?}");
    });
    // A name is cut between two characters.
    let answer = Daemon::new().post("/api/auth/login", &format!("{{\"{}\":0}}", "é€".repeat(40)));
    assert!(answer.field_errors().iter().any(|(field, code)| code == "unknown" && field.ends_with('é')));
}
