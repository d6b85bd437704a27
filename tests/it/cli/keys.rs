//! `key`, `apikey` and `token mint` on the command line, beside a daemon that runs.

use super::prompts::Typist;
use super::serve::Daemon;
use super::{Shell, json};
use crate::missing::is_there;

fn kids(shell: &Shell) -> Vec<String> {
    shell.line("key list -q").out.lines().map(str::to_owned).collect()
}

#[test]
fn a_rotation_counts_for_a_daemon_that_runs() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    let daemon = Daemon::start(&shell, &[]);
    let (_, before) = daemon.login("ann@example.com");
    let [old] = &kids(&shell)[..] else { panic!("one key signs") };

    let rotated = json(&shell.line("key rotate -o json").out);
    let new = rotated["kid"].as_str().unwrap();
    assert_eq!((&rotated["state"], &rotated["keep_until"]), (&"signing".into(), &serde_json::Value::Null));
    assert_eq!(kids(&shell), [old.as_str(), new]);
    let jwks = || daemon.ask("GET /.well-known/jwks.json", "", "").1;
    assert!(jwks().contains(old.as_str()) && jwks().contains(new));
    let (_, after) = daemon.login("ann@example.com");
    assert_eq!((daemon.me(&before), daemon.me(&after)), (200, 200));

    let waits = shell.line(&format!("key retire {old}"));
    assert_eq!((waits.code, waits.out.as_str()), (0, ""));
    assert!(waits.err.contains("verifies until") && waits.err.contains("nothing was changed"), "{waits:?}");
    assert_eq!((daemon.me(&before), daemon.me(&after)), (200, 200));
    let refused = shell.line(&format!("key retire {new}"));
    assert_eq!(refused.code, 4);
    assert!(
        refused.err.starts_with("authctl: conflict: ") && refused.err.contains("key rotate"),
        "{refused:?}"
    );

    let unasked = shell.line(&format!("key retire {old} --now"));
    assert_eq!(unasked.code, 2, "{unasked:?}");
    assert_eq!(daemon.me(&before), 200);
    let gone = shell.line(&format!("key retire {old} --now --yes -o json"));
    assert_eq!((gone.code, &json(&gone.out)["state"]), (0, &"expired".into()));
    assert_eq!((daemon.me(&before), daemon.me(&after)), (401, 200));
    assert!(!jwks().contains(old.as_str()));
    assert_eq!(shell.line(&format!("key retire {old}")).code, 3);
    assert_eq!(shell.line(&format!("key retire {old} --now --yes")).code, 3);
}

#[test]
fn retiring_a_key_at_once_asks_first() {
    if !is_there("script") {
        return;
    }
    let shell = Shell::new();
    let old = kids(&shell).remove(0);
    shell.line("key rotate");
    let retire = |answer: &str| {
        let mut typist = Typist::start(&shell, &format!("./authctl key retire {old} --now"));
        typist.wait_for(&format!("Retire {old} at once, so that every token it signed is refused? [y/N] "));
        typist.type_in(answer);
        typist.end()
    };
    assert_eq!(retire("n\n").0, 1);
    assert_eq!(kids(&shell).len(), 2);
    assert_eq!(retire("y\n").0, 0);
    assert_eq!(kids(&shell).len(), 1);
    assert_eq!(shell.line("key retire nonsense --yes").code, 2, "--yes is for --now");
}

