//! Who may import whom: the rooms of `src/`, and the floors inside `usecase/`.
//!
//! Both tables are read where they are documented: in `src/lib.rs` and in `src/usecase/mod.rs`.

use super::paths::Outline;

/// The one file that may name all faces, because `authd serve` is a command like any other.
const SERVE: (&str, [&str; 5]) = ("src/cli/serve.rs", ["api", "pages", "metrics", "transport", "web"]);

/// Each room or floor with those that it may import, in reading order.
#[derive(Debug)]
pub struct Table(pub Vec<(String, Vec<String>)>);

impl Table {
    /// Reads rows such as `| [`error`], [`ports`] | what they own | domain |`.
    pub fn read(documentation: &str) -> Self {
        let mut rows: Vec<(String, Vec<String>)> = Vec::new();
        for row in documentation.lines().filter_map(|line| line.strip_prefix("//! | [`")) {
            let columns: Vec<&str> = row.split(" | ").collect();
            let names = columns[0].split(['`', '[', ']', ',', ' ']).filter(|name| !name.is_empty());
            let allowed: Vec<String> = match columns.get(2).unwrap_or(&"").trim_end_matches(" |") {
                "value crates" | "nothing" => Vec::new(),
                "all of the above" => rows.iter().map(|(name, _)| name.clone()).collect(),
                list => list.split(", ").map(str::to_owned).collect(),
            };
            let names: Vec<String> = names.map(str::to_owned).collect();
            rows.extend(names.into_iter().map(|name| (name, allowed.clone())));
        }
        Self(rows)
    }

    fn row(&self, name: &str) -> Option<&[String]> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, allowed)| allowed.as_slice())
    }

    /// What doesn't fit together: rows without their folder or file, the reverse, and words that name no row.
    pub fn gaps(&self, present: &[String]) -> Vec<String> {
        let mut found = Vec::new();
        found.extend(
            self.0
                .iter()
                .filter(|(name, _)| !present.contains(name))
                .map(|(name, _)| format!("{name} has a row, but isn't there")),
        );
        found.extend(
            present.iter().filter(|name| self.row(name).is_none()).map(|name| format!("{name} has no row")),
        );
        for (name, allowed) in &self.0 {
            let unknown = allowed.iter().filter(|other| self.row(other).is_none());
            found.extend(unknown.map(|other| format!("{name} may import {other}, which has no row")));
        }
        found
    }
}

/// The imports of a file that its room's row doesn't allow.
pub fn between_rooms(rooms: &Table, path: &str, outline: &Outline, found: &mut Vec<String>) {
    let Some(room) = outline.module.first() else {
        return;
    };
    let Some(allowed) = rooms.row(room) else {
        return;
    };
    for other in members_named(outline, &[]) {
        let serves = path == SERVE.0 && SERVE.1.contains(&other);
        if rooms.row(other).is_some()
            && other != *room
            && !allowed.iter().any(|name| name == other)
            && !serves
        {
            found.push(format!("names {other}: the room {room} may import {}", listed(allowed)));
        }
    }
}

/// The imports of a file of `usecase/` that its floor's row doesn't allow. A file that lies loose in
/// `usecase/` is below all floors: every one may import it, and it none of them.
pub fn between_floors(floors: &Table, outline: &Outline, found: &mut Vec<String>) {
    if outline.module.first() != Some(&"usecase") {
        return;
    }
    let floor = outline.module.get(1).copied().unwrap_or_default();
    let allowed = floors.row(floor);
    for other in members_named(outline, &["usecase"]) {
        if floors.row(other).is_none() || other == floor {
            continue;
        }
        match allowed {
            None => found.push(format!(
                "names usecase::{other}: what lies loose in usecase/ may import no floor of it"
            )),
            Some(allowed) if !allowed.iter().any(|name| name == other) => {
                found.push(format!(
                    "names usecase::{other}: the floor {floor} may import {}",
                    listed(allowed)
                ));
            }
            Some(_) => {}
        }
    }
}

/// What a file names of a module, each once: of `store` the `tx` in `store::tx::Row`.
fn members_named<'a>(outline: &Outline<'a>, of: &[&str]) -> Vec<&'a str> {
    let mut members = Vec::new();
    for path in outline.named.iter().filter_map(|named| outline.absolute(named)) {
        if path.starts_with(of)
            && let Some(member) = path.get(of.len())
            && !members.contains(member)
        {
            members.push(*member);
        }
    }
    members
}

