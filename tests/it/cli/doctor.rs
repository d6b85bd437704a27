//! `doctor` and `hash calibrate`.

use super::serve::Daemon;
use super::{Said, Shell, json};
use crate::database::worlds;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

fn finding(said: &Said, check: &str) -> Value {
    let found = json(&said.out).as_array().unwrap().iter().find(|finding| finding["check"] == check).cloned();
    found.unwrap_or_else(|| panic!("{check}: {said:?}"))
}

fn state(said: &Said, check: &str) -> String {
    finding(said, check)["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_sound_installation_has_warnings_at_most() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &["admin"]);
    let resting = shell.line("doctor -o json");
    assert_eq!(resting.code, 0, "{resting:?}");
    assert_eq!(state(&resting, "daemon"), "warn");
    let daemon = Daemon::start(&shell, &[]);
    let url = format!("http://{}", daemon.address());
    let said = shell.line(&format!("doctor --url {url} -o json"));
    assert_eq!(said.code, 0, "{said:?}");
    for check in [
        "configuration",
        "texts",
        "files",
        "daemon",
        "database",
        "audit_log",
        "clock",
        "signing_key",
        "admin",
        "outbox",
        "url_healthz",
        "url_readyz",
        "url_keys",
        "url_headers",
    ] {
        assert_eq!(state(&said, check), "ok", "{check}: {said:?}");
    }
    assert_eq!(state(&said, "smtp"), "warn", "mail stays in the outbox");
    assert_eq!(state(&said, "url_public"), "warn", "it is another address");
    let quiet = shell.line("doctor -q");
    assert!(quiet.out.lines().any(|line| line == "signing_key"), "{quiet:?}");
}

#[test]
fn of_a_server_the_way_to_it_and_its_room_are_told() {
    let shell = Shell::new();
    let said = shell.line("doctor -o json");
    let checks = json(&said.out);
    let is_told = checks.as_array().unwrap().iter().any(|finding| finding["check"] == "server");
    assert_eq!(is_told, worlds::are_on_a_server(), "{said:?}");
    if !is_told {
        return;
    }
    let says = finding(&said, "server")["says"].as_str().unwrap().to_owned();
    assert!(says.starts_with("PostgreSQL ") && says.contains(", without TLS, on this machine; "), "{says}");
    assert!(says.ends_with(" connections are taken, and a daemon takes up to 8"), "{says}");
    let mut greedy = shell.command(&["doctor", "-o", "json"]);
    let said = super::said({
        greedy.env("AUTHD_POSTGRES__CONNECTIONS", "1000");
        greedy
    });
    assert_eq!((said.code, state(&said, "server").as_str()), (0, "warn"), "{said:?}");
}

#[test]
fn another_databases_daemon_is_noticed() {
    let (shell, other) = (Shell::new(), Shell::new());
    // Two worlds begin alike, with the same key.
    assert_eq!(other.line("key rotate").code, 0);
    let daemon = Daemon::start(&other, &[]);
    let said = shell.line(&format!("doctor --url http://{} -o json", daemon.address()));
    assert_eq!(said.code, 5, "{said:?}");
    assert_eq!(state(&said, "url_healthz"), "ok");
    assert_eq!(state(&said, "url_keys"), "fail");
    assert!(said.err.contains("url_keys"), "{said:?}");
}

#[test]
fn a_server_that_is_not_the_daemon_fails_and_so_does_none() {
    let shell = Shell::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
        }
    });
    let said = shell.line(&format!("doctor --url http://{address} -o json"));
    assert_eq!(said.code, 5, "{said:?}");
    assert_eq!((state(&said, "url_keys").as_str(), state(&said, "url_headers").as_str()), ("fail", "fail"));
    // A port that was just given back has nobody behind it.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = shell.line(&format!("doctor --url http://{free} -o json"));
    assert_eq!((said.code, state(&said, "url_healthz").as_str()), (5, "fail"), "{said:?}");
    assert_eq!(shell.line("doctor --url ftp://example.com").code, 2);
}

#[test]
fn what_keeps_the_database_from_opening_is_a_finding() {
    let shell = Shell::new();
    fs::set_permissions(shell.world.folder.join("authd.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let wide = shell.line("doctor -o json");
    assert_eq!(wide.code, 5, "{wide:?}");
    assert!(finding(&wide, "files")["says"].as_str().unwrap().contains("chmod 600"), "{wide:?}");
    fs::set_permissions(shell.world.folder.join("authd.key"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(shell.world.folder.join("authd.key"), shell.world.folder.join("elsewhere")).unwrap();
    let missing = shell.line("doctor -o json");
    assert_eq!((missing.code, state(&missing, "database").as_str()), (5, "fail"));
    fs::write(shell.world.folder.join("authd.toml"), "listen = 7\n").unwrap();
    let wrong = shell.line("doctor -o json");
    assert_eq!((wrong.code, state(&wrong, "configuration").as_str()), (5, "fail"));
}

#[test]
fn mail_the_clock_and_admins_are_looked_at() {
    let shell = Shell::new();
    let world = &shell.world;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let smtp = format!(
        "[mail]\ntransport = \"smtp\"\nsmtp_host = \"127.0.0.1\"\nsmtp_port = {free}\nsmtp_tls = \"none\"\n"
    );
    fs::write(world.folder.join("authd.toml"), smtp).unwrap();
    world.advance(std::time::Duration::from_secs(3600));
    world.add_user("ann@example.com", &[]);
    let said = shell.line("doctor -o json");
    assert_eq!(said.code, 5, "{said:?}");
    for (check, expected) in [("smtp", "fail"), ("clock", "fail"), ("admin", "warn")] {
        assert_eq!(state(&said, check), expected, "{said:?}");
    }
}

#[test]
fn a_calibration_is_never_below_the_least() {
    let shell = Shell::new();
    let said = shell.line("hash calibrate --target-ms 10 -o json");
    assert_eq!(said.code, 0, "{said:?}");
    let found = json(&said.out);
    assert!(found["argon2_memory_kib"].as_u64().unwrap() >= 19_456, "{found}");
    assert!(found["argon2_iterations"].as_u64().unwrap() >= 2, "{found}");
    assert_eq!(found["argon2_parallelism"], 1);
    let lines = shell.line("hash calibrate --target-ms 10").out;
    fs::write(shell.world.folder.join("authd.toml"), &lines).unwrap();
    assert_eq!(shell.line("config check").code, 0, "{lines}");
    for wrong in ["9", "1001", "soon"] {
        assert_ne!(shell.line(&format!("hash calibrate --target-ms {wrong}")).code, 0, "{wrong}");
    }
}
