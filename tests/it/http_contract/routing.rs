//! Which route a request comes to, and what every answer carries.

use super::*;
use authd::api::route::Handler;
use authd::transport::Lane;

#[test]
fn without_a_token_every_route_that_is_not_public_says_401() {
    let daemon = Daemon::new();
    for route in routes().filter(|route| !matches!(route.access, Access::Public | Access::Refresh)) {
        // Who may not ask isn't told what is wrong with the request either.
        for body in ["", "{", "{\"nonsense\":1}"] {
            let answer = daemon.send(route.method.name(), &path_of(route), &[], body.as_bytes());
            assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthenticated"), "{route:?}");
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"authd\"");
        }
        // A browser's session is shown by its cookie alone.
        let by_bearer = if route.access == Access::Browser { "unauthenticated" } else { "invalid_token" };
        let by_basic = if route.access.takes_clients() { "invalid_token" } else { "unauthenticated" };
        for (value, code) in [
            ("Basic YW5uOmFubg==", by_basic),
            ("Bearer", "unauthenticated"),
            ("Bearer x", by_bearer),
            ("bearer eyJhbGciOiJub25lIn0.e30.", by_bearer),
        ] {
            let answer = daemon.send(route.method.name(), &path_of(route), &[("authorization", value)], b"");
            assert_eq!((answer.status, answer.problem().as_str()), (401, code), "{route:?} {value}");
            let challenge = match (value.starts_with("Basic"), code) {
                (true, "invalid_token") => "Basic realm=\"authd\"",
                (false, "invalid_token") => "Bearer realm=\"authd\", error=\"invalid_token\"",
                _ => "Bearer realm=\"authd\"",
            };
            assert_eq!(answer.header("www-authenticate"), challenge, "{route:?} {value}");
        }
    }
}

#[test]
fn two_authorizations_are_none() {
    let daemon = Daemon::new();
    let bearer = format!("Bearer {}", daemon.token());
    let twice = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    let answer = daemon.send("GET", "/api/auth/me", &twice, b"");
    assert_eq!((answer.status, answer.problem().as_str()), (400, "bad_request"));
}

#[test]
fn the_scheme_is_spelled_as_one_likes() {
    let daemon = Daemon::new();
    let bearer = format!("bEARER {}", daemon.token());
    assert_eq!(daemon.send("GET", "/api/auth/me", &[("authorization", &bearer)], b"").status, 200);
}

#[test]
fn other_methods_are_405_with_allow() {
    let daemon = Daemon::new();
    for route in routes().filter(|route| route.method != Method::Any) {
        let here = routes_at(route.path);
        let has = |method: &str| here.iter().any(|route| route.method.name() == method);
        let others = ["PUT", "OPTIONS", "PROPFIND", "get", "HEAD"].into_iter().chain(method_names());
        for method in others.filter(|method| !(has(method) || *method == "HEAD" && has("GET"))) {
            let answer = daemon.send(method, &path_of(route), &[], b"");
            assert_eq!(answer.status, 405, "{method} {route:?}");
            let allowed: Vec<_> = answer.header("allow").split(", ").collect();
            assert!(here.iter().all(|route| allowed.contains(&route.method.name())), "{answer:?}");
            assert_eq!(allowed.contains(&"HEAD"), has("GET"), "{answer:?}");
            assert_eq!(allowed.len(), here.len() + usize::from(has("GET")), "{answer:?}");
            if method != "HEAD" {
                assert_eq!(answer.problem(), "method_not_allowed");
            }
        }
    }
}

#[test]
fn trace_and_connect_are_refused() {
    let daemon = Daemon::new();
    for line in ["TRACE /healthz HTTP/1.1", "CONNECT example.com:443 HTTP/1.1", "CONNECT /healthz HTTP/1.1"] {
        let answer = daemon.exchange(format!("{line}\r\nhost: test\r\n\r\n").as_bytes());
        assert_eq!((answer.status, answer.problem().as_str()), (405, "method_not_allowed"), "{line}");
    }
}

