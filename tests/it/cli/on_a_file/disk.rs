//! What is promised of the disk: what was answered is on it, and what was deleted is gone from it.

use super::copies::Live;
use crate::store::store;
use crate::world::{PASSWORD, World, operator};
use authd::error::{Decision, Error};
use authd::store::Store;
use authd::store::tx::Query;
use rusqlite::Connection;
use std::fs;
use std::path::Path;

/// Stands nowhere but where it is put.
const MARK: &str = "Quirinus Unmistakable";

fn holds(path: &Path, text: &str) -> bool {
    fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn what_is_deleted_is_overwritten() {
    let live = Live::new();
    let add =
        ["user", "add", "q@example.com", "--name", MARK, "--password-stdin", "--database", "live/authd.db"];
    let added = live.shell.run_with(&add, PASSWORD);
    assert_eq!(added.code, 0, "{added:?}");
    let file = live.path("authd.db");
    assert!(holds(&file, MARK));
    let copy = live.path("copy.db");
    fs::copy(&file, &copy).unwrap();
    assert_eq!(live.line("user delete q@example.com --yes").code, 0);
    assert!(!live.path("authd.db-wal").exists(), "the file is all there is");
    assert!(!holds(&file, MARK));
    // As SQLite does it unless told otherwise: the bytes stay where the row was.
    let other = Connection::open(&copy).unwrap();
    other
        .execute_batch("PRAGMA secure_delete = OFF; DELETE FROM users WHERE email = 'q@example.com'")
        .unwrap();
    drop(other);
    assert!(holds(&copy, MARK), "this test could tell");
}

#[test]
fn a_commit_waits_for_the_disk_and_leaves_no_deleted_bytes() {
    let world = World::new();
    let store = store(&world);
    let pragma = |store: &Store, name: &'static str| -> Result<i64, Error> {
        store.write(&operator(), move |tx| {
            Ok(Decision::Grant(tx.one(&format!("PRAGMA {name}"), &[], |row| row.get::<i64>(name))?))
        })
    };
    // 2 is FULL: with a write-ahead log, each commit is synced before it is answered.
    assert_eq!(pragma(&store, "synchronous"), Ok(2));
    assert_eq!(pragma(&store, "secure_delete"), Ok(1));
}
