//! What each kind says of somebody, held against its documentation.

use super::*;
use crate::config::{LinkByEmail, Provider};
use crate::domain::identity::{Claimed, ProviderName, StatedEmail};
use crate::oidc::claims::{of_id_token, wants_userinfo};
use crate::oidc::document::Document;
use crate::oidc::fault::{ProviderFault, Step};
use crate::oidc::issuer::ExpectedIssuer;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A provider of a kind, as it is without settings.
pub fn provider(kind: ProviderKind) -> Provider {
    Provider {
        name: ProviderName::parse("acme").unwrap(),
        kind,
        client_id: "client".into(),
        client_secret_file: None,
        issuer: String::new(),
        tenant: "common".into(),
        team_id: String::new(),
        key_id: String::new(),
        display_name: "Acme".into(),
        scopes: Vec::new(),
        sign_up: true,
        allowed_domains: Vec::new(),
        link_by_email: LinkByEmail::Never,
        role_claim: None,
        roles: BTreeMap::new(),
        trust_amr: false,
        allow_private: false,
    }
}

fn document(value: &Value) -> Document {
    Document::parse(&value.to_string()).unwrap()
}

fn said(provider: &Provider, token: &Value, userinfo: Option<&Value>) -> Claimed {
    let mut token = token.clone();
    (token["iss"], token["sub"]) = (json!("https://id.example"), json!("42"));
    let userinfo = userinfo.map(document);
    of_id_token(of(provider.kind), provider, &document(&token), userinfo.as_ref()).unwrap()
}

/// Address, verified, authoritative.
fn stated(email: Option<&StatedEmail>) -> Option<(&str, bool, bool)> {
    email.map(|stated| (stated.email.as_str(), stated.verified, stated.authoritative))
}

/// Of an ID token with these members: whether its address is verified, and the provider's to say so.
fn flags(provider: &Provider, token: &Value) -> (bool, bool) {
    let said = said(provider, token, None);
    let (_, verified, authoritative) = stated(said.email.as_ref()).expect("it states an address");
    (verified, authoritative)
}

const ALL_WITH_TOKENS: [ProviderKind; 5] = [
    ProviderKind::Oidc,
    ProviderKind::Google,
    ProviderKind::Microsoft,
    ProviderKind::Gitlab,
    ProviderKind::Apple,
];

#[test]
fn a_missing_flag_is_no_in_every_kind() {
    for kind in ALL_WITH_TOKENS {
        for token in [
            json!({"email": "ann@gmail.com", "hd": "gmail.com"}),
            json!({"email": "ann@gmail.com", "email_verified": null, "xms_edov": null}),
            json!({"email": "ann@gmail.com", "email_verified": false, "xms_edov": false}),
            json!({"email": "ann@gmail.com", "email_verified": "false", "xms_edov": "0"}),
            json!({"email": "ann@gmail.com", "email_verified": 1, "xms_edov": 1}),
            json!({"email": "ann@gmail.com", "email_verified": ["true"], "xms_edov": {}}),
            json!({"email": "ann@gmail.com", "email_verified": "TRUE", "xms_edov": "yes"}),
        ] {
            let mut provider = provider(kind);
            provider.allowed_domains = vec!["gmail.com".into()];
            assert_eq!(flags(&provider, &token), (false, false), "{kind:?} {token}");
        }
    }
}

#[test]
fn true_as_a_text_counts_for_apple_and_microsoft_alone() {
    let texts = json!({"email": "ann@example.com", "email_verified": "true", "xms_edov": "true"});
    for kind in ALL_WITH_TOKENS {
        let counts = [ProviderKind::Apple, ProviderKind::Microsoft].contains(&kind);
        assert_eq!(flags(&provider(kind), &texts).0, counts, "{kind:?}");
    }
    let one = json!({"email": "ann@example.com", "email_verified": "1", "xms_edov": "1"});
    assert_eq!(flags(&provider(ProviderKind::Microsoft), &one), (true, true));
    assert_eq!(flags(&provider(ProviderKind::Apple), &one), (false, false));
}

#[test]
fn microsofts_addresses_count_by_xms_edov_alone() {
    let microsoft = provider(ProviderKind::Microsoft);
    let token = json!({"email": "ceo@example.com", "email_verified": true, "verified": true});
    assert_eq!(flags(&microsoft, &token), (false, false), "a directory can write any address");
    let owned = json!({"email": "ceo@example.com", "xms_edov": true});
    assert_eq!(flags(&microsoft, &owned), (true, true));
    assert!(!wants_userinfo(of(microsoft.kind), &microsoft, &document(&json!({}))), "Graph knows no better");
}

