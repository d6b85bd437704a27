//! `/readyz` of a daemon whose database was damaged, deleted or replaced under it. Each asks once: an
//! answer holds for a second.

use super::super::serve::Daemon;
use super::copies::Live;
use rusqlite::Connection;
use rustix::process::Signal;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;

/// The number of the page on which the table or index begins.
fn root_page(live: &Live, name: &str) -> u64 {
    let connection = Connection::open(live.path("authd.db")).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    connection.query_row(sql, [name], |row| row.get::<_, u32>(0)).unwrap().into()
}

/// Overwrites a page on the disk, under whoever has the file open.
fn damage(live: &Live, page: u64) {
    let file = OpenOptions::new().write(true).open(live.path("authd.db")).unwrap();
    file.write_all_at(&[0x55; 4096], (page - 1) * 4096).unwrap();
}

fn assert_not_ready(daemon: &Daemon, what: &str) {
    let (status, body) = daemon.ask("GET /readyz", "", "");
    assert_eq!(status, 503, "{what}: {body}");
    assert!(body.contains("storage_unavailable"), "{body}");
    assert!(!body.contains("malformed") && !body.contains("authd.db"), "why is for the log: {body}");
    assert_eq!(daemon.ask("GET /healthz", "", "").0, 200, "the process lives");
}

#[test]
fn a_damaged_page_of_any_table_is_not_ready() {
    // Not those that the start itself writes to: their pages are in the log.
    for table in ["sqlite_schema", "users", "sessions"] {
        let live = Live::new();
        let page = if table == "sqlite_schema" { 1 } else { root_page(&live, table) };
        let daemon = live.serve();
        damage(&live, page);
        assert_not_ready(&daemon, table);
        assert!(daemon.stop(Signal::TERM).1.contains("the database is damaged"));
    }
}

#[test]
fn damage_that_any_statement_has_met_is_not_ready() {
    let live = Live::new();
    // An index, which no probe reads; the second of the table is the one over the token's hash.
    let page =
        root_page(&live, "sqlite_autoindex_api_keys_2").max(root_page(&live, "sqlite_autoindex_api_keys_3"));
    let daemon = live.serve();
    damage(&live, root_page(&live, "sqlite_autoindex_api_keys_2"));
    damage(&live, page);
    let key = format!("authd_key_{}", "A".repeat(43));
    let (status, _) = daemon.ask("POST /api/auth/introspect", &key, r#"{"token":"x"}"#);
    assert!(status >= 500, "{status}");
    assert_not_ready(&daemon, "an index");
}

#[test]
fn files_that_were_deleted_or_replaced_are_not_ready() {
    type Change = fn(&Live);
    let changes: [(&str, Change); 4] = [
        ("deleted", |live| fs::remove_file(live.path("authd.db")).unwrap()),
        ("replaced", |live| {
            fs::copy(live.path("authd.db"), live.path("other.db")).unwrap();
            fs::rename(live.path("other.db"), live.path("authd.db")).unwrap();
        }),
        ("its log", |live| fs::remove_file(live.path("authd.db-wal")).unwrap()),
        ("the log's index", |live| fs::remove_file(live.path("authd.db-shm")).unwrap()),
    ];
    for (what, change) in changes {
        let live = Live::new();
        let daemon = live.serve();
        change(&live);
        assert_not_ready(&daemon, what);
        assert!(daemon.stop(Signal::KILL).1.contains("was deleted or replaced"), "{what}");
    }
}
