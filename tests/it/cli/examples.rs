//! The examples in the help of commands, each run as it stands there, by a shell in a folder where what it
//! names exists. Every noun and every verb has two at least.

use super::mail::smtp;
use super::totp::app_of;
use super::{Said, Shell, said};
use authd::cli::program::Program;
use authd::cli::{examples, tree};
use authd::usecase::keys::signing_keys;
use clap::Command;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{self, Stdio};

/// Those that end otherwise than with 0 where no person is, and why.
const OTHERWISE: [(&str, i32, &str); 22] = [
    ("authd user add ann@example.com --role admin", 2, ASKS_FOR_A_PASSWORD),
    ("authctl user add ann@example.com --role admin", 2, ASKS_FOR_A_PASSWORD),
    ("authctl user passwd ann@example.com", 2, ASKS_FOR_A_PASSWORD),
    ("authctl user delete ann@example.com", 2, ASKS_FIRST),
    ("authctl registration delete ann@example.com", 2, ASKS_FIRST),
    ("authctl role delete editor", 2, ASKS_FIRST),
    ("authctl app delete wiki", 2, ASKS_FIRST),
    (UNLINK, 2, ASKS_FIRST),
    (DELETE_PASSKEY, 2, ASKS_FIRST),
    ("authctl token revoke --user ann@example.com", 2, ASKS_FIRST),
    ("authctl totp reset ann@example.com", 2, ASKS_FIRST),
    ("authctl db restore nightly.db", 2, ASKS_FIRST),
    ("authctl db restored", 2, ASKS_FIRST),
    (
        "authctl db migrate-to postgres://authd@db.example.com/authd",
        78,
        "the key file must be named for a server",
    ),
    ("authctl token inspect", 2, "it asks for the token"),
    ("authctl totp enroll ann@example.com", 2, "it asks for a code of the phone"),
    ("authctl totp verify ann@example.com", 2, "it asks for a code of the phone"),
    ("printf 123456 | authctl totp verify ann@example.com --stdin", 5, "it is no code of this minute"),
    ("authctl apply accounts.toml --dry-run --exit-code", 2, "there is something to change"),
    ("authctl provider test acme", 5, "nobody answers there"),
    ("authctl provider test acme -o json", 5, "nobody answers there"),
    ("authctl doctor --url https://auth.example.com", 5, "nobody answers there"),
];
const UNLINK: &str = "authctl identity unlink ann@example.com 019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9";
const DELETE_PASSKEY: &str = "authctl passkey delete ann@example.com 019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9";
const ASKS_FOR_A_PASSWORD: &str = "it asks for a password";
const ASKS_FIRST: &str = "it asks whether to go on";

/// Those that go on until they are told to stop: the line after which they are, and the stream it is on.
const ENDLESS: [(&str, &str, Stream); 3] = [
    ("authd serve", "listening on ", Stream::Err),
    ("authctl audit tail -f", "seq ", Stream::Out),
    ("authctl serve", "listening on ", Stream::Err),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

/// Other people's programs, played by scripts.
const PLAYED: [(&str, &str); 3] = [
    ("qrencode", "cat > /dev/null"),
    ("man", "cat > /dev/null"),
    (
        "manage.py",
        r#"echo '[{"model": "auth.user", "pk": 1, "fields": {"username": "ann", "email": "ann@example.com",
        "password": "!", "is_active": true}}]'"#,
    ),
];

/// Folders of the machine, which are within the test's own instead.
const FOLDERS: [&str; 6] = [
    "/etc/authd/",
    "/etc/bash_completion.d/",
    "/mnt/elsewhere/",
    "/run/authd/",
    "/usr/local/share/zsh/site-functions/",
    "/var/backups/",
];

