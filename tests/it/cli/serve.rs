//! The daemon as a process: what it says when it starts, that `authctl` bites on its next request, and how
//! it ends.

use super::{Shell, json};
use crate::browser::{Browser, begin};
use crate::world::{PASSWORD, anonymous};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::Duration;

/// What it says of the cheap hashing that tests are run with.
const WEAK: &str = "warning: password.argon2_memory_kib: 8 KiB filled 1 times is less than a stolen database should \
                    cost to guess at; the default is the least, and `authctl hash calibrate` finds what this machine \
                    can do\n";

pub struct Daemon {
    child: Child,
    said: BufReader<ChildStderr>,
    /// What it said up to the line with the address.
    greeting: String,
    address: String,
}

impl Daemon {
    pub fn start(shell: &Shell, args: &[&str]) -> Self {
        Self::of(shell.command(&[&["serve", "--listen", "127.0.0.1:0"], args].concat()))
    }

    /// With so many file descriptors and no more.
    pub fn start_within(shell: &Shell, descriptors: usize) -> Self {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {descriptors} && exec ./authctl serve --listen 127.0.0.1:0");
        command.args(["-c", &script]).current_dir(&shell.world.folder).stdin(Stdio::null());
        command.env_clear().envs(shell.environment());
        Self::of(command)
    }

