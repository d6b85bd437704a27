//! What may stand in one place only: output, SQL, and the words of HTTP.

use super::lexer::{Kind, Token, spells};

const PRINTING: [&str; 5] = ["println", "print", "eprintln", "eprint", "dbg"];

const SQL: [(&str, &str); 4] =
    [("SELECT ", " FROM "), ("INSERT ", "INTO "), ("UPDATE ", " SET "), ("DELETE FROM", "")];

/// The rooms that may name parts of HTTP. The others do the same for whoever asks, in whatever way.
const ROOMS_OF_HTTP: [&str; 6] = ["transport", "web", "api", "pages", "metrics", "cli"];

/// Places in the others that may, each with the reason.
pub const CLIENTS: [(&str, &str); 5] = [
    ("src/ports/", "has a client of HTTP and one of SMTP"),
    ("src/oidc/", "says what a provider is asked over HTTP, and judges what it answers"),
    ("src/usecase/federation/provider/", "asks a provider"),
    ("src/views/problem.rs", "is the document in which RFC 9457 repeats the status"),
    ("src/usecase/operator/doctor/", "asks a daemon over HTTP, as its clients do"),
];

/// Names of headers, in lower case. `date`, `from`, `host`, `link`, `server` and others are left out: they
/// mean other things as well.
const HEADERS: [&str; 36] = [
    "accept",
    "accept-encoding",
    "allow",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-language",
    "content-length",
    "content-security-policy",
    "content-type",
    "cookie",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "etag",
    "forwarded",
    "if-match",
    "if-none-match",
    "location",
    "origin",
    "permissions-policy",
    "proxy-authorization",
    "ratelimit",
    "ratelimit-policy",
    "referer",
    "referrer-policy",
    "remote-email",
    "remote-groups",
    "remote-name",
    "remote-user",
    "retry-after",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "user-agent",
    "vary",
    "www-authenticate",
];

/// And whole families of them.
const HEADER_FAMILIES: [&str; 3] = ["access-control-", "sec-", "x-"];

/// Statuses of refusals and faults. Those of success are numbers like any other, and so is 500.
const STATUSES: [&str; 18] = [
    "400", "401", "403", "404", "405", "406", "409", "410", "412", "413", "415", "422", "428", "429", "431",
    "501", "503", "504",
];

/// Printing outside of `cli/terminal.rs`, which survives a closed pipe and escapes what it shows.
pub fn printing(path: &str, tokens: &[Token], found: &mut Vec<String>) {
    let prints = |pair: &[Token]| PRINTING.contains(&pair[0].word()) && pair[1].mark() == "!";
    if path != "src/cli/terminal.rs" && tokens.windows(2).any(prints) {
        found.push("prints: only cli/terminal.rs does".into());
    }
}

/// SQL outside of `store/`.
pub fn sql(path: &str, tokens: &[Token], found: &mut Vec<String>) {
    let is_sql = |text: &str| SQL.iter().any(|(verb, rest)| text.contains(verb) && text.contains(rest));
    if !path.starts_with("src/store/") && texts(tokens).any(|(_, text)| is_sql(text)) {
        found.push("has SQL: only store/ does".into());
    }
}

/// Headers and statuses of HTTP in rooms below `web/`. Tests there may say what they like.
pub fn http(room: &str, path: &str, shipped: &[Token], found: &mut Vec<String>) {
    if ROOMS_OF_HTTP.contains(&room) || CLIENTS.iter().any(|(client, _)| path.starts_with(client)) {
        return;
    }
    for (line, text) in texts(shipped) {
        let name = text.to_ascii_lowercase();
        if HEADERS.contains(&name.as_str()) || HEADER_FAMILIES.iter().any(|family| name.starts_with(family)) {
            found.push(format!("line {line} names the header {name}: only web/ and what is above it do"));
        }
    }
    for (at, token) in shipped.iter().enumerate() {
        let number = token.word().trim_end_matches("u16").trim_end_matches('_');
        if STATUSES.contains(&number) || spells(&shipped[at..], &["status", ":", "u16"]) {
            let line = token.line;
            found.push(format!(
                "line {line} has an HTTP status, {}: only web/ and what is above it do",
                token.word()
            ));
        }
    }
}

