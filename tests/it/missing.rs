//! What some tests need of the machine, other people's programs and rights: said loudly where it is not
//! there, and demanded where `tests/run` has promised it.

use std::io::Write;
use std::process::Command;

/// What `tests/run` has installed, or found: names of [`NEEDED`], separated by spaces.
const PROMISED: &str = "TESTS_PROMISED";

/// All that tests may lack: programs by their names, an SMTP server in Python, a PostgreSQL for the store
/// (see tests/postgres/run), the rights of root, and that to mount, which root lacks in most containers.
const NEEDED: [&str; 15] = [
    "bash",
    "curl",
    "fish",
    "mandoc",
    "mount",
    "oathtool",
    "postgres",
    "root",
    "rsvg-convert",
    "script",
    "smtp-server",
    "systemd-analyze",
    "unshare",
    "zbarimg",
    "zsh",
];

/// Says which test doesn't run for want of `what`; fails where that was promised.
pub fn missing(what: &str) {
    assert!(NEEDED.contains(&what), "tests/run promises no {what}");
    let promised = std::env::var(PROMISED).unwrap_or_default();
    assert!(
        !promised.split(' ').any(|name| name == what),
        "{what} is not there, which tests/run has promised"
    );
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Past the test harness, which keeps to itself what a test that passes prints.
    let said =
        format!("NOT RUN: {test}, for want of {what}; tests/run as root on Debian or Ubuntu has all\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap();
}

/// Whether a program is installed; says so where it is not.
pub fn is_there(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        missing(program);
    }
    there
}

/// Whether the tests have the rights of root; says so where they haven't.
pub fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        missing("root");
    }
    root
}

/// Whether the tests may mount, in a view of the machine of their own; says so where they may not.
pub fn can_mount() -> bool {
    if !is_root() || !is_there("unshare") {
        return false;
    }
    let tried =
        Command::new("unshare").args(["--mount", "mount", "-t", "tmpfs", "none", "/tmp"]).output().unwrap();
    if !tried.status.success() {
        missing("mount");
    }
    tried.status.success()
}

#[test]
fn all_that_may_be_missing_is_promised_somewhere() {
    let script = include_str!("../run");
    let line = script.lines().find_map(|line| line.strip_prefix("needed=")).unwrap();
    let mut names: Vec<&str> = line.trim_matches('"').split(' ').collect();
    names.sort_unstable();
    assert_eq!(names, NEEDED);
    assert!(script.contains(&format!("export {PROMISED}=")));
}
