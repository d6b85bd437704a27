//! `install.sh` on machines that lack what builds authd: it asks whether to install that, or says what to do.
//! The machines are folders of stand-ins for apt, cargo and the like.

use crate::missing::is_there;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// As cargo is: `build` leaves a program where it is told to.
const CARGO: &str = r#"#!/bin/sh
case $1 in
--version) echo "cargo 1.99.0 (stand-in)" ;;
build)
    mkdir -p "target/$3"
    printf '#!/bin/sh\necho "the program of profile %s: $*"\n' "$3" >"target/$3/authd"
    chmod 755 "target/$3/authd"
    ;;
esac
"#;

/// As apt-get is: notes what it was asked for; what it installs is there afterwards.
const APT_GET: &str = r#"#!/bin/sh
echo "apt-get $*" >>"$MACHINE/asked"
case " $* " in *" install "*) ;; *) exit 0 ;; esac
case " $* " in *" gcc "*) ln -s /bin/true "$MACHINE/bin/gcc" ;; esac
case " $* " in *" cargo"* | *" rustup "*) ln -sf "$MACHINE/cargo" "$MACHINE/bin/cargo" ;; esac
case " $* " in *" rustup "*) ln -sf "$MACHINE/rustup" "$MACHINE/bin/rustup" ;; esac
"#;

const RUSTUP: &str = "#!/bin/sh\necho \"rustup $*\" >>\"$MACHINE/asked\"\n";

