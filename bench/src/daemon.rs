//! A daemon to be measured: started on a folder of its own, logging to a file as under a service manager.

use crate::Outcome;
use crate::client::Client;
use crate::seed::{Size, seed};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, DirBuilder, File};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a start may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with a configuration and a database.
#[derive(Clone, Debug)]
pub struct Place {
    pub authd: PathBuf,
    pub folder: PathBuf,
}

impl Place {
    /// The folder where a database of that size is kept from run to run, made where it isn't there.
    pub fn kept(authd: &Path, folder: &Path, size: Size) -> Outcome<Self> {
        let folder = folder.join(format!("seed-{}", size.users));
        seed(&folder, authd, size).map_err(|error| error.to_string())?;
        fs::write(folder.join("authd.toml"), config("authd.db"))?;
        Ok(Self { authd: fs::canonicalize(authd)?, folder: fs::canonicalize(folder)? })
    }

    /// A copy of the small database that nobody has used.
    pub fn fresh(authd: &Path, folder: &Path, name: &str) -> Outcome<Self> {
        Self::copied(authd, folder, name, Size::SMALL)
    }

    /// A copy of a database of that size that nobody has used.
    pub fn copied(authd: &Path, folder: &Path, name: &str, size: Size) -> Outcome<Self> {
        let (kept, folder) = (Self::kept(authd, folder, size)?, folder.join(name));
        let place = Self { folder: emptied(&folder)?, ..kept.clone() };
        for file in ["authd.db", "authd.key", "authd.toml"] {
            fs::copy(kept.folder.join(file), place.folder.join(file))?;
        }
        Ok(place)
    }

    /// A folder beside this one with the same key and a configuration of its own.
    pub fn beside(&self, name: &str, config: &str) -> Outcome<Self> {
        let place = Self { folder: emptied(&self.folder.with_file_name(name))?, ..self.clone() };
        fs::copy(self.folder.join("authd.key"), place.folder.join("authd.key"))?;
        place.configure(config)?;
        Ok(place)
    }

    pub fn configure(&self, config: &str) -> Outcome<()> {
        Ok(fs::write(self.folder.join("authd.toml"), config)?)
    }

    pub fn database(&self) -> PathBuf {
        self.folder.join("authd.db")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.authd);
        command.arg("--config").arg(self.folder.join("authd.toml")).args(arguments);
        command
    }

    /// Runs one of the operator's commands to its end.
    pub fn run(&self, arguments: &[&str]) -> Outcome<()> {
        let output = self.command(arguments).stdin(Stdio::null()).output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)).into())
    }

    /// Starts the daemon and waits for its first answer.
    pub fn serve(&self) -> Outcome<Daemon> {
        // Known beforehand, so that the first answer can be waited for from the start on.
        let address = free_address()?.to_string();
        let log = File::create(self.folder.join("log"))?;
        let begun = Instant::now();
        let mut command = self.command(&["serve", "--listen", &address]);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        let mut daemon = Daemon { process, address, started_in: Duration::ZERO };
        while !daemon.answers() {
            if begun.elapsed() > PATIENCE || daemon.process.try_wait()?.is_some() {
                let said = fs::read_to_string(self.folder.join("log"))?;
                return Err(format!("the daemon didn't start: {said}").into());
            }
        }
        daemon.started_in = begun.elapsed();
        Ok(daemon)
    }
}

/// The configuration for that database. All is authd's default but the rate limits, since every request comes
/// from one address; with a server the key file must be named.
pub fn config(database: &str) -> String {
    format!("database = \"{database}\"\nkey_file = \"authd.key\"\n\n[rate_limit]\nenabled = false\n")
}

/// An address that nobody listens on.
pub fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// An empty folder that is its owner's alone, by its whole path.
fn emptied(folder: &Path) -> Outcome<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    Ok(fs::canonicalize(folder)?)
}

#[derive(Debug)]
pub struct Daemon {
    process: Child,
    pub address: String,
    /// From exec to the first 200.
    pub started_in: Duration,
}

impl Daemon {
    fn answers(&self) -> bool {
        let Ok(mut client) = Client::connect(&self.address) else { return false };
        client.ask(b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n").is_ok_and(|answer| answer.status == 200)
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> Outcome<f64> {
        self.of_status("VmRSS:")
    }

    /// That of it which is no file's: heap and stacks.
    pub fn private(&self) -> Outcome<f64> {
        self.of_status("RssAnon:")
    }

    fn of_status(&self, field: &str) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("no such field")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
    }
}

impl Drop for Daemon {
    /// In order, so that the write-ahead log is folded back.
    fn drop(&mut self) {
        if let Some(id) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(id, Signal::TERM);
        }
        let _ = self.process.wait();
    }
}
