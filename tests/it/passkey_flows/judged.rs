//! What is kept of a passkey with each use, what is written down of one that is refused, and who is told.

use super::{ANN, Stage, access_token, claims, phone};
use crate::passkeys::device::{BE, BS, NamesUser, UV};
use serde_json::{Value, json};

/// The checks that failed, and the other failures, each with whether somebody's account is named.
fn failures(stage: &Stage) -> Vec<(String, bool)> {
    let lines = stage.world().audit().into_iter();
    let failed = lines.filter(|line| ["PasskeyRefused", "LoginFailed"].contains(&line.event.as_str()));
    failed.map(|line| (line.details.last().unwrap().1.clone(), line.user.is_some())).collect()
}

#[test]
fn whether_it_is_backed_up_is_kept_as_of_the_last_use() {
    let stage = Stage::new();
    let mut device = phone();
    device.flags |= BE;
    let added = stage.add(&stage.token(ANN), &mut device);
    assert_eq!(added["backed_up"], json!(false));
    for (flags, backed_up, amr) in [(BE | BS, true, "swk"), (BE, false, "hwk")] {
        device.flags = device.flags & !(BE | BS) | flags;
        let token = access_token(&stage.sign_in(&mut device));
        assert_eq!(stage.list(&token)[0]["backed_up"], json!(backed_up));
        assert_eq!(claims(&token)["amr"][0], json!(amr));
    }
}

#[test]
fn what_a_device_says_when_a_passkey_is_added_is_kept() {
    let stage = Stage::new();
    let mut device = phone();
    device.flags |= BE | BS;
    device.transports = vec!["usb".into(), "internal".into()];
    let login = stage.daemon.login(ANN);
    let added = stage.add(login["access_token"].as_str().unwrap(), &mut device);
    assert_eq!((&added["backed_up"], &added["transports"]), (&json!(true), &json!(["internal", "usb"])));
    let refreshed = stage.post("/refresh", &json!({"refresh_token": login["refresh_token"]}));
    assert_eq!(claims(&access_token(&refreshed))["amr"], json!(["pwd", "swk", "user", "mfa"]));
    let ticket = stage.ticket(ANN);
    let begun = stage.post("/2fa/passkey/start", &json!({"ticket": ticket["ticket"]})).json();
    let allowed = &begun["publicKey"]["allowCredentials"][0];
    assert_eq!(allowed["transports"], json!(["internal", "usb"]));
}

#[test]
fn a_flag_that_changed_is_refused_and_written_down_and_nobody_is_mailed() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    device.flags |= BE;
    assert_eq!(stage.sign_in(&mut device).status, 401);
    let ticket = stage.ticket(ANN);
    let body = stage.second(&ticket, &mut device);
    assert_eq!(stage.post("/2fa/verify", &body).problem(), "invalid_code");
    let refused = ("backup_eligibility_changed".to_owned(), true);
    assert_eq!(failures(&stage), [refused.clone(), refused], "once each, and as nothing else");
    assert_eq!(stage.count_mails(ANN, "passkey_refused"), 0);
}

#[test]
fn the_count_begins_with_what_was_said_at_first() {
    let stage = Stage::new();
    let mut device = phone();
    device.counter = 7;
    stage.add(&stage.token(ANN), &mut device);
    device.counter = 7;
    assert_eq!(stage.sign_in(&mut device).status, 401);
    device.counter = 8;
    assert_eq!(stage.sign_in(&mut device).status, 200);
    // At the second step a copy is refused as well, and its owner told.
    let told = stage.count_mails(ANN, "passkey_refused");
    let ticket = stage.ticket(ANN);
    device.counter = 8;
    let body = stage.second(&ticket, &mut device);
    assert_eq!(stage.post("/2fa/verify", &body).problem(), "invalid_code");
    assert_eq!(failures(&stage), vec![("counter".to_owned(), true); 2]);
    assert_eq!((told, stage.count_mails(ANN, "passkey_refused")), (1, 2));
}

#[test]
fn what_is_nobodys_is_written_down_with_whoever_showed_it() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    let dead = json!({"ceremony": "authd_pk_x", "credential": {}});
    stage.post("/passkeys/login/finish", &dead);
    stage.post_as(&token, "/reauthenticate", &dead);
    let mut second = dead;
    second["ticket"] = stage.ticket(ANN)["ticket"].clone();
    stage.post("/2fa/verify", &second);
    let unknown = |named: bool| ("unknown_passkey".to_owned(), named);
    assert_eq!(failures(&stage), [unknown(false), unknown(true), unknown(true)]);
}

#[test]
fn a_login_asks_for_verification_and_the_second_step_prefers_it() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let verification = |begun: Value| begun["publicKey"]["userVerification"].clone();
    let login = stage.post("/passkeys/login/start", &json!({})).json();
    assert_eq!(verification(login), json!("required"));
    let ticket = stage.ticket(ANN);
    let begun = stage.post("/2fa/passkey/start", &json!({"ticket": ticket["ticket"]})).json();
    assert_eq!(verification(begun), json!("preferred"));
    // What proves alone takes it, also of somebody who is signed in; that needn't say whose it is.
    let token = access_token(&stage.sign_in(&mut device));
    device.names_user = NamesUser::Never;
    let proved = stage.post_as(&token, "/reauthenticate", &stage.signed(&mut device));
    assert_eq!(proved.status, 204, "{proved:?}");
    device.flags &= !UV;
    let refused = stage.post_as(&token, "/reauthenticate", &stage.signed(&mut device));
    assert_eq!((refused.status, refused.problem()), (403, "invalid_credentials".into()));
    let mut new = phone();
    new.flags &= !UV;
    let body = stage.created(&token, &mut new);
    let refused = stage.post_as(&token, "/passkeys/register/finish", &body);
    let field = ("credential.response.authenticatorData".to_owned(), "invalid_credential".to_owned());
    assert_eq!(refused.field_errors(), [field], "{refused:?}");
    assert_eq!(failures(&stage), [("user_verification".to_owned(), true)]);
}