#[test]
fn google_speaks_for_gmail_and_for_whom_it_hosts() {
    let google = provider(ProviderKind::Google);
    let of = |more: Value| {
        let mut token = json!({"email": "ann@example.com", "email_verified": true});
        for (name, value) in more.as_object().unwrap() {
            token[name] = value.clone();
        }
        flags(&google, &token)
    };
    assert_eq!(of(json!({})), (true, false), "an account at Google with another's address");
    assert_eq!(of(json!({"hd": "example.com"})), (true, true));
    assert_eq!(of(json!({"hd": ""})), (true, false));
    assert_eq!(of(json!({"email": "ann@gmail.com"})), (true, true));
    assert_eq!(of(json!({"email": "ann@gmail.com.evil.example"})), (true, false));
    assert_eq!(of(json!({"hd": "example.com", "email_verified": false})), (false, false));
    let userinfo =
        json!({"sub": "42", "email": "ann@example.com", "email_verified": true, "hd": "example.com"});
    let said = said(&google, &json!({}), Some(&userinfo));
    assert_eq!(
        stated(said.email.as_ref()),
        Some(("ann@example.com", true, false)),
        "`hd` in the token alone"
    );
}

#[test]
fn others_speak_for_the_domains_that_the_operator_named() {
    for kind in [ProviderKind::Oidc, ProviderKind::Gitlab, ProviderKind::Apple] {
        let mut provider = provider(kind);
        let token = json!({"email": "Ann@EXAMPLE.com", "email_verified": true, "hd": "example.com"});
        assert_eq!(flags(&provider, &token), (true, false), "{kind:?}");
        provider.allowed_domains = vec!["other.example".into(), "example.com".into()];
        assert_eq!(flags(&provider, &token), (true, true), "{kind:?}");
        let sub = json!({"email": "ann@sub.example.com", "email_verified": true});
        assert_eq!(flags(&provider, &sub), (true, false), "{kind:?}: no subdomains");
    }
}

#[test]
fn flag_and_address_come_from_one_document() {
    let mut provider = provider(ProviderKind::Oidc);
    provider.allowed_domains = vec!["example.com".into()];
    let mine = json!({"sub": "42", "email": "eve@example.com", "email_verified": true});
    let bare = json!({"email": "ann@example.com"});
    let of = |token: &Value, userinfo: Option<&Value>| {
        let said = said(&provider, token, userinfo);
        stated(said.email.as_ref()).map(|(email, verified, _)| (email.to_owned(), verified))
    };
    assert_eq!(of(&bare, Some(&mine)), Some(("eve@example.com".into(), true)), "whole");
    assert_eq!(of(&bare, Some(&json!({"email_verified": true}))), Some(("ann@example.com".into(), false)));
    assert_eq!(of(&json!({"email_verified": true}), Some(&bare)), Some(("ann@example.com".into(), false)));
    assert_eq!(of(&mine, Some(&bare)), Some(("eve@example.com".into(), true)), "the token comes first");
    assert_eq!(of(&json!({}), None), None);
    for odd in [json!("not an address"), json!(7), json!(["ann@example.com"]), json!("ann@exa mple.com\r\n")]
    {
        assert_eq!(of(&json!({"email": odd, "email_verified": true}), None), None, "{odd}");
    }
}

#[test]
fn names_methods_and_groups_are_taken_within_bounds() {
    let mut provider = provider(ProviderKind::Oidc);
    let token = json!({"name": "Ann\u{1b}[2J", "amr": ["pwd", "otp", 7, "", "a b"], "groups": ["a", 7, "b"]});
    let userinfo = json!({"sub": "42", "name": "  Ann Lee ", "groups": ["admins"], "team": "red"});
    let of = |provider: &Provider, token: &Value| said(provider, token, Some(&userinfo));
    let said = of(&provider, &token);
    assert_eq!(
        (said.name.as_str(), said.proof.amr, said.groups),
        ("", vec!["pwd".into(), "otp".into()], vec![])
    );
    assert_eq!(of(&provider, &json!({})).name.as_str(), "Ann Lee");
    assert_eq!(of(&provider, &json!({"name": "x".repeat(500)})).name.as_str().len(), 200);
    provider.role_claim = Some("groups".into());
    assert_eq!(of(&provider, &token).groups, ["a", "b"], "the token's, not userinfo's");
    assert_eq!(of(&provider, &json!({})).groups, ["admins"]);
    provider.role_claim = Some("team".into());
    assert_eq!(of(&provider, &token).groups, ["red"], "one text is one group");
    provider.role_claim = Some("missing".into());
    assert_eq!(of(&provider, &token).groups, Vec::<String>::new());
}

