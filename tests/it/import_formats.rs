//! The files of other systems, in the shapes in which they come.

use crate::transfer::{Kept, exported, import, import_into, options};
use crate::world::{PASSWORD, World};
use authd::error::Refusal;
use authd::usecase::operator::import::{Format, Options};
use authd::usecase::operator::transfer_format::Contents;
use serde_json::Value;

const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG";

/// A user's exported member.
fn member(world: &World, email: &str, name: &str) -> Value {
    let lines = exported(&world.app, Contents::WithCredentials);
    let line = lines.iter().find(|line| line.object["email"] == email);
    line.unwrap_or_else(|| panic!("{email} is not there")).object[name].clone()
}

fn members(world: &World, email: &str, names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| member(world, email, name)).collect()
}

#[test]
fn htpasswd() {
    let world = World::new();
    let file = format!(
        "# made by htpasswd -B\nann@example.com:{BCRYPT}\n\nbob:{BCRYPT}:Bob:\neve\n\
         old@example.com:$1$saltsalt$PU9q8.HoFJEM7m9NSIooE1\n"
    );
    let kept = import(&world, Format::Htpasswd, &file);
    assert_eq!(kept.created(), ["ann@example.com"]);
    assert_eq!(kept.failed(), [(4, "invalid_email"), (5, "malformed"), (6, "unsupported_hash")]);
    let completed = Options { domain: Some("example.org".into()), ..options(Format::Htpasswd) };
    assert_eq!(import_into(&world.app, &completed, file.as_bytes()).created(), ["bob@example.org"]);
    assert_eq!(
        member(&world, "ann@example.com", "email_verified_at"),
        Value::Null,
        "no such file verifies an address"
    );
    let login = world.login_with("bob@example.org", PASSWORD).unwrap_err();
    assert_eq!(login, Refusal::EmailNotVerified.into(), "the password was right");
}

const AUTH0: &str = r#"{"user_id":"auth0|1","email":"ann@example.com","email_verified":true,"name":"ann@example.com","blocked":false,"created_at":"2024-05-06T07:08:09.123Z","last_login":"2024-06-07T08:09:10.456Z","password_hash":"HASH","logins_count":3}
{"_id":{"$oid":"5d"},"email":"bob@example.com","email_verified":false,"name":"Bob Lee","passwordHash":"HASH","tenant":"t","blocked":true}
{"email":"totp@example.com","mfa_factors":[{"totp":{"secret":"JBSWY3DPEHPK3PXP"}}],"custom_password_hash":{"algorithm":"pbkdf2","hash":{"value":"$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$yqSq2SygY1sB4EcH9f2FG0JTMES+wqLsOT5YmiRBplI","encoding":"utf8"}}}
{"email":"scrypt@example.com","email_verified":true,"custom_password_hash":{"algorithm":"scrypt","hash":{"value":"7AnzIswxwEinpwz+ntydndYfVHPvOACmX9Vvo8hO1qM=","encoding":"base64"},"salt":{"value":"0123456789abcdef","encoding":"utf8"},"cost":1024,"blockSize":8,"parallelization":1,"keylen":32}}
{"email":"md5@example.com","custom_password_hash":{"algorithm":"md5","hash":{"value":"1f40fc92da241694750979ee6cf582f2","encoding":"hex"}}}
{"email":"sha1@example.com","email_verified":true,"custom_password_hash":{"algorithm":"sha1","hash":{"value":"abf7aad6438836dbe526aa231abde2d0eef74d42","encoding":"hex"}}}
{"user_id":"google-oauth2|2","email":"google@example.com","email_verified":true,"name":"G"}
"#;

#[test]
fn auth0_as_lines_and_as_an_array() {
    let lines = AUTH0.replace("HASH", BCRYPT);
    let array = format!("[\n{}\n]", lines.trim().replace('\n', ",\n"));
    for file in [&lines, &array] {
        let world = World::new();
        let kept = import(&world, Format::Auth0, file);
        assert_eq!(kept.failed(), [(5, "unsupported_hash")]);
        assert_eq!(kept.notes(), [(3, "second_factor_lost")]);
        assert_eq!(kept.summary.created, 6);
        let ann = members(&world, "ann@example.com", &["name", "created_at", "last_login_at", "disabled_at"]);
        assert_eq!(
            ann,
            ["".into(), "2024-05-06T07:08:09.123Z".into(), "2024-06-07T08:09:10.456Z".into(), Value::Null]
        );
        assert_eq!(member(&world, "bob@example.com", "name"), "Bob Lee");
        let bob = world.login("bob@example.com").unwrap_err();
        assert_eq!(bob, Refusal::AccountDisabled.into(), "the password was right");
        for email in ["ann@example.com", "scrypt@example.com", "sha1@example.com"] {
            world.login(email).unwrap_or_else(|error| panic!("{email}: {error}"));
        }
        assert_eq!(member(&world, "google@example.com", "password_hash"), Value::Null);
    }
}