const FILES: [(&str, &str); 6] = [
    ("password.txt", "correct horse battery staple\n"),
    ("users.jsonl", "{\"email\": \"ann@example.com\"}\n"),
    (".htpasswd", "ann:$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG\n"),
    ("users.json", r#"{"users": [{"localId": "1", "email": "ann@example.com", "emailVerified": true}]}"#),
    (
        "hash_config.json",
        r#"{"base64_signer_key": "c2lnbmVy", "base64_salt_separator": "Bw==", "rounds": 8, "mem_cost": 14}"#,
    ),
    (
        "accounts.toml",
        "[[roles]]\nname = \"editor\"\npermissions = [\"posts:read\"]\n[[users]]\nemail = \"ann@example.com\"\n\
         roles = [\"admin\", \"editor\"]\n[[api_keys]]\nname = \"ci\"\npermissions = [\"users:read\"]\n",
    ),
];

/// What the help calls ids, as nobody can know them before.
const ID: &str = "019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9";
/// As people type it.
const ID_BEGUN: &str = "019a0b7c";
const KID: &str = "6Fl0LVc1rkDp7wbXWUX1jtCyZVu9WmtIpz8XrN9m0Tw";

/// Commands that make what others work on: for them it isn't there yet.
const MAKING: [&str; 7] =
    ["user add", "role add", "apikey add", "db init", "import ", "apply ", "config init"];

/// A folder in which the example can be run, and the line to run.
fn scene(example: &str) -> (Shell, String) {
    let shell = Shell::new();
    let here = shell.world.folder.clone();
    let bin = here.join("bin");
    fs::create_dir(&bin).unwrap();
    for name in ["authctl", "authd"] {
        symlink(env!("CARGO_BIN_EXE_authd"), bin.join(name)).unwrap();
    }
    let mut played = PLAYED.to_vec();
    if process::Command::new("jq").arg("--version").output().is_err() {
        played.push(("jq", "cat > /dev/null"));
    }
    for (name, script) in played {
        fs::write(bin.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut line = example.to_owned();
    for folder in FOLDERS {
        let within = format!("{}{folder}", here.display());
        fs::create_dir_all(&within).unwrap();
        line = line.replace(folder, &within);
    }
    fs::create_dir_all(here.join(".config/fish/completions")).unwrap();
    for (name, text) in FILES {
        fs::write(here.join(name), text).unwrap();
    }
    let is = |command: &str| example.contains(&format!("authctl {command}"));
    let id = if MAKING.iter().any(|making| is(making) || example.starts_with("authd ")) {
        shell.world.add_user("olga@example.com", &["admin"]);
        String::new()
    } else if is("registration") {
        shell.world.register("ann@example.com").unwrap();
        shell.line("registration list -q").out
    } else {
        people(&shell, example)
    };
    if is("db restore") || is("db migrate-to") {
        // Nobody else may have that database open, and the world has its own, on a server perhaps.
        let alone = "unset AUTHD_DATABASE AUTHD_KEY_FILE; mkdir -p -m 700 alone && cd alone";
        let script = "authctl db init && authctl db backup nightly.db \
            && authctl db backup ../var/backups/authd-2026-11-22.db";
        assert_eq!(said(sh(&shell, &format!("{alone} && {script}"))).code, 0);
        line = format!("{alone} && {line}");
    }
    if example.contains("copy.db") {
        assert_eq!(shell.line("db backup copy.db").code, 0);
    }
    if example.contains(KID) {
        line = line.replace(KID, &retired_key(&shell));
    }
    // A port that is free, whoever else serves meanwhile.
    (
        shell,
        line.replace(ID, id.trim())
            .replace(ID_BEGUN, id.get(..13).unwrap_or_default())
            .replace(":8080", ":0"),
    )
}

/// Has everybody and everything there that the examples name; gives the id of what the example is about.
fn people(shell: &Shell, example: &str) -> String {
    let world = &shell.world;
    for (email, roles) in [
        ("olga@example.com", &["admin"][..]),
        ("ann@example.com", &[]),
        ("bob@example.com", &[]),
        ("dan@example.com", &[]),
    ] {
        world.add_user(email, roles);
    }
    for line in [
        "role add editor --permission posts:read",
        "role add moderator",
        "role assign ann@example.com editor moderator",
        "user disable dan@example.com",
        "apikey add billing",
        "config init --config etc/authd/authd.toml",
        "user reset-link ann@example.com",
        "user add eve@example.com --invite",
    ] {
        assert_eq!(shell.line(line).code, 0, "{line}");
    }
    if example.contains("app ") && !example.contains("app add") {
        let wiki = "app add wiki --url https://wiki.example.com --allow-role editor";
        assert_eq!(shell.line(wiki).code, 0);
    }
    fs::write(world.folder.join("mnt/elsewhere/heads"), shell.line("audit verify -q").out).unwrap();
    let tokens = world.login("ann@example.com").unwrap();
    fs::write(world.folder.join("token.txt"), tokens.access_token.expose()).unwrap();
    fs::write(world.folder.join("leaked.txt"), tokens.refresh_token.expose()).unwrap();
    if example.contains("totp") && !example.contains("enroll") {
        let app = app_of(&shell.line("totp enroll ann@example.com --pending --uri").out);
        shell.confirm(&app);
    }
    if example.contains("provider test") || example.contains("identity") {
        let acme = "[oauth.acme]\nkind = \"oidc\"\nclient_id = \"authd\"\nissuer = \"http://127.0.0.1:1\"\n\
            [oauth.github]\nkind = \"github\"\nclient_id = \"authd\"\n";
        fs::write(world.folder.join("authd.toml"), acme).unwrap();
    }
    if example.contains("identity unlink") {
        return shell.line("identity link ann@example.com acme 1 -q").out.trim().to_owned();
    }
    if example.contains("passkey") {
        return crate::passkey_rows::add(world, "ann@example.com", "My phone", 1);
    }
    if example.contains("mail test") {
        let config = format!(
            "[mail]\ntransport = \"smtp\"\nsmtp_host = \"127.0.0.1\"\nsmtp_port = {}\nsmtp_tls = \"none\"\n",
            smtp(None).0
        );
        fs::write(world.folder.join("authd.toml"), config).unwrap();
    }
    if example.contains("mail") {
        assert!(world.database().change("UPDATE mails SET state = 'failed'", &[]) > 0);
        return shell.line("mail list -q").out.lines().next().unwrap().to_owned();
    }
    shell.line("token list -q --user ann@example.com").out.lines().next().unwrap().to_owned()
}

fn retired_key(shell: &Shell) -> String {
    let rotated = signing_keys::rotate(&shell.world.app, &crate::world::operator()).unwrap();
    rotated.previous.unwrap().kid
}

fn sh(shell: &Shell, line: &str) -> process::Command {
    let path = format!("{}/bin:{}", shell.world.folder.display(), std::env::var("PATH").unwrap());
    let mut command = process::Command::new("sh");
    command.args(["-c", line]).current_dir(&shell.world.folder).stdin(Stdio::null());
    command.env_clear().envs(shell.environment()).env("PATH", path);
    command.env("HOME", &shell.world.folder).env("AUTHD_LISTEN", "127.0.0.1:0");
    command
}

/// Runs it until it is at work, and tells it to stop.
fn stopped(shell: &Shell, line: &str, ready: &str, on: Stream) -> Said {
    let mut command = sh(shell, &format!("exec {line}"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut seen = String::new();
    let mut lines: Box<dyn BufRead> = match on {
        Stream::Out => Box::new(BufReader::new(child.stdout.take().unwrap())),
        Stream::Err => Box::new(BufReader::new(child.stderr.take().unwrap())),
    };
    while !seen.lines().any(|line| line.starts_with(ready)) {
        assert_ne!(lines.read_line(&mut seen).unwrap(), 0, "{line} ended: {seen}");
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    lines.read_to_string(&mut seen).unwrap();
    Said { code: child.wait().unwrap().code().unwrap_or(-1), out: seen, err: String::new() }
}

/// What is wrong with an example; `None`: it runs as it should.
fn fault(example: &str) -> Option<String> {
    let (shell, line) = scene(example);
    let otherwise = OTHERWISE.iter().find(|(known, ..)| *known == example);
    let expected = otherwise.map_or(0, |(_, code, _)| *code);
    let said = match ENDLESS.iter().find(|(begins, ..)| example.starts_with(begins)) {
        Some((_, ready, on)) => stopped(&shell, &line, ready, *on),
        None => said(sh(&shell, &line)),
    };
    let complains = |said: &Said| said.err.lines().any(|line| line.starts_with("authctl: "));
    let right = said.code == expected && (expected != 0 || !complains(&said));
    (!right).then(|| format!("{example}\n  ran as {line}\n  and came to {said:?}"))
}

fn pages() -> Vec<(String, Vec<String>)> {
    fn below(command: &Command, path: &str, pages: &mut Vec<(String, Vec<String>)>) {
        pages.push((path.to_owned(), examples::of(command)));
        for sub in command.get_subcommands() {
            below(sub, &format!("{path} {}", sub.get_name()), pages);
        }
    }
    let mut pages = Vec::new();
    for program in [Program::Authd, Program::Authctl] {
        below(&tree::command(program), program.name(), &mut pages);
    }
    pages
}

#[test]
fn every_page_of_the_help_has_two_examples() {
    for (page, examples) in pages() {
        assert!(examples.len() >= 2, "{page} has {examples:?}");
        let named = |example: &String| example.contains("authctl ") || example.contains("authd ");
        assert!(examples.iter().all(named), "{page} has one of another program: {examples:?}");
    }
}

#[test]
fn every_example_of_the_help_runs() {
    let all: BTreeSet<String> = pages().into_iter().flat_map(|(_, examples)| examples).collect();
    for (known, ..) in OTHERWISE {
        assert!(all.contains(known), "there is no example {known} any more");
    }
    let all: Vec<String> = all.into_iter().collect();
    let faults: Vec<String> = std::thread::scope(|scope| {
        let run = |some| move || -> Vec<String> { <[String]>::iter(some).filter_map(|e| fault(e)).collect() };
        let threads: Vec<_> = all.chunks(all.len().div_ceil(4)).map(|some| scope.spawn(run(some))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
