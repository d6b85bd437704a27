//! A disk that is full while the daemon serves: what can't be committed is refused, nothing of it is kept,
//! and nothing needs a restart once there is room.

use super::super::Shell;
use super::super::serve::Daemon;
use crate::missing::can_mount;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A daemon whose database is on a disk of two megabytes, which nobody else sees but by its process.
fn on_a_small_disk(shell: &Shell) -> (Daemon, PathBuf) {
    let disk = shell.world.folder.join("disk");
    fs::create_dir(&disk).unwrap();
    let script = "mount -t tmpfs -o size=2m,mode=700 none disk && \
                  exec ./authctl serve --listen 127.0.0.1:0 --database disk/authd.db";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).current_dir(&shell.world.folder).stdin(Stdio::null());
    command.env_clear().envs(shell.environment());
    let daemon = Daemon::of(command);
    let seen = format!("/proc/{}/root{}", daemon.pid().as_raw_nonzero(), disk.display());
    (daemon, seen.into())
}

/// Fills the disk to the last byte; gives the file that does.
fn fill(disk: &Path) -> PathBuf {
    let ballast = disk.join("ballast");
    let mut file = fs::File::create(&ballast).unwrap();
    for size in [1 << 16, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    ballast
}

/// A login that fails, which is a line of the log and a counter; the whole answer.
fn login(daemon: &Daemon, name: &str) -> String {
    let body = format!(r#"{{"email":"{name}@example.com","password":"not the right one"}}"#);
    daemon.send(&format!(
        "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

#[test]
fn what_a_full_disk_keeps_from_being_committed_is_refused_and_not_kept() {
    if !can_mount() {
        return;
    }
    let shell = Shell::new();
    let (daemon, disk) = on_a_small_disk(&shell);
    assert!(login(&daemon, "before").starts_with("HTTP/1.1 401 "));
    let ballast = fill(&disk);
    for _ in 0..3 {
        let refused = login(&daemon, "refused");
        assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
        assert!(refused.to_lowercase().contains("\r\nretry-after: "), "{refused}");
        assert!(
            refused.contains(r#""code":"storage_unavailable""#) && !refused.contains("disk"),
            "{refused}"
        );
    }
    assert_eq!(daemon.ask("GET /readyz", "", "").0, 503);
    assert_eq!(daemon.ask("GET /healthz", "", "").0, 200, "a restart would mend nothing");
    fs::remove_file(ballast).unwrap();
    assert!(login(&daemon, "after").starts_with("HTTP/1.1 401 "));
    // What stands on that disk, as after a failure of power.
    let copy = shell.world.folder.join("copy");
    fs::create_dir(&copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o700)).unwrap();
    for name in ["authd.db", "authd.db-wal", "authd.key"] {
        fs::copy(disk.join(name), copy.join(name)).unwrap();
        fs::set_permissions(copy.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(shell.line("audit verify --database copy/authd.db").code, 0);
    assert_eq!(shell.line("db check --database copy/authd.db").code, 0);
    let log = shell.line("audit tail -n 100 -o json --database copy/authd.db").out;
    assert!(log.contains("before@example.com") && log.contains("after@example.com"), "{log}");
    assert!(!log.contains("refused@example.com"), "{log}");
}