/// A machine with the common tools, and a clone of the project on it.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(TempDir::new().unwrap());
        for folder in ["bin", "clone", "home"] {
            fs::create_dir(machine.path(folder)).unwrap();
        }
        for file in ["install.sh", "Cargo.toml"] {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            fs::copy(source, machine.path("clone").join(file)).unwrap();
        }
        for tool in ["basename", "cat", "chmod", "cut", "date", "dirname", "ln", "mkdir", "rm", "sed"] {
            let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool));
            symlink(found.iter().find(|path| path.exists()).unwrap(), machine.path("bin").join(tool))
                .unwrap();
        }
        machine.program("cargo", CARGO);
        machine.program("rustup", RUSTUP);
        machine.program("bin/id", "#!/bin/sh\necho 1000\n");
        machine
    }

    /// One of Debian's, as root: its packages are of these versions.
    fn debian(packages: &[(&str, &str)]) -> Self {
        let machine = Self::new();
        machine.program("bin/id", "#!/bin/sh\ncase $1 in -u) echo 0 ;; *) echo root ;; esac\n");
        machine.program("bin/apt-get", APT_GET);
        let cases: String = packages
            .iter()
            .map(|(name, version)| {
                format!("{name}) printf '{name}:\\n  Installed: (none)\\n  Candidate: {version}\\n' ;;\n")
            })
            .collect();
        machine.program("bin/apt-cache", &format!("#!/bin/sh\ncase $2 in\n{cases}esac\n"));
        machine
    }

    fn with(self, tool: &str, content: &str) -> Self {
        self.program(&format!("bin/{tool}"), content);
        self
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn program(&self, below: &str, content: &str) {
        fs::write(self.path(below), content).unwrap();
        fs::set_permissions(self.path(below), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn on(&self, mut command: Command) -> Command {
        command.env_clear().env("PATH", self.path("bin")).env("HOME", self.path("home"));
        command.env("MACHINE", self.0.path()).current_dir(self.path("clone"));
        command
    }

    /// Runs the script off a terminal; whether it went well, and all it said.
    fn script(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String) {
        let mut command = self.on(Command::new("/bin/sh"));
        command.arg("./install.sh").args(arguments).envs(environment.iter().copied());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    /// The same on a terminal, where somebody types an answer.
    fn answered(&self, answer: &str) -> (bool, String) {
        let typed = self.path("typed");
        fs::write(&typed, answer).unwrap();
        let mut command = self.on(Command::new("/usr/bin/script"));
        command.args(["-qec", "/bin/sh ./install.sh --run", "/dev/null"]).env("SHELL", "/bin/sh");
        let output = command.stdin(Stdio::from(fs::File::open(typed).unwrap())).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    }

    /// What was asked of apt-get and rustup; the certificates come along where this machine has none.
    fn asked(&self) -> Vec<String> {
        let asked = fs::read_to_string(self.path("asked")).unwrap_or_default();
        asked.lines().map(|line| line.replace(" ca-certificates", "")).collect()
    }
}

fn install(packages: &str) -> String {
    format!("apt-get install -y -qq --no-remove --no-install-recommends {packages}")
}

const NEW: &[(&str, &str)] = &[("cargo", "0.66.0+ds1-1"), ("cargo-web", "1.96.0+dfsg1-1~deb12u2")];

#[test]
fn debians_own_compiler_is_installed_where_it_is_new_enough() {
    let machine = Machine::debian(NEW);
    let (ok, said) = machine.script(&["--yes", "--run", "--listen", "127.0.0.1:1"], &[]);
    assert!(ok, "{said}");
    assert_eq!(machine.asked(), ["apt-get update -qq", &install("gcc libc6-dev cargo-web rustc-web")]);
    let said = said.replace(" ca-certificates", "");
    for line in [
        "installing: apt-get install gcc libc6-dev cargo-web rustc-web",
        "installed gcc libc6-dev cargo-web rustc-web; apt-get remove takes them away again",
        "built in 0 min",
        "the program of profile quick: serve --listen 127.0.0.1:1",
    ] {
        assert!(said.contains(line), "{line} is not said:\n{said}");
    }
    // The second time nothing is missing.
    assert!(machine.script(&["--run"], &[]).0);
    assert_eq!(machine.asked().len(), 2);
}

#[test]
fn else_rustup_fetches_one() {
    let machine = Machine::debian(&[("cargo", "1.85.0+dfsg3-1"), ("rustup", "1.27.1-3")])
        .with("cc", "#!/bin/sh\n")
        .with("cargo", "#!/bin/sh\necho cargo 1.85.1\n");
    let (ok, said) = machine.script(&["--yes", "--run"], &[]);
    assert!(ok && said.contains("installed rustup and Rust (stable)"), "{said}");
    assert_eq!(
        machine.asked(),
        ["apt-get update -qq", &install("rustup"), "rustup set profile minimal", "rustup default stable"]
    );
}

#[test]
fn a_system_without_either_is_told_of() {
    let machine = Machine::debian(&[("cargo", "1:1.75.0")]);
    let (ok, said) = machine.script(&["--yes"], &[]);
    assert!(
        !ok && said.contains("have neither Rust 1.95 nor rustup") && said.contains("rustup.rs"),
        "{said}"
    );
    assert_eq!(machine.asked(), ["apt-get update -qq"]);
}

#[test]
fn off_a_terminal_nothing_is_installed_unasked() {
    let machine = Machine::debian(NEW);
    let (ok, said) = machine.script(&[], &[]);
    assert!(!ok && said.contains("./install.sh --yes"), "{said}");
    let (ok, said) = machine.with("cargo", CARGO).script(&[], &[]);
    assert!(!ok && said.contains("a C compiler") && said.contains("./install.sh --yes"), "{said}");
    // Whoever isn't root couldn't.
    let other = Machine::debian(NEW).with("id", "#!/bin/sh\necho 1000\n");
    let (ok, said) = other.script(&["--yes"], &[]);
    assert!(!ok && said.contains("https://rustup.rs") && !said.contains("--yes"), "{said}");
    assert_eq!(other.asked(), [""; 0]);
}

#[test]
fn on_a_terminal_it_asks() {
    if !is_there("script") {
        return;
    }
    let machine = Machine::debian(NEW);
    let (ok, said) = machine.answered("n\n");
    assert!(
        !ok && said.contains("a C compiler and Rust 1.95 or newer. Install it with apt-get? [Y/n]"),
        "{said}"
    );
    assert!(said.contains("cargo, which builds authd, is not installed"), "{said}");
    assert_eq!(machine.asked(), [""; 0]);
    let (ok, said) = machine.answered("\n");
    assert!(ok && said.contains("the program of profile quick: serve"), "{said}");
    assert_eq!(machine.asked().len(), 2);
}

#[test]
fn with_sudo_the_cargo_of_who_called_it_is_the_one() {
    let machine = Machine::debian(NEW);
    let home = machine.path("home");
    machine.program("bin/getent", &format!("#!/bin/sh\necho you:x:1000:1000::{}:/bin/sh\n", home.display()));
    fs::create_dir_all(machine.path("home/.cargo/bin")).unwrap();
    machine.program("home/.cargo/bin/cargo", CARGO);
    // Root's own home is another.
    let (ok, said) = machine.script(&["--yes"], &[("SUDO_USER", "you"), ("HOME", "/nonexistent")]);
    assert!(!ok && said.contains("as you, without sudo"), "{said}");
    assert_eq!(machine.asked(), [""; 0]);
}

#[test]
fn an_old_compiler_is_named() {
    let machine = Machine::new().with("cc", "#!/bin/sh\n").with("cargo", "#!/bin/sh\necho cargo 1.70.0\n");
    let (ok, said) = machine.script(&[], &[]);
    assert!(!ok && said.contains("Rust 1.95 or newer is needed, this is 1.70"), "{said}");
    assert!(said.contains("rustup update"), "{said}");
}