fn listed(allowed: &[String]) -> String {
    if allowed.is_empty() { "none".into() } else { allowed.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::read;
    use super::*;

    const ROOMS: &str = "
//! | room | owns | may import |
//! | --- | --- | --- |
//! | [`domain`] | values | value crates |
//! | [`error`], [`ports`] | errors; the outside world | domain |
//! | [`store`] | SQL | domain, error, ports |
//! | [`usecase`] | actions | all of the above |
//! | [`views`] | JSON | all of the above |
//! | [`transport`] | bytes | error |
//! | [`web`] | requests | usecase, domain, error, ports, transport |
//! | [`api`], [`pages`] | faces | usecase, domain, error, ports, transport, views, web |
//! | [`metrics`] | figures | usecase, error, transport |
//! | [`cli`] | the operator's face | usecase, domain, error, ports, views |
";

    const FLOORS: &str = "
//! | floor | owns | may import |
//! | [`app`] | the app | nothing |
//! | [`keys`], [`mail`] | keys; mail | app |
//! | [`signin`] | proofs | app, keys, mail |
//! | [`account`], [`session`] | actions | app, keys, mail, signin, session |
";

    fn offences(path: &str, code: &str) -> Vec<String> {
        let tokens = read(code);
        let outline = Outline::of(path, &tokens);
        let mut found = Vec::new();
        between_rooms(&Table::read(ROOMS), path, &outline, &mut found);
        between_floors(&Table::read(FLOORS), &outline, &mut found);
        found
    }

    #[test]
    fn an_import_that_the_table_of_rooms_forbids_is_caught() {
        for (path, code) in [
            ("src/domain/a.rs", "use crate::error::Fault;"),
            ("src/domain/mod.rs", "use super::error::Fault;"),
            ("src/error.rs", "use crate::ports::Clock;"),
            ("src/ports/a.rs", "use crate::store::Store;"),
            ("src/store/a.rs", "fn f() { crate::usecase::act() }"),
            ("src/store/a/b/c.rs", "use super::super::super::super::usecase;"),
            ("src/usecase/app/a.rs", "use crate::api::problem;"),
            ("src/usecase/a.rs", "use crate::views;"),
            ("src/views/a.rs", "use crate::web::request;"),
            ("src/web/a.rs", "use crate::views::user;"),
            ("src/api/routes/a.rs", "use crate::{error::Fault, store::{Tx, Row}};"),
            ("src/api/a.rs", "use crate::{\n    domain::{id, role},\n    metrics,\n};"),
            ("src/pages/a.rs", "use crate::api::problem;"),
            ("src/cli/a.rs", "pub use crate::api;"),
            ("src/cli/serve/a.rs", "use crate::api;"),
        ] {
            assert_eq!(offences(path, code).len(), 1, "{path} {code} {:?}", offences(path, code));
        }
    }

    #[test]
    fn an_import_that_the_table_of_rooms_allows_is_let_be() {
        for (path, code) in [
            ("src/domain/a.rs", "use super::id; use crate::domain::role; use jiff::Span;"),
            ("src/store/a.rs", "// crate::api\nuse super::{tx, users}; const A: &str = \"crate::api\";"),
            ("src/store/a/b.rs", "use super::super::usecase; use super::views;"),
            ("src/usecase/a.rs", "use crate::{domain, error, ports, store};"),
            ("src/cli/serve.rs", "use crate::{api, metrics, pages, transport, web};"),
            ("src/cli/a.rs", "use crate::cli::api_status; use self::api::x;"),
            ("src/main.rs", "use authd::store;"),
        ] {
            assert_eq!(offences(path, code), Vec::<String>::new(), "{path} {code}");
        }
    }

    #[test]
    fn an_import_that_the_table_of_floors_forbids_is_caught() {
        for (path, code) in [
            ("src/usecase/app/app.rs", "use crate::usecase::keys::current;"),
            ("src/usecase/app/a.rs", "use super::super::mail;"),
            ("src/usecase/keys/a.rs", "use super::super::{app::App, mail::{outbox, delivery}, require};"),
            ("src/usecase/mail/mod.rs", "fn f() { super::signin::lockout::check() }"),
            ("src/usecase/signin/a.rs", "use crate::usecase; fn f() { usecase::session::list() }"),
            ("src/usecase/session/a/b.rs", "use crate::usecase::{app, account};"),
            ("src/usecase/mod.rs", "pub mod app; pub use app::App;"),
            ("src/usecase/paging.rs", "use super::app::App;"),
        ] {
            assert_eq!(offences(path, code).len(), 1, "{path} {code} {:?}", offences(path, code));
        }
    }

    #[test]
    fn an_import_that_the_table_of_floors_allows_is_let_be() {
        for (path, code) in [
            ("src/usecase/app/a.rs", "use super::b; use crate::usecase::{app::c, paging, require};"),
            ("src/usecase/mail/a.rs", "use super::super::app::App; use crate::usecase::mail::b;"),
            ("src/usecase/account/a.rs", "use crate::usecase::{app, keys, mail, session, signin};"),
            ("src/usecase/mod.rs", "pub mod app; mod paging; pub use paging::Page;"),
            ("src/cli/a.rs", "use crate::usecase::session::list;"),
        ] {
            assert_eq!(offences(path, code), Vec::<String>::new(), "{path} {code}");
        }
    }

    #[test]
    fn a_table_that_does_not_fit_the_folders_is_caught() {
        let gaps = |present: &[&str]| {
            let present: Vec<String> = present.iter().map(|name| (*name).to_owned()).collect();
            Table::read(FLOORS).gaps(&present)
        };
        assert_eq!(gaps(&["app", "keys", "mail", "signin", "account", "session"]), Vec::<String>::new());
        assert_eq!(
            gaps(&["app", "keys", "mail", "signin", "account", "audit"]),
            ["session has a row, but isn't there", "audit has no row"]
        );
        let table = Table::read("//! | [`a`] | x | nothing |\n//! | [`b`] | y | a, usecases |");
        assert_eq!(table.gaps(&["a".into(), "b".into()]), ["b may import usecases, which has no row"]);
    }
}
