//! The house's rules that no compiler knows: who may import whom, how long a file is, where SQL stands.
//!
//! The import table is the one in the documentation of `src/lib.rs`, read as it stands there.

mod lexer;

use std::fs;
use std::path::Path;

const MAX_LINES: usize = 500;

/// Crates that stand in one place, so that it alone must change when they do.
const CONFINED: &[(&str, &[&str])] = &[
    ("rusqlite", &["src/store/"]),
    ("r2d2", &["src/store/"]),
    ("hyper", &["src/transport"]),
    ("hyper_util", &["src/transport"]),
    ("http_body_util", &["src/transport"]),
    // The writer answers threads and tasks over one channel, which needs no runtime.
    ("tokio", &["src/transport", "src/store/sqlite/writer.rs"]),
    ("listenfd", &["src/transport", "src/cli/serve"]),
    ("sd_notify", &["src/cli/supervisor.rs"]),
    ("argon2", &["src/crypto/"]),
    ("bcrypt", &["src/crypto/password/foreign/"]),
    ("scrypt", &["src/crypto/password/foreign/"]),
    ("sha_crypt", &["src/crypto/password/foreign/"]),
    ("jsonwebtoken", &["src/crypto/"]),
    ("getrandom", &["src/ports/"]),
    ("toml", &["src/config/", "src/usecase/operator/apply/file.rs"]),
    ("clap", &["src/cli/"]),
    ("clap_complete", &["src/cli/"]),
    ("csv", &["src/cli/terminal", "src/usecase/operator/import/rows.rs"]),
    ("indicatif", &["src/cli/terminal/progress.rs"]),
    ("comfy_table", &["src/cli/"]),
    ("dialoguer", &["src/cli/"]),
    ("tracing_subscriber", &["src/cli/"]),
    ("lettre", &["src/ports/smtp.rs"]),
    ("png", &["src/usecase/account/qr.rs"]),
    ("qrcode", &["src/usecase/account/qr.rs"]),
    ("minijinja", &["src/usecase/app/mail_templates.rs", "src/pages/"]),
    ("rustls", &["src/ports/http_client.rs"]),
    ("ureq", &["src/ports/http_client.rs"]),
    ("prometheus_client", &["src/metrics/text.rs"]),
    ("uzers", &["src/ports/", "src/cli/"]),
];

/// What the floor may stand on: crates of values, without I/O, clock or serialisation.
const VALUE_CRATES: [&str; 7] =
    ["data_encoding", "email_address", "idna", "jiff", "unicode_normalization", "uuid", "zeroize"];

const SQL: [(&str, &str); 4] = [("SELECT ", " FROM "), ("INSERT ", "INTO "), ("UPDATE ", " SET "), ("DELETE FROM", "")];

