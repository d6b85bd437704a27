//! `import` and `export` through the binary: what goes where, and the exit codes.

use super::{Said, Shell, json, said};
use crate::daemon::Daemon;
use crate::federation::{ANN, Browser, Stage};
use crate::world::World;
use authd::config::Provider;
use authd::domain::role::RoleName;
use authd::ports::{Clock, SystemClock};
use serde_json::json;
use std::fs;
use std::sync::Arc;

impl Shell {
    fn file(&self, name: &str, text: &str) {
        fs::write(self.world.folder.join(name), text).unwrap();
    }
}

const FILE: &str = r#"{"email": "bob@example.com", "name": "Bob \u202e\u001b"}
{"email": "ann@example.com"}
{"email": "bob@example.com", "name": "Bob", "two_factor": true}
{"email": "nobody"}
"#;

#[test]
fn a_run_reports_what_failed_and_exits_5() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    shell.file("users.jsonl", FILE);
    let said = shell.line("import users.jsonl --format jsonl");
    assert_eq!((said.code, said.out.as_str()), (5, ""), "{said:?}");
    assert_eq!(
        said.err,
        "line 1: invalid_name: bob@example.com: a name has no line breaks or other control characters\n\
         line 3: second_factor_lost: bob@example.com had a second factor that the file doesn't hold; until it is set \
         up again, the password alone logs in\n\
         line 4: invalid_email: an e-mail address such as ann@example.com is needed\n\
         created 1, skipped 1 who were there already, failed 2\n\
         authctl: check_failed: 2 of 4 entries were not taken over; mend them and run it again, which skips the others\n"
    );
    // A second run is harmless, and what is mended comes in.
    shell.file("users.jsonl", &FILE.replace("nobody", "nobody@example.com").replace("\\u001b", ""));
    let said = shell.line("import users.jsonl --format jsonl");
    assert_eq!(
        (said.code, said.err.as_str()),
        (0, "created 1, skipped 3 who were there already, failed 0\n")
    );
}

#[test]
fn exports_and_lists_call_the_same_alike() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &["admin"]);
    shell.world.login("ann@example.com").unwrap();
    assert_eq!(shell.line("user add bob@example.com --name Bob --invite").code, 0);
    assert_eq!(shell.line("user disable bob@example.com").code, 0);
    let listed = json(&shell.line("user list -o json").out);
    let exported = shell.line("export").out;
    assert_eq!(exported.lines().count(), 2);
    for (listed, exported) in listed.as_array().unwrap().iter().zip(exported.lines().map(json)) {
        for (name, value) in listed.as_object().unwrap() {
            // What roles permit and locks are no part of an export, which has passkeys themselves, not their
            // number, and milliseconds in its times.
            let differs = ["permissions", "locked_until", "passkeys", "created_at", "last_login_at"];
            if !differs.contains(&name.as_str()) {
                assert_eq!(exported[name], *value, "{name}");
            }
        }
        let since = |time: &str| exported[time].is_string();
        assert_eq!(
            (since("email_verified_at"), since("disabled_at")),
            (exported["email_verified"] == true, exported["disabled"] == true,)
        );
    }
}

/// As exports were written before they had the flags that lists have.
const EARLIER: &str = r#"{"id":"0198a0b2-7c00-7000-8000-000000000001","email":"bob@example.com","email_verified_at":"2026-11-22T08:00:00.000Z","name":"Bob","roles":[],"disabled_at":"2026-11-22T09:00:00.000Z","created_at":"2026-11-22T08:00:00.000Z","last_login_at":null,"two_factor":false}
"#;

