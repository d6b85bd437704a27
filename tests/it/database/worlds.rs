//! The databases of worlds on a server, one each: made when its world begins, dropped when it ends.

use super::Driver;
use super::server::Server;
use authd::config::{Database, ServerUrl};
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Which store the tests are for: `postgres`, or else a file of SQLite's.
const STORE: &str = "AUTHD_TEST_STORE";
/// The server, as somebody who may make databases: `postgres://authd@127.0.0.1:5432/postgres`.
const SERVER: &str = "AUTHD_TEST_POSTGRES";

/// Whether worlds have their databases on a server.
pub fn are_on_a_server() -> bool {
    std::env::var(STORE).is_ok_and(|store| store == "postgres")
}

/// How many cases of random input are tried, of those that are on a file: a world on a server takes ten
/// times as long, and what is drawn tells of the same code.
pub fn cases(on_a_file: u32) -> u32 {
    if are_on_a_server() { on_a_file.div_ceil(10) } else { on_a_file }
}

fn server() -> String {
    std::env::var(SERVER)
        .unwrap_or_else(|_| panic!("{STORE} is postgres, and {SERVER} doesn't say where it is"))
}

/// A program to run, which is not told what is for the tests alone: to authd these would be misspelt keys.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_remove(STORE).env_remove(SERVER);
    command
}

/// One connection makes and drops all databases.
static MAKER: LazyLock<Mutex<Server>> = LazyLock::new(|| Mutex::new(Server::connect(&server())));

fn run(sql: &str) {
    // Whoever panicked with it had a statement that failed; the connection is as good as before.
    MAKER.lock().unwrap_or_else(PoisonError::into_inner).run(sql);
}

/// A database of one's own on the server, for as long as this lives.
#[derive(Debug)]
pub struct OwnDatabase(String);

impl OwnDatabase {
    /// An empty one.
    pub fn new() -> Self {
        Self::from("template0")
    }

    /// One with all that stands in another, to which nobody is connected.
    pub fn copy_of(other: &Self) -> Self {
        Self::from(&other.0)
    }

    fn from(template: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("world_{}_{number}", std::process::id());
        run(&format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log"));
        Self(name)
    }

    fn url(&self) -> String {
        let server = server();
        let (server, _) = server.rsplit_once('/').unwrap();
        format!("{server}/{}?sslmode=disable", self.0)
    }

    /// As a configuration has it.
    pub fn database(&self) -> Database {
        Database::Server(ServerUrl::parse(&self.url()).unwrap().unwrap())
    }

    /// What names it to a program, with a key file in that folder. Few connections do for a test.
    pub fn variables(&self, folder: &Path) -> Vec<(&'static str, String)> {
        vec![
            ("AUTHD_DATABASE", self.url()),
            ("AUTHD_KEY_FILE", folder.join("authd.key").display().to_string()),
            ("AUTHD_POSTGRES__CONNECTIONS", "8".into()),
        ]
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        run(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.0));
    }
}
