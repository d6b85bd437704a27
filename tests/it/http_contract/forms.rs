//! Forms, as OAuth's endpoints take them.

use super::*;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn on_every_form(check: impl Fn(&Daemon, &Route, &str)) {
    let daemon = Daemon::new();
    let forms: Vec<_> = routes()
        .filter(|route| route.method != Method::Any && !takes_json(route))
        // Where browsers are sent by others' forms, nobody proves who they are, and nothing is wanted.
        .filter(|route| route.access != Access::Public)
        .collect();
    assert_eq!(forms.len(), 2);
    for route in forms {
        let proof = proof(&daemon, route);
        check(&daemon, route, &proof[0].1);
    }
}

#[test]
fn another_content_type_is_415() {
    on_every_form(|daemon, route, proof| {
        for content_type in
            ["application/json", "text/plain", "application/x-www-form-urlencoded; charset=utf-16"]
        {
            let headers = [("authorization", proof), ("content-type", content_type)];
            let answer = daemon.send("POST", route.path, &headers, b"token=x");
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (415, "unsupported_media_type"),
                "{content_type}"
            );
            assert!(answer.body.contains(FORM.1), "{answer:?}");
        }
        assert_eq!(daemon.send("POST", route.path, &[("authorization", proof)], b"token=x").status, 415);
    });
}

#[test]
fn what_is_missing_or_stands_twice_is_named() {
    on_every_form(|daemon, route, proof| {
        let headers = [("authorization", proof), FORM];
        for (body, field, code) in [
            ("", "token", "missing"),
            ("token_type_hint=access_token", "token", "missing"),
            ("token=a&token=a", "token", "repeated"),
            ("token=a&token_type_hint=a&token_type_hint=b", "token_type_hint", "repeated"),
        ] {
            let answer = daemon.send("POST", route.path, &headers, body.as_bytes());
            assert_eq!(answer.field_errors(), [(field.to_owned(), code.to_owned())], "{body}");
        }
    });
}

#[test]
fn a_parameter_that_nobody_knows_is_left_alone() {
    on_every_form(|daemon, route, proof| {
        let headers = [("authorization", proof), FORM];
        for body in ["token=a&client_id=b&resource=c", "token=%ff%00&token_type_hint=no_such_type", "token="]
        {
            assert_eq!(daemon.send("POST", route.path, &headers, body.as_bytes()).status, 200, "{body}");
        }
    });
}

#[test]
fn what_is_said_of_a_form_or_a_query_is_short_whatever_its_length() {
    on_every_form(|daemon, route, proof| {
        let headers = [("authorization", proof), FORM];
        let answer = daemon.send("POST", route.path, &headers, "token=&".repeat(9_000).as_bytes());
        assert_eq!((answer.field_errors().len(), answer.body.len() < 8192), (16, true));
    });
    let daemon = Daemon::new();
    let admin = daemon.token_of("root@example.com", &["admin"]);
    for pair in ["a&", "limit=0&", "role=!&"] {
        for path in ["/api/auth/admin/users", "/api/auth/verify"] {
            let query = pair.repeat(15_000 / pair.len());
            let answer = daemon.send_as(&admin, "GET", &format!("{path}?{query}"), "");
            assert_eq!((answer.field_errors().len(), answer.body.len() < 8192), (16, true), "{path} {pair}");
        }
    }
    let name = "x".repeat(10_000);
    let answer = daemon.send_as(&admin, "GET", &format!("/api/auth/verify?{name}=1"), "");
    assert_eq!(answer.field_errors(), [(name[..64].to_owned(), "unknown".to_owned())]);
}
