//! What the daemon says of itself: OpenAPI, keys, health; and whether what it says is true.

use super::*;
use crate::daemon::{exchange, request};
use crate::world::World;
use authd::api::route::Content;
use authd::api::router::Router;
use authd::api::{openapi, schema};
use authd::transport::message::{Head, Headers};
use authd::transport::{Service, Trouble};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What is wrong with `value` by `schema`, in the part of JSON Schema that the document uses.
pub(super) fn violations(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target =
            document.pointer(reference.trim_start_matches('#')).expect("a reference leads somewhere");
        return violations(document, target, value, at);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = choices.iter().any(|choice| violations(document, choice, value, at).is_empty());
        return if fits { Vec::new() } else { vec![format!("{at}: fits none of {choices:?}")] };
    }
    let fits = match schema["type"].as_str().expect("a schema has a type") {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is a type that this test does not know"),
    };
    if !fits {
        return vec![format!("{at}: {value} is no {}", schema["type"])];
    }
    let mut found = Vec::new();
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        found.push(format!("{at}: {value} is none of {words:?}"));
    }
    for item in value.as_array().into_iter().flatten() {
        found.extend(violations(document, &schema["items"], item, &format!("{at}[]")));
    }
    if let (Some(members), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                found.push(format!("{at}: {name} is missing"));
            }
        }
        for (name, member) in members {
            match properties.get(name) {
                Some(schema) => found.extend(violations(document, schema, member, &format!("{at}.{name}"))),
                None => found.push(format!("{at}: {name} is undeclared")),
            }
        }
    }
    found
}

pub(super) fn document() -> Value {
    serde_json::from_str(openapi::document()).unwrap()
}

/// Holds an answer against what the document says of its route.
fn assert_declared(route: &Route, answer: &Answer) {
    let document = document();
    let operation = &document["paths"][route.path][route.method.name().to_ascii_lowercase()];
    let declared = &operation["responses"][answer.status.to_string()];
    assert!(!declared.is_null(), "{route:?}: {} is not declared: {answer:?}", answer.status);
    let content_type = answer.header("content-type");
    match declared["content"].as_object() {
        None => assert_eq!((content_type, answer.body.as_str()), ("", ""), "{route:?}"),
        Some(content) => {
            let found = violations(&document, &content[content_type]["schema"], &answer.json(), "body");
            assert!(found.is_empty(), "{route:?}: {found:?} {answer:?}");
        }
    }
    if answer.status >= 400 {
        let codes = route.all_problems();
        assert!(codes[&answer.status].contains(&answer.problem().as_str()), "{route:?}: {answer:?}");
    }
}

#[test]
fn every_example_gets_an_answer_that_is_declared() {
    for settings in [&[][..], &[("email_verification.required", "false")], &[("registration", "closed")]] {
        let daemon = Daemon::with(settings);
        for (number, route) in routes().enumerate() {
            // A person each: some examples change the password, or delete the account.
            let email = format!("tess{number}@example.com");
            let may = matches!(route.access, Access::Permission(_));
            let token = daemon.token_of(&email, if may { &["admin"] } else { &[] });
            let token = if route.access == Access::Service { daemon.key("gate", &[]) } else { token };
            let proof = match route.access {
                Access::Public | Access::Refresh => Vec::new(),
                Access::Browser => Browser::sign_in(&daemon, &email).headers(),
                _ => vec![("authorization", format!("Bearer {token}"))],
            };
            let (content_type, body) = example_of(route);
            let mut headers = vec![content_type];
            headers.extend(as_sent(&proof));
            let answer = daemon.send(route.method.name(), &path_of(route), &headers, body.as_bytes());
            assert_declared(route, &answer);
            assert_ne!(answer.status, 422, "{route:?}: the example is refused: {answer:?}");
            assert!(answer.status < 500, "{answer:?}");
            // And one that is wrong in every field.
            let answer = daemon.send(route.method.name(), &path_of(route), &headers, b"{\"nonsense\":1}");
            assert_declared(route, &answer);
        }
    }
}

#[test]
fn the_examples_are_what_they_are_examples_of() {
    let document = document();
    for route in routes() {
        if let Some(body) = route.request {
            let found = violations(&document, &body.schema(), &schema::example(body.example), body.name);
            assert!(found.is_empty(), "{found:?}");
        }
        for answer in route.answers {
            let objects = match &answer.content {
                Content::Json(object) => std::slice::from_ref(object),
                Content::AnyOf(objects) => objects,
                Content::Nothing | Content::Document => &[],
            };
            for object in objects {
                let schema = &document["components"]["schemas"][object.name];
                let found = violations(&document, schema, &schema::example(object.example), object.name);
                assert!(found.is_empty(), "mend its example in src/api/schema.rs: {found:?}");
            }
        }
    }
}