#[test]
fn userinfo_is_asked_for_what_the_token_leaves_open() {
    let mut provider = provider(ProviderKind::Oidc);
    let whole = json!({"email": "a@b.example", "email_verified": false, "name": "Ann"});
    let wants =
        |provider: &Provider, token: &Value| wants_userinfo(of(provider.kind), provider, &document(token));
    assert!(!wants(&provider, &whole));
    for name in ["email", "email_verified", "name"] {
        let mut token = whole.clone();
        token[name] = Value::Null;
        assert!(wants(&provider, &token), "{name}");
    }
    provider.role_claim = Some("groups".into());
    assert!(wants(&provider, &whole));
}

#[test]
fn a_key_that_can_be_none_is_refused() {
    let kind = of(ProviderKind::Oidc);
    let long = "x".repeat(256);
    for subject in ["", "a\nb", long.as_str()] {
        let token = document(&json!({"iss": "https://id.example", "sub": subject}));
        assert!(of_id_token(kind, &provider(ProviderKind::Oidc), &token, None).is_err(), "{subject}");
    }
}

#[test]
fn github_is_known_by_its_number_and_states_the_primary_verified_address() {
    let github_com = provider(ProviderKind::Github);
    let user = document(&json!({"id": 583_231, "login": "octocat", "name": "The Octocat",
        "email": "public@example.com", "verified": true}));
    let list = json!([
        {"email": "old@example.com", "primary": false, "verified": true, "visibility": null},
        {"email": "octocat@example.com", "primary": true, "verified": true, "visibility": "private"},
    ]);
    let email = github::email(200, &list.to_string()).unwrap();
    let said = github::claimed(&github_com, &user, email).unwrap();
    assert_eq!((said.key.issuer.as_str(), said.key.subject.as_str()), ("https://github.com", "583231"));
    assert_eq!(stated(said.email.as_ref()), Some(("octocat@example.com", true, true)));
    assert_eq!(said.name.as_str(), "The Octocat");
    assert_eq!(github::claimed(&github_com, &user, None).unwrap().email, None, "never the public one");

    for list in [
        json!([{"email": "a@b.example", "primary": true, "verified": false}]),
        json!([{"email": "a@b.example", "primary": false, "verified": true}]),
        json!([{"email": "a@b.example", "primary": true}]),
        json!([{"email": "a@b.example"}]),
        json!([{"email": "no address", "primary": true, "verified": true}]),
        json!([]),
    ] {
        assert_eq!(github::email(200, &list.to_string()), Ok(None), "{list}");
    }
    assert_eq!((github::email(403, "{}"), github::email(404, "")), (Ok(None), Ok(None)));
    let step = Step::Emails;
    assert_eq!(github::email(500, ""), Err(ProviderFault::Status { step, code: 500 }));
    for body in ["{}", "<html>", r#"[{"email":7}]"#, r#"[{"email":"a@b.example","primary":"true"}]"#] {
        assert_eq!(github::email(200, body), Err(ProviderFault::NotJson { step }), "{body}");
    }
}

#[test]
fn an_id_is_a_number_and_a_name_is_none() {
    for (id, subject) in [
        (json!(1), Some("1")),
        (json!("80351110224678912"), Some("80351110224678912")),
        (json!(u64::MAX), Some("18446744073709551615")),
        (json!(0), None),
        (json!(-1), None),
        (json!(1.5), None),
        (json!("octocat"), None),
        (json!("1 OR 1=1"), None),
        (json!("0"), None),
        (json!(""), None),
        (json!("1".repeat(21)), None),
        (json!([1]), None),
        (Value::Null, None),
    ] {
        let user = document(&json!({"id": id, "login": "octocat", "sub": "1"}));
        let said = github::claimed(&provider(ProviderKind::Github), &user, None);
        assert_eq!(said.ok().map(|said| said.key.subject).as_deref(), subject, "{id}");
    }
}

