//! What a browser is asked, to the letter.

use super::scene::{CHALLENGE, Scene};
use authd::webauthn::{Descriptor, OptionsUser, UserVerification, creation_options, request_options};
use serde_json::json;

#[test]
fn a_browser_is_asked_for_a_passkey_that_finds_itself() {
    let scene = Scene::new();
    let user = OptionsUser { handle: &[0xfb; 64], name: "ann@example.com", display_name: "Ann" };
    let transports = ["internal".into(), "usb".into()];
    let exclude =
        [Descriptor { id: &[1, 2, 3], transports: &transports }, Descriptor { id: &[0xff], transports: &[] }];
    let options = creation_options(&scene.rp(), "Example", &user, CHALLENGE, &exclude);
    let handle = format!("{}-w", "-_v7".repeat(21));
    assert_eq!(
        serde_json::to_value(options).unwrap(),
        json!({
            "rp": {"id": "example.com", "name": "Example"},
            "user": {"id": handle, "name": "ann@example.com", "displayName": "Ann"},
            "challenge": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
            "pubKeyCredParams": [
                {"type": "public-key", "alg": -8},
                {"type": "public-key", "alg": -7},
                {"type": "public-key", "alg": -257},
            ],
            "timeout": 300_000,
            "excludeCredentials": [
                {"type": "public-key", "id": "AQID", "transports": ["internal", "usb"]},
                {"type": "public-key", "id": "_w"},
            ],
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": true,
                "userVerification": "required",
            },
            "attestation": "none",
        })
    );
}

#[test]
fn a_browser_is_asked_for_a_signature() {
    let any = request_options("example.com", &[1, 2, 3], &[], UserVerification::Required);
    assert_eq!(
        serde_json::to_value(any).unwrap(),
        json!({
            "challenge": "AQID",
            "timeout": 300_000,
            "rpId": "example.com",
            "userVerification": "required",
        })
    );
    let allow = [Descriptor { id: &[1, 2, 3], transports: &[] }];
    let one = request_options("example.com", &[1], &allow, UserVerification::Preferred);
    let one = serde_json::to_value(one).unwrap();
    assert_eq!(one["allowCredentials"], json!([{"type": "public-key", "id": "AQID"}]));
    assert_eq!(one["userVerification"], "preferred");
}
