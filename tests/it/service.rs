//! authd as a service of systemd: what `install.sh --system` sets up, and what the unit lets the daemon do.

use crate::database::worlds;
use crate::missing::is_there;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// The root of a machine, below which everything is set up.
struct Root(TempDir);

impl Root {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn script(&self, arguments: &[&str]) -> Output {
        let mut command = worlds::command("sh");
        command.arg(Path::new(PROJECT).join("install.sh")).args(["--system", "--root"]).arg(self.0.path());
        command.args(arguments).env("INSTALL_BINARY", env!("CARGO_BIN_EXE_authd")).env_remove("DESTDIR");
        command.output().unwrap()
    }

    /// What the script said; it must succeed.
    fn set_up(&self) -> String {
        let output = self.script(&[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        said
    }

    fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
    }

    fn mode(&self, below: &str) -> u32 {
        fs::metadata(self.path(below)).unwrap().permissions().mode() & 0o7777
    }
}

#[test]
fn a_service_is_set_up_with_a_key_that_is_nobody_elses() {
    let root = Root::new();
    let said = root.set_up();
    assert!(said.contains("systemctl enable --now authd"), "{said}");
    assert_eq!(root.mode("var/lib/authd"), 0o700);
    assert_eq!(root.mode("etc/authd/authd.key"), 0o600);
    assert_eq!(root.mode("etc/authd/authd.toml"), 0o644);
    let key = root.read("etc/authd/authd.key");
    assert!(key.len() == 65 && key.trim().bytes().all(|c| c.is_ascii_hexdigit()), "{key:?}");
    let unit = root.read("etc/systemd/system/authd.service");
    assert!(unit.contains("ExecStart=/usr/local/bin/authd serve --config /etc/authd/authd.toml\n"), "{unit}");
    let other = Root::new();
    other.set_up();
    assert_ne!(other.read("etc/authd/authd.key"), key);
}

#[test]
fn the_key_is_one_that_the_daemon_takes() {
    let root = Root::new();
    root.set_up();
    let config = format!(
        "database = '{}'\nkey_file = '{}'",
        root.path("var/lib/authd/authd.db").display(),
        root.path("etc/authd/authd.key").display()
    );
    fs::write(root.path("authd.toml"), config).unwrap();
    let mut init = worlds::command(root.path("usr/local/bin/authctl"));
    let init = init.arg("--config").arg(root.path("authd.toml")).args(["db", "init"]).output().unwrap();
    assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
    // What root makes in the service's folder is the service's.
    let owner = |below: &str| fs::metadata(root.path(below)).unwrap().uid();
    assert_eq!(owner("var/lib/authd/authd.db"), owner("var/lib/authd"));
}

#[test]
fn setting_it_up_again_keeps_configuration_key_and_data() {
    let root = Root::new();
    root.set_up();
    fs::write(root.path("etc/authd/authd.toml"), "listen = '127.0.0.1:9'\n").unwrap();
    fs::write(root.path("var/lib/authd/authd.db"), "data").unwrap();
    fs::write(root.path("etc/systemd/system/authd.service"), "an old one").unwrap();
    let key = root.read("etc/authd/authd.key");
    root.set_up();
    assert_eq!(root.read("etc/authd/authd.toml"), "listen = '127.0.0.1:9'\n");
    assert_eq!(root.read("etc/authd/authd.key"), key);
    assert_eq!(root.read("var/lib/authd/authd.db"), "data");
    assert!(root.read("etc/systemd/system/authd.service").contains("Type=notify"), "the unit is the new one");

    let removed = root.script(&["--uninstall"]);
    let said = String::from_utf8(removed.stderr).unwrap();
    assert!(removed.status.success() && said.contains("left as they were"), "{said}");
    assert!(!root.path("usr/local/bin/authd").exists());
    assert!(!root.path("etc/systemd/system/authd.service").exists());
    assert_eq!(root.read("etc/authd/authd.key"), key);
    assert_eq!(root.read("var/lib/authd/authd.db"), "data");
}

#[test]
fn no_new_key_is_made_for_an_old_database() {
    let root = Root::new();
    root.set_up();
    fs::write(root.path("var/lib/authd/authd.db"), "data").unwrap();
    fs::remove_file(root.path("etc/authd/authd.key")).unwrap();
    let output = root.script(&[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("Bring it back from the backup"), "{said}");
    assert!(!root.path("etc/authd/authd.key").exists());
}

#[test]
fn every_line_of_the_installed_configuration_is_right() {
    let installed = fs::read_to_string(Path::new(PROJECT).join("data/authd.toml")).unwrap();
    let uncommented: String = installed
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key) if !key.starts_with(' ') => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("authd.toml");
    for text in [&installed, &uncommented] {
        fs::write(&config, text).unwrap();
        let mut shown = Command::new(env!("CARGO_BIN_EXE_authd"));
        let shown = shown
            .args(["config", "show", "-o", "tsv", "--config"])
            .arg(&config)
            .env_clear()
            .output()
            .unwrap();
        let settings = String::from_utf8(shown.stdout).unwrap();
        assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
        assert!(settings.contains("database\t/var/lib/authd/authd.db\t"), "{settings}");
        assert!(settings.contains("key_file\t/etc/authd/authd.key\t"), "{settings}");
        // Or whoever is behind a proxy on this machine would be one network.
        assert!(settings.contains("127.0.0.0/8") && settings.contains("::1/128"), "{settings}");
    }
}

#[test]
fn the_units_are_sound_and_let_the_daemon_do_little() {
    if !is_there("systemd-analyze") {
        return;
    }
    // The program stands where the tests have built it.
    let folder = TempDir::new().unwrap();
    for name in ["authd.service", "authd.socket"] {
        let unit = fs::read_to_string(Path::new(PROJECT).join("data/systemd").join(name)).unwrap();
        fs::write(folder.path().join(name), unit.replace("/usr/bin/authd", env!("CARGO_BIN_EXE_authd")))
            .unwrap();
    }
    let analyze = |arguments: &[&str], units: &[&str]| {
        let mut command = Command::new("systemd-analyze");
        command.args(arguments).args(units.iter().map(|unit| folder.path().join(unit))).output().unwrap()
    };
    let verified = analyze(&["verify", "--man=no"], &["authd.service", "authd.socket"]);
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && said.is_empty(), "{said}");
    // In tenths: at most 2.0 of 10.
    let exposed = analyze(&["security", "--offline=true", "--threshold=20"], &["authd.service"]);
    assert!(exposed.status.success(), "{}", String::from_utf8_lossy(&exposed.stdout));
}
