//! The tour in README.md, run as it stands there: every `sh` block of it, in order, against the real
//! daemon, and what it says comes out must come out.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `authd serve` in `folder`; gives the lines that it says until it listens.
fn serve(folder: &Path) -> (Daemon, Vec<String>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_authd"))
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

/// The blocks of the tour that are fenced as `language`.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let tour = readme.split("\n## ").find(|part| part.starts_with("A tour")).expect("README has a tour");
    let parts: Vec<&str> = tour.split("\n```").collect();
    let fenced = parts.iter().filter_map(|part| part.strip_prefix(&format!("{language}\n")));
    fenced.map(str::to_owned).collect()
}

#[test]
fn the_tour_runs_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let programs = folder.path().join("target/release");
    fs::create_dir_all(&programs).unwrap();
    for name in ["authd", "authctl"] {
        symlink(env!("CARGO_BIN_EXE_authd"), programs.join(name)).unwrap();
    }
    let (_daemon, said) = serve(folder.path());
    let address = said.last().and_then(|line| line.strip_prefix("listening on ")).expect("it listens").to_owned();
    let here = folder.path().to_str().unwrap();
    let said = said.join("\n").replace(here, "/home/you/authd").replace(&address, "http://127.0.0.1:8080");
    assert_eq!(said, blocks("")[0], "what the daemon says at its start");
    let script = blocks("sh").join("\n");
    assert!(script.lines().count() > 15, "the tour is there: {script}");
    let script = format!("set -eu\n{}", script.replace("http://127.0.0.1:8080", &address));
    let run = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{out}\n{err}");
    for expected in [
        r#"{"status":"verification_sent"}"#,
        "Confirm your e-mail address",
        r#""email_verified":true"#,
        "authd_rt_",
        "invalid_token\ninvalid_token\n",
        "curl/",
        "\nInvalid token\nseq ",
        "RoleAssigned",
        "LoggedOutEverywhere",
        "sessions=1",
    ] {
        assert!(out.contains(expected), "{expected} does not come out:\n{out}\n{err}");
    }
}