#[test]
fn earlier_exports_are_taken_over_and_come_out_as_new_ones_that_are_taken_over_too() {
    let shell = Shell::new();
    shell.file("users.jsonl", EARLIER);
    shell.file(
        "users.csv",
        "id,email,email_verified_at,name,roles,disabled_at,created_at,last_login_at,two_factor\n\
         0198a0b2-7c00-7000-8000-000000000002,cid@example.com,,Cid,,,2026-11-22T08:00:00.000Z,,false\n",
    );
    assert_eq!(shell.line("import users.jsonl --format jsonl").code, 0);
    assert_eq!(shell.line("import users.csv --format csv").code, 0);
    for (format, export) in [("jsonl", "export"), ("csv", "export --format csv")] {
        let before = shell.line("user list -o json").out;
        let exported = shell.line(export).out;
        assert_eq!(shell.line("user delete bob@example.com cid@example.com --yes").code, 0);
        shell.file("again", &exported);
        assert_eq!(shell.line(&format!("import again --format {format}")).code, 0);
        assert_eq!(shell.line("user list -o json").out, before, "{format}");
        assert_eq!(json(&before)[0]["disabled"], true);
    }
}

#[test]
fn json_is_one_document_and_q_the_ids_of_the_users_made() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    shell.file("users.jsonl", FILE);
    let said = shell.line("import users.jsonl --format jsonl -o json");
    assert_eq!(said.code, 5);
    let expected = serde_json::json!({
        "dry_run": false, "created": 1, "skipped": 1, "failed": 2, "weak_hashes": 0,
        "problems": [
            {"line": 1, "email": "bob@example.com", "code": "invalid_name",
             "message": "a name has no line breaks or other control characters"},
            {"line": 4, "email": null, "code": "invalid_email",
             "message": "an e-mail address such as ann@example.com is needed"},
        ],
        "notes": [
            {"line": 3, "email": "bob@example.com", "code": "second_factor_lost",
             "message": "had a second factor that the file doesn't hold; until it is set up again, the password alone logs in"},
        ],
    });
    assert_eq!(json(&said.out), expected);
    shell.file("more.htpasswd", "eve@example.com:{SHA}q/eq1kOINtvlJqojGr3i0O73TUI=\n");
    let said = shell.line("import more.htpasswd --format htpasswd -q");
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.out, shell.line("user list --query eve -q").out);
}

#[test]
fn a_dry_run_prints_a_row_for_every_entry_and_changes_nothing() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    shell.file("users.jsonl", FILE);
    let said = shell.line("import users.jsonl --format jsonl --dry-run -o tsv");
    assert_eq!(said.code, 5);
    let rows: Vec<Vec<&str>> = said.out.lines().map(|line| line.split('\t').take(4).collect()).collect();
    let expected = [
        ["line", "outcome", "email", "code"],
        ["1", "failed", "bob@example.com", "invalid_name"],
        ["2", "skipped", "ann@example.com", ""],
        ["3", "created", "bob@example.com", "second_factor_lost"],
        ["4", "failed", "", "invalid_email"],
    ];
    assert_eq!(rows, expected);
    assert!(
        said.err.starts_with("would create 1, skip 1 who are there already, fail 2; nothing was changed\n"),
        "{said:?}"
    );
    assert_eq!(shell.line("user list -q").out.lines().count(), 1);
    let table = shell.line("import users.jsonl --format jsonl --dry-run").out;
    assert!(table.starts_with("line    outcome  email"), "{table}");
    let said = shell.line("import users.jsonl --format jsonl --dry-run -o json");
    assert_eq!(json(&said.out)["dry_run"], true);
}

#[test]
fn an_export_reads_only_what_it_writes() {
    let shell = Shell::new();
    let identity = json!({"provider": "acme", "issuer": "https://acme.example", "subject": "1"});
    let user = json!({"email": "ann@example.com", "identities": [identity]}).to_string();
    assert_eq!(shell.run_with(&["import", "-", "--format", "jsonl"], &user).code, 0);
    // A row that can't be read is met by whoever reads it.
    let spoilt = shell.world.database().change("UPDATE identities SET provider = 'No Name'", &[]);
    assert_eq!(spoilt, 1);
    assert_eq!(shell.line("export").code, 0);
    let all = shell.line("export --with-hashes");
    assert!(all.code != 0 && all.err.contains("No Name"), "{all:?}");
}