#[test]
fn the_document_lists_every_route_once() {
    let daemon = Daemon::new();
    let answer = daemon.get("/api/auth/openapi.json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document, self::document());

    let paths = document["paths"].as_object().unwrap();
    let operations: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(operations, routes().count());
    let ids: BTreeSet<_> = routes().map(|route| route.id).collect();
    assert_eq!(ids.len(), routes().count(), "an operation's name is its own");
    for route in routes() {
        let operation = &paths[route.path][route.method.name().to_ascii_lowercase()];
        assert_eq!(operation["operationId"], route.id);
        assert_eq!(operation["security"].is_null(), route.access == Access::Public, "{route:?}");
        assert_eq!(operation["requestBody"].is_null(), route.request.is_none(), "{route:?}");
    }
    for reference in answer.body.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

/// The document in lines: an operation each, its problems by their codes alone, and a schema each.
fn lines_of(document: &Value) -> String {
    let mut lines = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let mut operation = operation.clone();
            for (status, response) in operation["responses"].as_object_mut().unwrap() {
                if status.as_str() >= "400" {
                    *response = response["description"].clone();
                }
            }
            lines.push(format!("{method} {path} {operation}"));
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        lines.push(format!("{name} {schema}"));
    }
    lines.push(document["components"]["securitySchemes"].to_string());
    lines.join("\n") + "\n"
}

/// What clients are written against: whoever changes it sees by this file what they change. It is written
/// anew with `UPDATE_GOLDEN=1`.
#[test]
fn the_document_is_the_one_that_was_agreed_on() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/openapi.txt");
    let actual = lines_of(&document());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &actual).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap();
    let differs = expected.lines().zip(actual.lines()).find(|(expected, actual)| expected != actual);
    assert_eq!(differs, None, "a line of tests/it/fixtures/openapi.txt, and what it is now");
    assert_eq!(expected.len(), actual.len());
}

#[test]
fn the_keys_are_public_and_cacheable() {
    let daemon = Daemon::new();
    let answer = daemon.get("/api/auth/.well-known/jwks.json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    assert_eq!(daemon.get("/.well-known/jwks.json").json(), answer.json());
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["kty"], "OKP");
    for private in ["d", "p", "q", "k"] {
        assert!(keys[0].get(private).is_none());
    }
}

#[test]
fn health_and_readiness() {
    let daemon = Daemon::new();
    assert_eq!(
        daemon.get("/healthz").json(),
        serde_json::json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})
    );
    assert_eq!(daemon.get("/readyz").json(), serde_json::json!({"status": "ok"}));
}

#[test]
fn a_fault_is_told_to_the_operator_alone() {
    let daemon = Daemon::new();
    daemon.token();
    daemon.world.database().sql("DELETE FROM signing_keys");
    let body = format!(r#"{{"email":"tess@example.com","password":"{}"}}"#, crate::world::PASSWORD);
    let answer = daemon.post("/api/auth/login", &body);
    assert_eq!((answer.status, answer.problem().as_str()), (500, "internal"));
    assert!(!answer.body.contains("signing"), "{answer:?}");
}

#[test]
fn readiness_is_503_when_the_database_takes_no_write() {
    let daemon = Daemon::new();
    daemon.world.database().sql("DROP TABLE meta");
    let answer = daemon.get("/readyz");
    assert_eq!((answer.status, answer.problem().as_str()), (503, "storage_unavailable"));
    assert!(!answer.body.contains("meta"), "{answer:?}");
    assert_eq!(daemon.get("/healthz").status, 200);
}

#[test]
fn however_many_ask_the_database_is_probed_once_a_second() {
    let daemon = Daemon::new();
    let database = daemon.world.database();
    assert_eq!(daemon.get("/readyz").status, 200, "the row is there from here on");
    database.count_probes();
    let probes = || database.one::<i64>("SELECT count(*) FROM probes");
    let address = daemon.running.address().tcp().unwrap();
    let crowd = || {
        std::thread::scope(|scope| {
            let ask = || exchange(address, &request("GET", "/readyz", &[], b"")).status;
            let asked: Vec<_> = (0..32).map(|_| scope.spawn(ask)).collect();
            for asked in asked {
                assert_eq!(asked.join().unwrap(), 200);
            }
        });
    };
    for seconds in 1..4 {
        daemon.world.advance(Duration::from_millis(999));
        crowd();
        assert_eq!(probes(), seconds - 1, "the last answer holds");
        daemon.world.advance(Duration::from_millis(1));
        crowd();
        assert_eq!(probes(), seconds);
    }
    database.sql("DROP TABLE meta");
    assert_eq!(daemon.get("/readyz").status, 200);
    daemon.world.advance(Duration::from_secs(1));
    assert_eq!(
        (daemon.get("/readyz").status, daemon.get("/readyz").problem().as_str()),
        (503, "storage_unavailable")
    );
}

#[test]
fn every_trouble_of_the_transport_is_a_problem_document() {
    let world = World::new();
    let router = Router::new(Arc::clone(&world.app));
    let head = Head {
        method: "POST".into(),
        path: "/api/auth/login".into(),
        query: None,
        headers: Headers::default(),
        peer: None,
    };
    for (trouble, status, code) in [
        (Trouble::BadRequest("it is odd"), 400, "bad_request"),
        (Trouble::HeadersTooLarge, 431, "headers_too_large"),
        (Trouble::BodyTooLarge, 413, "body_too_large"),
        (Trouble::RequestTimeout, 408, "request_timeout"),
        (Trouble::ExpectationFailed, 417, "expectation_failed"),
        (Trouble::MethodRefused, 405, "method_not_allowed"),
        (Trouble::Crowded, 503, "overloaded"),
        (Trouble::Overloaded, 503, "overloaded"),
        (Trouble::Panicked, 500, "internal"),
    ] {
        for head in [None, Some(&head)] {
            let response = router.refuse(trouble, head);
            let headers =
                response.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_owned()));
            let body = String::from_utf8(response.body.to_vec()).unwrap();
            let answer = Answer { status: response.status, headers: headers.collect(), body };
            assert_eq!((answer.status, answer.problem().as_str()), (status, code));
        }
    }
}
