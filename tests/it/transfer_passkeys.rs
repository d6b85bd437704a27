//! Passkeys in an export and an import: they go on signing in, and nobody gets somebody else's.

use crate::passkey_rows::public_key;
use crate::transfer::{Kept, exported, import, import_into, options};
use crate::world::World;
use authd::usecase::operator::import::{Format, ImportMode, Options};
use authd::usecase::operator::transfer_format::{Contents, PASSKEY};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

const ANN: &str = "ann@example.com";

fn line(email: &str, passkeys: &Value) -> String {
    json!({"email": email, "passkeys": passkeys}).to_string()
}

fn passkey(credential: &str) -> Value {
    json!({
        "rp_id": "auth.example.com",
        "credential_id": BASE64URL_NOPAD.encode(credential.as_bytes()),
        "public_key": BASE64URL_NOPAD.encode(&public_key()),
        "user_handle": "aGFuZGxl",
    })
}

fn with_id(credential: &str) -> Value {
    let mut passkey = passkey(credential);
    passkey["id"] = json!("0198a0b2-7c00-7000-8000-000000000001");
    passkey
}

/// The passkeys of the first user, as they are exported.
fn passkeys(world: &World) -> Value {
    exported(&world.app, Contents::WithCredentials)[0].object["passkeys"].clone()
}

/// What a run comes to, after a dry run that says the same.
fn both(world: &World, file: &str) -> Kept {
    let dry = Options { mode: ImportMode::DryRun, ..options(Format::Jsonl) };
    let dry = import_into(&world.app, &dry, file.as_bytes());
    let run = import(world, Format::Jsonl, file);
    assert_eq!((dry.summary, dry.failed()), (run.summary, run.failed()));
    run
}

#[test]
fn every_column_of_a_passkey_travels() {
    let world = World::new();
    let mut stored = world.database().columns("passkeys");
    stored.retain(|name| name != "user_id");
    let written: Vec<_> = PASSKEY.iter().map(|member| member.name).collect();
    assert_eq!(stored, written, "export and import it: see docs/adding.md, A column");
}

#[test]
fn an_export_without_credentials_tells_only_that_there_is_a_factor() {
    let world = World::new();
    assert_eq!(import(&world, Format::Jsonl, &line(ANN, &json!([passkey("1")]))).created(), [ANN]);
    let profile = &exported(&world.app, Contents::Profile)[0].object;
    assert!(!profile.contains_key("passkeys"));
    assert_eq!(profile["two_factor"], true);
    // Where it goes, that one is lost is said.
    let other = World::new();
    let kept = import(&other, Format::Jsonl, &Value::Object(profile.clone()).to_string());
    assert_eq!(kept.notes(), [(1, "second_factor_lost")]);
    let whole = &exported(&world.app, Contents::WithCredentials)[0].object;
    let other = World::new();
    let kept = import(&other, Format::Jsonl, &Value::Object(whole.clone()).to_string());
    assert!(kept.notes().is_empty(), "{kept:?}");
}

#[test]
fn what_a_file_leaves_out_is_new_and_of_the_import() {
    let world = World::new();
    assert_eq!(both(&world, &line(ANN, &json!([passkey("1")]))).created(), [ANN]);
    let found = passkeys(&world);
    let made = &found[0];
    assert_eq!(made["created_at"], world.now().exact());
    assert_eq!((&made["name"], &made["last_used_at"]), (&json!(""), &json!(null)));
    assert_eq!((&made["sign_count"], &made["backed_up"]), (&json!(0), &json!(false)));
    assert_eq!((&made["transports"], made["id"].as_str().unwrap().len()), (&json!([]), 36));
    assert!(world.events().contains(&"PasskeyAdded".to_owned()));
    assert!(world.mails(ANN).is_empty());
}