#[test]
fn every_file_of_the_house_keeps_its_rules() {
    let house = House::read();
    let mut found = Vec::new();
    for folder in ["src", "tests", "bench/src", "bench/hashes/src", "bench/reference/src"] {
        for (path, text) in files(folder) {
            if Path::new(&path).extension().is_some_and(|extension| extension == "rs") {
                found.extend(house.offences(&path, &text));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_project_stands_alone() {
    let outside = concat!("../", "shared/");
    let naming = files(".").into_iter().filter(|(_, text)| text.contains(outside)).map(|(path, _)| path);
    assert_eq!(naming.collect::<Vec<_>>(), Vec::<String>::new(), "these name what is not part of the project");
}

/// What the rules are read from.
struct House {
    /// Each room with those that it may import, in reading order.
    rooms: Vec<(String, Vec<String>)>,
    /// Every dependency, as code names it.
    crates: Vec<String>,
}

impl House {
    fn read() -> Self {
        let read = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        Self { rooms: rooms(&read("src/lib.rs")), crates: crates(&read("Cargo.toml")) }
    }

    /// One line for each rule that the file at `path` breaks.
    fn offences(&self, path: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let lines = text.lines().count();
        if lines > MAX_LINES {
            found.push(format!("{lines} lines, the bound is {MAX_LINES}: split it by what it owns"));
        }
        if !text.starts_with("//! ") {
            found.push("doesn't begin with a `//!` that says what it owns".into());
        }
        if path.starts_with("src/") {
            let (code, strings) = lexer::split(text);
            self.imports(path, &code, &mut found);
            self.dependencies(path, &code, &mut found);
            if path != "src/cli/terminal.rs" && ["println!", "print!", "dbg!"].iter().any(|name| code.contains(name)) {
                found.push("prints: only cli/terminal.rs does".into());
            }
            let is_sql = |text: &String| SQL.iter().any(|(verb, rest)| text.contains(verb) && text.contains(rest));
            if !path.starts_with("src/store/") && strings.iter().any(is_sql) {
                found.push("has SQL: only store/ does".into());
            }
        }
        found.into_iter().map(|why| format!("{path}: {why}")).collect()
    }

    fn imports(&self, path: &str, code: &str, found: &mut Vec<String>) {
        let Some((room, allowed)) = self.rooms.iter().find(|(room, _)| *room == room_of(path)) else { return };
        for other in named_at_root(path, code) {
            let serves =
                path == "src/cli/serve.rs" && ["api", "pages", "metrics", "transport"].contains(&other.as_str());
            let is_room = self.rooms.iter().any(|(room, _)| *room == other);
            if is_room && other != *room && !allowed.contains(&other) && !serves {
                found.push(format!("names {other}: the room {room} may import {}", allowed.join(", ")));
            }
        }
    }

    fn dependencies(&self, path: &str, code: &str, found: &mut Vec<String>) {
        for name in self.crates.iter().filter(|name| names_crate(code, name)) {
            let confined = CONFINED.iter().find(|(confined, _)| confined == name);
            if let Some((_, places)) =
                confined.filter(|(_, places)| !places.iter().any(|place| path.starts_with(place)))
            {
                found.push(format!("names the crate {name}, which stands in {}", places.join(" and ")));
            }
            if room_of(path) == "domain" && !VALUE_CRATES.contains(&name.as_str()) {
                found.push(format!("names the crate {name}, which is not one of values"));
            }
        }
    }
}

/// The rows of the table: `| [`error`], [`ports`] | … | domain |`.
fn rooms(lib: &str) -> Vec<(String, Vec<String>)> {
    let mut rooms: Vec<(String, Vec<String>)> = Vec::new();
    for row in lib.lines().filter_map(|line| line.strip_prefix("//! | [`")) {
        let columns: Vec<&str> = row.split(" | ").collect();
        let names: Vec<String> =
            columns[0].split(['`', '[', ']', ',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let allowed = match columns[2].trim_end_matches(" |") {
            "value crates" => Vec::new(),
            "all of the above" => rooms.iter().map(|(name, _)| name.clone()).collect(),
            list => list.split(", ").map(str::to_owned).collect(),
        };
        rooms.extend(names.into_iter().map(|name| (name, allowed.clone())));
    }
    rooms
}

fn crates(manifest: &str) -> Vec<String> {
    let dependencies = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = dependencies.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name.replace('-', "_")).collect()
}

/// `src/store/tx.rs` and `src/store.rs` are of the room `store`.
fn room_of(path: &str) -> &str {
    path.trim_start_matches("src/").trim_end_matches(".rs").split('/').next().unwrap()
}

/// The names that follow the crate's root in any path: after `crate::`, or after as many `super::` as lead there.
fn named_at_root(path: &str, code: &str) -> Vec<String> {
    let module = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let depth = module.split('/').count();
    let supers = "super::".repeat(depth);
    let mut names = Vec::new();
    for (at, root) in code.match_indices("crate::").chain(code.match_indices(&supers)) {
        if !code[..at].ends_with("super::") {
            names.extend(members(&code[at + root.len()..]));
        }
    }
    names
}

/// The first names of a path's rest: of `error::Fault` one, of `{error, store::{Tx, Row}}` two.
fn members(rest: &str) -> Vec<String> {
    let word =
        |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let mut names = vec![word(group)];
    let mut depth = 1;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(word(&group[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// Whether a path begins with the crate: `toml::de`, but neither `self::toml::de` nor `my_toml::de`.
fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        let after = &code[at + name.len()..];
        let begins = !before.is_alphanumeric() && before != '_' && (before != ':' || code[..at].ends_with(" ::"));
        begins && (after.starts_with("::") || (after.starts_with([';', ' ']) && code[..at].ends_with("use ")))
    })
}

/// Every file of the project under a folder, by its path from the project's, with its text.
fn files(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let shown = path.strip_prefix(root).unwrap().to_string_lossy().trim_start_matches("./").to_owned();
            if path.is_dir() {
                if ![".git", "target", "run"].contains(&shown.as_str()) {
                    folders.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push((shown, text));
            }
        }
    }
    found
}

/// What the rules say to a file of that content.
fn said(path: &str, code: &str) -> Vec<String> {
    House::read().offences(path, &format!("//! Owns a test.\n{code}"))
}

#[test]
fn an_import_that_the_table_forbids_is_caught() {
    for (path, code) in [
        ("src/domain/a.rs", "use crate::error::Fault;"),
        ("src/domain/mod.rs", "use super::error::Fault;"),
        ("src/error.rs", "use crate::ports::Clock;"),
        ("src/config/a.rs", "use crate::store::Store;"),
        ("src/store/a.rs", "fn f() { crate::crypto::seal() }"),
        ("src/store/a/b.rs", "use super::super::super::usecase;"),
        ("src/usecase/a.rs", "use crate::api::problem;"),
        ("src/api/a.rs", "use crate::{error::Fault, store::{Tx, Row}};"),
        ("src/api/a.rs", "use crate::{\n    domain::{id, role},\n    crypto,\n};"),
        ("src/api/a.rs", "use crate::cli::terminal;"),
        ("src/cli/a.rs", "pub use crate::api;"),
    ] {
        assert_eq!(said(path, code).len(), 1, "{path} {code} {:?}", said(path, code));
    }
}

#[test]
fn an_import_that_the_table_allows_is_let_be() {
    for (path, code) in [
        ("src/domain/a.rs", "use super::id; use crate::domain::role; use jiff::Span;"),
        (
            "src/store/a.rs",
            "// crate::http\nuse super::{tx, users}; use rusqlite::Connection; const A: &str = \"crate::http\";",
        ),
        ("src/usecase/a.rs", "use crate::{config, crypto, domain, error, ports, store};"),
        ("src/cli/serve.rs", "use crate::api;"),
        ("src/transport/io.rs", "use hyper::body; use super::super::error;"),
        ("src/cli/a.rs", "use crate::cli::http_status; use self::toml::x;"),
    ] {
        assert_eq!(said(path, code), Vec::<String>::new(), "{path} {code}");
    }
}

#[test]
fn a_crate_outside_its_place_is_caught() {
    for (path, code) in [
        ("src/usecase/a.rs", "use rusqlite::Connection;"),
        ("src/api/router.rs", "fn f() -> hyper::StatusCode { x }"),
        ("src/api/router.rs", "use tokio;"),
        ("src/usecase/a.rs", "use ::jsonwebtoken::Header;"),
        ("src/crypto/a.rs", "fn f() { getrandom::fill(b) }"),
        ("src/domain/a.rs", "#[derive(serde::Serialize)] struct A;"),
    ] {
        assert_eq!(said(path, code).len(), 1, "{path} {code} {:?}", said(path, code));
    }
}

#[test]
fn printing_and_sql_outside_their_places_are_caught() {
    for (path, code) in [
        ("src/cli/user.rs", "fn f() { println!(\"x\") }"),
        ("src/api/a.rs", "fn f() { eprint!(\"x\") }"),
        ("src/usecase/a.rs", "const A: &str = \"SELECT id FROM users\";"),
        ("src/cli/a.rs", "const A: &str = r#\"INSERT INTO users VALUES (1)\"#;"),
        ("src/api/a.rs", "const A: &str = \"\n  UPDATE users\n SET name = 1\";"),
        ("src/api/a.rs", "const A: &str = \"DELETE FROM users\";"),
    ] {
        assert_eq!(said(path, code).len(), 1, "{path} {code}");
    }
    assert_eq!(said("src/cli/terminal.rs", "fn f() { println!(\"x\") }"), Vec::<String>::new());
    assert_eq!(said("src/api/a.rs", "const A: &str = \"DELETE\"; // SELECT a FROM b"), Vec::<String>::new());
}

#[test]
fn a_long_file_and_one_without_an_opening_are_caught() {
    let house = House::read();
    let lines = |count: usize| format!("//! Owns lines.\n{}", "\n".repeat(count - 1));
    assert_eq!(house.offences("tests/it/a.rs", &lines(500)), Vec::<String>::new());
    assert_eq!(house.offences("tests/it/a.rs", &lines(501)).len(), 1);
    assert_eq!(house.offences("src/store/a.rs", "use std::fmt;\n").len(), 1);
}

#[test]
fn the_table_of_rooms_is_read_whole() {
    let house = House::read();
    let names: Vec<_> = house.rooms.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "domain",
            "counters",
            "error",
            "ports",
            "config",
            "crypto",
            "store",
            "usecase",
            "views",
            "transport",
            "web",
            "api",
            "pages",
            "metrics",
            "cli"
        ]
    );
    assert_eq!(house.rooms[7].1.join(" "), "domain counters error ports config crypto store");
    for (name, _) in CONFINED {
        assert!(house.crates.iter().any(|known| known == name), "{name} is no dependency any more");
    }
}
