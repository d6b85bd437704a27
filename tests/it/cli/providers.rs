//! `provider test`, against a stand-in for a provider.

use super::{Shell, json};
use crate::providers::stand_in::{CLIENT, StandIn};
use authd::config::ProviderKind;
use std::fs;
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
