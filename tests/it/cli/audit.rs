//! `audit tail`: the newest lines, a stream that follows, and what ends it.

use super::{Shell, json};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

fn follow(shell: &Shell, args: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut command = shell.command(&[&["audit", "tail", "-f"], args].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
}

fn next(out: &mut impl BufRead) -> String {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    line
}

#[test]
fn the_newest_lines_oldest_first() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &["admin"]);
    assert_eq!(
        shell.shown("audit tail -n 2"),
        "\
seq  at                    event         actor          user_id                               ip  details
3    0000-00-00T00:00:00Z  UserCreated   operator:olga  00000000-0000-0000-0000-000000000001
4    0000-00-00T00:00:00Z  RoleAssigned  operator:olga  00000000-0000-0000-0000-000000000001      role=admin
"
    );
    let lines = shell.line("audit tail -o json").out;
    let last = json(lines.lines().last().unwrap());
    assert_eq!((&last["event"], &last["details"]["role"]), (&"RoleAssigned".into(), &"admin".into()));
    assert_eq!(shell.line("audit tail -q").out, "1\n2\n3\n4\n");
    assert_eq!(shell.shown("audit tail -n 1 -o tsv").lines().count(), 2);
}

#[test]
fn filters_by_event_user_and_time() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &["admin"]);
    shell.world.add_user("bob@example.com", &[]);
    let count = |line: &str| shell.line(line).out.lines().count();
    assert_eq!(count("audit tail -q --event UserCreated"), 2);
    assert_eq!(count("audit tail -q --user ann@example.com"), 2);
    assert_eq!(count("audit tail -q --since 2000-01-01T00:00:00Z"), 5);
    assert_eq!(count("audit tail -q --since 2099-01-01T00:00:00Z"), 0);
    // The database was made at the world's own, fixed time.
    assert_eq!(count("audit tail -q --event UserCreated --since 1h"), 2);
    assert_eq!(shell.line("audit tail --user nobody@example.com").code, 3);
}

#[test]
fn a_stream_shows_what_happens_and_ends_quietly_when_its_reader_goes() {
    let shell = Shell::new();
    let (child, mut out) = follow(&shell, &["-n", "1", "-o", "json"]);
    assert_eq!(json(&next(&mut out))["event"], "SigningKeyCreated");
    shell.world.add_user("ann@example.com", &[]);
    assert_eq!(json(&next(&mut out))["event"], "UserCreated");
    shell.line("user disable ann@example.com");
    assert_eq!(json(&next(&mut out))["event"], "UserDisabled");
    // Nobody reads any more: that is the end, though nothing happens that could be written.
    drop(out);
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}

#[test]
fn an_interrupted_stream_is_no_failure() {
    let shell = Shell::new();
    for signal in [Signal::INT, Signal::TERM] {
        let (child, mut out) = follow(&shell, &["-n", "1"]);
        let header = next(&mut out);
        assert!(header.starts_with("seq    at "), "{header}");
        kill_process(Pid::from_child(&child), signal).unwrap();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()), "{signal:?}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let shell = Shell::new();
    for i in 0..20 {
        shell.world.add_user(&format!("user{i}@example.com"), &[]);
    }
    // `true` reads nothing; the exit codes come by stderr.
    let script = "{ ./authctl audit tail -n 1000 -o tsv; echo $? >&2; } | true; \
                  { ./authctl user list --help; echo $? >&2; } | true";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script]).current_dir(&shell.world.folder).env_clear().envs(super::environment());
    let said = super::said(command);
    assert_eq!(said.err, "0\n0\n");
}
