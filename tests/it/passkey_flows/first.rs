//! What adding a passkey asks for, at its start and at its end.

use super::{ANN, Stage, access_token, phone};
use crate::browser::Browser;
use crate::cookies::set_cookies;
use crate::world::{operator, user_ref};
use authd::domain::name::Name;
use authd::domain::passkey::PASSKEYS_MAX;
use authd::usecase::account::admin::{self, Verified};
use authd::usecase::account::edit::{self, Changes};
use serde_json::{Value, json};

#[test]
fn who_it_is_for_is_told_by_name_or_address() {
    let stage = Stage::new();
    let token = stage.token(ANN);
    let user = || {
        let begun = stage.post_as(&token, "/passkeys/register/start", &json!({})).json();
        let user = &begun["publicKey"]["user"];
        (user["name"].clone(), user["displayName"].clone())
    };
    assert_eq!(user(), (json!(ANN), json!(ANN)));
    let changes =
        Changes { email: None, name: Some(Name::parse("Ann Lee").unwrap()), verified: Verified::No };
    edit::edit(&stage.world().app, &operator(), &user_ref(ANN), &changes).unwrap();
    assert_eq!(user(), (json!(ANN), json!("Ann Lee")));
}

#[test]
fn the_bound_holds_at_the_end_as_well() {
    let stage = Stage::new();
    let mut device = stage.ann_with_passkey();
    let token = access_token(&stage.sign_in(&mut device));
    for number in 2..PASSKEYS_MAX {
        crate::passkey_rows::add(stage.world(), ANN, "", u8::try_from(number).unwrap());
    }
    let begun = [stage.created(&token, &mut phone()), stage.created(&token, &mut phone())];
    let finish = |body: &Value| stage.post_as(&token, "/passkeys/register/finish", body);
    assert_eq!(finish(&begun[0]).status, 201);
    let refused = finish(&begun[1]);
    assert_eq!((refused.status, refused.problem()), (409, "conflict".into()), "{refused:?}");
    assert_eq!(stage.list(&token).len(), PASSKEYS_MAX as usize);
}

#[test]
fn nothing_is_added_by_a_session_that_ended_meanwhile() {
    let stage = Stage::new();
    let token = stage.token(ANN);
    let body = stage.created(&token, &mut phone());
    let elsewhere = stage.world().another_app();
    stage.world().clock.before_next_transaction(move || {
        admin::disable(&elsewhere, &operator(), &user_ref(ANN)).unwrap();
    });
    let refused = stage.post_as(&token, "/passkeys/register/finish", &body);
    assert_eq!(refused.problem(), "invalid_token", "{refused:?}");
    assert!(!stage.world().events().contains(&"PasskeyAdded".to_owned()));
}

#[test]
fn a_password_alone_is_not_fresh_any_more_where_there_is_a_passkey_meanwhile() {
    let stage = Stage::new();
    let token = stage.token(ANN);
    let body = stage.created(&token, &mut phone());
    crate::passkey_rows::add(stage.world(), ANN, "", 1);
    let refused = stage.post_as(&token, "/passkeys/register/finish", &body);
    assert_eq!((refused.status, refused.problem()), (403, "fresh_login_required".into()));
}

#[test]
fn the_first_one_replaces_a_browsers_cookie_and_proving_by_it_does_so_again() {
    let stage = Stage::new();
    let send = |browser: &Browser, path: &str, body: &Value| {
        browser.send(&stage.daemon, "POST", &format!("/api/auth{path}"), &body.to_string())
    };
    let next = |browser: &Browser, answer: &crate::daemon::Answer| {
        let value = |wanted: &str| {
            let found = set_cookies(answer).into_iter().find(|(name, ..)| name == wanted);
            found.unwrap_or_else(|| panic!("{wanted} is not set: {answer:?}")).1
        };
        let next = Browser { value: value("__Host-authd_session"), csrf: value("__Host-authd_csrf") };
        assert_eq!([browser.me(&stage.daemon), next.me(&stage.daemon)], [401, 200]);
        next
    };
    let (first, mut device) = (Browser::sign_in(&stage.daemon, ANN), phone());
    let begun = send(&first, "/passkeys/register/start", &json!({})).json();
    let credential = device.create(&begun["publicKey"]);
    let body = json!({"ceremony": begun["ceremony"], "credential": credential});
    let second = next(&first, &send(&first, "/passkeys/register/finish", &body));
    let proved = send(&second, "/reauthenticate", &stage.signed(&mut device));
    assert_eq!(proved.status, 204, "{proved:?}");
    next(&second, &proved);
}
