//! A database or a backup that somebody has written to who is not authd: it is not served, and not restored.

use super::super::Said;
use super::super::{Shell, json};
use super::copies::Live;
use super::migrations::write_old;
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What could be left in a file, and how it is named.
const LEFT: [(&str, &str); 7] = [
    (
        "CREATE TRIGGER evil AFTER INSERT ON users BEGIN \
         INSERT INTO user_roles (user_id, role) VALUES (new.id, 'admin'); END",
        "the trigger \"evil\" is not authd's",
    ),
    ("CREATE VIEW spy AS SELECT email FROM users", "the view \"spy\" is not authd's"),
    ("CREATE UNIQUE INDEX one ON users (name)", "the index \"one\" is not authd's"),
    ("CREATE TABLE stash (a)", "the table \"stash\" is not authd's"),
    ("DROP TRIGGER audit_is_only_pruned", "the trigger \"audit_is_only_pruned\" is missing"),
    ("DROP INDEX sessions_by_user", "the index \"sessions_by_user\" is missing"),
    ("ALTER TABLE users ADD COLUMN note TEXT", "the table \"users\" is another than authd's"),
];

fn change(file: &Path, sql: &str) {
    Connection::open(file).unwrap().execute_batch(sql).unwrap();
}

fn assert_named(said: &Said, what: &str) {
    assert_eq!(said.code, 5, "{said:?}");
    assert!(said.err.contains("check_failed") && said.err.contains(what), "{what}: {said:?}");
}

#[test]
fn a_schema_that_somebody_has_changed_is_neither_served_nor_restored() {
    let live = Live::new();
    let sound = fs::read(live.path("authd.db")).unwrap();
    for (sql, named) in LEFT {
        fs::write(live.path("authd.db"), &sound).unwrap();
        fs::write(live.path("bad.db"), &sound).unwrap();
        change(&live.path("bad.db"), sql);
        assert_named(&live.line("db restore live/bad.db --yes --unverified"), named);
        assert!(fs::read(live.path("authd.db")).unwrap() == sound, "nothing was changed");
        change(&live.path("authd.db"), sql);
        for line in ["serve --listen 127.0.0.1:0", "user list"] {
            assert_named(&live.line(line), named);
        }
    }
    let check = live.line("db check");
    assert!(check.code == 5 && check.out.contains(LEFT[6].1), "{check:?}");
    let doctor = live.line("doctor -o json");
    assert!(doctor.code == 5 && doctor.out.contains("the table"), "{doctor:?}");
}

#[test]
fn what_others_keep_in_the_file_without_harm_is_let_be() {
    let live = Live::new();
    change(
        &live.path("authd.db"),
        "ANALYZE; CREATE TABLE IF NOT EXISTS _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER); \
         CREATE TABLE IF NOT EXISTS _litestream_lock (id INTEGER)",
    );
    assert_eq!(live.line("user list").code, 0);
    live.serve();
    change(
        &live.path("authd.db"),
        "CREATE TRIGGER _litestream_t AFTER INSERT ON _litestream_seq BEGIN DELETE FROM users; END",
    );
    assert_named(&live.line("user list"), "_litestream_t");
}

#[test]
fn nothing_that_was_left_in_an_older_database_runs_while_it_is_brought_up() {
    let shell = Shell::new();
    write_old(&shell);
    let file = shell.world.folder.join("old.db");
    change(&file, "CREATE TRIGGER evil AFTER INSERT ON audit BEGIN DELETE FROM roles; END");
    change(&file, "CREATE TRIGGER worse AFTER UPDATE ON meta BEGIN DELETE FROM roles; END");
    assert_named(&shell.line("db migrate --database old.db"), "the trigger \"evil\"");
    assert_named(&shell.line("serve --listen 127.0.0.1:0 --database old.db"), "the trigger \"worse\"");
    let roles: i64 = Connection::open(&file)
        .unwrap()
        .query_row("SELECT count(*) FROM roles", [], |row| row.get(0))
        .unwrap();
    assert_eq!(roles, 1);
}

#[test]
fn a_backup_that_was_changed_is_refused_unless_somebody_vouches_for_it() {
    let live = Live::new();
    assert_eq!(live.line("db backup live/b.db").code, 0);
    live.add("bob@example.com");
    assert_eq!(live.line("db backup live/c.db").code, 0);
    let (content, mac) = (fs::read(live.path("b.db")).unwrap(), fs::read(live.path("b.db.mac")).unwrap());
    assert_eq!((mac.len(), mac[64]), (65, b'\n'));
    assert_eq!(fs::metadata(live.path("b.db.mac")).unwrap().permissions().mode() & 0o777, 0o600);
    let database = fs::read(live.path("authd.db")).unwrap();
    let refused = |why: &str| {
        assert_named(&live.line("db restore live/b.db --yes"), why);
        assert!(fs::read(live.path("authd.db")).unwrap() == database, "{why}: nothing was changed");
        fs::write(live.path("b.db"), &content).unwrap();
        fs::write(live.path("b.db.mac"), &mac).unwrap();
    };
    // A byte that SQLite doesn't mind: of the change counter, and one behind the end.
    for changed in
        [[&content[..27], &[content[27] ^ 1], &content[28..]].concat(), [&content[..], &[0]].concat()]
    {
        fs::write(live.path("b.db"), changed).unwrap();
        refused("b.db is not as authd wrote it");
    }
    for other in [&fs::read(live.path("c.db.mac")).unwrap()[..], b"", b"\xff\n", &mac[..63]] {
        fs::write(live.path("b.db.mac"), other).unwrap();
        refused("b.db is not as authd wrote it");
    }
    fs::remove_file(live.path("b.db.mac")).unwrap();
    let vouched = live.line("db restore live/b.db --yes --unverified -o json");
    assert_eq!(vouched.code, 0, "{vouched:?}");
    assert!(vouched.err.contains("warning: nothing proves who wrote live/b.db"), "{vouched:?}");
    assert_eq!(json(&vouched.out)["verified"], false);
    assert!(live.line("audit tail -o json").out.contains(r#""verified":"false""#));
    let missing = live.line("db restore live/b.db --yes");
    assert_named(&missing, "there is no live/b.db.mac");
}

#[test]
fn a_mac_is_not_written_over_and_is_of_one_key_file_alone() {
    let live = Live::new();
    fs::write(live.path("b.db.mac"), "of another").unwrap();
    let taken = live.line("db backup live/b.db");
    assert!(taken.code == 4 && taken.err.contains("b.db.mac"), "{taken:?}");
    assert!(!live.path("b.db").exists());
    let other = Live::new();
    assert_eq!(other.line("db backup live/b.db").code, 0);
    for name in ["b.db", "b.db.mac"] {
        fs::copy(other.path(name), live.path(name)).unwrap();
    }
    assert_named(&live.line("db restore live/b.db --yes"), "made under another key file");
}
