//! Who the audit log says has done it: the user who ran the command, whatever the environment says.

use super::{Shell, said};
use crate::missing::is_root;
use authd::cli::operator::login_name;
use rustix::fs::{Mode, chmod};
use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;

/// A user that this machine has no name for, as in a container.
const STRANGER: u32 = 54_321;

/// Runs a change and gives the actor that its line names.
fn actor(shell: &Shell, uid: Option<u32>, environment: &[(&str, &str)]) -> String {
    let before = shell.world.audit().len();
    let name = format!("role-{before}");
    let mut command = shell.command(&["role", "add", &name]);
    command.envs(environment.iter().copied());
    if let Some(uid) = uid {
        command.uid(uid).gid(uid);
    }
    let ran = said(command);
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut lines = shell.world.audit();
    assert_eq!(lines.len(), before + 1);
    lines.pop().unwrap().actor
}

#[test]
fn the_one_behind_sudo_is_the_actor_for_root_alone() {
    let shell = Shell::new();
    let expected = if is_root() { "operator:olga".to_owned() } else { format!("operator:{}", login_name()) };
    assert_eq!(actor(&shell, None, &[("SUDO_USER", "olga")]), expected);
}

#[test]
fn nobody_takes_another_name_by_the_environment() {
    let forged = [("SUDO_USER", "eve"), ("LOGNAME", "eve"), ("USER", "eve"), ("SUDO_UID", "0")];
    let shell = Shell::new();
    if !is_root() {
        assert_eq!(actor(&shell, None, &forged), format!("operator:{}", login_name()));
        return;
    }
    assert_eq!(actor(&shell, None, &forged[1..]), "operator:root");
    chown(&shell.world.folder, Some(STRANGER), Some(STRANGER)).unwrap();
    for entry in fs::read_dir(&shell.world.folder).unwrap() {
        std::os::unix::fs::lchown(entry.unwrap().path(), Some(STRANGER), Some(STRANGER)).unwrap();
    }
    let program = shell.world.folder.join("authctl");
    fs::remove_file(&program).unwrap();
    // Where the build stands may be closed to others.
    fs::copy(env!("CARGO_BIN_EXE_authd"), &program).unwrap();
    chmod(&program, Mode::from_raw_mode(0o755)).unwrap();
    assert_eq!(actor(&shell, Some(STRANGER), &forged), "operator:uid:54321");
}
