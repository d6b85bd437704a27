//! What `authctl provider test` finds.

use super::Stage;
use authd::config::ProviderKind;
use authd::usecase::federation::provider::{Check, inspect};
use serde_json::json;
use std::time::Duration;

fn found(stage: &Stage) -> Vec<Check> {
    inspect(&stage.world.app, &stage.provider)
}

fn named(checks: &[Check]) -> Vec<(&str, bool)> {
    checks.iter().map(|check| (check.name, check.is_good)).collect()
}

fn check(stage: &Stage, name: &str) -> (bool, String) {
    let checks = found(stage);
    let check = checks.iter().find(|check| check.name == name).expect("it is there");
    (check.is_good, check.says.clone())
}

#[test]
fn a_good_provider_is_good_in_all() {
    for kind in [ProviderKind::Oidc, ProviderKind::Google, ProviderKind::Microsoft, ProviderKind::Gitlab] {
        let stage = Stage::new(kind);
        let all = [
            ("discovery", true),
            ("keys", true),
            ("pkce", true),
            ("clock", true),
            ("secret", true),
            ("redirect_uri", true),
        ];
        assert_eq!(named(&found(&stage)), all, "{:?}", found(&stage));
    }
    for kind in [ProviderKind::Github, ProviderKind::Discord] {
        let stage = Stage::new(kind);
        let all = [("discovery", true), ("clock", true), ("secret", true), ("redirect_uri", true)];
        assert_eq!(named(&found(&stage)), all, "{:?}", found(&stage));
    }
    let stage = Stage::new(ProviderKind::Oidc);
    let (_, says) = check(&stage, "redirect_uri");
    assert!(says.ends_with("/api/auth/oauth/acme/callback"), "ready to copy: {says}");
}

#[test]
fn each_fault_is_told_where_it_is() {
    let stage = Stage::new(ProviderKind::Oidc);
    let bad = |name: &str, part: &str| {
        let (is_good, says) = check(&stage, name);
        assert!(!is_good && says.contains(part), "{name}: {says}");
    };
    stage.stand_in.set(|script| drop(script.instead.insert("/jwks", (200, "<html>".into()))));
    bad("keys", "not the JSON");
    stage.stand_in.set(|script| drop(script.metadata.insert("issuer".into(), json!("https://evil.example"))));
    bad("discovery", "https://evil.example");
    stage.stand_in.set(|script| script.metadata.clear());
    std::fs::write(stage.provider.client_secret_file.as_ref().unwrap(), "").unwrap();
    bad("secret", "first line");
    assert_eq!(stage.stand_in.count("openid-configuration"), 3, "no copy is looked at");
}

#[test]
fn a_clock_that_is_off_is_told() {
    let stage = Stage::new(ProviderKind::Oidc);
    // The stand-in's clock stays, this one's moves: two worlds.
    let other = crate::world::World::new();
    other.advance(Duration::from_secs(90));
    let checks = inspect(&other.app, &stage.provider);
    let clock = checks.iter().find(|check| check.name == "clock").unwrap();
    assert!(!clock.is_good && clock.says.contains("90 s"), "{}", clock.says);
}

#[test]
fn apple_wants_https_and_its_key() {
    let stage = Stage::new(ProviderKind::Apple);
    assert!(check(&stage, "secret").0);
    assert!(!check(&stage, "redirect_uri").0, "this world's public_url is http");
    std::fs::write(stage.provider.client_secret_file.as_ref().unwrap(), "s3cret").unwrap();
    let (is_good, says) = check(&stage, "secret");
    assert!(!is_good && says.contains("PEM"), "{says}");
}