#[test]
fn a_minted_token_stands_alone_on_stdout() {
    let shell = Shell::new();
    let ann = shell.world.add_user("ann@example.com", &[]);
    let daemon = Daemon::start(&shell, &[]);
    let said = shell.line("token mint ann@example.com");
    assert_eq!((said.code, said.out.lines().count()), (0, 1), "{said:?}");
    assert_eq!(daemon.me(said.out.trim()), 200);
    let fresh = daemon.ask("POST /api/auth/2fa/setup", said.out.trim(), "");
    assert_eq!((fresh.0, json(&fresh.1)["code"].as_str()), (403, Some("fresh_login_required")));

    let minted = json(&shell.line(&format!("token mint {} --ttl 1h -o json", ann.id)).out);
    let (token, session) = (minted["access_token"].as_str().unwrap(), minted["session_id"].as_str().unwrap());
    assert_eq!((daemon.me(token), minted["expires_in"].as_u64()), (200, Some(3600)));
    assert!(shell.line("token list -q").out.lines().any(|id| id == session));
    assert_eq!(shell.line(&format!("token revoke --id {session}")).code, 0);
    assert_eq!((daemon.me(token), daemon.me(said.out.trim())), (401, 200));

    for (line, code) in [
        ("token mint nobody@example.com", 3),
        ("token mint ann@example.com --ttl 0s", 1),
        ("token mint ann@example.com --ttl 31d", 1),
        ("token mint ann@example.com --ttl soon", 2),
        ("token mint", 2),
    ] {
        let said = shell.line(line);
        assert_eq!((said.code, said.out.as_str()), (code, ""), "{line}: {said:?}");
    }
    shell.line("user disable ann@example.com");
    let said = shell.line("token mint ann@example.com");
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(said.err.starts_with("authctl: account_disabled: "), "{said:?}");
}

#[test]
fn an_api_key_is_shown_once() {
    let shell = Shell::new();
    let added = shell.line("apikey add billing --permission users:read --permission audit:* --ttl 90d");
    assert_eq!(added.code, 0, "{added:?}");
    assert!(added.out.starts_with("authd_key_") && added.out.lines().count() == 1, "{added:?}");
    let inspect = |key: &str| shell.run_with(&["token", "inspect", "--stdin", "-o", "json"], key);
    assert_eq!(json(&inspect(&added.out).out)["permissions"], serde_json::json!(["audit:*", "users:read"]));

    let second = json(&shell.line("apikey add gateway -o json").out);
    assert!(second["key"].as_str().unwrap().starts_with("authd_key_"));
    let listed = shell.line("apikey list -o json");
    assert!(!listed.out.contains("authd_key_"));
    let keys = json(&listed.out);
    assert_eq!((&keys[0]["name"], &keys[1]["name"]), (&"billing".into(), &"gateway".into()));
    assert_eq!(keys[0]["permissions"], serde_json::json!(["audit:*", "users:read"]));
    assert_eq!((&keys[1]["expires_at"], &keys[1]["last_used_at"]), (&().into(), &().into()));

    let revoked = shell.line("apikey revoke billing");
    assert_eq!((revoked.code, revoked.err.as_str()), (0, "revoked API key billing\n"));
    assert_eq!(inspect(&added.out).code, 5);
    assert_eq!(shell.line("apikey revoke billing").code, 3);
    assert_eq!(
        shell.line("apikey list -q").out.lines().collect::<Vec<_>>(),
        [second["id"].as_str().unwrap()]
    );
    assert_eq!(shell.line("apikey add billing").code, 0, "the name is free again");
    let events: Vec<_> =
        shell.world.events().into_iter().filter(|event| event.starts_with("ApiKey")).collect();
    assert_eq!(events, ["ApiKeyCreated", "ApiKeyCreated", "ApiKeyRevoked", "ApiKeyCreated"]);
}

#[test]
fn an_api_key_that_can_not_be_is_not_made() {
    let shell = Shell::new();
    assert_eq!(shell.line("apikey add billing").code, 0);
    for (line, code, word) in [
        ("apikey add billing", 4, "already_exists"),
        ("apikey add Billing", 1, "validation_failed"),
        ("apikey add other --permission users", 1, "validation_failed"),
        ("apikey add other --ttl 0s", 1, "validation_failed"),
        ("apikey revoke other", 3, "not_found"),
        ("apikey revoke Other", 1, "validation_failed"),
    ] {
        let said = shell.line(line);
        assert_eq!((said.code, said.out.as_str()), (code, ""), "{line}: {said:?}");
        assert!(said.err.starts_with(&format!("authctl: {word}: ")), "{line}: {said:?}");
    }
    assert_eq!(shell.line("apikey add other --ttl soon").code, 2);
    assert_eq!(shell.line("apikey list -q").out.lines().count(), 1);
}
