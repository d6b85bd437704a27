//! The tours of README.md and docs/tour.md, run as they stand there: every `sh` block, in order, against the
//! real daemon, and what they say comes out must come out.

use crate::database::worlds;
use crate::missing::is_there;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Stdio};

const README: &str = "README.md";
const TOUR: &str = "A short tour";
const LONG_TOUR: &str = "docs/tour.md";

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `authd serve` in `folder`; gives the lines that it says until it listens.
fn serve(folder: &Path) -> (Daemon, Vec<String>) {
    let mut child = worlds::command(env!("CARGO_BIN_EXE_authd"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .current_dir(folder)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let mut lines = Vec::new();
    for line in said.lines().map(Result::unwrap) {
        lines.push(line);
        if lines.last().is_some_and(|line| line.starts_with("listening on ")) {
            break;
        }
    }
    (Daemon(child), lines)
}

/// The blocks of a page's section that are fenced as `language`.
fn blocks(page: &str, section: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let heading = format!("{section}\n");
    let section =
        text.split("\n## ").find(|part| part.starts_with(&heading)).expect("the page has the section");
    // Between two fences is a block, then text, then a block.
    let fenced = section.split("\n```").skip(1).step_by(2);
    let blocks = fenced.filter_map(|block| block.split_once('\n').filter(|(of, _)| *of == language));
    blocks.map(|(_, lines)| lines.to_owned()).collect()
}

/// What the README's tour begins with: where the programs are, and short names for what comes often.
fn shorthands() -> Vec<String> {
    let mut lines = blocks(README, TOUR, "sh");
    lines.truncate(1);
    lines
}

/// A folder as a fresh clone is, with the daemon running in it; gives what the daemon said, too.
struct Clone {
    folder: tempfile::TempDir,
    said: Vec<String>,
    _daemon: Daemon,
}

impl Clone {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let programs = folder.path().join("target/quick");
        fs::create_dir_all(&programs).unwrap();
        for name in ["authd", "authctl"] {
            symlink(env!("CARGO_BIN_EXE_authd"), programs.join(name)).unwrap();
        }
        let (daemon, said) = serve(folder.path());
        Self { folder, said, _daemon: daemon }
    }

    fn address(&self) -> &str {
        self.said
            .last()
            .and_then(|line| line.strip_prefix("listening on "))
            .expect("it says where it listens")
    }

    /// Types these lines; gives what comes out.
    fn type_in(&self, lines: &[String]) -> String {
        let script =
            format!("set -eu\n{}", lines.join("\n").replace("http://127.0.0.1:8080", self.address()));
        let mut command = worlds::command("bash");
        let run = command.args(["-c", &script]).current_dir(self.folder.path()).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success(), "{out}\n{err}");
        out.into_owned()
    }
}

fn assert_said(out: &str, expected: &[&str]) {
    for text in expected {
        assert!(out.contains(text), "{text} does not come out:\n{out}");
    }
}

#[test]
fn the_short_tour_runs_as_it_stands() {
    if !is_there("bash") || !is_there("curl") {
        return;
    }
    let clone = Clone::new();
    let here = clone.folder.path().to_str().unwrap();
    let said = clone
        .said
        .join("\n")
        .replace(here, "/home/you/authd")
        .replace(clone.address(), "http://127.0.0.1:8080");
    assert_eq!(said, blocks(README, TOUR, "")[0], "what the daemon says at its start");
    let out = clone.type_in(&blocks(README, TOUR, "sh"));
    assert_said(
        &out,
        &[
            "{\"status\":\"verification_sent\"}\nid ",
            "Confirm your e-mail address",
            r#""email_verified":true"#,
            "curl/",
            "\nInvalid token\nseq ",
            "EmailVerified",
            "LoginSucceeded",
            "LoggedOutEverywhere",
            "sessions=1",
        ],
    );
}

#[test]
fn sessions_and_roles_run_as_they_stand() {
    if !is_there("bash") || !is_there("curl") {
        return;
    }
    let clone = Clone::new();
    let mut lines = blocks(README, TOUR, "sh");
    lines.extend(blocks(LONG_TOUR, "Sessions and roles", "sh"));
    let out = clone.type_in(&lines);
    assert_said(
        &out,
        &[
            "\nauthd_rt_",
            "\ninvalid_token\ninvalid_token\n",
            "\n200\n403\nseq ",
            "RoleCreated",
            "RoleAssigned",
            "RoleUnassigned",
            "role=editor",
        ],
    );
}

#[test]
fn accounts_run_as_they_stand() {
    if !is_there("oathtool") {
        return;
    }
    if !is_there("bash") || !is_there("curl") {
        return;
    }
    let clone = Clone::new();
    let mut lines = shorthands();
    lines.extend(blocks(LONG_TOUR, "Accounts", "sh"));
    let out = clone.type_in(&lines);
    let refused = format!("{}too_many_attempts\n", "invalid_credentials\n".repeat(5));
    assert_said(
        &out,
        &[
            r#"{"recovery_codes":["#,
            "enabled              true",
            "recovery_codes_left  10",
            &refused,
            "AccountLocked",
            "why=too_many_attempts",
            "UserUnlocked",
        ],
    );
}

#[test]
fn operating_it_runs_as_it_stands() {
    if !is_there("bash") || !is_there("curl") {
        return;
    }
    let clone = Clone::new();
    let mut lines = shorthands();
    lines.extend(blocks(LONG_TOUR, "Operating it", "sh"));
    let out = clone.type_in(&lines);
    assert_said(
        &out,
        &[
            "+ role editor  permissions: posts:read, posts:write",
            "?token=authd_pr_",
            "authd_key_",
            "ann@example.com",
            "verifying",
            "audit_head",
            "ok     true\nlines  ",
            "eyJ",
            "signing_key",
        ],
    );
    let made = |name: &str| fs::metadata(clone.folder.path().join(name)).unwrap().len() > 0;
    assert!(made("users.jsonl") && made("ann.png") && made("yesterday.db"));
}

#[test]
fn every_section_of_the_long_tour_is_run() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(LONG_TOUR)).unwrap();
    let sections: Vec<&str> = text.split("\n## ").skip(1).filter_map(|part| part.lines().next()).collect();
    assert_eq!(sections, ["Sessions and roles", "Accounts", "Operating it"], "the tests above run these");
}
