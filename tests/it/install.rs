//! `install.sh`, with the program that the tests have built already, into a folder of its own.

use crate::database::worlds;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A prefix with a space in it, as homes have them.
struct Prefix(TempDir);

impl Prefix {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("a prefix")
    }

    fn script(&self, arguments: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh");
        let mut command = worlds::command("sh");
        command.arg(script).arg("--prefix").arg(self.path()).args(arguments).current_dir(self.0.path());
        command.env("INSTALL_BINARY", env!("CARGO_BIN_EXE_authd")).env_remove("DESTDIR").output().unwrap()
    }

    fn install(&self) {
        let output = self.script(&[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Every file and link, by its path below the prefix.
    fn files(&self) -> Vec<String> {
        let (root, mut found) = (self.path(), Vec::new());
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&root).unwrap().display().to_string());
                }
            }
        }
        found.sort();
        found
    }
}

#[test]
fn everything_is_installed_and_works() {
    let prefix = Prefix::new();
    prefix.install();
    let files = prefix.files();
    for wanted in [
        "bin/authd",
        "bin/authctl",
        "share/man/man1/authctl.1",
        "share/man/man5/authd.toml.5",
        "share/man/man8/authd.8",
        "share/bash-completion/completions/authctl",
        "share/zsh/site-functions/_authctl",
        "share/fish/vendor_completions.d/authctl.fish",
    ] {
        assert!(files.iter().any(|file| file == wanted), "{wanted} is missing of {files:#?}");
        let content = fs::metadata(prefix.path().join(wanted)).unwrap();
        assert!(content.len() > 0, "{wanted} is empty");
        assert_eq!(content.permissions().mode() & 0o022, 0, "{wanted} can be written by others");
    }
    let version = Command::new(prefix.path().join("bin/authctl")).arg("--version").output().unwrap();
    assert_eq!(
        String::from_utf8(version.stdout).unwrap().trim(),
        format!("authctl {}", env!("CARGO_PKG_VERSION"))
    );
    let completion =
        fs::read_to_string(prefix.path().join("share/bash-completion/completions/authctl")).unwrap();
    assert!(
        completion.contains("complete -F _authctl") && completion.contains("authctl"),
        "{completion:.200}"
    );
}

#[test]
fn installing_twice_is_installing_once() {
    let prefix = Prefix::new();
    prefix.install();
    let once = prefix.files();
    prefix.install();
    assert_eq!(prefix.files(), once);
}

#[test]
fn an_upgrade_removes_what_the_new_version_has_no_more() {
    let prefix = Prefix::new();
    prefix.install();
    let once = prefix.files();
    let list = prefix.path().join("share/authd/installed");
    fs::write(prefix.path().join("share/man/man1/authctl-old.1"), "old").unwrap();
    fs::write(&list, fs::read_to_string(&list).unwrap() + "share/man/man1/authctl-old.1\n").unwrap();
    prefix.install();
    assert_eq!(prefix.files(), once);
}

#[test]
fn uninstalling_removes_its_own_files_and_no_other() {
    let prefix = Prefix::new();
    prefix.install();
    fs::write(prefix.path().join("bin/other"), "x").unwrap();
    let outside = prefix.0.path().join("outside");
    fs::write(&outside, "x").unwrap();
    let list = prefix.path().join("share/authd/installed");
    fs::write(&list, fs::read_to_string(&list).unwrap() + "../outside\n").unwrap();
    assert!(prefix.script(&["--uninstall"]).status.success());
    assert_eq!(prefix.files(), ["bin/other"]);
    assert!(outside.exists());
    assert!(prefix.script(&["--uninstall"]).status.success(), "a second time there is nothing to do");
}

#[test]
fn what_is_missing_is_said_in_clear_words() {
    let folder = Prefix::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh");
    let run = |arguments: &[&str], path: &Path| {
        let mut command = Command::new("/bin/sh");
        command.arg(&script).args(arguments).env_clear().env("PATH", path).env("HOME", folder.0.path());
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    // A machine with the common tools, then one that has cargo too, and no C compiler.
    let bare = folder.0.path().join("bin");
    fs::create_dir_all(&bare).unwrap();
    for tool in ["dirname", "basename", "id", "sed", "cat", "rm"] {
        std::os::unix::fs::symlink(find(tool), bare.join(tool)).unwrap();
    }
    assert!(run(&[], &bare).contains("cargo, which builds authd, is not installed"));
    fs::write(bare.join("cargo"), "#!/bin/sh\necho cargo 1.99.0\n").unwrap();
    fs::set_permissions(bare.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(run(&[], &bare).contains("a C compiler"));
    assert!(run(&["--prefix"], &bare).contains("--prefix needs a folder"));
    assert!(run(&["--nonsense"], &bare).contains("--nonsense is no option"));
}

fn find(tool: &str) -> PathBuf {
    let folders = ["/usr/bin", "/bin"].map(Path::new);
    folders.iter().map(|folder| folder.join(tool)).find(|path| path.exists()).unwrap()
}
