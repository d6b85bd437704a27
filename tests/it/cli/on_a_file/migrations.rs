//! Migrations through the front door.

use super::super::{Shell, json};
use super::copies::Live;
use crate::database::TestDatabase;
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const SCHEMA_1: &str = include_str!("../../fixtures/schema_1.sql");

/// Leaves a database of schema 1 beside the world's, which has the same key.
pub fn write_old(shell: &Shell) {
    let path = shell.world.folder.join("old.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(SCHEMA_1).unwrap();
    old.execute_batch("PRAGMA application_id = 0x61757468; PRAGMA user_version = 1").unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn an_older_schema_is_refused_by_name_backed_up_and_brought_up() {
    let shell = Shell::new();
    write_old(&shell);
    for line in ["user list", "db status", "audit tail"] {
        let said = shell.line(&format!("{line} --database old.db"));
        assert_eq!(said.code, 70, "{said:?}");
        assert!(said.err.contains("authctl db migrate"), "{said:?}");
    }
    let rehearsed = shell.line("db migrate --dry-run --database old.db -o json");
    assert_eq!(rehearsed.code, 0, "{rehearsed:?}");
    let steps = json(&rehearsed.out);
    assert_eq!((&steps[0]["from"], &steps[0]["to"]), (&json("1"), &json("2")));
    assert!(rehearsed.err.contains("would bring schema 1 to 2: second factors"), "{rehearsed:?}");
    assert_eq!(shell.line("user list --database old.db").code, 70, "nothing was changed");
    let backup = shell.line("db backup before.db --database old.db -o json");
    assert_eq!(backup.code, 0, "{backup:?}");
    assert_eq!(json(&backup.out)["schema_version"], 1);
    assert_eq!(shell.line("db migrate --database old.db").code, 0);
    assert_eq!(shell.line("user list --database old.db").code, 0);
    let log = shell.line("audit tail --database old.db").out;
    assert!(log.contains("DatabaseMigrated"), "{log}");
    let again = shell.line("db migrate --database old.db");
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.err.contains("nothing was changed"), "{again:?}");
}

#[test]
fn nothing_is_migrated_under_somebody_who_has_it_open() {
    let shell = Shell::new();
    write_old(&shell);
    let lock = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(shell.world.folder.join("old.db-lock"))
        .unwrap();
    // As a daemon of an older schema would hold it.
    lock.lock_shared().unwrap();
    let held = shell.line("db migrate --database old.db");
    assert_eq!(held.code, 69, "{held:?}");
    assert!(held.err.contains("another command has"), "{held:?}");
    assert_eq!(shell.line("db migrate --dry-run --database old.db").code, 0);
    assert_eq!(shell.line("serve --listen 127.0.0.1:0 --database old.db").code, 69);
    drop(lock);
    assert_eq!(shell.line("db migrate --database old.db").code, 0);
}

#[test]
fn a_newer_schema_and_no_database_are_refused() {
    let live = Live::new();
    assert_eq!(live.line("db migrate").code, 0);
    TestDatabase::at(&live.path("authd.db")).outdate();
    let said = live.line("db migrate");
    assert_eq!(said.code, 70, "{said:?}");
    assert!(said.err.contains("install the newer one"), "{said:?}");
    assert_eq!(live.shell.line("db migrate --database none.db").code, 3);
}