#[test]
fn head_is_get_without_the_body() {
    let daemon = Daemon::with(&[("passkeys.related_origins", "https://example.org")]);
    // Where a browser's visit spends something, no look ahead of one may.
    for route in routes().filter(|route| route.method == Method::Get && route.for_browsers) {
        assert_eq!(daemon.send("HEAD", &path_of(route), &[], b"").status, 403, "{route:?}");
    }
    for route in routes().filter(|route| route.method == Method::Get && !route.for_browsers) {
        let proof = proof(&daemon, route);
        let headers: Vec<_> = as_sent(&proof).chain([("x-request-id", "same")]).collect();
        let mut get = daemon.send("GET", &path_of(route), &headers, b"");
        let mut head = daemon.send("HEAD", &path_of(route), &headers, b"");
        let status = if route.access != Access::User && route.path.contains('{') { 404 } else { 200 };
        assert_eq!((head.status, head.body.as_str()), (status, ""), "{route:?}");
        get.headers.retain(|(name, _)| name != "date");
        head.headers.retain(|(name, _)| name != "date");
        assert_eq!(head.headers, get.headers, "{route:?}");
        assert_eq!(get.header("content-length"), get.body.len().to_string());
    }
}

#[test]
fn there_is_one_spelling_of_a_path() {
    let daemon = Daemon::new();
    for route in routes() {
        let path = path_of(route);
        let first = path.find(|c: char| c.is_ascii_alphabetic()).unwrap();
        let encoded = format!("{}%{:02x}{}", &path[..first], path.as_bytes()[first], &path[first + 1..]);
        let others = [
            format!("{path}/"),
            format!("/{path}"),
            path.replacen('/', "/./", 1),
            format!("/x/..{path}"),
            path.to_uppercase(),
            path.replace("/api/", "/Api/").replace('z', "Z").replace("well", "Well"),
            encoded,
            path.replace('/', "%2f").replacen("%2f", "/", 1),
            format!("{path}%00"),
            format!("{path};x=1"),
            format!("{path}/x/y"),
        ];
        for other in others.iter().filter(|other| **other != path && !other.ends_with("json")) {
            // What fills the braces may be spelled in any way; the session's id is then not one.
            let answer = daemon.send(route.method.name(), other, &[], b"");
            let missing = answer.status == 404 && answer.problem() == "not_found";
            assert!(missing || (route.path.contains('{') && answer.status == 401), "{other}: {answer:?}");
        }
    }
    for path in
        ["/", "/api", "/api/auth", "/api/auth/", "/favicon.ico", "/.well-known", "*", "/api/auth/sessions/"]
    {
        let method = if path == "*" { "OPTIONS" } else { "GET" };
        assert_eq!(daemon.send(method, path, &[], b"").status, 404, "{path}");
    }
}

#[test]
fn a_query_does_not_change_the_route() {
    let daemon = Daemon::new();
    assert_eq!(daemon.get("/healthz?verbose=1").status, 200);
    assert_eq!(daemon.get("http://elsewhere.example/healthz").status, 200);
}

#[test]
fn all_answers_wear_the_standard_headers() {
    let daemon = Daemon::new();
    let answers = [
        daemon.get("/healthz"),
        daemon.get("/nowhere"),
        daemon.get("/api/auth/me"),
        daemon.get("/api/auth/login"),
        daemon.post("/api/auth/login", "{"),
        daemon.post("/api/auth/login", &" ".repeat(70_000)),
        daemon.send_as(&daemon.token(), "POST", "/api/auth/logout", ""),
        daemon.exchange(b"GET /healthz HTTP/1.1\r\n\r\n"),
        daemon.exchange(b"TRACE / HTTP/1.1\r\nhost: test\r\n\r\n"),
        daemon.exchange(
            format!("GET / HTTP/1.1\r\nhost: test\r\nx: {}\r\n\r\n", "x".repeat(20_000)).as_bytes(),
        ),
    ];
    assert_eq!(
        answers.each_ref().map(|answer| answer.status),
        [200, 404, 401, 405, 400, 413, 204, 400, 405, 431]
    );
    for answer in answers {
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";
        assert_eq!(answer.header("content-security-policy"), policy);
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-request-id").len(), 36);
        assert_eq!(answer.header("access-control-allow-origin"), "");
        assert_eq!(answer.header("server"), "");
        if answer.status >= 400 {
            answer.problem();
        }
    }
}

