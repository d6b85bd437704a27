//! Folders that aren't authd's alone: nothing is made or served where others may put files, no advice harms
//! what else is there, and a copy is read wherever it lies.

use super::super::{Said, Shell, said};
use super::copies::Live;
use super::owners::OTHER;
use crate::missing::is_root;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A folder of that mode in the shell's.
fn folder(shell: &Shell, name: &str, mode: u32) -> PathBuf {
    let folder = shell.world.folder.join(name);
    fs::create_dir(&folder).unwrap();
    set_mode(&folder, mode);
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn run_in(shell: &Shell, folder: &Path, line: &str) -> Said {
    let mut command = shell.command(&line.split(' ').collect::<Vec<_>>());
    command.current_dir(folder);
    said(command)
}

/// Does what a message says between `use a folder of its own: ` and the end of its commands.
fn obey(shell: &Shell, said: &Said, then: &str) -> Said {
    let (_, commands) = said.err.trim_end().split_once("use a folder of its own: ").unwrap();
    let commands = commands.split(", then set").next().unwrap();
    let mut sh = Command::new("sh");
    sh.args(["-ec", &format!("{commands}\n{then}")]).current_dir(&shell.world.folder);
    sh.env_clear().envs(shell.environment());
    super::super::said(sh)
}

#[test]
fn nothing_is_made_where_others_may_put_files() {
    let shell = Shell::new();
    for (name, mode) in [("all", 0o777), ("sticky", 0o1777), ("others", 0o703)] {
        let folder = folder(&shell, name, mode);
        let named = format!("--database {}/authd.db", folder.display());
        for line in ["serve --listen 127.0.0.1:0", "db init", &format!("db init {named}")] {
            let said = run_in(&shell, &folder, line);
            assert_eq!(said.code, 77, "{name}: {line}: {said:?}");
            assert!(said.err.contains(&format!("(mode {mode:04o}); use a folder of its own: mkdir -m 700 ")));
            assert!(!said.err.contains("chmod"), "{said:?}");
        }
        assert_eq!(names(&folder), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn nobody_is_told_to_move_what_is_no_database() {
    let shell = Shell::new();
    let folder = folder(&shell, "all", 0o755);
    for (name, text, found) in [
        (
            "passwd",
            "root:x:0:0:root:/root:/bin/sh\n".repeat(50),
            "the database is damaged, or is none of SQLite's",
        ),
        ("short", "x".into(), "the file is no database of authd"),
    ] {
        fs::write(folder.join(name), text).unwrap();
        set_mode(&folder.join(name), 0o600);
        let said = run_in(&shell, &folder, &format!("user list --database ./{name}"));
        assert_ne!(said.code, 0, "{said:?}");
        assert!(!said.err.contains("mv "), "{said:?}");
        let said = run_in(&shell, &folder, &format!("db check {name} -o json"));
        assert_eq!(said.code, 5, "{said:?}");
        let problems = super::super::json(&said.out)["problems"].clone();
        assert_eq!(problems[0], found);
    }
    fs::write(folder.join("empty.db"), "").unwrap();
    let said = run_in(&shell, &folder, "db check empty.db");
    assert!(said.code == 5 && said.out.contains("the file is empty"), "{said:?}");
}

#[test]
fn what_lies_where_others_may_put_files_is_not_opened() {
    let live = Live::new();
    set_mode(&live.path(""), 0o777);
    for line in [
        "serve --listen 127.0.0.1:0",
        "user list",
        "db backup b.db",
        "db restore live/authd.db --unverified --yes",
    ] {
        let said = live.line(line);
        assert_eq!(said.code, 77, "{line}: {said:?}");
        assert!(said.err.contains("others may put files into") && said.err.contains("&& mv "), "{said:?}");
        assert!(!said.err.contains("chmod"), "{said:?}");
    }
    // Nor through a link in a folder that is safe.
    let safe = folder(&live.shell, "safe", 0o700);
    symlink(live.path("authd.db"), safe.join("authd.db")).unwrap();
    let linked = live.shell.line("user list --database safe/authd.db --key-file live/authd.key");
    assert!(linked.code == 77 && linked.err.contains("live (mode 0777)"), "{linked:?}");
    let doctor = live.line("doctor");
    assert!(doctor.code == 5 && !doctor.out.contains("chmod"), "{doctor:?}");
}

#[test]
fn the_advice_makes_a_folder_that_works() {
    let shell = Shell::new();
    // Somebody else's files are there, too: the folder's mode is theirs as well.
    let shared = folder(&shell, "it's shared", 0o755);
    fs::write(shared.join("index.html"), "").unwrap();
    let refused = shell.run(&["db", "init", "--database", "it's shared/authd.db"]);
    assert_eq!(refused.code, 77, "{refused:?}");
    let made = obey(&shell, &refused, "./authctl db init -q");
    assert_eq!(
        (made.code, made.out.trim_end().ends_with("it's shared/authd/authd.db")),
        (0, true),
        "{made:?}"
    );
    assert_eq!(names(&shared), ["authd", "index.html"]);

    // The same where there is a database already: it moves, with its key.
    let live = Live::new();
    set_mode(&live.path(""), 0o755);
    fs::write(live.path("index.html"), "").unwrap();
    let refused = live.line("user list");
    assert_eq!(refused.code, 77, "{refused:?}");
    let moved = obey(&live.shell, &refused, "./authctl user list -o tsv --database live/authd/authd.db");
    assert!(moved.code == 0 && moved.out.contains("ann@example.com"), "{moved:?}");
    assert_eq!(live.files(), ["authd", "index.html"]);
    assert_eq!(fs::metadata(live.path("authd")).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn a_folder_that_holds_authds_files_alone_is_closed_by_its_mode() {
    let live = Live::new();
    fs::write(live.path("authd.toml"), "").unwrap();
    set_mode(&live.path(""), 0o750);
    let refused = live.line("user list");
    assert!(refused.code == 77 && refused.err.contains("live (mode 0750); run: chmod 700 "), "{refused:?}");
    set_mode(&live.path(""), 0o700);
    assert_eq!(live.line("user list").code, 0);
}

#[test]
fn a_key_file_is_neither_made_nor_believed_where_others_may_put_files() {
    let live = Live::new();
    let keys = folder(&live.shell, "keys", 0o777);
    fs::rename(live.path("authd.key"), keys.join("authd.key")).unwrap();
    let refused = live.line("user list --key-file keys/authd.key");
    assert!(refused.code == 77 && refused.err.contains("the key file") && !refused.err.contains("chmod"));
    // What root, or whoever asks, has put into such a folder stays theirs: secrets are mounted so.
    set_mode(&keys, 0o1777);
    assert_eq!(live.line("user list --key-file keys/authd.key").code, 0);
    let made = live.shell.line("db init --database new/authd.db --key-file keys/new.key");
    assert_eq!((made.code, names(&keys)), (77, vec!["authd.key".to_owned()]), "{made:?}");
    if is_root() {
        chown(keys.join("authd.key"), Some(OTHER), None).unwrap();
        let planted = live.line("user list --key-file keys/authd.key");
        assert!(planted.code == 77 && planted.err.contains("has not put it there"), "{planted:?}");
    }
}

#[test]
fn a_log_that_somebody_else_has_put_beside_the_database_is_not_taken_in() {
    let live = Live::new();
    let (log, other) = (live.path("authd.db-wal"), live.path("other"));
    fs::write(&other, "").unwrap();
    set_mode(&other, 0o600);
    symlink(&other, &log).unwrap();
    let refused = |line: &str| {
        let said = live.line(line);
        assert!(said.code == 77 && said.err.contains("authd.db-wal"), "{line}: {said:?}");
    };
    refused("user list");
    fs::remove_file(&log).unwrap();
    fs::hard_link(&other, &log).unwrap();
    refused("user list");
    refused("db check live/authd.db");
    fs::remove_file(&log).unwrap();
    if is_root() {
        fs::write(&log, "").unwrap();
        set_mode(&log, 0o600);
        chown(&log, Some(OTHER), None).unwrap();
        refused("user list");
        refused("audit verify");
    }
}

#[test]
fn a_copy_is_read_wherever_it_lies_and_nothing_is_made_beside_it() {
    let live = Live::new();
    assert_eq!(live.line("db backup live/b.db").code, 0);
    // As it is at rest, and as a daemon that was killed leaves it.
    fs::copy(live.path("authd.db"), live.path("rest.db")).unwrap();
    for (place, mode) in [("mounted", 0o755), ("tmp", 0o1777), ("shared", 0o775)] {
        let place = folder(&live.shell, place, 0o755);
        for name in ["b.db", "b.db.mac", "rest.db"] {
            fs::copy(live.path(name), place.join(name)).unwrap();
            set_mode(&place.join(name), 0o644);
        }
        set_mode(&place, mode);
        let there = names(&place);
        let place = place.display();
        for line in [
            format!("db check {place}/b.db"),
            format!("db check {place}/rest.db"),
            format!("audit verify --database {place}/rest.db --key-file live/authd.key"),
            format!("db restore {place}/b.db --yes --database live/authd.db"),
            format!("db restore {place}/rest.db --yes --unverified --database live/authd.db"),
        ] {
            let said = live.shell.line(&line);
            assert_eq!(said.code, 0, "{line}: {said:?}");
            // Two restores in one second would give one name to what they replace.
            live.kept().iter().for_each(|kept| fs::remove_file(live.path(kept)).unwrap());
        }
        assert_eq!(names(Path::new(&place.to_string())), there);
    }
}

#[test]
fn a_copy_is_checked_without_key_and_configuration() {
    let live = Live::new();
    assert_eq!(live.line("db backup live/b.db").code, 0);
    let bytes = fs::read(live.path("b.db")).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    let damaged = [&bytes[..middle], &[0x55; 4096], &bytes[middle + 4096..]].concat();
    fs::write(live.path("damaged.db"), damaged).unwrap();
    fs::write(live.path("text.db"), "no database at all".repeat(500)).unwrap();
    fs::remove_file(live.path("authd.key")).unwrap();
    fs::write(live.shell.world.folder.join("authd.toml"), "listen = 7\n").unwrap();
    for (file, code, says) in [
        ("live/b.db", 0, "live/b.db is whole"),
        ("live/damaged.db", 5, "live/damaged.db is no whole database"),
        ("live/text.db", 5, "take another copy"),
        ("live/none.db", 3, "there is no file live/none.db"),
    ] {
        let said = live.shell.line(&format!("db check {file}"));
        assert!(said.code == code && said.err.contains(says), "{said:?}");
    }
    assert_eq!(live.shell.line("db check").code, 78, "the configured one needs its configuration");
}

/// A program that every user may run, in a folder that every user may enter.
pub fn open_to_all() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().unwrap();
    let program = folder.path().join("authd");
    // By another process: what this one or a child of it has open to write to can't be run.
    assert!(Command::new("cp").arg(env!("CARGO_BIN_EXE_authd")).arg(&program).status().unwrap().success());
    (folder, program)
}

#[test]
fn somebody_elses_folder_is_not_for_ones_own_database() {
    if !is_root() {
        return;
    }
    let (folder, program) = open_to_all();
    let as_other = |line: &str| {
        let mut command = Command::new(&program);
        command.args(line.split(' ')).current_dir("/").env_clear().uid(OTHER).gid(OTHER);
        said(command)
    };
    let place = |name: &str, owner: u32, mode: u32| {
        let place = folder.path().join(name);
        fs::create_dir(&place).unwrap();
        set_mode(&place, mode);
        chown(&place, Some(owner), None).unwrap();
        place.display().to_string()
    };
    // Of a third user: neither made there nor read from there.
    let theirs = place("theirs", OTHER - 1, 0o777);
    let made = as_other(&format!("db init --database {theirs}/authd.db"));
    assert!(
        made.code == 77 && made.err.contains("use a folder of its own: mkdir -m 700 ~/authd"),
        "{made:?}"
    );
    fs::write(format!("{theirs}/b.db"), "no database").unwrap();
    let read = as_other(&format!("db check {theirs}/b.db"));
    assert!(read.code == 77 && read.err.contains("copy "), "{read:?}");
    // Root's, as a volume that was just mounted: who runs this, and what to do, is said.
    let volume = place("volume", 0, 0o755);
    let refused = as_other(&format!("db init --database {volume}/authd.db"));
    let advice = format!("sudo install -d -m 700 -o {OTHER} {volume}/authd");
    assert!(refused.code == 77 && refused.err.contains(&advice), "{refused:?}");
    let refused = as_other(&format!("db init --database {volume}/deeper/authd.db"));
    let why = format!("{volume} belongs to root (mode 0755), and this runs as ");
    assert!(refused.code == 77 && refused.err.contains(&why), "{refused:?}");
    assert_eq!(fs::read_dir(&volume).unwrap().count(), 0);
    chown(&volume, Some(OTHER), None).unwrap();
    let made = as_other(&format!("db init --database {volume}/deeper/authd.db"));
    assert_eq!(made.code, 0, "{made:?}");
}
