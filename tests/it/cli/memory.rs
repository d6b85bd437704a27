//! What is in the daemon's memory, keys and passwords, stays there when it dies.

use super::Shell;
use super::serve::Daemon;
use rustix::process::{Resource, Rlimit, Signal, prlimit};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

#[test]
fn a_daemon_that_dies_leaves_no_core_file() {
    let shell = Shell::new();
    let mut command = Command::new("sh");
    let line = "ulimit -c unlimited 2>/dev/null; exec ./authctl serve --listen 127.0.0.1:0";
    command.args(["-c", line]).current_dir(&shell.world.folder).stdin(Stdio::null());
    command.env_clear().envs(shell.environment());
    let daemon = Daemon::of(command);
    let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.pid().as_raw_nonzero())).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"]);
    // Who may, lifts the limit again: it is no process to be dumped, either.
    let unlimited = Rlimit { current: None, maximum: None };
    let _ = prlimit(Some(daemon.pid()), Resource::Core, unlimited);
    let (status, said) = daemon.end(Signal::QUIT);
    assert_eq!((status.signal(), status.core_dumped()), (Some(Signal::QUIT.as_raw()), false), "{said}");
    let files = fs::read_dir(&shell.world.folder).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(files.filter(|name| name.to_str().unwrap().starts_with("core")).count(), 0);
}