#[test]
fn a_sane_request_id_is_kept_and_logged() {
    let daemon = Daemon::new();
    let id = |sent: &str| {
        daemon.send("GET", "/nowhere", &[("x-request-id", sent)], b"").header("x-request-id").to_owned()
    };
    for sane in ["a", "Trace-1.2_3", &"x".repeat(128)] {
        assert_eq!(id(sane), sane);
    }
    for odd in ["", "a b", "a/b", "\u{e9}", "<script>", &"x".repeat(129)] {
        assert_eq!(id(odd).len(), 36, "{odd}");
    }
    let twice = daemon.send("GET", "/nowhere", &[("x-request-id", "a"), ("x-request-id", "b")], b"");
    assert_eq!(twice.header("x-request-id").len(), 36);
    assert_ne!(id(""), id(""));

    let body = br#"{"email":"nobody@example.com","password":"x"}"#;
    daemon.send("POST", "/api/auth/login", &[JSON, ("x-request-id", "kept-1")], body);
    assert_eq!(daemon.world.audit().last().unwrap().request_id.as_deref(), Some("kept-1"));
}

#[test]
fn the_client_is_named_by_trusted_proxies_alone() {
    let ip_of_login = |settings: &[(&str, &str)]| {
        let daemon = Daemon::with(settings);
        let headers = [JSON, ("x-forwarded-for", "6.6.6.6, 198.51.100.1"), ("x-forwarded-for", "10.0.0.7")];
        daemon.send("POST", "/api/auth/login", &headers, br#"{"email":"nobody@example.com","password":"x"}"#);
        daemon.world.audit().last().unwrap().ip.clone().unwrap()
    };
    assert_eq!(ip_of_login(&[]), "127.0.0.1");
    assert_eq!(ip_of_login(&[("proxy.trusted", "127.0.0.1/32")]), "10.0.0.7");
    assert_eq!(ip_of_login(&[("proxy.trusted", "127.0.0.0/8,10.0.0.0/8")]), "198.51.100.1");
    assert_eq!(ip_of_login(&[("proxy.trusted", "0.0.0.0/0")]), "6.6.6.6");
}

#[test]
fn cors_is_for_the_origins_listed_to_the_letter() {
    let daemon = Daemon::with(&[("cors.origins", "https://app.example,https://other.example:8443")]);
    let preflight = |origin: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "PATCH")];
        daemon.send("OPTIONS", "/api/auth/me", &headers, b"")
    };
    let answer = preflight("https://app.example");
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    assert_eq!(answer.header("access-control-allow-methods"), "GET, HEAD, PATCH");
    assert!(answer.header("access-control-allow-headers").contains("Authorization"));
    assert_eq!(answer.header("vary"), "Origin");

    for stranger in [
        "https://evil.example",
        "http://app.example",
        "https://app.example:443",
        "https://APP.example",
        "null",
    ] {
        let refused = preflight(stranger);
        assert_eq!((refused.status, refused.header("access-control-allow-origin")), (405, ""), "{stranger}");
        let read = daemon.send("GET", "/healthz", &[("origin", stranger)], b"");
        assert_eq!(
            (read.header("access-control-allow-origin"), read.header("vary")),
            ("", "Origin"),
            "{stranger}"
        );
    }
    for (path, status) in [("/healthz", 200), ("/api/auth/me", 401), ("/nowhere", 404)] {
        let answer = daemon.send("GET", path, &[("origin", "https://other.example:8443")], b"");
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), "https://other.example:8443");
    }
    let plain = daemon.send("OPTIONS", "/api/auth/me", &[("origin", "https://app.example")], b"");
    assert_eq!(plain.status, 405, "without a method it asks for, it is no preflight");
}

#[test]
fn without_cors_nothing_is_said_of_origins() {
    let daemon = Daemon::new();
    let headers = [("origin", "https://app.example"), ("access-control-request-method", "GET")];
    let answer = daemon.send("OPTIONS", "/api/auth/me", &headers, b"");
    assert_eq!((answer.status, answer.problem().as_str()), (405, "method_not_allowed"));
    assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control") && name != "vary"));
}

#[test]
fn what_waits_for_its_commit_on_an_io_thread_can_be_awaited() {
    for route in routes() {
        let awaited = matches!(route.handler, Handler::AfterCommit { .. });
        assert_eq!(route.lane == Lane::Commit, awaited, "{route:?}");
    }
}