#[test]
fn a_passkey_of_somebody_else_fails_its_entry_and_no_other() {
    let world = World::new();
    import(&world, Format::Jsonl, &line(ANN, &json!([passkey("1")])));
    let mut other_id = passkey("2");
    other_id["id"] = passkeys(&world)[0]["id"].clone();
    let file = [
        line("bob@example.com", &json!([passkey("3"), passkey("1")])),
        line("cid@example.com", &json!([other_id])),
        line("dan@example.com", &json!([passkey("3")])),
        line("eve@example.com", &json!([passkey("3")])),
        line("ann@EXAMPLE.com", &json!([passkey("4")])),
        line("fay@example.com", &json!([passkey("4")])),
    ];
    let kept = both(&world, &file.join("\n"));
    assert_eq!(kept.failed(), [(1, "passkey_in_use"), (2, "id_taken"), (4, "passkey_in_use")]);
    assert_eq!(kept.created(), ["dan@example.com", "fay@example.com"]);
    assert_eq!(passkeys(&world).as_array().unwrap().len(), 1, "who is there already stays as they are");
}

#[test]
fn the_same_new_id_twice_is_refused_by_a_dry_run_too() {
    let world = World::new();
    let of = |credential: &str| json!([with_id(credential)]);
    let file = [line(ANN, &of("1")), line("bob@example.com", &of("2"))].join("\n");
    assert_eq!(both(&world, &file).failed(), [(2, "id_taken")]);
}

#[test]
fn what_can_be_no_passkey_fails_its_entry() {
    let world = World::new();
    let with = |name: &str, value: Value| {
        let mut passkey = passkey("1");
        passkey[name] = value;
        json!([passkey])
    };
    let long = |length: usize| json!(BASE64URL_NOPAD.encode(&vec![1; length]));
    for passkeys in [
        json!("mine"),
        json!(["mine"]),
        json!([{}]),
        with("rp_id", json!("")),
        with("rp_id", json!("https://example.com")),
        with("credential_id", json!(null)),
        with("credential_id", json!("")),
        with("credential_id", json!("a+/=")),
        with("credential_id", long(1024)),
        with("public_key", json!("AAAA")),
        with("user_handle", long(65)),
        with("name", json!("a\u{1b}")),
        with("sign_count", json!(4_294_967_296_u64)),
        with("sign_count", json!("7")),
        with("backed_up", json!(true)),
        with("transports", json!(["a b"])),
        with("transports", json!([""])),
        with("transports", json!(["a".repeat(33)])),
        with("rp_id", json!("a".repeat(254))),
        with("id", json!("42")),
        with("created_at", json!("yesterday")),
        with("algorithm", json!(-7)),
        json!([passkey("1"), passkey("1")]),
        ["1", "2"].map(with_id).into(),
        (0..33).map(|number| passkey(&number.to_string())).collect(),
    ] {
        let kept = both(&world, &line(ANN, &passkeys));
        assert_eq!(kept.failed(), [(1, "malformed")], "{passkeys}");
    }
    assert!(exported(&world.app, Contents::WithCredentials).is_empty());
    let longest = with("credential_id", long(1023));
    assert_eq!(both(&world, &line(ANN, &longest)).created(), [ANN]);
}

#[test]
fn transports_are_sorted_and_each_is_there_once() {
    let world = World::new();
    let mut passkey = passkey("1");
    passkey["transports"] = json!(["usb", "internal", "usb"]);
    assert_eq!(both(&world, &line(ANN, &json!([passkey]))).created(), [ANN]);
    assert_eq!(passkeys(&world)[0]["transports"], json!(["internal", "usb"]));
}

#[test]
fn a_cell_of_csv_that_is_no_list_fails_its_row() {
    let world = World::new();
    let file = "email,passkeys\nann@example.com,\nbob@example.com,mine\ncid@example.com,[]\n";
    let kept = import(&world, Format::Csv, file);
    assert_eq!((kept.created(), kept.failed()), (vec![ANN, "cid@example.com"], vec![(3, "malformed")]));
}
