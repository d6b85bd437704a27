//! Identities in an export and an import: they go on signing in, and nobody gets somebody else's.

use crate::transfer::{Kept, exported, import, import_into, options};
use crate::world::World;
use authd::usecase::operator::import::{Format, ImportMode, Options};
use authd::usecase::operator::transfer_format::{Contents, IDENTITY};
use serde_json::{Value, json};

const ANN: &str = "ann@example.com";

fn line(email: &str, identities: &Value) -> String {
    json!({"email": email, "roles": ["admin"], "identities": identities}).to_string()
}

fn identity(subject: &str) -> Value {
    json!({"provider": "acme", "issuer": "https://idp.example", "subject": subject})
}

/// The identities of the first user, as they are exported.
fn identities(world: &World) -> Value {
    exported(&world.app, Contents::WithCredentials)[0].object["identities"].clone()
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
fn every_column_of_an_identity_travels() {
    let world = World::new();
    let mut stored = world.database().columns("identities");
    stored.retain(|name| name != "user_id");
    // What it granted stands in another table.
    let written: Vec<_> =
        IDENTITY.iter().map(|member| member.name).filter(|name| *name != "granted_roles").collect();
    assert_eq!(stored, written, "export and import it: see docs/adding.md, A column");
}

#[test]
fn an_export_without_credentials_has_none() {
    let world = World::new();
    assert_eq!(import(&world, Format::Jsonl, &line(ANN, &json!([identity("1")]))).created(), [ANN]);
    assert!(!exported(&world.app, Contents::Profile)[0].object.contains_key("identities"));
}

#[test]
fn what_a_file_leaves_out_is_new_and_of_the_import() {
    let world = World::new();
    assert_eq!(both(&world, &line(ANN, &json!([identity("1")]))).created(), [ANN]);
    let found = identities(&world);
    let linked = &found[0];
    assert_eq!(linked["linked_at"], world.now().exact());
    assert_eq!((&linked["email"], &linked["last_used_at"]), (&json!(null), &json!(null)));
    assert_eq!(linked["granted_roles"], json!([]));
    assert_eq!(linked["id"].as_str().unwrap().len(), 36);
    let events = world.events();
    let count = |name: &str| events.iter().filter(|event| *event == name).count();
    assert_eq!(
        (count("IdentityLinked"), count("RoleAssigned"), count("RoleGranted")),
        (1, 1, 0),
        "{events:?}"
    );
    assert!(world.mails(ANN).is_empty());
}

#[test]
fn a_role_that_a_provider_granted_stays_granted_by_it() {
    let world = World::new();
    let mut granting = identity("1");
    granting["granted_roles"] = json!(["admin"]);
    assert_eq!(both(&world, &line(ANN, &json!([identity("2"), granting]))).created(), [ANN]);
    let found = identities(&world);
    let granted = |subject: &str| {
        let of = found.as_array().unwrap().iter().find(|linked| linked["subject"] == subject).unwrap();
        of["granted_roles"].clone()
    };
    assert_eq!((granted("1"), granted("2")), (json!(["admin"]), json!([])));
    let events = world.events();
    let count = |name: &str| events.iter().filter(|event| *event == name).count();
    assert_eq!((count("RoleAssigned"), count("RoleGranted")), (0, 1), "{events:?}");
}

#[test]
fn an_identity_of_somebody_else_fails_its_entry_and_no_other() {
    let world = World::new();
    import(&world, Format::Jsonl, &line(ANN, &json!([identity("1")])));
    let id = identities(&world)[0]["id"].clone();
    let mut other_id = identity("2");
    other_id["id"] = id;
    let file = [
        line("bob@example.com", &json!([identity("3"), identity("1")])),
        line("cid@example.com", &json!([other_id])),
        line("dan@example.com", &json!([identity("3")])),
        line("eve@example.com", &json!([identity("3")])),
        line("ann@EXAMPLE.com", &json!([identity("4")])),
        line("fay@example.com", &json!([identity("4")])),
    ];
    let kept = both(&world, &file.join("\n"));
    assert_eq!(kept.failed(), [(1, "identity_in_use"), (2, "id_taken"), (4, "identity_in_use")]);
    assert_eq!(kept.created(), ["dan@example.com", "fay@example.com"]);
    assert_eq!(identities(&world).as_array().unwrap().len(), 1, "who is there already stays as they are");
    let said = format!("{kept:?}");
    assert!(
        said.contains("the identity at acme (https://idp.example) signs in to another account"),
        "{said}"
    );
}

#[test]
fn the_same_new_id_twice_is_refused_by_a_dry_run_too() {
    let world = World::new();
    let of = |subject: &str| {
        let mut identity = identity(subject);
        identity["id"] = json!("0198a0b2-7c00-7000-8000-000000000001");
        json!([identity])
    };
    let file = [line(ANN, &of("1")), line("bob@example.com", &of("2"))].join("\n");
    assert_eq!(both(&world, &file).failed(), [(2, "id_taken")]);
}

#[test]
fn what_can_be_no_identity_fails_its_entry() {
    let world = World::new();
    let with = |name: &str, value: Value| {
        let mut identity = identity("1");
        identity[name] = value;
        json!([identity])
    };
    let granting = |subject: &str| {
        let mut identity = identity(subject);
        identity["granted_roles"] = json!(["admin"]);
        identity
    };
    for (identities, code) in [
        (json!("acme"), "malformed"),
        (json!(["acme"]), "malformed"),
        (json!([{}]), "malformed"),
        (with("provider", json!("Acme!")), "malformed"),
        (with("provider", json!(null)), "malformed"),
        (with("issuer", json!("")), "malformed"),
        (with("subject", json!("a\u{1b}")), "malformed"),
        (with("subject", json!("x".repeat(256))), "malformed"),
        (with("subject", json!(42)), "malformed"),
        (with("id", json!("42")), "malformed"),
        (with("email", json!("nobody")), "invalid_email"),
        (with("linked_at", json!("yesterday")), "malformed"),
        (with("verified", json!(true)), "malformed"),
        (with("granted_roles", json!(["ghost"])), "malformed"),
        (with("granted_roles", json!(["A ghost"])), "unknown_role"),
        (json!([granting("1"), granting("2")]), "malformed"),
        (json!([identity("1"), identity("1")]), "malformed"),
    ] {
        let kept = both(&world, &line(ANN, &identities));
        assert_eq!(kept.failed(), [(1, code)], "{identities}");
    }
    assert!(exported(&world.app, Contents::WithCredentials).is_empty());
}

#[test]
fn a_cell_of_csv_that_is_no_list_fails_its_row() {
    let world = World::new();
    let file = "email,identities\nann@example.com,\nbob@example.com,acme\ncid@example.com,[]\n";
    let kept = import(&world, Format::Csv, file);
    assert_eq!((kept.created(), kept.failed()), (vec![ANN, "cid@example.com"], vec![(3, "malformed")]));
}