#[test]
fn discord_states_an_address_or_none() {
    let mut discord_com = provider(ProviderKind::Discord);
    let said = |provider: &Provider, more: Value| {
        let mut user = json!({"id": "80351110224678912", "username": "nelly", "global_name": null});
        for (name, value) in more.as_object().unwrap() {
            user[name] = value.clone();
        }
        discord::claimed(provider, &document(&user)).unwrap()
    };
    let nelly = said(&discord_com, json!({}));
    assert_eq!((nelly.key.issuer.as_str(), nelly.name.as_str()), ("https://discord.com", "nelly"));
    assert_eq!((nelly.key.subject.as_str(), nelly.email), ("80351110224678912", None));
    assert_eq!(said(&discord_com, json!({"global_name": "Nelly"})).name.as_str(), "Nelly");
    let email = |provider: &Provider, more: Value| {
        let said = said(provider, more);
        stated(said.email.as_ref()).map(|(_, verified, authoritative)| (verified, authoritative))
    };
    let address = |verified: Value| json!({"email": "nelly@example.com", "verified": verified});
    assert_eq!(email(&discord_com, address(json!(true))), Some((true, false)));
    assert_eq!(email(&discord_com, address(json!("true"))), Some((false, false)));
    assert_eq!(email(&discord_com, address(Value::Null)), Some((false, false)));
    assert_eq!(email(&discord_com, json!({"email": null, "verified": true})), None);
    discord_com.allowed_domains = vec!["example.com".into()];
    assert_eq!(email(&discord_com, address(json!(true))), Some((true, true)));
}

#[test]
fn apples_name_comes_beside_the_callback_and_nothing_else_does() {
    let user = r#"{"name":{"firstName":"Ann","lastName":" Lee"},"email":"ceo@example.com"}"#;
    assert_eq!(apple::name(user).as_str(), "Ann Lee");
    assert_eq!(apple::name(r#"{"name":{"firstName":"Ann"}}"#).as_str(), "Ann");
    for odd in [
        "",
        "null",
        "[]",
        r#"{"name":"Ann"}"#,
        r#"{"name":{"firstName":7}}"#,
        r#"{"name":{"firstName":"\u001b"}}"#,
    ] {
        assert_eq!(apple::name(odd).as_str(), "", "{odd}");
    }
}

#[test]
fn servers_stand_where_their_documents_say() {
    let discovery = |provider: &Provider| of(provider.kind).discovery(provider);
    let known = "/.well-known/openid-configuration";
    for (kind, issuer) in [
        (ProviderKind::Google, "https://accounts.google.com"),
        (ProviderKind::Gitlab, "https://gitlab.com"),
        (ProviderKind::Apple, "https://appleid.apple.com"),
    ] {
        let expected = (format!("{issuer}{known}"), ExpectedIssuer::Exactly(issuer.into()));
        assert_eq!(discovery(&provider(kind)), expected);
    }
    let mut keycloak = provider(ProviderKind::Oidc);
    keycloak.issuer = "https://id.example/realms/a/".into();
    let expected = ExpectedIssuer::Exactly("https://id.example/realms/a/".into());
    assert_eq!(discovery(&keycloak), (format!("https://id.example/realms/a{known}"), expected));

    let microsoft = "https://login.microsoftonline.com";
    let placeholder = format!("{microsoft}/{{tenantid}}/v2.0");
    let personal = format!("{microsoft}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0");
    let id = "0f9d1b7e-4c2a-4a57-8f3e-2b6c1d0e9a85";
    for (tenant, issuer) in [
        ("common", ExpectedIssuer::AnyTenant(placeholder.clone())),
        ("organizations", ExpectedIssuer::AnyOrganization(placeholder)),
        ("consumers", ExpectedIssuer::Exactly(personal)),
        (id, ExpectedIssuer::Exactly(format!("{microsoft}/{id}/v2.0"))),
    ] {
        let mut provider = provider(ProviderKind::Microsoft);
        provider.tenant = tenant.into();
        assert_eq!(discovery(&provider), (format!("{microsoft}/{tenant}/v2.0{known}"), issuer));
    }

    let fixed = |kind| of(kind).fixed(&provider(kind));
    let (github, discord) = (fixed(ProviderKind::Github).unwrap(), fixed(ProviderKind::Discord).unwrap());
    assert_eq!(github.token_endpoint, "https://github.com/login/oauth/access_token");
    assert_eq!(github.userinfo_endpoint.as_deref(), Some("https://api.github.com/user"));
    assert_eq!(discord.userinfo_endpoint.as_deref(), Some("https://discord.com/api/users/@me"));
    assert!(discord.promises_iss && !github.promises_iss);
    let mut own = provider(ProviderKind::Github);
    own.issuer = "https://git.example/".into();
    assert_eq!(github::emails_endpoint(&own), "https://git.example/api/v3/user/emails?per_page=100");
    assert!(fixed(ProviderKind::Google).is_none());
}
