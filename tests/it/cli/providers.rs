//! `provider test`, and what `doctor` finds of providers, against stand-ins for some.

use super::{Said, Shell, json};
use crate::providers::stand_in::{CLIENT, StandIn};
use authd::config::ProviderKind;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

#[test]
fn a_provider_is_tested_piece_by_piece() {
    let shell = Shell::new();
    let stand_in = StandIn::start(ProviderKind::Oidc, Arc::clone(&shell.world.clock));
    let secret = stand_in.provider(&shell.world.folder).client_secret_file.unwrap();
    let config = format!(
        "[oauth.acme]\nkind = 'oidc'\nclient_id = '{CLIENT}'\nclient_secret_file = '{}'\nissuer = '{}'\n\
         allow_private = true\n",
        secret.display(),
        stand_in.origin()
    );
    fs::write(shell.world.folder.join("authd.toml"), config).unwrap();
    let good = shell.line("provider test acme -o json");
    assert_eq!((good.code, good.err.as_str()), (0, ""), "{good:?}");
    let checks = json(&good.out);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let states: Vec<_> = checks
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (text(&check["check"]), text(&check["state"])))
        .collect();
    let names = ["discovery", "keys", "pkce", "clock", "secret", "redirect_uri"];
    assert_eq!(states, names.map(|name| (name.to_owned(), "ok".to_owned())), "{checks}");
    assert_eq!(checks[5]["says"], "http://127.0.0.1:8080/api/auth/oauth/acme/callback", "ready to copy");

    fs::write(&secret, "").unwrap();
    let bad = shell.line("provider test acme -o json");
    assert_eq!(bad.code, 5, "{bad:?}");
    assert!(bad.err.contains("1 of 6 checks are bad: secret; do what they say"), "{bad:?}");
    assert_eq!(json(&bad.out)[4]["state"], "bad");
    // An address of this machine is asked for nothing that was not allowed.
    let written = fs::read_to_string(shell.world.folder.join("authd.toml")).unwrap();
    fs::write(shell.world.folder.join("authd.toml"), written.replace("allow_private = true", "")).unwrap();
    let refused = shell.line("provider test acme -o json");
    assert!(refused.code == 5 && refused.err.contains("discovery"), "{refused:?}");
}

/// What `doctor` finds of a provider: the state, and what it says.
fn of_provider(said: &Said, name: &str) -> (String, String) {
    let findings = json(&said.out);
    let found =
        findings.as_array().unwrap().iter().find(|finding| finding["check"] == format!("oauth.{name}"));
    let found = found.unwrap_or_else(|| panic!("{said:?}"));
    (found["state"].as_str().unwrap().to_owned(), found["says"].as_str().unwrap().to_owned())
}

#[test]
fn doctor_asks_each_provider_and_takes_none_of_their_trouble_for_its_own() {
    let shell = Shell::new();
    let stand_in = StandIn::start(ProviderKind::Oidc, Arc::clone(&shell.world.clock));
    let secret = stand_in.provider(&shell.world.folder).client_secret_file.unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let table = |name: &str, origin: &str| {
        format!(
            "[oauth.{name}]\nkind = 'oidc'\nclient_id = '{CLIENT}'\nclient_secret_file = '{}'\nissuer = '{origin}'\n\
             allow_private = true\n",
            secret.display()
        )
    };
    let config = table("acme", &stand_in.origin()) + &table("gone", &format!("http://{gone}"));
    fs::write(shell.world.folder.join("authd.toml"), config).unwrap();
    let said = shell.line("doctor -o json");
    assert_eq!(said.code, 0, "{said:?}");
    let good = ("ok".to_owned(), "all of `authctl provider test acme` is good".to_owned());
    assert_eq!(of_provider(&said, "acme"), good);
    let (state, says) = of_provider(&said, "gone");
    assert_eq!(state, "warn");
    assert!(says.starts_with("discovery: ") && says.ends_with("see `authctl provider test gone`"), "{says}");
    assert!(stand_in.count("/.well-known/openid-configuration") == 1, "{:?}", stand_in.asked());

    fs::write(&secret, "").unwrap();
    let said = shell.line("doctor -o json");
    assert_eq!(said.code, 0, "{said:?}");
    let (state, says) = of_provider(&said, "acme");
    assert!(state == "warn" && says.contains("secret: "), "{says}");
}

