//! What of passkeys is in the audit log, and what in the database.

use super::{ANN, Stage, access_token};
use serde_json::json;

#[test]
fn each_step_leaves_its_line() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    let mut forged = stage.signed(&mut device);
    forged["credential"]["response"]["signature"] = json!("AAAA");
    stage.post("/passkeys/login/finish", &forged);
    stage.post("/passkeys/login/finish", &json!({"ceremony": "authd_pk_x", "credential": {}}));
    let id = stage.list(&token)[0]["id"].as_str().unwrap().to_owned();
    stage.daemon.send_as(&token, "DELETE", &format!("/api/auth/passkeys/{id}"), "");
    let lines = stage.world().audit();
    let of = |event: &str| {
        let line = lines.iter().find(|line| line.event == event).unwrap_or_else(|| panic!("no {event}"));
        line.details.iter().map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>()
    };
    // Its name is its owner's: no part of what is kept when the account is gone.
    let named = vec![("passkey".to_owned(), id.clone())];
    assert_eq!(of("PasskeyAdded"), named);
    assert_eq!(of("PasskeyRemoved"), named);
    assert_eq!(
        of("PasskeyRefused"),
        [("passkey".to_owned(), id), ("check".to_owned(), "signature".to_owned())]
    );
    assert!(lines.iter().any(|line| {
        line.event == "LoginFailed" && line.details.iter().any(|(_, value)| value == "unknown_passkey")
    }));
    let who = lines.iter().find(|line| line.event == "PasskeyAdded").unwrap();
    assert!(who.user.is_some(), "{who:?}");
    assert_eq!(stage.world().mails(ANN).len(), 2);
}
