//! An operator who is root, on the database of the user that runs the daemon: no command leaves a file
//! that the daemon could not open.

use super::super::Shell;
use super::copies::Live;
use super::migrations::write_old;
use crate::missing::is_root;
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

/// Nobody's, on all systems that the tests run on.
pub const OTHER: u32 = 65534;

fn give_all(folder: &Path) {
    chown(folder, Some(OTHER), Some(OTHER)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        chown(entry.unwrap().path(), Some(OTHER), Some(OTHER)).unwrap();
    }
}

/// Files that don't belong to the daemon's user, or that others can read.
fn strangers(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let strange = files.filter(|entry| {
        let metadata = entry.metadata().unwrap();
        (metadata.uid(), metadata.gid(), metadata.mode() & 0o777) != (OTHER, OTHER, 0o600)
    });
    strange.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn what_root_makes_belongs_to_the_daemons_user() {
    if !is_root() {
        return;
    }
    let live = Live::new();
    let folder = live.path("");
    for name in ["authd.db-lock", "authd.db-served"] {
        let _ = fs::remove_file(live.path(name));
    }
    give_all(&folder);
    // At rest: the write-ahead log is made and taken away by each command.
    live.add("bob@example.com");
    assert_eq!(live.line("db backup live/b.db").code, 0);
    assert_eq!(live.line("db prune").code, 0);
    assert_eq!(strangers(&folder), Vec::<String>::new());
    assert_eq!(live.line("db restore live/b.db --yes").code, 0);
    assert_eq!(strangers(&folder), Vec::<String>::new());
    // While it is served, and after the daemon was killed and left its log.
    let daemon = live.serve();
    live.add("cyd@example.com");
    assert_eq!(live.line("db backup live/c.db").code, 0);
    assert!(live.path("authd.db-wal").exists());
    assert_eq!(strangers(&folder), Vec::<String>::new());
    daemon.stop(Signal::KILL);
    live.add("dan@example.com");
    assert_eq!(strangers(&folder), Vec::<String>::new());
    // Onto nothing: what is made belongs to whom the folder belongs.
    for name in ["authd.db", "authd.db-lock", "authd.db-served"] {
        fs::remove_file(live.path(name)).unwrap();
    }
    assert_eq!(live.line("db restore live/c.db --yes").code, 0);
    assert_eq!(strangers(&folder), Vec::<String>::new());
}

#[test]
fn what_root_begins_or_brings_up_belongs_to_the_folders_owner() {
    if !is_root() {
        return;
    }
    let shell = Shell::new();
    let folder = shell.world.folder.join("made");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    chown(&folder, Some(OTHER), Some(OTHER)).unwrap();
    assert_eq!(shell.line("db init --database made/authd.db").code, 0);
    assert_eq!(strangers(&folder), Vec::<String>::new());

    write_old(&shell);
    let folder = shell.world.folder.join("old");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    fs::rename(shell.world.folder.join("old.db"), folder.join("authd.db")).unwrap();
    fs::copy(shell.world.folder.join("authd.key"), folder.join("authd.key")).unwrap();
    give_all(&folder);
    assert_eq!(shell.line("db migrate --database old/authd.db").code, 0);
    assert_eq!(strangers(&folder), Vec::<String>::new());
}