#[test]
fn what_export_prints_import_takes_from_stdin() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &["admin"]);
    let other = Shell::new();
    for (format, flags) in [("jsonl", ""), ("csv", " --format csv")] {
        let plain = shell.line(&format!("export{flags}"));
        assert_eq!((plain.code, plain.err.as_str()), (0, "exported 1 users\n"));
        assert!(!plain.out.contains("argon2") && !plain.out.contains("totp"), "{}", plain.out);
        let whole = shell.line(&format!("export --with-hashes{flags}"));
        assert!(whole.out.contains("$argon2id$"), "{}", whole.out);
        assert!(whole.err.starts_with("warning: this holds password hashes"), "{}", whole.err);
        let said = other.run_with(&["import", "-", "--format", format], &whole.out);
        assert_eq!(said.code, 0, "{said:?}");
        assert_eq!(other.line(&format!("export --with-hashes{flags}")).out, whole.out);
    }
    assert_eq!(other.world.login("ann@example.com").unwrap().user.email.as_str(), "ann@example.com");
    let taken = shell.line("audit tail --event CredentialsExported -o tsv").out;
    assert_eq!(taken.lines().count(), 3, "{taken}");
    assert_eq!(
        other.line("audit tail --event UserImported -o json").out.matches("\"from\":\"jsonl\"").count(),
        1
    );
}

#[test]
fn a_firebase_export_with_its_parameters() {
    let shell = Shell::new();
    shell.file(
        "users.json",
        r#"{"users": [{"localId": "1", "email": "user1@example.com", "emailVerified": true, "salt": "42xEC+ixf3L2lw==",
            "passwordHash": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="}]}"#,
    );
    shell.file(
        "hash_config.json",
        r#"{"base64_signer_key": "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
            "base64_salt_separator": "Bw==", "rounds": 8, "mem_cost": 14}"#,
    );
    assert_eq!(shell.line("import users.json --format firebase").code, 5);
    let said = shell.line("import users.json --format firebase --firebase-config hash_config.json");
    assert_eq!(said.code, 0, "{said:?}");
    shell.world.login_with("user1@example.com", "user1password").unwrap();
}

#[test]
fn what_can_not_be_read_is_said_before_anything_is_changed() {
    let shell = Shell::new();
    shell.file("users.csv", "mail\nann@example.com\n");
    shell.file("config.json", "{}");
    for (line, code, said) in [
        ("import users.jsonl --format jsonl", 3, "there is no file users.jsonl"),
        ("import . --format jsonl", 2, "is a folder"),
        ("import users.csv", 2, "--format"),
        ("import users.csv --format xml", 2, "xml"),
        ("import users.csv --format csv", 1, "there is no column `mail`"),
        ("import users.csv --format csv --domain example.com", 2, "--domain is for --format htpasswd alone"),
        ("import users.csv --format csv --firebase-config config.json", 2, "--firebase-config is for"),
        (
            "import users.csv --format firebase --firebase-config config.json",
            1,
            "`base64_signer_key` is missing",
        ),
        ("export --format xml", 2, "xml"),
    ] {
        let refused = shell.line(line);
        assert_eq!((refused.code, refused.out.as_str()), (code, ""), "{line}: {refused:?}");
        assert!(refused.err.contains(said), "{line}: {refused:?}");
    }
}

/// Runs the program on the database of another world.
fn on(shell: &Shell, world: &World, line: &str) -> Said {
    let mut command = shell.command(&line.split(' ').collect::<Vec<_>>());
    command.env("AUTHD_DATABASE", world.file()).envs(world.environment());
    said(command)
}

/// The program's clock is the real one.
fn at_the_real_time(stage: Stage) -> Stage {
    stage.world().clock.set(SystemClock::new().now());
    stage
}

fn grants(provider: &mut Provider) {
    provider.role_claim = Some("groups".into());
    provider.roles = [("writers".to_owned(), RoleName::parse("editor").unwrap())].into();
}