#[test]
fn doctor_asks_all_providers_at_once() {
    let shell = Shell::new();
    let listeners = ["one", "two"].map(|name| (name, TcpListener::bind("127.0.0.1:0").unwrap()));
    let config: String = listeners
        .iter()
        .map(|(name, listener)| {
            let address = listener.local_addr().unwrap();
            format!(
                "[oauth.{name}]\nkind = 'oidc'\nclient_id = '{CLIENT}'\nissuer = 'http://{address}'\n\
                 allow_private = true\n"
            )
        })
        .collect();
    fs::write(shell.world.folder.join("authd.toml"), config).unwrap();
    // Neither is answered before the other was asked.
    let serving = std::thread::spawn(move || {
        let asked = listeners.map(|(_, listener)| listener.accept().unwrap().0);
        for mut stream in asked {
            let _ = stream.read(&mut [0; 4096]);
            let _ =
                stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    let said = shell.line("doctor -o json");
    serving.join().unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    for name in ["one", "two"] {
        let (state, says) = of_provider(&said, name);
        assert!(state == "warn" && says.contains("404"), "{says}");
    }
}

#[test]
fn doctor_warns_of_what_a_provider_has_left_that_is_configured_no_more() {
    let shell = Shell::new();
    let role = shell.line("role add writer");
    assert_eq!(role.code, 0, "{role:?}");
    let identity = |provider: &str, subject: &str, granted: &[&str]| {
        serde_json::json!({
            "provider": provider, "issuer": format!("https://{provider}.example"), "subject": subject,
            "granted_roles": granted,
        })
    };
    let user = |email: &str, roles: &[&str], identities: &[serde_json::Value]| {
        serde_json::json!({"email": email, "roles": roles, "identities": identities}).to_string() + "\n"
    };
    let users = user("ann@example.com", &["admin", "writer"], &[identity("acme", "1", &["admin", "writer"])])
        + &user("bob@example.com", &["admin", "writer"], &[identity("acme", "2", &["admin", "writer"])])
        + &user("cid@example.com", &["writer"], &[identity("zeta", "1", &["writer"])]);
    let imported = shell.run_with(&["import", "-", "--format", "jsonl"], &users);
    assert_eq!(imported.code, 0, "{imported:?}");

    let said = shell.line("doctor -o json");
    assert_eq!(said.code, 0, "{said:?}");
    let (state, says) = of_provider(&said, "acme");
    assert_eq!(state, "warn");
    let left = "the configuration has no such provider, but 2 identities of it are still linked, and 4 roles that \
                it granted stay; add `[oauth.acme]` again, or unlink each, first `authctl identity unlink ";
    assert!(says.starts_with(left), "{says}");
    let (state, zeta) = of_provider(&said, "zeta");
    assert!(
        state == "warn"
            && zeta.contains("1 identity of it is still linked, and 1 role that it granted stays"),
        "{zeta}"
    );

    // The command does what it is named for, until there is nothing left.
    let unlink = |says: &str| {
        let command = says.split('`').find_map(|part| part.strip_prefix("authctl identity unlink "));
        let unlinked = shell.line(&format!("identity unlink {} --yes", command.unwrap()));
        assert_eq!(unlinked.code, 0, "{unlinked:?}");
    };
    unlink(&says);
    let says = of_provider(&shell.line("doctor -o json"), "acme").1;
    assert!(says.contains("1 identity of it is still linked, and 2 roles that"), "{says}");
    unlink(&says);
    let said = shell.line("doctor -o json");
    assert!(
        said.code == 0 && !said.out.contains("oauth.acme") && said.out.contains("oauth.zeta"),
        "{said:?}"
    );
    let writers = shell.line("role show writer -o json").out;
    assert!(!writers.contains("ann@example.com") && !writers.contains("bob@example.com"), "{writers}");

    // One that is configured has left nothing.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let table = format!(
        "[oauth.zeta]\nkind = 'oidc'\nclient_id = '{CLIENT}'\nissuer = 'http://{gone}'\nallow_private = true\n"
    );
    fs::write(shell.world.folder.join("authd.toml"), table).unwrap();
    let (_, says) = of_provider(&shell.line("doctor -o json"), "zeta");
    assert!(!says.contains("still linked"), "{says}");
}