fn texts<'a>(tokens: &[Token<'a>]) -> impl Iterator<Item = (usize, &'a str)> {
    tokens.iter().filter_map(|token| match token.kind {
        Kind::Text(text) => Some((token.line, text)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::lexer::{read, without_tests};
    use super::*;

    fn offences(path: &str, code: &str) -> Vec<String> {
        let tokens = read(code);
        let room = path.split('/').nth(1).unwrap().trim_end_matches(".rs");
        let mut found = Vec::new();
        printing(path, &tokens, &mut found);
        sql(path, &tokens, &mut found);
        http(room, path, &without_tests(&tokens), &mut found);
        found
    }

    #[test]
    fn printing_outside_its_place_is_caught() {
        for (path, code) in [
            ("src/cli/user.rs", "fn f() { println!(\"x\") }"),
            ("src/cli/terminal/table.rs", "fn f() { print!(\"x\") }"),
            ("src/api/a.rs", "fn f() { eprint!(\"x\") }"),
            ("src/usecase/a.rs", "fn f() { dbg!(x); }"),
        ] {
            assert_eq!(offences(path, code).len(), 1, "{path} {code}");
        }
        assert_eq!(offences("src/cli/terminal.rs", "fn f() { println!(\"x\") }"), Vec::<String>::new());
        assert_eq!(
            offences("src/api/a.rs", "// println!\nfn print(a: &str) { b(\"print!\") }"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn sql_outside_its_place_is_caught() {
        for (path, code) in [
            ("src/usecase/a.rs", "const A: &str = \"SELECT id FROM users\";"),
            ("src/cli/a.rs", "const A: &str = r#\"INSERT INTO users VALUES (1)\"#;"),
            ("src/api/a.rs", "const A: &str = \"\n  UPDATE users\n SET name = 1\";"),
            ("src/api/a.rs", "const A: &str = \"DELETE FROM users\";"),
        ] {
            assert_eq!(offences(path, code).len(), 1, "{path} {code}");
        }
        assert_eq!(
            offences("src/store/a.rs", "const A: &str = \"SELECT id FROM users\";"),
            Vec::<String>::new()
        );
        assert_eq!(
            offences("src/api/a.rs", "const A: &str = \"DELETE\"; // SELECT a FROM b"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn http_below_web_is_caught() {
        for (path, code) in [
            ("src/error.rs", "const A: u16 = 404;"),
            ("src/error.rs", "fn f() { match self { A => (\"x\", 422_u16) } }"),
            ("src/usecase/app/a.rs", "fn end(status: u16) {}"),
            ("src/usecase/app/a.rs", "fn f() { match a { 400.. => b } }"),
            ("src/usecase/app/a.rs", "const A: &str = \"RateLimit-Policy\";"),
            ("src/views/a.rs", "const A: &str = \"x-request-id\";"),
            ("src/config/a.rs", "const A: &str = \"Access-Control-Allow-Origin\";"),
            ("src/domain/a.rs", "const A: &str = \"cookie\";"),
        ] {
            assert_eq!(offences(path, code).len(), 1, "{path} {code} {:?}", offences(path, code));
        }
    }

    #[test]
    fn http_in_web_and_words_like_its_are_let_be() {
        for (path, code) in [
            ("src/web/a.rs", "const A: &str = \"cookie\"; const B: u16 = 404; fn f(status: u16) {}"),
            ("src/api/a.rs", "const A: &str = \"x-request-id\";"),
            ("src/ports/http_client.rs", "struct A { status: u16 }"),
            ("src/usecase/operator/doctor/a.rs", "fn f() { status == 401 }"),
            (
                "src/store/a.rs",
                "const A: u64 = 500; // 404\nconst B: &str = \"a cookie's 404\"; const C: u32 = 1404;",
            ),
            ("src/store/a.rs", "#[cfg(test)] mod tests { const A: u16 = 404; const B: &str = \"cookie\"; }"),
        ] {
            assert_eq!(offences(path, code), Vec::<String>::new(), "{path} {code}");
        }
    }
}
