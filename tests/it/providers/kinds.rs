//! Each kind with the quirks that its documentation tells of.

use super::Stage;
use super::stand_in::TENANT;
use authd::config::ProviderKind;
use authd::domain::identity::Claimed;
use serde_json::{Value, json};

/// Address, verified, authoritative.
fn email(claimed: &Claimed) -> Option<(&str, bool, bool)> {
    claimed.email.as_ref().map(|stated| (stated.email.as_str(), stated.verified, stated.authoritative))
}

#[test]
fn github_signs_in_without_an_id_token() {
    let stage = Stage::new(ProviderKind::Github);
    let url = stage.url().unwrap();
    assert!(url.starts_with(&format!("{}/login/oauth/authorize?", stage.stand_in.origin())), "{url}");
    assert!(url.contains("scope=read%3Auser+user%3Aemail") && !url.contains("nonce"), "{url}");
    assert_eq!(stage.stand_in.asked(), Vec::<String>::new(), "its endpoints are known");
    let claimed = stage.sign_in().unwrap();
    assert_eq!(
        (claimed.key.issuer.clone(), claimed.key.subject.as_str()),
        (stage.stand_in.origin(), "583231")
    );
    assert_eq!(email(&claimed), Some(("ann@example.com", true, true)));
    let asked = ["POST /login/oauth/access_token", "GET /api/v3/user", "GET /api/v3/user/emails"];
    assert_eq!(stage.stand_in.asked(), asked);
}

#[test]
fn githubs_errors_come_with_200() {
    let stage = Stage::new(ProviderKind::Github);
    let returned = stage.returned().unwrap();
    assert!(stage.claimed(&returned).is_ok());
    assert_eq!(stage.claimed(&returned).unwrap_err().reason(), "refused", "bad_verification_code");
    std::fs::write(stage.provider.client_secret_file.as_ref().unwrap(), "wrong").unwrap();
    let fault = stage.sign_in().unwrap_err();
    assert_eq!((fault.reason(), fault.to_string().contains("incorrect_client_credentials")), ("error", true));
}

#[test]
fn githubs_address_is_the_primary_verified_one_or_none() {
    let stage = Stage::new(ProviderKind::Github);
    stage.stand_in.set(|script| {
        script.userinfo.insert("email".into(), json!("public@example.com"));
        script.emails = Some(json!([{"email": "ann@example.com", "primary": true, "verified": false}]));
    });
    assert_eq!(email(&stage.sign_in().unwrap()), None);
    stage.stand_in.set(|script| drop(script.instead.insert("/emails", (403, "{}".into()))));
    assert_eq!(email(&stage.sign_in().unwrap()), None, "the app may not see them");
    stage.stand_in.set(|script| drop(script.instead.insert("/emails", (500, "{}".into()))));
    assert_eq!(stage.sign_in().unwrap_err().reason(), "status");
}

#[test]
fn githubs_names_change_hands_and_its_numbers_do_not() {
    let stage = Stage::new(ProviderKind::Github);
    for id in [json!("ann"), Value::Null, json!(0), json!(-7)] {
        stage.stand_in.set(|script| drop(script.userinfo.insert("id".into(), id.clone())));
        assert_eq!(stage.sign_in().unwrap_err().reason(), "member", "{id}");
    }
    stage.stand_in.set(|script| drop(script.token.insert("access_token".into(), Value::Null)));
    assert_eq!(stage.sign_in().unwrap_err().reason(), "member");
}

#[test]
fn google_is_authoritative_by_hd_in_the_token() {
    let stage = Stage::new(ProviderKind::Google);
    assert_eq!(email(&stage.sign_in().unwrap()), Some(("ann@example.com", true, false)));
    stage.stand_in.set(|script| drop(script.claims.insert("hd".into(), json!("example.com"))));
    assert_eq!(email(&stage.sign_in().unwrap()), Some(("ann@example.com", true, true)));
    stage.stand_in.set(|script| drop(script.claims.insert("email_verified".into(), json!("true"))));
    assert_eq!(
        email(&stage.sign_in().unwrap()),
        Some(("ann@example.com", false, false)),
        "a text is no true"
    );
    stage.stand_in.set(|script| {
        script.claims.insert("hd".into(), Value::Null);
        script.claims.insert("email_verified".into(), json!(true));
        script.claims.insert("email".into(), json!("ann@gmail.com"));
    });
    assert_eq!(email(&stage.sign_in().unwrap()), Some(("ann@gmail.com", true, true)));
    assert_eq!(stage.stand_in.count("/userinfo"), 0);
}

#[test]
fn microsofts_issuer_carries_the_directory() {
    let mut stage = Stage::new(ProviderKind::Microsoft);
    let claimed = stage.sign_in().unwrap();
    assert_eq!(claimed.key.issuer, format!("{}/{TENANT}/v2.0", stage.stand_in.origin()));
    assert_eq!(stage.stand_in.asked()[0], "GET /common/v2.0/.well-known/openid-configuration");
    for (name, value) in [
        ("tid", Value::Null),
        ("tid", json!("9188040d-6c67-4c5b-b112-36a304b66dad")),
        ("tid", json!("{tenantid}")),
        ("iss", json!(format!("{}/{{tenantid}}/v2.0", stage.stand_in.origin()))),
        ("iss", json!(stage.stand_in.origin())),
        ("iss", json!(format!("https://evil.example/{TENANT}/v2.0"))),
    ] {
        stage.stand_in.set(|script| drop(script.claims.insert(name.into(), value.clone())));
        assert_eq!(stage.sign_in().unwrap_err().reason(), "id_token_claim", "{name} {value}");
        stage.stand_in.set(|script| drop(script.claims.remove(name)));
    }

    // A personal account, which has a directory of its own.
    let personal = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let issuer = format!("{}/{personal}/v2.0", stage.stand_in.origin());
    stage.stand_in.set(|script| {
        script.claims.insert("tid".into(), json!(personal));
        script.claims.insert("iss".into(), json!(issuer));
    });
    assert!(stage.sign_in().is_ok());
    stage.world.advance(std::time::Duration::from_secs(3600));
    stage.provider.tenant = "organizations".into();
    assert_eq!(stage.sign_in().unwrap_err().reason(), "id_token_claim");
}

