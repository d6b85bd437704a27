//! The log of requests: one line each, which says what was asked for and what came of it, and nothing that
//! the client sent.

use super::serve::Daemon;
use super::{Shell, json};
use crate::world::PASSWORD;
use rustix::process::Signal;
use serde_json::Value;

/// What a client might send anywhere, and nobody must read in a log.
const PLANTED: &str = "hunter2-planted";

fn logging(level: &str, format: &str, more: &str) -> (Shell, Daemon) {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    let config = format!("{more}[log]\nlevel = \"{level}\"\nformat = \"{format}\"\n");
    std::fs::write(shell.world.folder.join("authd.toml"), config).unwrap();
    let daemon = Daemon::start(&shell, &[]);
    (shell, daemon)
}

/// The records that were logged, without what else is said on stderr.
fn records(daemon: Daemon) -> Vec<String> {
    let (code, said) = daemon.stop(Signal::TERM);
    assert_eq!(code, Some(0), "{said}");
    said.lines().filter(|line| *line != "stopped").map(str::to_owned).collect()
}

#[test]
fn a_request_is_one_line_with_what_came_of_it() {
    let (shell, daemon) = logging("debug", "json", "[proxy]\ntrusted = [\"127.0.0.1\"]\n");
    let (_, token) = daemon.login("ann@example.com");
    daemon.send(&format!(
        "GET /api/auth/me?x={PLANTED} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: rq-1\r\n\
         X-Forwarded-For: 203.0.113.9\r\nAuthorization: Bearer {token}\r\n\r\n"
    ));
    daemon.ask(&format!("DELETE /api/auth/sessions/{PLANTED}"), &token, "");
    daemon.ask("BREW /pot", "", "");
    daemon.ask(&format!("GET /auth/reset-password?token={PLANTED}"), "", "");
    daemon.ask("GET /auth/nowhere", "", "");
    let lines: Vec<Value> = records(daemon).iter().map(|line| json(line)).collect();
    let told: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "answered")
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            (text("level"), text("method"), text("route"), line["status"].as_u64().unwrap())
        })
        .collect();
    let row =
        |level: &str, method: &str, route: &str, status| (level.into(), method.into(), route.into(), status);
    assert_eq!(
        told,
        [
            row("DEBUG", "POST", "/api/auth/login", 200),
            row("DEBUG", "GET", "/api/auth/me", 200),
            row("INFO", "DELETE", "/api/auth/sessions/{id}", 404),
            row("INFO", "other", "unknown", 404),
            row("INFO", "GET", "/auth/reset-password", 400),
            row("INFO", "GET", "unknown", 404),
        ]
    );
    let asked = lines.iter().find(|line| line["route"] == "/api/auth/me").unwrap();
    let ann = json(&shell.line("user show ann@example.com -o json").out)["id"].clone();
    assert!(ann.is_string());
    assert_eq!(
        (&asked["request_id"], &asked["ip"], &asked["user"]),
        (&"rq-1".into(), &"203.0.113.9".into(), &ann)
    );
    assert!(asked["duration_ms"].as_f64().unwrap() < 60_000.0, "{asked}");
    let login = lines.iter().find(|line| line["route"] == "/api/auth/login").unwrap();
    assert_eq!((&login["ip"], login.get("user")), (&"127.0.0.1".into(), None));
}

#[test]
fn what_went_well_is_no_news_unless_it_is_asked_for() {
    let (_shell, daemon) = logging("info", "text", "");
    assert_eq!(daemon.login("ann@example.com").0, 200);
    assert_eq!(daemon.ask("GET /nowhere", "", "").0, 404);
    let lines = records(daemon);
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in [
        "INFO answered",
        "method=\"GET\"",
        "route=\"unknown\"",
        "status=404",
        "code=\"not_found\"",
        "ip=127.0.0.1",
    ] {
        assert!(lines[0].contains(part), "{part}: {lines:?}");
    }
}

#[test]
fn nothing_that_a_client_sends_is_in_the_log() {
    for (level, format) in [("debug", "text"), ("debug", "json"), ("trace", "json")] {
        let (_shell, daemon) = logging(level, format, "");
        let (_, token) = daemon.login("ann@example.com");
        for request in requests(&token) {
            daemon.send(&request);
        }
        let log = records(daemon).join("\n");
        assert!(log.lines().count() > 20, "{log}");
        let lower = log.to_lowercase();
        assert!(!lower.contains(PLANTED), "{log}");
        assert!(!log.contains(&token) && !log.contains(PASSWORD), "{log}");
        assert!(!lower.contains("ann@example.com"), "{log}");
    }
}