    /// Whatever comes to a daemon.
    pub fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut greeting = String::new();
        let address = loop {
            let mut line = String::new();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended: {greeting}");
            if let Some(address) = line.strip_prefix("listening on http://") {
                break address.trim().to_owned();
            }
            greeting.push_str(&line);
        };
        Self { child, said, greeting, address }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Status and body of the answer to one request.
    pub fn ask(&self, request: &str, token: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let answer = self.send(&format!(
            "{request} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}",
            self.address
        ));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Sends whatever it is, and reads until the daemon closes the connection.
    pub fn send(&self, request: &str) -> String {
        send_to(&self.address, request)
    }

    pub fn login(&self, email: &str) -> (u16, String) {
        let credentials = serde_json::json!({"email": email, "password": PASSWORD}).to_string();
        let (status, body) = self.ask("POST /api/auth/login", "", &credentials);
        let token = json(&body)["access_token"].as_str().unwrap_or_default().to_owned();
        (status, token)
    }

    pub fn me(&self, token: &str) -> u16 {
        self.ask("GET /api/auth/me", token, "").0
    }

    /// How much memory it has now, in KiB.
    pub fn memory_kib(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    /// Sends the signal; gives the exit code and what was said after the address.
    pub fn stop(self, signal: Signal) -> (Option<i32>, String) {
        let (status, rest) = self.end(signal);
        (status.code(), rest)
    }

    /// The same, where it has got its signal already.
    pub fn finish(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }

    /// The same, with all that the system says of its end.
    pub fn end(mut self, signal: Signal) -> (ExitStatus, String) {
        kill_process(self.pid(), signal).unwrap();
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

fn send_to(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

impl Drop for Daemon {
    /// A test that fails leaves no daemon behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_first_start_on_a_file_makes_what_it_needs_and_says_so() {
    let shell = Shell::new();
    let first = Daemon::start(&shell, &["--database", "new/authd.db"]);
    assert_eq!(
        shell.stable(&first.greeting),
        format!(
            "database  DIR/new/authd.db (new)\nkey file  DIR/new/authd.key (new)\n\
             no admin yet; make one with: authctl user add you@example.com --verified --role admin\n{WEAK}"
        )
    );
    assert_eq!(first.ask("GET /healthz", "", "").0, 200);
    assert_eq!(first.ask("GET /readyz", "", "").0, 200);
    let added = shell.run_with(
        &[
            "user",
            "add",
            "ann@example.com",
            "--verified",
            "--role",
            "admin",
            "--password-stdin",
            "--database",
            "new/authd.db",
        ],
        PASSWORD,
    );
    assert_eq!(added.code, 0, "{added:?}");
    assert_eq!(first.login("ann@example.com").0, 200);
    assert_eq!(first.stop(Signal::TERM), (Some(0), "stopped\n".into()));
    let second = Daemon::start(&shell, &["--database", "new/authd.db"]);
    assert_eq!(
        shell.stable(&second.greeting),
        format!("database  DIR/new/authd.db\nkey file  DIR/new/authd.key\n{WEAK}")
    );
    assert_eq!(second.stop(Signal::INT), (Some(0), "stopped\n".into()));
    // Nothing is left in a write-ahead log: the file alone is the database.
    let mut files: Vec<_> = std::fs::read_dir(shell.world.folder.join("new"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["authd.db", "authd.db-lock", "authd.db-served", "authd.key"]);
}

#[test]
fn metrics_are_served_where_the_configuration_says() {
    let shell = Shell::new();
    let config = shell.world.folder.join("authd.toml");
    std::fs::write(&config, "[metrics]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let daemon = Daemon::start(&shell, &[]);
    let place = daemon.greeting.lines().find_map(|line| line.strip_prefix("metrics at http://")).unwrap();
    let address = place.strip_suffix("/metrics").unwrap();
    assert_eq!(daemon.ask("GET /metrics", "", "").0, 404);
    let answer = send_to(address, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\nauthd_build_info{"), "{answer}");
    assert!(answer.contains("route=\"unknown\",status=\"404\"} 1\n"), "{answer}");

    std::fs::write(&config, format!("[metrics]\nlisten = \"{address}\"\n")).unwrap();
    let second = shell.line("serve --listen 127.0.0.1:0 --database second/authd.db");
    assert!(
        second.code == 78 && second.err.contains("metrics.listen") && second.err.contains(address),
        "{second:?}"
    );
    let (code, said) = daemon.stop(Signal::TERM);
    assert!(code == Some(0) && said.ends_with("stopped\n"), "{said}");
}

#[test]
fn what_the_operator_changes_counts_on_the_next_request() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    let daemon = Daemon::start(&shell, &[]);

    let (status, token) = daemon.login("ann@example.com");
    assert_eq!((status, daemon.me(&token)), (200, 200));
    let session = shell.line("token list -q --user ann@example.com").out;
    assert_eq!(shell.line(&format!("token revoke --id {}", session.trim())).code, 0);
    assert_eq!(daemon.me(&token), 401);

    let (_, token) = daemon.login("ann@example.com");
    assert_eq!(daemon.me(&token), 200);
    assert_eq!(shell.run_with(&["token", "revoke", "--token-stdin"], &token).code, 0);
    assert_eq!(daemon.me(&token), 401);

    let (_, token) = daemon.login("ann@example.com");
    assert_eq!(shell.line("user disable ann@example.com").code, 0);
    assert_eq!((daemon.me(&token), daemon.login("ann@example.com").0), (401, 403));
    assert_eq!(shell.line("user enable ann@example.com").code, 0);
    assert_eq!((daemon.me(&token), daemon.login("ann@example.com").0), (401, 200));
}

#[test]
fn a_log_line_is_one_line_whatever_the_client_sent() {
    let shell = Shell::new();
    for format in ["text", "json"] {
        let config = format!("[log]\nlevel = \"debug\"\nformat = \"{format}\"\n");
        std::fs::write(shell.world.folder.join("authd.toml"), config).unwrap();
        let daemon = Daemon::start(&shell, &[]);
        daemon.ask("GET /\u{9b}31m\u{202e}", "\u{9b}2J", "{\"\u{7f}\":1}");
        daemon.ask("GET /%1b%0aERROR", "x", "");
        let (code, log) = daemon.stop(Signal::TERM);
        assert_eq!(code, Some(0));
        let dangerous = |c: char| c != '\n' && authd::cli::terminal::escape::is_dangerous(c);
        assert!(!log.contains(dangerous), "{log:?}");
        let records = log.strip_suffix("stopped\n").unwrap();
        assert!(records.lines().count() >= 2, "{log}");
        if format == "json" {
            records.lines().for_each(|line| assert!(json(line).is_object()));
        }
    }
}

#[test]
fn what_keeps_it_from_starting_is_said_with_its_code() {
    let shell = Shell::new();
    let running = Daemon::start(&shell, &[]);
    let taken = shell.line(&format!("serve --listen {} --database other/authd.db", running.address));
    assert!(taken.code == 78 || taken.code == 77, "{taken:?}");
    assert!(taken.err.contains(&running.address), "{taken:?}");
    assert_eq!(shell.line("serve --listen nonsense").code, 78);
}

#[test]
fn what_keeps_it_from_starting_on_a_file_is_said_with_its_code() {
    let shell = Shell::new();
    let _running = Daemon::start(&shell, &[]);
    let twice = shell.line("serve --listen 127.0.0.1:0");
    assert_eq!(twice.code, 69, "{twice:?}");
    assert!(twice.err.contains("another daemon serves"), "{twice:?}");
    std::fs::create_dir(shell.world.folder.join("wide")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(shell.world.folder.join("wide"), mode).unwrap();
    let wide = shell.line("serve --listen 127.0.0.1:0 --database wide/authd.db");
    assert_eq!(wide.code, 77, "{wide:?}");
    assert!(wide.err.contains("use a folder of its own: mkdir -m 700"), "{wide:?}");
}

#[test]
fn a_daemon_that_stops_tells_what_it_has_counted() {
    let shell = Shell::new();
    let daemon = Daemon::start(&shell, &[]);
    let body =
        serde_json::json!({"email": "ann@example.com", "password": "not the password at all"}).to_string();
    let statuses: Vec<u16> = (0..12).map(|_| daemon.ask("POST /api/auth/login", "", &body).0).collect();
    assert_eq!((&statuses[..5], &statuses[5..]), (&[401; 5][..], &[429; 7][..]));
    assert_eq!(daemon.stop(Signal::TERM).0, Some(0));
    let log = shell.run(&["audit", "tail", "--event", "LoginFailed"]).out;
    assert_eq!(log.matches("why=too_many_attempts").count(), 2, "{log}");
    assert!(log.contains("tries=6"), "{log}");
}

#[test]
fn the_log_tells_when_the_daemon_began_and_ended_and_who_took_data_out() {
    let shell = Shell::new();
    let daemon = Daemon::start(&shell, &[]);
    let address = daemon.address().to_owned();
    assert_eq!(daemon.stop(Signal::TERM).0, Some(0));
    for command in ["export", "export --with-hashes", "audit export"] {
        assert_eq!(shell.line(command).code, 0, "{command}");
    }
    let lines = shell.world.audit();
    let newest: Vec<(&str, &str)> =
        lines[lines.len() - 5..].iter().map(|line| (line.event.as_str(), line.actor.as_str())).collect();
    let operator = newest[2].1;
    assert!(operator.starts_with("operator:"), "{newest:?}");
    assert_eq!(newest[..2], [("DaemonStarted", "system"), ("DaemonStopped", "system")]);
    assert_eq!(
        newest[2..].iter().map(|line| line.0).collect::<Vec<_>>(),
        ["UsersExported", "CredentialsExported", "AuditExported"]
    );
    let started = &lines[lines.len() - 5].details;
    assert_eq!(started[0], ("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()));
    assert!(started[1].1.contains(&address), "{started:?}");
}

#[test]
fn when_a_browsers_session_was_used_last_is_written_when_it_stops() {
    let shell = Shell::new();
    shell.world.add_user("ann@example.com", &[]);
    // The program's own clock goes on from there.
    shell.world.clock.set(shell.world.now().minus(Duration::from_secs(60)));
    let browser = Browser::of(&begin(&shell.world, &anonymous(), "ann@example.com", false));
    let last_used = || json(&shell.run(&["token", "list", "-o", "json"]).out)[0]["last_used_at"].to_string();
    let begun = last_used();
    let daemon = Daemon::start(&shell, &[]);
    let answer = daemon.send(&format!(
        "GET /api/auth/verify HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: {}\r\n\r\n",
        browser.cookie()
    ));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(last_used(), begun, "it is noted in memory");
    assert_eq!(daemon.stop(Signal::TERM), (Some(0), "stopped\n".into()));
    assert!(last_used() > begun);
}