#[test]
fn one_directory_of_microsofts_is_one_issuer() {
    let mut stage = Stage::new(ProviderKind::Microsoft);
    stage.provider.tenant = TENANT.into();
    assert_eq!(stage.sign_in().unwrap_err().reason(), "issuer", "the metadata must be that directory's");
    let issuer = format!("{}/{TENANT}/v2.0", stage.stand_in.origin());
    stage.stand_in.set(|script| drop(script.metadata.insert("issuer".into(), json!(issuer))));
    stage.world.advance(std::time::Duration::from_secs(30));
    assert!(stage.sign_in().is_ok());
}

#[test]
fn microsofts_addresses_are_trusted_by_xms_edov_alone() {
    let stage = Stage::new(ProviderKind::Microsoft);
    stage.stand_in.set(|script| drop(script.claims.insert("email_verified".into(), json!(true))));
    assert_eq!(email(&stage.sign_in().unwrap()), Some(("ann@example.com", false, false)));
    for (flag, counts) in [
        (json!(true), true),
        (json!("1"), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("0"), false),
        (json!(1), false),
        (Value::Null, false),
    ] {
        stage.stand_in.set(|script| drop(script.claims.insert("xms_edov".into(), flag.clone())));
        let claimed = stage.sign_in().unwrap();
        assert_eq!(email(&claimed), Some(("ann@example.com", counts, counts)), "{flag}");
    }
    assert_eq!(stage.stand_in.count("/userinfo"), 0, "Graph says nothing that counts");
}

#[test]
fn gitlab_says_whether_an_address_is_verified() {
    let mut stage = Stage::new(ProviderKind::Gitlab);
    stage.provider.role_claim = Some("groups_direct".into());
    stage.stand_in.set(|script| {
        script.claims.insert("email_verified".into(), json!(false));
        script.claims.insert("groups_direct".into(), json!(["acme", "acme/admins"]));
    });
    let claimed = stage.sign_in().unwrap();
    assert_eq!(email(&claimed), Some(("ann@example.com", false, false)));
    assert_eq!(claimed.groups, ["acme", "acme/admins"]);
    stage.provider.role_claim = Some("groups".into());
    stage.stand_in.set(|script| drop(script.userinfo.insert("groups".into(), json!(["acme"]))));
    assert_eq!(stage.sign_in().unwrap().groups, ["acme"], "where the token has none, userinfo's");
    stage.stand_in.set(|script| drop(script.userinfo.remove("groups")));
    assert_eq!(stage.sign_in().unwrap().groups, Vec::<String>::new());
}

#[test]
fn discord_promises_iss_and_states_an_address_or_none() {
    let mut stage = Stage::new(ProviderKind::Discord);
    stage.provider.allowed_domains = vec!["example.com".into()];
    let claimed = stage.sign_in().unwrap();
    assert_eq!((claimed.key.subject.as_str(), claimed.name.as_str()), ("80351110224678912", "Ann Lee"));
    assert_eq!(email(&claimed), Some(("ann@example.com", true, true)));
    stage.stand_in.set(|script| drop(script.userinfo.insert("verified".into(), Value::Null)));
    assert_eq!(email(&stage.sign_in().unwrap()), Some(("ann@example.com", false, false)), "missing means no");
    stage.stand_in.set(|script| drop(script.userinfo.insert("email".into(), Value::Null)));
    assert_eq!(email(&stage.sign_in().unwrap()), None);
    for iss in [Value::Null, json!("https://evil.example")] {
        stage.stand_in.set(|script| drop(script.callback.insert("iss".into(), iss.clone())));
        assert_eq!(stage.sign_in().unwrap_err().reason(), "issuer", "{iss}");
    }
}

#[test]
fn apples_client_proves_itself_by_a_key_and_the_name_comes_once() {
    let stage = Stage::new(ProviderKind::Apple);
    let first = stage.sign_in().unwrap();
    assert_eq!(first.name.as_str(), "Ann Lee");
    assert_eq!(email(&first), Some(("ann@example.com", true, false)), "`\"true\"` is one here");
    let second = stage.sign_in().unwrap();
    assert_eq!((second.name.as_str(), second.key == first.key), ("", true));
    // What comes through the browser is nobody's word but for the name.
    let forged = r#"{"name":{"firstName":"Eve"},"email":"ceo@example.com"}"#;
    stage.stand_in.set(|script| drop(script.callback.insert("user".into(), json!(forged))));
    let third = stage.sign_in().unwrap();
    assert_eq!((third.name.as_str(), email(&third)), ("Eve", Some(("ann@example.com", true, false))));
    std::fs::write(stage.provider.client_secret_file.as_ref().unwrap(), "s3cret").unwrap();
    assert_eq!(stage.sign_in().unwrap_err().reason(), "secret");
}

#[test]
fn how_somebody_proved_themselves_is_passed_on() {
    let stage = Stage::new(ProviderKind::Oidc);
    stage
        .stand_in
        .set(|script| drop(script.claims.insert("amr".into(), json!(["pwd", "otp", 7, "two words"]))));
    assert_eq!(stage.sign_in().unwrap().proof.amr, ["pwd", "otp"]);
}