#[test]
fn django() {
    let world = World::new();
    let file = r#"[
{"model": "auth.group", "pk": 1, "fields": {"name": "staff", "permissions": []}},
{"model": "auth.user", "pk": 1, "fields": {"password": "pbkdf2_sha256$1000$saltsalt$zzTVNkpdnDsQWZloN/zP8vUU74BCbHD/tDSXS4zXPSs=",
  "last_login": "2025-01-02T03:04:05.678Z", "is_superuser": true, "username": "ann", "first_name": "Ann", "last_name": "Lee",
  "email": "ann@example.com", "is_staff": true, "is_active": true, "date_joined": "2024-01-02T03:04:05Z", "groups": [1], "user_permissions": []}},
{"model": "auth.user", "pk": 2, "fields": {"password": "!abc", "last_login": null, "is_superuser": false, "username": "bob@example.com",
  "first_name": "", "last_name": "", "email": "", "is_active": false, "date_joined": "2024-01-02T03:04:05Z"}},
{"model": "auth.user", "pk": 3, "fields": {"password": "!", "username": "eve", "email": ""}},
{"model": "accounts.person", "pk": 4, "fields": {"password": "argon2$argon2id$v=19$m=64,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$ZU7BdSwuAT2NJbDWfJmIGFAdzu32uX5r6jw2TuRMaj4",
  "email": "own@example.com"}}
]
"#;
    let kept = import(&world, Format::Django, file);
    assert_eq!(kept.created(), ["ann@example.com", "bob@example.com", "own@example.com"]);
    assert_eq!((kept.failed(), kept.notes()), (vec![(4, "invalid_email")], vec![(2, "not_an_admin")]));
    let ann = members(
        &world,
        "ann@example.com",
        &["name", "created_at", "last_login_at", "email_verified_at", "roles"],
    );
    let expected: [Value; 5] = [
        "Ann Lee".into(),
        "2024-01-02T03:04:05.000Z".into(),
        "2025-01-02T03:04:05.678Z".into(),
        Value::Null,
        Value::Array(Vec::new()),
    ];
    assert_eq!(ann, expected);
    for email in ["ann@example.com", "own@example.com"] {
        assert_eq!(
            world.login(email).unwrap_err(),
            Refusal::EmailNotVerified.into(),
            "the password was right"
        );
    }
    assert!(member(&world, "bob@example.com", "disabled_at").is_string());
    assert_eq!(member(&world, "bob@example.com", "password_hash"), Value::Null);
}

#[test]
fn firebase_beside_the_passwords() {
    let world = World::new();
    let file = r#"{"kind": "x", "users": [
        {"localId": "1", "email": "ann@example.com", "emailVerified": true, "displayName": "Ann", "disabled": true,
         "createdAt": "1486324202123", "lastSignedInAt": "1486324203000", "mfaInfo": [{"phoneInfo": "+1"}]},
        {"localId": "2", "phoneNumber": "+15551234567"},
        {"localId": "3", "email": "far@example.com", "createdAt": "9223372036854775807"}
    ], "more": {"a": [1]}}"#;
    let kept = import(&world, Format::Firebase, file);
    assert_eq!(
        (kept.failed(), kept.notes()),
        (vec![(2, "malformed"), (3, "malformed")], vec![(1, "second_factor_lost")])
    );
    let ann = members(&world, "ann@example.com", &["name", "created_at", "last_login_at"]);
    assert_eq!(ann, ["Ann", "2017-02-05T19:50:02.123Z", "2017-02-05T19:50:03.000Z"]);
    assert!(member(&world, "ann@example.com", "email_verified_at").is_string());
    assert!(member(&world, "ann@example.com", "disabled_at").is_string());
}

#[test]
fn pocketbase_as_lines_and_as_an_array() {
    let line = r#"{"id":"4q1xlclmfloku33","collectionName":"users","created":"2022-06-25 11:03:45.876Z","updated":"2022-06-25 11:03:45.876Z","username":"ann","email":"EMAIL","verified":true,"emailVisibility":true,"name":"Ann","avatar":"","MEMBER":"HASH"}"#;
    let line = line.replace("HASH", BCRYPT);
    let people: Vec<String> = ["password", "passwordHash", "password_hash"]
        .iter()
        .map(|member| {
            line.replace("MEMBER", member).replace("EMAIL", &format!("{}@example.com", member.to_lowercase()))
        })
        .collect();
    for file in [people.join("\n"), format!(" [{}]", people.join(","))] {
        let world = World::new();
        let kept = import(&world, Format::Pocketbase, &file);
        assert_eq!(kept.summary.created, 3, "{kept:?}");
        assert_eq!(member(&world, "password@example.com", "created_at"), "2022-06-25T11:03:45.876Z");
        for email in kept.created() {
            world.login(email).unwrap_or_else(|error| panic!("{email}: {error}"));
        }
    }
}

#[test]
fn a_document_that_breaks_off_keeps_what_came_before() {
    let user = |number: u32| format!(r#"{{"email": "u{number}@example.com"}}"#);
    let check = |format: Format, text: &str, failed: &[(u64, &str)]| {
        let world = World::new();
        let kept: Kept = import(&world, format, text);
        assert_eq!(
            (kept.created(), kept.failed().as_slice()),
            (vec!["u1@example.com"], failed),
            "{text:.80}"
        );
        assert!(member(&world, "u1@example.com", "created_at").is_string());
    };
    let open = format!(r#"{{"users": [{}, {{"email": "u2@ex"#, user(1));
    check(Format::Firebase, &open, &[(2, "malformed")]);
    check(Format::Auth0, &format!("[{} {}]", user(1), user(2)), &[(2, "malformed")]);
    let long = format!(r#"[{}, {{"email": "u2@example.com", "name": "{}"}}]"#, user(1), "x".repeat(70_000));
    check(Format::Auth0, &long, &[(2, "too_long")]);
    check(Format::Pocketbase, &format!("[{}] trailing", user(1)), &[(2, "malformed")]);
    for text in ["{}", "7", "", r#"{"users": 7}"#, "[[[["] {
        let kept = import(&World::new(), Format::Firebase, text);
        assert_eq!((kept.summary.created, kept.failed()), (0, vec![(1, "malformed")]), "{text}");
    }
}