/// Another authd, with the same provider.
fn beside(stage: &Stage) -> Stage {
    let settings = [("rate_limit.enabled", "false")];
    let world = World::with_providers(&settings, |_, folder| {
        let mut provider = stage.stand_in.provider(folder);
        grants(&mut provider);
        vec![provider]
    });
    let stand_in = Arc::clone(&stage.stand_in);
    at_the_real_time(Stage { daemon: Daemon::with_pages(world), stand_in })
}

#[test]
fn who_has_no_password_signs_in_with_the_provider_after_a_move() {
    let shell = Shell::new();
    let stage = at_the_real_time(Stage::with(&[], grants));
    let other = beside(&stage);
    for stage in [&stage, &other] {
        assert_eq!(on(&shell, stage.world(), "role add editor").code, 0);
    }
    stage.stand_in.set(|script| {
        script.claims.insert("groups".into(), serde_json::json!(["writers"]));
    });
    stage.sign_in(&mut Browser::default());

    let plain = on(&shell, stage.world(), "export").out;
    assert!(!plain.contains("identities"), "{plain}");
    let whole = on(&shell, stage.world(), "export --with-hashes").out;
    let user = json(&whole);
    let listed = json(&on(&shell, stage.world(), &format!("identity list {ANN} -o json")).out);
    assert_eq!(user["password_hash"], serde_json::json!(null));
    for name in ["id", "provider", "issuer", "subject", "email"] {
        assert_eq!(user["identities"][0][name], listed[0][name], "{name}");
    }
    let names: Vec<_> = user["identities"][0].as_object().unwrap().keys().collect();
    let expected =
        ["id", "provider", "issuer", "subject", "email", "linked_at", "last_used_at", "granted_roles"];
    assert_eq!(names, expected);

    shell.file("users.jsonl", &whole);
    let dry = on(&shell, other.world(), "import users.jsonl --format jsonl --dry-run");
    assert_eq!((dry.code, dry.err.starts_with("would create 1, skip 0")), (0, true), "{dry:?}");
    let moved = on(&shell, other.world(), "import users.jsonl --format jsonl");
    assert_eq!((moved.code, moved.err.starts_with("created 1, ")), (0, true), "{moved:?}");
    assert_eq!(on(&shell, other.world(), "export --with-hashes").out, whole);

    let mut browser = Browser::default();
    other.sign_in(&mut browser);
    other.assert_signed_in(&browser, ANN);
    assert_eq!(other.me(&browser).json()["id"], user["id"]);
    // What the provider granted, it takes again.
    assert_eq!(other.me(&browser).json()["roles"], serde_json::json!(["editor"]));
    other.stand_in.set(|script| {
        script.claims.remove("groups");
    });
    other.sign_in(&mut browser);
    assert_eq!(other.me(&browser).json()["roles"], serde_json::json!([]));
    assert_eq!(on(&shell, other.world(), "user list -q").out.lines().count(), 1);
}

#[test]
fn an_identity_that_signs_in_to_somebody_else_is_left_to_them() {
    let shell = Shell::new();
    let stage = at_the_real_time(Stage::with(&[], grants));
    let other = beside(&stage);
    stage.sign_in(&mut Browser::default());
    let whole = on(&shell, stage.world(), "export --with-hashes").out;
    other.states(Some("olga@example.com"), serde_json::json!(true));
    other.sign_in(&mut Browser::default());
    shell.file("users.jsonl", &whole);
    for flag in ["", " --dry-run -o tsv"] {
        let said = on(&shell, other.world(), &format!("import users.jsonl --format jsonl{flag}"));
        assert_eq!(said.code, 5, "{said:?}");
        let told = if flag.is_empty() { &said.err } else { &said.out };
        assert!(told.contains("identity_in_use") && told.contains(ANN), "{said:?}");
    }
    let mut browser = Browser::default();
    other.sign_in(&mut browser);
    other.assert_signed_in(&browser, "olga@example.com");
}
