//! Which crates the code may name where, so that one place alone must change when a crate does.

use super::paths::Outline;

pub const CONFINED: &[(&str, &[&str])] = &[
    ("rusqlite", &["src/store/sqlite/"]),
    ("tokio_postgres", &["src/store/postgres/", "src/config/database.rs"]),
    ("tokio_postgres_rustls", &["src/store/postgres/"]),
    ("rustls_native_certs", &["src/store/postgres/"]),
    ("r2d2", &["src/store/sqlite/", "src/store/postgres/"]),
    ("hyper", &["src/transport/"]),
    ("hyper_util", &["src/transport/"]),
    ("http_body_util", &["src/transport/"]),
    // A job's end is told to threads and tasks over one channel, which needs no runtime; a session with a
    // server is driven on one of its own.
    ("tokio", &["src/transport/", "src/store/job.rs", "src/store/postgres/session.rs"]),
    // Items of CBOR stand in what passkeys say, and nowhere else.
    ("minicbor", &["src/webauthn/"]),
    ("listenfd", &["src/transport/", "src/cli/serve.rs"]),
    ("sd_notify", &["src/cli/supervisor.rs"]),
    ("argon2", &["src/crypto/password/"]),
    ("argon2_rust", &["src/crypto/password/"]),
    ("bcrypt", &["src/crypto/password/"]),
    ("scrypt", &["src/crypto/password/"]),
    ("sha_crypt", &["src/crypto/password/"]),
    ("unix_crypt", &["src/crypto/password/"]),
    ("jsonwebtoken", &["src/crypto/", "src/oidc/"]),
    ("getrandom", &["src/ports/"]),
    ("lettre", &["src/ports/"]),
    // Of it Apple's key needs the reader of PEM alone.
    ("rustls", &["src/ports/", "src/oidc/client_secret.rs", "src/store/postgres/tls.rs"]),
    ("ureq", &["src/ports/"]),
    ("uzers", &["src/ports/", "src/cli/"]),
    ("toml", &["src/config/", "src/usecase/operator/apply/file.rs", "src/pages/language.rs"]),
    ("csv", &["src/cli/terminal", "src/usecase/operator/import/rows.rs"]),
    ("png", &["src/usecase/account/qr.rs"]),
    ("qrcode", &["src/usecase/account/qr.rs"]),
    ("minijinja", &["src/usecase/app/", "src/usecase/mail/", "src/pages/"]),
    ("schemars", &["src/views/", "src/api/"]),
    ("prometheus_client", &["src/metrics/"]),
    ("clap", &["src/cli/"]),
    ("clap_complete", &["src/cli/"]),
    ("comfy_table", &["src/cli/"]),
    ("dialoguer", &["src/cli/"]),
    ("indicatif", &["src/cli/terminal/progress.rs"]),
    ("tracing_subscriber", &["src/cli/"]),
    ("unicode_width", &["src/cli/terminal"]),
];

/// What `domain` may use: crates of values, without I/O, clock or serialisation.
const VALUE_CRATES: [&str; 8] =
    ["data_encoding", "email_address", "idna", "jiff", "unicode_normalization", "uuid", "zeroize", "zxcvbn"];

/// Every dependency of a `Cargo.toml`, as code names it.
pub fn dependencies(manifest: &str) -> Vec<String> {
    let dependencies = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names =
        dependencies.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name.replace('-', "_")).collect()
}

/// The crates that a file names and may not.
pub fn out_of_place(known: &[String], path: &str, outline: &Outline, found: &mut Vec<String>) {
    let mut named: Vec<&str> = outline.named.iter().filter_map(|named| outline.foreign(named)).collect();
    named.sort_unstable();
    named.dedup();
    for name in named.into_iter().filter(|name| known.iter().any(|known| known == name)) {
        let confined = CONFINED.iter().find(|(confined, _)| *confined == name);
        if let Some((_, places)) =
            confined.filter(|(_, places)| !places.iter().any(|place| path.starts_with(place)))
        {
            found.push(format!("names the crate {name}, which stands in {}", places.join(" and ")));
        }
        if outline.module.first() == Some(&"domain") && !VALUE_CRATES.contains(&name) {
            found.push(format!("names the crate {name}, which is not one of values"));
        }
    }
}

