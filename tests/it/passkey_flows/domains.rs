//! The domain of a passkey: which ones there may be, and what becomes of those of another.

use super::{ANN, Stage, access_token, phone};
use crate::config::Env;
use crate::passkeys::device::Device;
use serde_json::{Value, json};
use std::time::Duration;

const MOVED: &str = "https://login.example.com";

/// Ann's passkey and a recovery code of hers, after authd has moved to another host.
fn moved() -> (Stage, Device, Value) {
    let (stage, mut device) = (Stage::new(), phone());
    let added = stage.add(&stage.token(ANN), &mut device);
    let stage = Stage { daemon: stage.daemon.restarted_with(&[("public_url", MOVED)]) };
    (stage, device, added["recovery_codes"][0].clone())
}

#[test]
fn a_passkey_of_another_is_taken_nowhere_whatever_its_device_says() {
    let (stage, mut device, code) = moved();
    (device.origin, device.rp_id) = (MOVED.into(), "login.example.com".into());
    device.credentials[0].rp_id = device.rp_id.clone();
    assert_eq!(stage.sign_in(&mut device).problem(), "invalid_credentials");
    let last = stage.world().audit().pop().unwrap();
    assert_eq!(last.details[0].1, "unknown_passkey", "{last:?}");
    let ticket = stage.ticket(ANN);
    let begun = stage.post("/2fa/passkey/start", &json!({"ticket": ticket["ticket"]}));
    assert_eq!((begun.status, begun.problem()), (401, "invalid_code".into()));
    let body = json!({"ticket": ticket["ticket"], "recovery_code": code});
    assert_eq!(stage.post("/2fa/verify", &body).status, 200);
}

#[test]
fn a_new_one_can_be_added_beside_it() {
    let (stage, _, code) = moved();
    let ticket = stage.ticket(ANN);
    let body = json!({"ticket": ticket["ticket"], "recovery_code": code});
    let token = access_token(&stage.post("/2fa/verify", &body));
    let begun = stage.post_as(&token, "/passkeys/register/start", &json!({})).json();
    let options = &begun["publicKey"];
    assert_eq!(
        (&options["rp"]["id"], &options["excludeCredentials"]),
        (&json!("login.example.com"), &json!([]))
    );
    let mut new = Device::new(MOVED, "login.example.com");
    stage.world().advance(Duration::from_millis(1));
    assert!(stage.add(&token, &mut new)["recovery_codes"].is_null(), "there is a factor already");
    let token = access_token(&stage.sign_in(&mut new));
    let domains: Vec<_> = stage.list(&token).iter().map(|one| one["rp_id"].clone()).collect();
    assert_eq!(domains, [super::RP_ID, "login.example.com"]);
    let ticket = stage.ticket(ANN);
    assert_eq!(ticket["methods"], json!(["passkey", "recovery_code"]));
    let begun = stage.post("/2fa/passkey/start", &json!({"ticket": ticket["ticket"]})).json();
    assert_eq!(begun["publicKey"]["allowCredentials"].as_array().unwrap().len(), 1);
}

#[test]
fn where_passkeys_are_off_no_other_origin_is_told() {
    let related = ("passkeys.related_origins", "https://example.org");
    let stage = Stage::with(&[related, ("passkeys.enabled", "false")]);
    assert_eq!(stage.daemon.get("/.well-known/webauthn").status, 404);
}

#[test]
fn it_is_the_host_or_one_above_it_unless_the_origin_is_listed() {
    let url = "public_url = 'https://auth.example.com'\npages.name = 'Acme'\n[passkeys]\n";
    let with = |more: &str| Env::new().toml(format!("{url}{more}"));
    let passkeys = |more: &str| with(more).config().passkeys;
    assert_eq!(passkeys("").rp_id, "auth.example.com");
    assert_eq!(passkeys("").rp_name, "Acme");
    assert_eq!(passkeys("rp_name = 'Accounts'").rp_name, "Accounts");
    assert_eq!(passkeys("rp_id = 'example.com'").rp_id, "example.com");
    let listed = "rp_id = 'example.org'\nrelated_origins = ['https://auth.example.com']";
    assert_eq!(passkeys(listed).rp_id, "example.org");
    for wrong in ["example.org", "login.example.com", "a.auth.example.com", "xample.com", "th.example.com"] {
        for more in ["", "related_origins = ['https://www.example.com']"] {
            let problems = with(&format!("rp_id = '{wrong}'\n{more}")).problems();
            let problem = "authd.toml:4: passkeys.rp_id: must be the host of public_url or a domain above it";
            assert!(problems[0].starts_with(problem), "{wrong}: {problems:#?}");
        }
    }
}

#[test]
fn what_their_page_has_operators_write_is_taken() {
    let page = include_str!("../../../docs/passkeys.md");
    let (_, parts) = page.split_once("```toml\n").unwrap();
    let examples: Vec<_> = parts.split("```toml\n").map(|part| part.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 2, "{examples:?}");
    for example in examples {
        assert_eq!(Env::new().toml(example).config().passkeys.rp_id, "example.com", "{example}");
    }
    let line = page.split_once("`passkeys.related_origins =\n").unwrap().1.split('`').next().unwrap();
    let config = Env::new().toml(format!("passkeys.related_origins = {line}")).config();
    assert_eq!(config.passkeys.related_origins, ["https://www.example.com"]);
}