/// Requests with the planted text in every place that a client can put it. (The id of a request is the
/// client's to choose and is there to be logged; only a text that can't be one is dropped.)
fn requests(token: &str) -> Vec<String> {
    let p = PLANTED;
    let mut all = Vec::new();
    let mut send = |line: &str, headers: &str, body: &str| {
        let length = body.len();
        all.push(format!(
            "{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n\r\n{body}"
        ));
    };
    let json = "Content-Type: application/json";
    for path in ["", "/api/auth/sessions/", "/api/auth/", "/auth/", "/auth/reset-password/", "/.well-known/"]
    {
        send(&format!("GET {path}{p}"), "Accept: */*", "");
        send(&format!("POST {path}{p}?{p}={p}#{p}"), json, &format!("{{\"{p}\":\"{p}\"}}"));
    }
    send(&format!("GET /auth/reset-password?token={p}"), "Accept: */*", "");
    let form = "Content-Type: application/x-www-form-urlencoded";
    send("POST /auth/reset-password", form, &format!("token={p}&password={p}&{p}={p}"));
    for name in [
        "Authorization: Bearer",
        "Authorization: Basic",
        "Cookie: __Host-authd_access=",
        "Cookie: __Host-authd_refresh=",
        "X-CSRF-Token:",
        "User-Agent:",
        "Referer: https://a/?",
        "Origin: https://",
        "X-Forwarded-For:",
        "X-Request-Id: not/an id",
        "Content-Encoding:",
        "Expect:",
        "Transfer-Encoding:",
    ] {
        send("GET /api/auth/me", &format!("{name} {p}"), "");
        send(
            "POST /api/auth/refresh",
            &format!("{json}\r\n{name} {p}"),
            &format!("{{\"refresh_token\":\"{p}\"}}"),
        );
    }
    send("GET /healthz", &format!("X-{p}: {p}"), "");
    send("GET /healthz", &format!("broken {p} : {p}"), "");
    send(&format!("{} /healthz", p.to_uppercase()), "Accept: */*", "");
    send(&format!("GET /healthz {p}"), "Accept: */*", "");
    send("GET /api/auth/me", &format!("Authorization: Bearer {token}"), "");
    for body in [
        format!(r#"{{"email":"{p}@example.com","password":"{p}"}}"#),
        format!(r#"{{"email":"ann@example.com","password":"{p}"}}"#),
        format!(r#"{{"email":"{p}","password":"{p}","{p}":1}}"#),
        format!(r#"{{"{p}""#),
        p.to_owned(),
    ] {
        for path in ["login", "register", "2fa/verify", "password/reset", "introspect", "revoke"] {
            send(&format!("POST /api/auth/{path}"), json, &body);
        }
    }
    send("POST /api/auth/login", &format!("Content-Type: {p}/{p}"), p);
    all
}

#[test]
fn a_proxy_that_nobody_told_authd_of_is_told_of_once() {
    let ask = |daemon: &Daemon| {
        daemon.send(
            "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n",
        )
    };
    let found = |shell: &Shell| {
        let findings = json(&shell.line("doctor -o json").out);
        let proxy = findings.as_array().unwrap().iter().find(|finding| finding["check"] == "proxy").cloned();
        proxy.unwrap()
    };
    let warnings = |daemon| records(daemon).iter().filter(|line| line.contains("proxy.trusted")).count();
    let (shell, daemon) = logging("info", "json", "");
    daemon.ask("GET /healthz", "", "");
    assert_eq!(found(&shell)["state"], "ok", "who comes by themselves need no proxy");
    for _ in 0..3 {
        ask(&daemon);
    }
    assert_eq!(warnings(daemon), 1);
    let finding = found(&shell);
    assert_eq!(finding["state"], "warn");
    assert!(finding["says"].as_str().unwrap().contains("set it to the proxy's address"), "{finding}");

    let (shell, daemon) = logging("info", "json", "[proxy]\ntrusted = [\"127.0.0.1\"]\n");
    ask(&daemon);
    assert_eq!((warnings(daemon), &found(&shell)["state"]), (0, &"ok".into()));
}

#[test]
fn a_refusal_is_logged_with_its_code() {
    let (shell, daemon) = logging("info", "json", "");
    let (_, token) = daemon.login("ann@example.com");
    daemon.ask("GET /api/auth/admin/users", &token, "");
    daemon.ask("GET /api/auth/me", "no token", "");
    daemon.ask("POST /api/auth/login", "", "{");
    daemon.ask("POST /api/auth/login", "", r#"{"email":"ann@example.com","password":"not it"}"#);
    let minted = shell.line("token mint ann@example.com -q").out;
    daemon.ask("POST /api/auth/2fa/setup", minted.trim(), "");
    let lines: Vec<Value> = records(daemon).iter().map(|line| json(line)).collect();
    let codes: Vec<&str> = lines.iter().map(|line| line["code"].as_str().unwrap()).collect();
    assert_eq!(
        codes,
        ["forbidden", "invalid_token", "malformed_json", "invalid_credentials", "fresh_login_required"]
    );
}
