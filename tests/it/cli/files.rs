//! Files that commands read and write: one exit code for each thing that can be wrong with one, whichever
//! command it is.

use super::{Said, Shell, said};
use crate::missing::is_root;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;

/// Every argument that names a file to be read: the command line, with FILE for its name.
const READING: [&str; 9] = [
    "user add bob@example.com --password-file FILE",
    "user passwd ann@example.com --password-file FILE",
    "import FILE --format jsonl",
    "import FILE --format csv",
    "import FILE --format htpasswd --domain example.com",
    "import users.json --format firebase --firebase-config FILE",
    "apply FILE",
    "apply FILE --dry-run",
    "db restore FILE --yes",
];

/// Every argument that names a file to be made.
const MAKING: [&str; 4] = [
    "totp enroll ann@example.com --pending --qr-png FILE",
    "totp enroll ann@example.com --pending --qr-svg FILE",
    "db backup FILE",
    "config init --config FILE",
];

/// A folder with what stands in the command lines.
fn shell() -> Shell {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    fs::write(shell.world.folder.join("users.json"), "{}").unwrap();
    fs::create_dir(shell.world.folder.join("folder")).unwrap();
    shell
}

fn told(said: &Said, code: i32, word: &str, line: &str) {
    assert_eq!((said.code, said.out.as_str()), (code, ""), "{line}: {said:?}");
    assert!(said.err.starts_with(&format!("authctl: {word}: ")), "{line}: {said:?}");
    assert!(said.err.contains("; "), "it says what to do: {line}: {said:?}");
}

#[test]
fn a_missing_file_is_3_and_a_folder_in_its_place_2() {
    let shell = shell();
    for command in READING {
        let line = command.replace("FILE", "none.txt");
        told(&shell.line(&line), 3, "not_found", &line);
        let line = command.replace("FILE", "users.json/none.txt");
        told(&shell.line(&line), 3, "not_found", &line);
        let line = command.replace("FILE", "folder");
        told(&shell.line(&line), 2, "usage", &line);
    }
    for line in
        ["config check --config none.toml", "config show --config none.toml", "user list --config none.toml"]
    {
        told(&shell.line(line), 3, "not_found", line);
    }
    let mut by_environment = shell.command(&["config", "check"]);
    by_environment.env("AUTHD_CONFIG", "none.toml");
    told(&said(by_environment), 3, "not_found", "AUTHD_CONFIG");
    told(&shell.line("user list --database none.db"), 3, "not_found", "--database");
    fs::rename(shell.world.folder.join("authd.key"), shell.world.folder.join("elsewhere")).unwrap();
    told(&shell.line("user list"), 3, "not_found", "the key file");
}

#[test]
fn a_file_that_may_not_be_read_is_77() {
    if !is_root() {
        return;
    }
    let shell = shell();
    fs::write(shell.world.folder.join("secret.txt"), "secret").unwrap();
    fs::set_permissions(shell.world.folder.join("secret.txt"), Permissions::from_mode(0o600)).unwrap();
    // All else is nobody's.
    for entry in fs::read_dir(&shell.world.folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("secret.txt") {
            std::os::unix::fs::lchown(path, Some(65534), Some(65534)).unwrap();
        }
    }
    chown(&shell.world.folder, Some(65534), Some(65534)).unwrap();
    let program = shell.world.folder.join("program");
    // By another process: what this one or a child of it has open to write to can't be run.
    let mut copy = std::process::Command::new("cp");
    assert!(copy.arg(env!("CARGO_BIN_EXE_authd")).arg(&program).status().unwrap().success());
    for command in READING.iter().chain(&["config check --config FILE"]) {
        let line = command.replace("FILE", "secret.txt");
        let mut command = std::process::Command::new(&program);
        command.arg0("authctl").args(line.split(' ')).current_dir(&shell.world.folder);
        command.env_clear().envs(shell.environment()).uid(65534).gid(65534);
        told(&said(command), 77, "permission", &line);
    }
}

#[test]
fn a_file_that_is_there_already_is_4_and_one_that_can_not_be_made_69() {
    let shell = shell();
    for command in MAKING {
        let line = command.replace("FILE", "users.json");
        told(&shell.line(&line), 4, "already_exists", &line);
        let line = command.replace("FILE", "nowhere/new");
        told(&shell.line(&line), 69, "storage_unavailable", &line);
    }
    assert_eq!(fs::read_to_string(shell.world.folder.join("users.json")).unwrap(), "{}");
}
