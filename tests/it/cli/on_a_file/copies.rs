//! Backups and restores through the front door, with a daemon that serves what is copied and replaced.

use super::super::serve::Daemon;
use super::super::{Said, Shell, json};
use crate::world::PASSWORD;
use rusqlite::Connection;
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// A folder with a database of its own: that of the shell's world is open in this process.
pub struct Live {
    pub shell: Shell,
}

const DATABASE: &str = "live/authd.db";

impl Live {
    pub fn new() -> Self {
        let live = Self { shell: Shell::new() };
        assert_eq!(live.line("db init").code, 0);
        live.add("ann@example.com");
        live
    }

    pub fn line(&self, line: &str) -> Said {
        self.shell.line(&format!("{line} --database {DATABASE}"))
    }

    pub fn add(&self, email: &str) {
        let args = [
            "user",
            "add",
            email,
            "--verified",
            "--role",
            "admin",
            "--password-stdin",
            "--database",
            DATABASE,
        ];
        let added = self.shell.run_with(&args, PASSWORD);
        assert_eq!(added.code, 0, "{added:?}");
    }

    pub fn serve(&self) -> Daemon {
        Daemon::start(&self.shell, &["--database", DATABASE])
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.shell.world.folder.join("live").join(name)
    }

    pub fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.path(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    fn backup(&self, name: &str) -> Said {
        let said = self.line(&format!("db backup live/{name}"));
        assert_eq!(said.code, 0, "{said:?}");
        said
    }

    fn knows(&self, email: &str) -> bool {
        self.line(&format!("user show {email}")).code == 0
    }

    pub fn kept(&self) -> Vec<String> {
        let before = |name: &String| name.starts_with("authd.db.before-restore-") && name.ends_with('Z');
        self.files().into_iter().filter(before).collect()
    }
}

fn integrity(path: &std::path::Path) -> String {
    Connection::open(path).unwrap().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_backup_is_taken_live_checked_and_private() {
    let live = Live::new();
    let daemon = live.serve();
    let said = std::thread::scope(|scope| {
        // Writes go on meanwhile, and none of them waits or fails.
        let writes = scope.spawn(|| (0..20).map(|_| daemon.login("ann@example.com").0).collect::<Vec<_>>());
        let said = live.line("db backup live/b.db -o json");
        assert_eq!(writes.join().unwrap(), [200; 20]);
        said
    });
    assert_eq!(said.code, 0, "{said:?}");
    let shown = json(&said.out);
    let file = live.path("b.db");
    assert_eq!(shown["file"], "live/b.db");
    assert_eq!(shown["bytes"], fs::metadata(&file).unwrap().len());
    assert_eq!(shown["audit_head"]["hash"].as_str().unwrap().len(), 64);
    assert!(said.err.contains("authd.key is not in it"), "{said:?}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(integrity(&file), "ok");
    let connection = Connection::open(&file).unwrap();
    let newest: i64 = connection.query_row("SELECT max(seq) FROM audit", [], |row| row.get(0)).unwrap();
    assert_eq!(shown["audit_head"]["seq"], newest);
    assert!(live.line("audit tail -n 200").out.contains("DatabaseBackedUp"));
    assert!(!live.files().iter().any(|name| name.contains(".part")), "{:?}", live.files());
}

#[test]
fn a_backup_overwrites_nothing_and_leaves_no_half_file() {
    let live = Live::new();
    live.backup("b.db");
    let before = fs::read(live.path("b.db")).unwrap();
    let again = live.line("db backup live/b.db");
    assert_eq!(again.code, 4, "{again:?}");
    assert_eq!(fs::read(live.path("b.db")).unwrap(), before);
    let nowhere = live.line("db backup nowhere/b.db");
    assert_eq!(nowhere.code, 69, "{nowhere:?}");
    assert!(nowhere.err.contains("make its folder"), "{nowhere:?}");
    // A page in the middle of the database is lost.
    let mut bytes = fs::read(live.path("authd.db")).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0x55);
    fs::write(live.path("authd.db"), bytes).unwrap();
    let damaged = live.line("db backup live/c.db");
    assert_eq!(damaged.code, 70, "{damaged:?}");
    let copies: Vec<_> = live.files().into_iter().filter(|name| !name.starts_with("authd.")).collect();
    assert_eq!(copies, ["b.db", "b.db.mac"]);
}

#[test]
fn a_restore_brings_everything_back_and_no_token_to_life() {
    let live = Live::new();
    let daemon = live.serve();
    let (_, ended) = daemon.login("ann@example.com");
    live.backup("b.db");
    // Both count until here; the first was revoked after the backup.
    let (_, alive) = daemon.login("ann@example.com");
    assert_eq!(live.line("token revoke --user ann@example.com --yes").code, 0);
    live.add("bob@example.com");
    let served = live.line("db restore live/b.db --yes");
    assert_eq!(served.code, 69, "{served:?}");
    assert!(served.err.contains("a daemon serves"), "{served:?}");
    daemon.stop(Signal::TERM);
    assert_eq!(live.line("db restore live/b.db").code, 2, "nobody can be asked");
    assert!(live.knows("bob@example.com"));
    let restored = live.line("db restore live/b.db --yes -o json");
    assert_eq!(restored.code, 0, "{restored:?}");
    assert_eq!(json(&restored.out)["sessions_ended"], 1);
    let daemon = live.serve();
    for token in [ended, alive] {
        assert_eq!(daemon.ask("GET /api/auth/me", &token, "").0, 401);
    }
    assert_eq!(daemon.login("ann@example.com").0, 200);
    assert!(!live.knows("bob@example.com"));
    let log = live.line("audit tail -o json").out;
    assert!(log.contains("DatabaseRestored"), "{log}");
    // What was replaced is whole, and opens under its new name.
    let kept = live.kept();
    assert_eq!(kept.len(), 1, "{:?}", live.files());
    let old = live.shell.line(&format!("user show bob@example.com --database live/{}", kept[0]));
    assert_eq!(old.code, 0, "{old:?}");
    assert_eq!(fs::metadata(live.path("authd.db")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_write_ahead_log_left_behind_is_not_applied_to_the_backup() {
    let live = Live::new();
    live.backup("b.db");
    let daemon = live.serve();
    live.add("bob@example.com");
    daemon.stop(Signal::KILL);
    assert!(fs::metadata(live.path("authd.db-wal")).unwrap().len() > 0);
    let restored = live.line("db restore live/b.db --yes");
    assert_eq!(restored.code, 0, "{restored:?}");
    assert!(!live.path("authd.db-wal").exists());
    assert_eq!(integrity(&live.path("authd.db")), "ok");
    assert!(!live.knows("bob@example.com"));
    let kept = &live.kept()[0];
    assert_eq!(live.shell.line(&format!("user show bob@example.com --database live/{kept}")).code, 0);
}

#[test]
fn what_is_no_sound_backup_of_this_database_is_refused_and_nothing_changes() {
    let live = Live::new();
    live.backup("b.db");
    let backup = fs::read(live.path("b.db")).unwrap();
    let other = |name: &str, sql: &str| {
        fs::copy(live.path("b.db"), live.path(name)).unwrap();
        Connection::open(live.path(name)).unwrap().execute_batch(sql).unwrap();
    };
    other("newer.db", "PRAGMA user_version = 99");
    other("foreign.db", "PRAGMA application_id = 1");
    other("key.db", "UPDATE meta SET value = zeroblob(60) WHERE key = 'root_key_check'");
    other(
        "tail.db",
        "DROP TRIGGER audit_is_only_pruned; DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
    );
    let middle = backup.len() / 2 / 4096 * 4096;
    fs::write(live.path("damaged.db"), [&backup[..middle], &[0x55; 4096], &backup[middle + 4096..]].concat())
        .unwrap();
    fs::write(live.path("text.db"), "not a database at all".repeat(500)).unwrap();
    let (database, files) = (fs::read(live.path("authd.db")).unwrap(), live.files());
    for (name, code, why) in [
        ("none.db", 3, "there is no file"),
        ("newer.db", 1, "newer authd"),
        ("foreign.db", 1, "no database of authd"),
        ("key.db", 1, "belongs to another database"),
        ("tail.db", 1, "doesn't end where it should"),
        ("damaged.db", 1, "take another backup"),
        ("text.db", 1, "can't be restored"),
    ] {
        let said = live.line(&format!("db restore live/{name} --yes --unverified"));
        assert_eq!(said.code, code, "{name}: {said:?}");
        assert!(said.err.contains(why), "{name}: {said:?}");
        assert_eq!(live.files(), files, "{name}");
        assert!(fs::read(live.path("authd.db")).unwrap() == database, "{name}");
    }
}

#[test]
fn a_damaged_database_and_a_missing_one_can_be_restored() {
    let live = Live::new();
    live.backup("b.db");
    fs::write(live.path("authd.db"), "a disk has failed".repeat(1000)).unwrap();
    assert_eq!(live.line("db restore live/b.db --yes").code, 0);
    assert!(live.knows("ann@example.com"));
    fs::remove_file(live.path("authd.db")).unwrap();
    let restored = live.line("db restore live/b.db --yes -o json");
    assert_eq!(restored.code, 0, "{restored:?}");
    assert!(json(&restored.out)["kept"].is_null());
    assert!(live.knows("ann@example.com"));
    fs::rename(live.path("authd.key"), live.path("elsewhere")).unwrap();
    assert_eq!(live.line("db restore live/b.db --yes").code, 3, "without its key it would be of no use");
}

/// The names of the signing keys, with their states.
fn keys(live: &Live) -> Vec<(String, String)> {
    let list = json(&live.line("key list -o json").out);
    let text = |key: &serde_json::Value, field: &str| key[field].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(|key| (text(key, "kid"), text(key, "state"))).collect()
}

#[test]
fn a_signing_key_that_was_retired_since_signs_no_more_whatever_is_restored_over() {
    // Over the database that knows it, over one that nobody can read, and where there is none.
    let overs: [fn(&Live); 3] = [
        |_| {},
        |live| fs::write(live.path("authd.db"), "a disk has failed".repeat(1000)).unwrap(),
        |live| fs::remove_file(live.path("authd.db")).unwrap(),
    ];
    for over in overs {
        let live = Live::new();
        let leaked = keys(&live)[0].0.clone();
        live.backup("b.db");
        assert_eq!(live.line("key rotate").code, 0);
        assert_eq!(live.line(&format!("key retire {leaked} --now --yes")).code, 0);
        over(&live);
        let restored = live.line("db restore live/b.db --yes -o json");
        assert_eq!(restored.code, 0, "{restored:?}");
        let new = json(&restored.out)["new_signing_key"].as_str().unwrap().to_owned();
        assert_ne!(new, leaked);
        assert_eq!(keys(&live), [(new.clone(), "signing".into())]);
        assert!(restored.err.contains(&format!("{new} signs from now on")), "{restored:?}");
        let daemon = live.serve();
        assert_eq!(daemon.login("ann@example.com").0, 200);
    }
}

#[test]
fn a_signing_key_that_signs_still_comes_back() {
    let live = Live::new();
    let before = keys(&live);
    live.backup("b.db");
    let restored = live.line("db restore live/b.db --yes -o json");
    assert!(json(&restored.out)["new_signing_key"].is_null(), "{restored:?}");
    assert_eq!(keys(&live), before);
}

#[test]
fn help_output_and_page_agree_on_what_is_withheld() {
    let live = Live::new();
    live.backup("b.db");
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let help = one_line(&live.shell.line("db restore --help").out);
    let page = one_line(include_str!("../../../../docs/backup.md"));
    let security = one_line(include_str!("../../../../SECURITY.md"));
    let said = one_line(&live.line("db restore live/b.db --yes").err);
    assert!(said.contains("withheld 0 API keys, 0 recovery codes, 0 passkeys and 0 signing keys"), "{said}");
    for text in [&help, &page] {
        let withheld = "the API keys, recovery codes, passkeys and signing keys that the replaced database holds good no more";
        assert!(text.contains(withheld), "{text}");
        let (_, else_) = text.split_once("Everything else is as it was").unwrap();
        let else_ = else_.split_once('.').unwrap().0;
        assert!(!else_.contains("key") && !else_.contains("code"), "{else_}");
    }
    fs::remove_file(live.path("authd.db")).unwrap();
    let said = one_line(&live.line("db restore live/b.db --yes").err);
    assert!(said.contains("API keys, passkeys and recovery codes are those of the backup"), "{said}");
    assert!(said.contains("its signing keys are all withheld"), "{said}");
    for text in [&help, &page, &security] {
        assert!(text.contains("recovery codes all come back, and no signing key does"), "{text}");
    }
}