/// What the list of confined crates says that isn't so any more.
pub fn stale(known: &[String], paths: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, places) in CONFINED {
        if !known.iter().any(|known| known == name) {
            found.push(format!("the crate {name} is confined, but no dependency"));
        }
        let gone = places.iter().filter(|place| !paths.iter().any(|path| path.starts_with(**place)));
        found.extend(gone.map(|place| format!("the crate {name} is confined to {place}, which isn't there")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::lexer::read;
    use super::*;

    fn offences(path: &str, code: &str) -> Vec<String> {
        let manifest = "[package]\n\n[dependencies]\n# Why.\nrusqlite = \"1\"\nhyper = \"1\"\ntokio = \"1\"\ntoml = \"1\"\n\
            jsonwebtoken = \"1\"\ngetrandom = \"1\"\nserde = { version = \"1\" }\njiff = \"1\"\nsha-crypt = \"1\"\n\n\
            [dev-dependencies]\nproptest = \"1\"\n";
        let tokens = read(code);
        let mut found = Vec::new();
        out_of_place(&dependencies(manifest), path, &Outline::of(path, &tokens), &mut found);
        found
    }

    #[test]
    fn a_crate_outside_its_place_is_caught() {
        for (path, code) in [
            ("src/usecase/a.rs", "use rusqlite::Connection;"),
            ("src/store/tables/users.rs", "use rusqlite::Row;"),
            ("src/store/tx.rs", "#[cfg(test)] mod tests { use rusqlite::Connection; }"),
            ("src/api/router.rs", "fn f() -> hyper::StatusCode { x }"),
            ("src/api/router.rs", "use tokio;"),
            ("src/usecase/a.rs", "use ::jsonwebtoken::Header;"),
            ("src/crypto/a.rs", "fn f() { getrandom::fill(b) }"),
            ("src/crypto/opaque.rs", "use sha_crypt::x;"),
            ("src/domain/a.rs", "#[derive(serde::Serialize)] struct A;"),
            ("src/cli/a.rs", "use toml::{de, ser};"),
        ] {
            assert_eq!(offences(path, code).len(), 1, "{path} {code} {:?}", offences(path, code));
        }
    }

    #[test]
    fn a_crate_in_its_place_is_let_be() {
        for (path, code) in [
            ("src/store/sqlite/connection.rs", "use rusqlite::Connection; fn f() { rusqlite::ffi::x() }"),
            ("src/transport/io.rs", "use hyper::body; use tokio::net;"),
            ("src/cli/a.rs", "use self::toml::x; use super::toml::y;"),
            ("src/cli/a.rs", "mod toml; use toml::x; // rusqlite::X\nconst A: &str = \"rusqlite::X\";"),
            ("src/domain/a.rs", "use jiff::Span; use std::fmt;"),
        ] {
            assert_eq!(offences(path, code), Vec::<String>::new(), "{path} {code}");
        }
    }

    #[test]
    fn a_stale_list_of_confined_crates_is_caught() {
        let known: Vec<String> = CONFINED.iter().map(|(name, _)| (*name).to_owned()).collect();
        let paths: Vec<&str> = CONFINED.iter().flat_map(|(_, places)| places.iter().copied()).collect();
        assert_eq!(stale(&known, &paths), Vec::<String>::new());
        assert_eq!(stale(&known[1..], &paths).len(), 1);
        assert_eq!(
            stale(&known, &paths.into_iter().filter(|path| *path != "src/views/").collect::<Vec<_>>()).len(),
            1
        );
    }
}
