//! The command line through its front door: the real binary under the name `authctl`, in the folder of a
//! [`World`] whose people and sessions are there already.

mod apply;
mod audit;
mod audit_log;
mod changes;
mod completion;
mod config_file;
mod connections;
mod consent;
mod container;
mod db;
mod doctor;
mod edit;
mod examples;
mod exit_codes;
mod failures;
mod files;
mod golden;
mod keys;
mod links;
mod lists;
mod mail;
mod memory;
mod on_a_file;
mod operator;
mod output;
mod passkeys;
mod passwords;
mod prompts;
mod providers;
mod redact;
mod registrations;
mod request_log;
mod roles;
mod schema;
mod screen;
mod serve;
mod stopping;
mod style;
mod supervised;
mod totp;
mod transfer;

use crate::world::World;
use authd::ports::{Clock, SystemClock};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A folder with a database, and the program in it.
struct Shell {
    world: World,
    program: PathBuf,
}

/// What a command came to.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Shell {
    /// The world's clock shows the real time, because the program's own does.
    fn new() -> Self {
        let world = World::new();
        world.clock.set(SystemClock::new().now());
        let program = world.folder.join("authctl");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_authd"), &program).unwrap();
        Self { world, program }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(&self.world.folder).stdin(Stdio::null());
        command.env_clear().envs(self.environment());
        command
    }

    /// Cheap hashing, the world's database, and nothing of the tester's own environment but the way to
    /// programs and, where SQL is recorded, the folder for it.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let mut all = self.world.environment();
        all.push(("PATH", std::env::var("PATH").unwrap_or_default()));
        all.push(("AUTHD_PASSWORD__ARGON2_MEMORY_KIB", "8".into()));
        all.push(("AUTHD_PASSWORD__ARGON2_ITERATIONS", "1".into()));
        all.extend(std::env::var("SQL_TEXTS").ok().map(|folder| ("SQL_TEXTS", folder)));
        all
    }

    fn run(&self, args: &[&str]) -> Said {
        said(self.command(args))
    }

    /// Runs a command line, split at spaces.
    fn line(&self, line: &str) -> Said {
        self.run(&line.split(' ').collect::<Vec<_>>())
    }

    fn run_with(&self, args: &[&str], stdin: &str) -> Said {
        let mut command = self.command(args);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that refuses before it reads closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        of(&child.wait_with_output().unwrap())
    }

    /// What a command that must succeed printed, with ids, times and paths replaced.
    fn shown(&self, line: &str) -> String {
        let said = self.line(line);
        assert_eq!(said.code, 0, "{line}: {said:?}");
        self.stable(&said.out)
    }

    /// Replaces what differs from run to run.
    fn stable(&self, text: &str) -> String {
        redact::Redaction::new(self.world.folder.to_str().unwrap()).hide(text)
    }
}

fn said(mut command: Command) -> Said {
    of(&command.output().unwrap())
}

fn of(output: &std::process::Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    // Ended by a signal, a shell would say 128 and its number.
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status).map(|signal| 128 + signal);
    let code = output.status.code().or(signal).unwrap();
    Said { code, out: text(&output.stdout), err: text(&output.stderr) }
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
