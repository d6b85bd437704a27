//! Looking after one's passkeys.

use super::{ANN, BOB, Stage, access_token, phone};
use crate::world::{operator, user_ref};
use authd::usecase::account::passkeys;
use serde_json::json;
use std::time::Duration;

#[test]
fn they_are_renamed_and_removed_by_their_owner_alone() {
    let stage = Stage::new();
    stage.world().add_user(BOB, &[]);
    let mut device = stage.ann_with_passkey();
    let ann = access_token(&stage.sign_in(&mut device));
    let bob = stage.token(BOB);
    let id = stage.list(&ann)[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/auth/passkeys/{id}");
    for method in ["PATCH", "DELETE"] {
        let body = if method == "PATCH" { r#"{"name":"Mine"}"# } else { "" };
        assert_eq!(stage.daemon.send_as(&bob, method, &path, body).problem(), "not_found");
    }
    let renamed = stage.daemon.send_as(&ann, "PATCH", &path, r#"{"name":"Old phone"}"#);
    assert_eq!((renamed.status, &renamed.json()["name"]), (200, &json!("Old phone")));

    let other = access_token(&stage.sign_in(&mut device));
    assert_eq!(stage.daemon.send_as(&ann, "DELETE", &path, "").status, 204);
    assert_eq!(stage.daemon.send_as(&other, "GET", "/api/auth/me", "").status, 401, "other sessions end");
    assert!(stage.list(&ann).is_empty());
    assert_eq!(stage.sign_in(&mut device).status, 401);
    assert_eq!(stage.count_mails(ANN, "passkey_removed"), 1);
    // It was the only second factor: the password is enough again, and the recovery codes are gone.
    assert!(stage.ticket(ANN)["access_token"].is_string());
    let status = stage.daemon.send_as(&ann, "GET", "/api/auth/2fa", "").json();
    assert_eq!(status["recovery_codes_left"], json!(0));
    assert_eq!(stage.daemon.send_as(&ann, "DELETE", &path, "").problem(), "not_found");
}

#[test]
fn removing_wants_a_fresh_login() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    let id = stage.list(&token)[0]["id"].as_str().unwrap().to_owned();
    stage.world().advance(Duration::from_secs(301));
    let refused = stage.daemon.send_as(&token, "DELETE", &format!("/api/auth/passkeys/{id}"), "");
    assert_eq!(refused.problem(), "fresh_login_required");
}

#[test]
fn an_operator_removes_one_and_its_sessions() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    let app = &stage.world().app;
    let all = passkeys::page(app, &operator(), &user_ref(ANN), 9, None).unwrap().items;
    passkeys::delete(app, &operator(), &user_ref(ANN), &all[0].id.to_string()).unwrap();
    assert_eq!(stage.daemon.send_as(&token, "GET", "/api/auth/me", "").status, 401);
    assert!(passkeys::delete(app, &operator(), &user_ref(ANN), &all[0].id.to_string()).is_err());
    assert!(stage.add(&stage.token(ANN), &mut phone())["recovery_codes"].is_array());
}
