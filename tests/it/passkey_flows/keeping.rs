//! Looking after passkeys: what leaves a way in, and whose they are.

use super::{ANN, BOB, ORIGIN, Stage, access_token, phone};
use crate::federation;
use crate::passkeys::device::Device;
use crate::world::{operator, user_ref};
use authd::usecase::account::admin;
use authd::usecase::federation::identities;
use serde_json::json;

/// Ann, who has no password any more, signed in by her passkey.
fn without_password(stage: &Stage) -> (String, Device) {
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    assert_eq!(stage.world().database().change("UPDATE users SET password_hash = NULL", &[]), 1);
    (token, device)
}

fn ids(stage: &Stage, token: &str) -> Vec<String> {
    stage.list(token).iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// The status of removing it, and what was wrong.
fn remove(stage: &Stage, token: &str, id: &str) -> (u16, String) {
    let answer = stage.daemon.send_as(token, "DELETE", &format!("/api/auth/passkeys/{id}"), "");
    (answer.status, if answer.status == 204 { String::new() } else { answer.problem() })
}

#[test]
fn the_last_way_in_stays() {
    let stage = Stage::new();
    let (token, mut device) = without_password(&stage);
    let first = ids(&stage, &token).remove(0);
    assert_eq!(remove(&stage, &token, &first), (409, "last_way_in".into()));
    assert_eq!(stage.sign_in(&mut device).status, 200, "nothing has changed");
    stage.add(&token, &mut phone());
    assert_eq!(remove(&stage, &token, &first), (204, String::new()));
    let last = ids(&stage, &token).remove(0);
    assert_eq!(remove(&stage, &token, &last), (409, "last_way_in".into()));
}

#[test]
fn an_identity_of_a_provider_is_a_way_in() {
    let federation::Stage { daemon, stand_in: _stand_in } =
        federation::Stage::with(&[("public_url", ORIGIN)], |_| {});
    let stage = Stage { daemon };
    stage.world().add_user(ANN, &[]);
    let (token, _) = without_password(&stage);
    let only = ids(&stage, &token).remove(0);
    assert_eq!(remove(&stage, &token, &only), (409, "last_way_in".into()));
    let link = || {
        stage.world().advance(std::time::Duration::from_millis(1));
        let linked = identities::link(&stage.world().app, &operator(), &user_ref(ANN), "acme", "42");
        linked.unwrap().identity.id
    };
    let unlink = |id: authd::domain::id::IdentityId| {
        stage.daemon.send_as(&token, "DELETE", &format!("/api/auth/me/identities/{id}"), "").status
    };
    assert_eq!(unlink(link()), 204, "the passkey is another");
    let identity = link();
    assert_eq!(remove(&stage, &token, &only), (204, String::new()));
    assert_eq!(unlink(identity), 409);
}

#[test]
fn an_identity_of_a_provider_that_is_gone_is_none() {
    let at_provider = federation::Stage::with(&[("public_url", ORIGIN)], |_| {});
    at_provider.world().add_user(ANN, &[]);
    identities::link(&at_provider.world().app, &operator(), &user_ref(ANN), "acme", "42").unwrap();
    let stage = Stage { daemon: at_provider.restarted_with_providers(Vec::clear).daemon };
    let (token, _) = without_password(&stage);
    let only = ids(&stage, &token).remove(0);
    assert_eq!(remove(&stage, &token, &only), (409, "last_way_in".into()));
}

#[test]
fn one_of_another_domain_is_no_way_in() {
    let stage = Stage::new();
    let (token, _) = without_password(&stage);
    stage.add(&token, &mut phone());
    let all = ids(&stage, &token);
    let newest = "(SELECT id FROM passkeys ORDER BY id DESC LIMIT 1)";
    let moved = format!("UPDATE passkeys SET rp_id = 'example.org' WHERE id = {newest}");
    assert_eq!(stage.world().database().change(&moved, &[]), 1);
    assert_eq!(remove(&stage, &token, &all[0]), (409, "last_way_in".into()));
    assert_eq!(remove(&stage, &token, &all[1]), (204, String::new()), "it signed in nowhere here");
}

#[test]
fn nothing_is_removed_by_a_session_that_ended_meanwhile() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    let id = ids(&stage, &token).remove(0);
    let elsewhere = stage.world().another_app();
    stage.world().clock.before_next_transaction(move || {
        admin::disable(&elsewhere, &operator(), &user_ref(ANN)).unwrap();
    });
    assert_eq!(remove(&stage, &token, &id).1, "invalid_token");
    assert!(!stage.world().events().contains(&"PasskeyRemoved".to_owned()));
}

#[test]
fn a_name_is_kept() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    let id = ids(&stage, &token).remove(0);
    let path = format!("/api/auth/passkeys/{id}");
    assert_eq!(stage.daemon.send_as(&token, "PATCH", &path, r#"{"name":"Old phone"}"#).status, 200);
    assert_eq!(stage.list(&token)[0]["name"], json!("Old phone"));
}

#[test]
fn administration_takes_the_right_account() {
    let stage = Stage::new();
    let bob = stage.world().add_user(BOB, &[]);
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    let id = ids(&stage, &token).remove(0);
    let writer = stage.daemon.key("writer", &["users:write"]);
    let path = format!("/api/auth/admin/users/{}/passkeys/{id}", bob.id);
    assert_eq!(stage.daemon.send_as(&writer, "DELETE", &path, "").problem(), "not_found");
    assert_eq!(ids(&stage, &token), [id]);
}
