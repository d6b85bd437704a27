//! Promises about what a request can't bring about, held over a real socket: by the name of a host, by a
//! token in the address, while somebody else holds the database.

use crate::cookies::{ANN, code, daemon, daemon_with};
use crate::daemon::{Answer, Daemon, JSON, request};
use crate::world::PASSWORD;
use serde_json::json;

const EVIL: &str = "evil.example";

/// Sends a request that names another host, in every place where one could be looked for.
fn send_elsewhere(daemon: &Daemon, method: &str, path: &str, body: &str) -> Answer {
    let forwarded = format!("for=192.0.2.1;host={EVIL};proto=https");
    let headers = [
        ("x-forwarded-host", EVIL),
        ("x-forwarded-server", EVIL),
        ("x-original-host", EVIL),
        ("forwarded", forwarded.as_str()),
        JSON,
    ];
    let headers = if body.is_empty() { &headers[..4] } else { &headers[..] };
    let sent = String::from_utf8(request(method, path, headers, body.as_bytes())).unwrap();
    daemon.exchange(sent.replace("host: test\r\n", &format!("host: {EVIL}\r\n")).as_bytes())
}

#[test]
fn the_host_that_a_request_names_leads_nobody_anywhere() {
    let daemon = daemon_with(&[("proxy.trusted", "127.0.0.1"), ("magic_link.enabled", "true")]);
    let public_url = &daemon.world.app.config.public_url;
    let email = json!({"email": ANN}).to_string();
    for (path, page) in [("password/reset", "reset-password"), ("magic-link", "magic-link?")] {
        let asked = send_elsewhere(&daemon, "POST", &format!("/api/auth/{path}/request"), &email);
        assert_eq!(asked.status, 202);
        daemon.world.advance(std::time::Duration::from_millis(1));
        let mail = daemon.world.mails(ANN).into_iter().next().expect("a link was sent");
        let mail = authd::usecase::mail::compose::show(
            &daemon.world.app,
            &crate::world::operator(),
            &mail.id.to_string(),
        );
        let text = mail.unwrap().body.unwrap().expose().clone();
        assert!(text.contains(&format!("{public_url}/auth/{page}")) && !text.contains(EVIL), "{text}");
    }

    let login = json!({"email": ANN, "password": PASSWORD}).to_string();
    for (method, path, body) in [
        ("GET", "/.well-known/oauth-authorization-server", ""),
        ("GET", "/api/auth/openapi.json", ""),
        ("GET", "/api/auth/.well-known/jwks.json", ""),
        ("POST", "/api/auth/login", login.as_str()),
        ("GET", "/nowhere", ""),
        ("GET", "/api/auth/me", ""),
    ] {
        let answer = send_elsewhere(&daemon, method, path, body);
        let told = answer.headers.iter().any(|(_, value)| value.contains(EVIL)) || answer.body.contains(EVIL);
        assert!(!told, "{path}: {answer:?}");
        assert_eq!(answer.header("location"), "");
    }
    let metadata = send_elsewhere(&daemon, "GET", "/.well-known/oauth-authorization-server", "").json();
    assert_eq!(metadata["issuer"], public_url.as_str());
}

#[test]
fn a_token_in_the_address_is_no_token() {
    let daemon = daemon();
    let tokens = daemon.login(ANN);
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let (access, refresh) = (text("access_token"), text("refresh_token"));
    for name in ["access_token", "token", "authorization", "bearer_token", "__Host-authd_access"] {
        for (method, path) in [
            ("GET", "/api/auth/me"),
            ("GET", "/api/auth/verify"),
            ("POST", "/api/auth/logout"),
            ("PATCH", "/api/auth/me"),
        ] {
            let answer = daemon.send(method, &format!("{path}?{name}={access}"), &[], b"");
            assert_eq!(code(&answer), (401, "unauthenticated".into()), "{method} {path} {name}");
        }
    }
    let missing = |path: &str, field: &str| {
        let answer = daemon.send("POST", path, &[JSON], b"{}");
        let errors = answer.field_errors();
        assert!(errors.contains(&(field.to_owned(), "missing".to_owned())), "{path}: {errors:?}");
    };
    missing(&format!("/api/auth/refresh?refresh_token={refresh}"), "refresh_token");
    daemon.post("/api/auth/password/reset/request", &json!({"email": ANN}).to_string());
    let link = daemon.world.token_in_mail(ANN);
    missing(&format!("/api/auth/password/reset/confirm?token={link}"), "token");
    let key = format!("Bearer {}", daemon.key("gate", &[]));
    let headers = [("authorization", key.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let introspected = daemon.send("POST", &format!("/api/auth/introspect?token={access}"), &headers, b"");
    assert_eq!(introspected.field_errors(), [("token".to_owned(), "missing".to_owned())]);
    // And none of it was spent or ended.
    assert_eq!(daemon.send_as(&access, "GET", "/api/auth/me", "").status, 200);
    assert_eq!(daemon.post("/api/auth/refresh", &json!({"refresh_token": refresh}).to_string()).status, 200);
}

#[test]
fn while_somebody_else_holds_the_database_changes_come_back_later_and_reads_go_on() {
    let daemon = daemon();
    let token = daemon.login(ANN)["access_token"].as_str().unwrap().to_owned();
    let other = daemon.world.database();
    other.hold();
    let login = json!({"email": ANN, "password": PASSWORD}).to_string();
    let address = daemon.running.address().tcp().unwrap();
    let bearer = format!("Bearer {token}");
    let changes = [
        request("POST", "/api/auth/login", &[JSON], login.as_bytes()),
        request("PATCH", "/api/auth/me", &[("authorization", &bearer), JSON], br#"{"name":"Ann"}"#),
        request("POST", "/api/auth/logout", &[("authorization", &bearer)], b""),
        request("GET", "/readyz", &[], b""),
    ];
    std::thread::scope(|scope| {
        let asked: Vec<_> = changes
            .iter()
            .map(|bytes| scope.spawn(move || crate::daemon::exchange(address, bytes)))
            .collect();
        assert_eq!(
            daemon.send_as(&token, "GET", "/api/auth/me", "").status,
            200,
            "who only reads isn't held up"
        );
        for answer in asked.into_iter().map(|asked| asked.join().unwrap()) {
            assert_eq!(code(&answer), (503, "storage_unavailable".into()));
            assert_eq!(answer.header("retry-after"), "2");
        }
    });
    other.let_go();
    // Waiting that long and asking again works.
    daemon.world.advance(std::time::Duration::from_secs(2));
    for bytes in &changes {
        let answer = daemon.exchange(bytes);
        assert!(answer.status < 300, "{answer:?}");
    }
}
