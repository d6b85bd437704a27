//! Every command in every format, against what it printed when somebody last looked: `tests/it/golden/` holds
//! a transcript for each command. `UPDATE_GOLDEN=1 cargo test --test it golden` writes them anew; the
//! difference is then for reading.
//!
//! A transcript begins in a folder with an empty database. `$` is a command (double quotes hold words
//! together), `<` a line on its stdin, `|` a line on stdout, `!` one on stderr, `=` the exit code where it is
//! not 0, `#` a remark. Ids and secrets may be named as they were shown.

use super::redact::Redaction;
use super::schema::Promise;
use super::{Shell, of};
use authd::cli::operator::login_name;
use authd::cli::program::Program;
use authd::cli::tree;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden")
}

/// The transcripts by file name.
pub(super) fn transcripts() -> BTreeMap<String, String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// Those that name the database's file, or a copy of it, or tell of it.
const OF_A_FILE: [&str; 10] = [
    "audit-verify.txt",
    "config-show.txt",
    "db-backup.txt",
    "db-check.txt",
    "db-init.txt",
    "db-migrate-to.txt",
    "db-restore.txt",
    "db-restored.txt",
    "db-status.txt",
    "doctor.txt",
];

/// Runs the commands of a transcript and writes down what they say.
fn play(transcript: &str) -> String {
    let shell = Shell::new();
    let mut redaction = Redaction::new(shell.world.folder.to_str().unwrap());
    let mut promise = Promise::new();
    let mut out = String::new();
    let mut lines = transcript.lines().peekable();
    while let Some(line) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            writeln!(out, "{line}").unwrap();
        } else if let Some(command) = line.strip_prefix("$ ") {
            writeln!(out, "{line}").unwrap();
            let mut stdin = String::new();
            while let Some(text) = lines.peek().and_then(|line| line.strip_prefix("< ")) {
                writeln!(out, "< {text}").unwrap();
                stdin += &(redaction.reveal(text) + "\n");
                lines.next();
            }
            out += &run(&shell, &mut redaction, &mut promise, command, &stdin);
        }
    }
    out
}

fn run(shell: &Shell, redaction: &mut Redaction, promise: &mut Promise, line: &str, stdin: &str) -> String {
    let words: Vec<String> = words(line).iter().map(|word| redaction.reveal(word)).collect();
    assert_eq!(words[0], "authctl", "{line}");
    let args: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    let mut command = shell.command(&args);
    command.env("SUDO_USER", "olga").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let said = of(&child.wait_with_output().unwrap());
    if format_of(line) == "json" && !line.contains(" csv") {
        promise.hold(&args, &said);
    }
    let mut out = String::new();
    for (mark, text) in [("|", &said.out), ("!", &said.err)] {
        let hidden = redaction.hide(&by_olga(text));
        let mut lines: Vec<&str> =
            hidden.lines().map(|line| if is_picture(line) { "(QR code)" } else { line }).collect();
        lines.dedup_by(|line, before| *line == "(QR code)" && line == before);
        for line in lines {
            writeln!(out, "{}", format!("{mark} {line}").trim_end()).unwrap();
        }
    }
    if said.code != 0 {
        writeln!(out, "= {}", said.code).unwrap();
    }
    out
}

/// Root's commands are olga's, who is behind sudo. Any other tester's own name stands in the log: it is
/// replaced, and takes up as much of its column as before.
fn by_olga(text: &str) -> String {
    const OLGA: &str = "operator:olga";
    let me = format!("operator:{}", login_name());
    if uzers::get_current_uid() == 0 || me == OLGA {
        return text.to_owned();
    }
    let width = me.len().max(OLGA.len());
    text.replace(&format!("{me:width$}  "), &format!("{OLGA:width$}  ")).replace(&me, OLGA)
}

/// What a QR code shows differs with the secret in it; that it can be read is held elsewhere.
fn is_picture(line: &str) -> bool {
    !line.is_empty() && line.chars().all(|c| "█▀▄ ".contains(c))
}

/// Splits at spaces outside of double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[test]
fn every_transcript_holds() {
    assert_all_hold(|name| !OF_A_FILE.contains(&name));
}

#[test]
fn every_transcript_of_a_database_on_a_file_holds() {
    assert_all_hold(|name| OF_A_FILE.contains(&name));
}

fn assert_all_hold(chosen: fn(&str) -> bool) {
    let transcripts: Vec<_> = transcripts().into_iter().filter(|(name, _)| chosen(name)).collect();
    assert!(!transcripts.is_empty());
    let differing: Vec<String> = std::thread::scope(|scope| {
        let share = transcripts.len().div_ceil(4);
        let threads: Vec<_> = transcripts.chunks(share).map(|some| scope.spawn(|| differing(some))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

fn differing(transcripts: &[(String, String)]) -> Vec<String> {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut differing = Vec::new();
    for (name, expected) in transcripts {
        let actual = play(expected);
        if update {
            fs::write(folder().join(name), &actual).unwrap();
        } else if let Some(difference) = first_difference(expected, &actual) {
            differing.push(format!("{name}:{difference}"));
        }
    }
    differing
}

fn first_difference(expected: &str, actual: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let pairs = expected.lines().zip(actual.lines()).enumerate();
    let first = pairs.filter(|(_, (expected, actual))| expected != actual).map(|(at, (expected, actual))| {
        format!("{}: expected\n  {expected}\nbut it was\n  {actual}", at + 1)
    });
    Some(first.take(1).next().unwrap_or_else(|| format!(" one is longer than the other:\n{actual}")))
}
/// These print a text of authd's own making, whatever the format, or don't end.
const WITHOUT_FORMATS: [&str; 4] = ["serve", "completion", "man", "help"];

#[test]
fn every_command_is_shown_in_every_format() {
    let all: String = transcripts().into_values().collect();
    let commands: Vec<&str> = all.lines().filter_map(|line| line.strip_prefix("$ authctl ")).collect();
    let mut missing = Vec::new();
    for leaf in leaves(&tree::command(Program::Authctl), "") {
        if WITHOUT_FORMATS.contains(&leaf.as_str()) {
            continue;
        }
        let shown: Vec<&str> = commands
            .iter()
            .filter(|line| **line == leaf || line.starts_with(&format!("{leaf} ")))
            .map(|line| format_of(line))
            .collect();
        let lacking = ["table", "json", "tsv", "ids"].into_iter().filter(|format| !shown.contains(format));
        missing.extend(lacking.map(|format| format!("{leaf} as {format}")));
    }
    assert!(missing.is_empty(), "no transcript shows: {missing:#?}");
}

fn format_of(line: &str) -> &'static str {
    if line.contains(" -o json") {
        "json"
    } else if line.contains(" -o tsv") {
        "tsv"
    } else if line.contains(" -q") {
        "ids"
    } else {
        "table"
    }
}

pub(super) fn leaves(command: &clap::Command, path: &str) -> Vec<String> {
    let below: Vec<_> = command.get_subcommands().collect();
    if below.is_empty() {
        return vec![path.to_owned()];
    }
    below.iter().flat_map(|sub| leaves(sub, format!("{path} {}", sub.get_name()).trim_start())).collect()
}
