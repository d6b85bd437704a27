//! docs/audit-events.md, written from the enum: `UPDATE_GOLDEN=1 cargo test --test it documents`.

use authd::domain::audit::Event;
use std::fs;
use std::path::{Path, PathBuf};

const ENUM: &str = include_str!("../../src/domain/audit/event.rs");
const REASONS: &str = include_str!("../../src/domain/audit/login_failure.rs");

const INTRODUCTION: &str = "\
# Audit events

What the audit log records, and what stands in the details of each line beside its number and time, the actor, the
user and the session that it is about, the client's address and the request's id. `authctl audit tail`, `export` and
`verify` read it, `GET /api/auth/admin/audit` for those with `audit:read`, and `GET /api/auth/me/events` a user's own.

The actor is `anonymous`, `user:` and an id, `api_key:` with a name and an id, `operator:` and the login name of who
ran the command (of root, the one behind sudo; `uid:` and a number where there is no name), or `system`, which is the
daemon by itself. Details are texts. A name of an event is a promise: it is never
given to another, and new ones may come. [The security model](security-model.md#what-is-logged-where) says who reads
the log and how long it is kept, [its decision](decisions/0024-the-audit-log-is-a-keyed-chain.md) how a change shows.
";

/// A variant as the source has it.
struct Variant {
    name: String,
    comment: String,
    fields: Vec<String>,
}

/// The variants of an enum whose source is laid out as the formatter does.
fn variants(source: &str, name: &str) -> Vec<Variant> {
    let body = source.split(&format!("pub enum {name} {{\n")).nth(1).unwrap().split("\n}\n").next().unwrap();
    let (mut found, mut comment): (Vec<Variant>, Vec<&str>) = (Vec::new(), Vec::new());
    for line in body.lines() {
        let (indented, text) = (line.starts_with("        "), line.trim());
        let fields_of = |text: &str| -> Vec<String> {
            let fields = text.split(',').filter_map(|field| field.split_once(": "));
            fields.map(|(name, _)| name.trim().to_owned()).collect()
        };
        if let Some(part) = text.strip_prefix("///").filter(|_| !indented) {
            comment.push(part.trim());
        } else if indented {
            found.last_mut().unwrap().fields.extend(fields_of(text));
        } else if text != "}," {
            let (name, fields) = text.split_once(" {").unwrap_or((text.trim_end_matches(','), ""));
            let (name, comment) = (name.to_owned(), std::mem::take(&mut comment).join(" "));
            found.push(Variant { name, comment, fields: fields_of(fields) });
        }
    }
    found
}

/// The text that `name()` gives for a variant of an enum that writes them by hand.
fn logged_as(source: &str, variant: &Variant) -> String {
    let arm = if variant.fields.is_empty() { " => \"" } else { " { .. } => \"" };
    let rest = source.split(&format!("Self::{}{arm}", variant.name)).nth(1);
    let rest = rest.unwrap_or_else(|| panic!("name() has no arm for {}", variant.name));
    rest.split('"').next().unwrap().to_owned()
}

fn row(cells: [&str; 3]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn page() -> String {
    let mut page =
        format!("{INTRODUCTION}\n{}{}", row(["event", "what happened", "details"]), row(["---"; 3]));
    let mut events = variants(ENUM, "Event");
    events.sort_by(|one, other| one.name.cmp(&other.name));
    for event in &events {
        assert!(Event::NAMES.contains(&event.name.as_str()), "{} is logged under another name", event.name);
        assert!(event.comment.ends_with('.'), "{} is described by no sentence", event.name);
        for field in &event.fields {
            assert!(ENUM.contains(&format!("(\"{field}\"")), "{}: no detail is called {field}", event.name);
        }
        let details: Vec<String> = event.fields.iter().map(|field| format!("`{field}`")).collect();
        page.push_str(&row([&format!("`{}`", event.name), &event.comment, &details.join(", ")]));
    }
    page.push_str("\n## Why a login failed\n\n`why` of `LoginFailed`; the client is told less.\n\n");
    page.push_str("| `why` | what was so |\n| --- | --- |\n");
    for reason in variants(REASONS, "LoginFailure") {
        assert!(reason.comment.ends_with('.'), "{} is described by no sentence", reason.name);
        page.push_str(&format!("| `{}` | {} |\n", logged_as(REASONS, &reason), reason.comment));
    }
    page
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/audit-events.md")
}

#[test]
fn the_page_documents_every_event() {
    let page = page();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(file(), &page).unwrap();
    }
    let there = fs::read_to_string(file()).unwrap_or_default();
    assert!(there == page, "docs/audit-events.md is not what the enum says; UPDATE_GOLDEN=1 writes it anew");
}
