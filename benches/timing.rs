//! Whether time tells a known address from an unknown one: `cargo bench --bench timing`.
//!
//! Asks the real daemon over a socket, known and unknown by turns, and prints for each route the area
//! under the ROC curve of the best guess from the time alone: 0.5 is a coin, 1 an oracle. Fails outside
//! of 0.45 to 0.55. `TIMING_SAMPLES` says how many of each (400 unless set). Login is asked once more where
//! half of the accounts have hashes of a lower cost.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where it can't go on"
)]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const AUTHD: &str = env!("CARGO_BIN_EXE_authd");
const PASSWORD: &str = "correct horse battery staple";

/// An account: its address, and how often its hash fills the memory.
type Account = (String, &'static str);

struct Daemon {
    process: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A daemon with these accounts that throttles nobody, since each sample is a failure on purpose.
fn start(accounts: &[Account]) -> Daemon {
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    let folder = tempfile::Builder::new().permissions(private).tempdir().unwrap();
    let authd = |args: &[&str]| {
        let mut command = Command::new(AUTHD);
        command.args(args).current_dir(folder.path()).env("AUTHD_RATE_LIMIT__ENABLED", "false");
        command.env("AUTHD_MAGIC_LINK__ENABLED", "true");
        for key in ["LOCKOUT__PAIR_FAILURES", "LOCKOUT__ACCOUNT_FAILURES"] {
            command.env(format!("AUTHD_{key}"), "1000000");
        }
        command
    };
    assert!(authd(&["db", "init"]).stderr(Stdio::null()).status().unwrap().success());
    for (email, iterations) in accounts {
        let mut add = authd(&["user", "add", email, "--verified", "--password-stdin"]);
        add.env("AUTHD_PASSWORD__ARGON2_ITERATIONS", iterations);
        let mut add = add.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        add.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(add.wait().unwrap().success());
    }
    let mut process = authd(&["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
    let address =
        said.into_iter().find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned));
    Daemon { process, address: address.unwrap(), _folder: folder }
}

/// Posts on a connection that is kept; gives the time to the end of the answer, and its status.
fn post(stream: &mut TcpStream, path: &str, body: &str) -> (Duration, String) {
    let request = format!(
        "POST /api/auth{path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let begun = Instant::now();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    loop {
        let read = stream.read(&mut part).unwrap();
        assert!(read > 0, "the daemon closed the connection");
        answer.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            if rest.len() >= length.parse().unwrap() {
                return (begun.elapsed(), head.lines().next().unwrap().to_owned());
            }
        }
    }
}

/// The chance that a known one took longer than an unknown one (Mann-Whitney).
fn area(known: &[Duration], unknown: &[Duration]) -> f64 {
    let mut wins = 0.0;
    for k in known {
        for u in unknown {
            wins += match k.cmp(u) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "a few hundred samples")]
    let pairs = (known.len() * unknown.len()) as f64;
    wins / pairs
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2]
}

/// What is timed: a path, and the body that asks it about an address.
struct Timed<'a> {
    name: &'a str,
    path: &'a str,
    body: &'a dyn Fn(&str) -> String,
    /// Asked before it, untimed.
    before: Option<&'a str>,
}

fn timed<'a>(path: &'a str, body: &'a dyn Fn(&str) -> String) -> Timed<'a> {
    Timed { name: path, path, body, before: None }
}

/// Asks a route about accounts and about strangers; gives the area, after printing the row.
fn measure(daemon: &Daemon, accounts: &[Account], timed: &Timed<'_>, samples: usize) -> f64 {
    let Timed { name, path, body, before } = *timed;
    let mut stream = TcpStream::connect(&daemon.address).unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for number in 0..samples {
        let stranger = format!("{}{number}@example.com", name.replace(['/', ',', ' '], "x"));
        // By turns, and each first as often as second.
        let account = accounts[number / 2 % accounts.len()].0.as_str();
        let mut pair = [(account, &mut known), (stranger.as_str(), &mut unknown)];
        if number % 2 == 1 {
            pair.reverse();
        }
        let mut statuses = Vec::new();
        for (email, times) in pair {
            if let Some(before) = before {
                post(&mut stream, before, &body(email));
            }
            let (time, status) = post(&mut stream, path, &body(email));
            times.push(time);
            statuses.push(status);
        }
        assert_eq!(statuses[0], statuses[1], "{name} tells by its status");
    }
    let area = area(&known, &unknown);
    println!("{name:<26} {samples:>6} {:>12.1?} {:>12.1?} {area:>6.3}", median(&known), median(&unknown));
    area
}

fn main() -> ExitCode {
    let samples = std::env::var("TIMING_SAMPLES").ok().and_then(|text| text.parse().ok()).unwrap_or(400);
    let login = |email: &str| format!(r#"{{"email":"{email}","password":"a wrong and long password"}}"#);
    let address = |email: &str| format!(r#"{{"email":"{email}"}}"#);
    let rows = [
        timed("/login", &login),
        timed("/register", &login),
        Timed { name: "/login, just registered", before: Some("/register"), ..timed("/login", &login) },
        timed("/password/reset/request", &address),
        timed("/email/verify/request", &address),
        timed("/magic-link/request", &address),
    ];
    println!("{:<26} {:>6} {:>12} {:>12} {:>6}", "route", "each", "known", "unknown", "area");
    let accounts = [("known@example.com".to_owned(), "2")];
    let daemon = start(&accounts);
    let mut areas: Vec<f64> = rows.iter().map(|timed| measure(&daemon, &accounts, timed, samples)).collect();
    drop(daemon);
    let accounts: Vec<Account> = (0..20)
        .map(|number| (format!("known{number}@example.com"), if number < 10 { "1" } else { "2" }))
        .collect();
    let two_costs = Timed { name: "/login, two costs", ..timed("/login", &login) };
    areas.push(measure(&start(&accounts), &accounts, &two_costs, samples));
    let told = areas.iter().any(|area| !(0.45..=0.55).contains(area));
    if told { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
