//! Which `authd.toml` counts: one in the current folder only where nobody else could have written it, and for
//! root, who comes into other people's folders, after the machine's.

use super::{Said, Shell, json};
use crate::database::worlds;
use crate::missing::{can_mount, is_root};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Stdio;

/// Nobody's, on all systems that the tests run on.
const OTHER: u32 = 65534;
const OURS: &str = "totp.issuer = 'ours'\n";

fn issuer(said: &Said) -> String {
    let settings = json(&said.out);
    let found = settings.as_array().unwrap().iter().find(|setting| setting["key"] == "totp.issuer").unwrap();
    found["value"].as_str().unwrap().to_owned()
}

/// A folder with a configuration in it, beside the world's; both are the tester's alone.
fn folder(shell: &Shell, name: &str) -> std::path::PathBuf {
    let folder = shell.world.folder.join(name);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("authd.toml"), OURS).unwrap();
    set_mode(&folder, 0o700);
    set_mode(&folder.join("authd.toml"), 0o644);
    folder
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn show(shell: &Shell, folder: &Path, args: &[&str]) -> Said {
    let mut command = shell.command(&[&["config", "show", "-o", "json"], args].concat());
    command.current_dir(folder);
    super::said(command)
}

fn assert_passed_over(shell: &Shell, folder: &Path, why: &str) {
    let said = show(shell, folder, &[]);
    assert_eq!((said.code, issuer(&said).as_str()), (0, "authd"), "{why}: {said:?}");
    assert!(said.err.contains("authd.toml was passed over") && said.err.contains(why), "{why}: {said:?}");
    assert_eq!(said.err.matches("warning").count(), 1, "{said:?}");
    let named = show(shell, folder, &["--config", "authd.toml"]);
    assert_eq!((issuer(&named).as_str(), named.err.as_str()), ("ours", ""), "who names it means it");
}

#[test]
fn a_configuration_that_others_could_have_written_is_passed_over() {
    let shell = Shell::new();
    let own = folder(&shell, "own");
    let said = show(&shell, &own, &[]);
    assert_eq!((issuer(&said).as_str(), said.err.as_str()), ("ours", ""));
    for (name, of_folder, of_file) in
        [("group", 0o770, 0o600), ("all", 0o777, 0o600), ("sticky", 0o1777, 0o600), ("file", 0o700, 0o664)]
    {
        let open = folder(&shell, name);
        set_mode(&open, of_folder);
        set_mode(&open.join("authd.toml"), of_file);
        assert_passed_over(&shell, &open, "chmod go-w");
    }
    // The next place is the machine's; the world has none.
    let check =
        shell.command(&["config", "check"]).current_dir(shell.world.folder.join("all")).output().unwrap();
    assert!(String::from_utf8(check.stderr).unwrap().contains("the configuration is right (no file)"));
}

#[test]
fn root_does_not_obey_the_file_of_whoever_owns_the_folder() {
    if !is_root() {
        return;
    }
    let shell = Shell::new();
    for (name, whose) in [("folder", ""), ("file", "authd.toml")] {
        let theirs = folder(&shell, name);
        chown(theirs.join(whose), Some(OTHER), Some(OTHER)).unwrap();
        assert_passed_over(&shell, &theirs, "belongs to");
    }
}

#[test]
fn for_root_the_machines_configuration_counts_first() {
    if !can_mount() {
        return;
    }
    let shell = Shell::new();
    let own = folder(&shell, "own");
    // In a view of the machine of its own, with another /etc.
    let script = "mount -t tmpfs none /etc && mkdir /etc/authd && \
                  echo \"totp.issuer = 'machine'\" > /etc/authd/authd.toml && exec \"$0\" config show -o json";
    let mut command = worlds::command("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(&shell.program).current_dir(&own).stdin(Stdio::null());
    let said = super::said(command);
    assert_eq!((said.code, issuer(&said).as_str(), said.err.as_str()), (0, "machine", ""), "{said:?}");
}
