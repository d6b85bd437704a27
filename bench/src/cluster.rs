//! A PostgreSQL server of the harness's own: made anew for each run, on the disk that is measured and a free
//! port of 127.0.0.1, as safe as authd demands, and gone with the harness.

use crate::Outcome;
use crate::daemon::{Place, config, free_address};
use crate::options::Options;
use crate::seed::Size;
use crate::session::Session;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// All else is PostgreSQL's default: `fsync` and `synchronous_commit` on above all.
const SETTINGS: [&str; 6] = [
    "--listen_addresses=127.0.0.1",
    "--unix_socket_directories=",
    "--logging_collector=off",
    "--max_connections=200",
    "--shared_buffers=256MB",
    // So that no load makes a checkpoint of its own.
    "--max_wal_size=2GB",
];

/// Who the server runs as where the harness is root, as which PostgreSQL won't run.
const ACCOUNT: &str = "postgres";

/// What keeps it, most likely, from making its data there.
const ADVICE: &str =
    "(as root: the account postgres must be let into the folder; CARGO_TARGET_DIR sets another)";

/// Who owns authd's databases, and may do nothing else.
const OWNER: &str = "authd";

/// How long a start may take before it counts as failed, and between two looks.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOKS_EVERY: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub struct Cluster {
    process: Child,
    folder: PathBuf,
    pub port: u16,
}

impl Cluster {
    /// Makes one by the programs of that folder, and starts it.
    pub fn start(programs: &Path, folder: &Path) -> Outcome<Self> {
        let folder = fs::canonicalize(folder)?.join("postgres");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir(&folder)?;
        if geteuid().is_root() {
            succeed(Command::new("chown").arg(format!("{ACCOUNT}:")).arg(&folder))?;
        }
        let data = folder.join("data");
        let mut make = as_account();
        make.arg(programs.join("initdb")).arg("--pgdata").arg(&data).current_dir(&folder);
        make.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
        succeed(&mut make).map_err(|error| format!("no cluster can be made: {error}{ADVICE}"))?;
        let (port, log) = (free_address()?.port(), File::create(folder.join("log"))?);
        // At once, however the harness ends.
        let mut serve = as_account();
        serve.arg("--pdeathsig=QUIT").arg(programs.join("postgres")).arg("-D").arg(&data);
        serve.arg(format!("--port={port}")).args(SETTINGS).current_dir(&folder);
        let process = serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        let mut cluster = Self { process, folder, port };
        cluster.wait()?;
        cluster.session("postgres")?.run(&format!("CREATE ROLE {OWNER} LOGIN"))?;
        Ok(cluster)
    }

    fn wait(&mut self) -> Outcome<()> {
        let begun = Instant::now();
        while let Err(error) = self.session("postgres") {
            if begun.elapsed() > PATIENCE || self.process.try_wait()?.is_some() {
                let said = fs::read_to_string(self.folder.join("log"))?;
                return Err(format!("PostgreSQL doesn't start: {error}\n{said}").into());
            }
            thread::sleep(LOOKS_EVERY);
        }
        Ok(())
    }

    /// A connection of the superuser's.
    pub fn session(&self, database: &str) -> Outcome<Session> {
        Session::connect(&url("postgres", self.port, database))
    }

    /// Where a database is for its owner.
    pub fn url(&self, database: &str) -> String {
        url_through(self.port, database)
    }

    /// Makes an empty database.
    pub fn create(&self, database: &str) -> Outcome<()> {
        self.session("postgres")?.run(&format!("CREATE DATABASE {database} OWNER {OWNER}"))
    }

    /// Copies a database that nobody is connected with.
    pub fn copy(&self, database: &str, copy: &str) -> Outcome<()> {
        self.session("postgres")?.run(&format!("CREATE DATABASE {copy} TEMPLATE {database} OWNER {OWNER}"))
    }

    pub fn remove(&self, database: &str) -> Outcome<()> {
        self.session("postgres")?.run(&format!("DROP DATABASE {database}"))
    }

    /// A place whose database is of this name on the server: a copy of the small one, moved there as
    /// operators move theirs.
    pub fn place(&self, options: &Options, name: &str) -> Outcome<Place> {
        let place = Place::copied(&options.authd, &options.folder, &format!("postgres-{name}"), Size::SMALL)?;
        self.create(name)?;
        place.run(&["db", "migrate-to", &self.url(name), "--yes"])?;
        place.configure(&config(&self.url(name)))?;
        self.settle(name)?;
        Ok(place)
    }

    /// What autovacuum would do within a minute, done now, so that it is in the way of neither side.
    pub fn settle(&self, database: &str) -> Outcome<()> {
        let session = self.session(database)?;
        session.run("VACUUM (ANALYZE)")?;
        session.run("CHECKPOINT")
    }

    /// What a row's figures depend on, for the head of the report.
    pub fn fact(&self) -> Outcome<String> {
        let session = self.session("postgres")?;
        let version: Vec<String> = session.column("SELECT current_setting('server_version')")?;
        session.run("CREATE TABLE one (n INTEGER); INSERT INTO one VALUES (0)")?;
        let (begun, mut commits) = (Instant::now(), 0);
        while begun.elapsed() < Duration::from_secs(1) {
            session.run("UPDATE one SET n = n + 1")?;
            commits += 1;
        }
        let rate = f64::from(commits) / begun.elapsed().as_secs_f64();
        session.run("DROP TABLE one")?;
        Ok(format!("PostgreSQL {}, `fsync` on, one row a commit: {rate:.0} commits/s", version.concat()))
    }
}

impl Drop for Cluster {
    /// In order, without waiting for whoever is connected.
    fn drop(&mut self) {
        if let Some(id) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(id, Signal::INT);
        }
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Where a database is for its owner, by way of that port.
pub fn url_through(port: u16, database: &str) -> String {
    url(OWNER, port, database)
}

fn url(role: &str, port: u16, database: &str) -> String {
    format!("postgres://{role}@127.0.0.1:{port}/{database}?sslmode=disable")
}

fn as_account() -> Command {
    let mut command = Command::new("setpriv");
    if geteuid().is_root() {
        command.args([&format!("--reuid={ACCOUNT}"), &format!("--regid={ACCOUNT}"), "--clear-groups"]);
    }
    command
}

fn succeed(command: &mut Command) -> Outcome<()> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into())
}
