//! The objects of the file's schema, held against authd's own. Whoever could write to the file once, and to
//! no running daemon, could have left a trigger in it that makes an admin of the next who registers.

use super::connection::Connection;
use super::fault::fault;
use crate::error::Fault;
use std::collections::BTreeMap;

/// Tables that others keep in the file, and authd never asks: what `ANALYZE` found out, and Litestream's two.
const GUESTS: [&str; 4] = ["sqlite_stat1", "sqlite_stat4", "_litestream_lock", "_litestream_seq"];

/// The words of each object's statement, by its kind (`table`, `index`, `trigger`, `view`) and name.
type Objects = BTreeMap<(String, String), String>;

/// Checks that the file holds the objects that `schema` makes, and no others.
///
/// # Errors
/// [`Fault::CheckFailed`], which names those that are too many, missing or other than authd's.
pub(super) fn check(connection: &Connection, schema: &str) -> Result<(), Fault> {
    let found = objects(&connection.driver).map_err(fault)?;
    let fresh = || {
        let fresh = rusqlite::Connection::open_in_memory()?;
        fresh.execute_batch(schema)?;
        objects(&fresh)
    };
    let own = fresh().map_err(fault)?;
    let mut differences = Vec::new();
    for ((kind, name), words) in &found {
        match own.get(&(kind.clone(), name.clone())) {
            Some(expected) if expected == words => {}
            Some(_) => differences.push(format!("the {kind} {name:?} is another than authd's")),
            None if is_guest(kind, name, words) => {}
            None => differences.push(format!("the {kind} {name:?} is not authd's")),
        }
    }
    let gone = own.keys().filter(|object| !found.contains_key(*object));
    differences.extend(gone.map(|(kind, name)| format!("the {kind} {name:?} is missing")));
    if differences.is_empty() {
        return Ok(());
    }
    Err(Fault::CheckFailed(format!(
        "somebody has changed the database's schema: {}; undo it with sqlite3 if it was you, else restore a backup from \
         before",
        differences.join(", ")
    )))
}

fn is_guest(kind: &str, name: &str, words: &str) -> bool {
    kind == "table" && GUESTS.contains(&name) && words.starts_with(&format!("CREATE TABLE {name} ("))
}

fn objects(driver: &rusqlite::Connection) -> rusqlite::Result<Objects> {
    let mut statement = driver.prepare("SELECT type, name, coalesce(sql, '') AS sql FROM sqlite_schema")?;
    let rows = statement.query_map([], |row| {
        let sql: String = row.get("sql")?;
        Ok(((row.get("type")?, row.get("name")?), words(&sql)))
    })?;
    rows.collect()
}

/// The words and marks of a statement with one space between, and no comments: columns that a migration has
/// added stand otherwise than in a fresh schema. What stands in quotes stays as it is.
fn words(sql: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut words, mut rest) = (Vec::new(), sql.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '\'' => rest[1..].find('\'').map_or(rest.len(), |end| end + 2),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (word, behind) = rest.split_at(length);
        if !word.starts_with("--") {
            words.push(word);
        }
        rest = behind.trim_start();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_and_comments_are_no_difference_and_all_else_is() {
        let own = "CREATE TABLE t (\n    a TEXT CHECK (a IN ('x', 'y')), -- what it's for\n    b INTEGER -- NULL: never\n)";
        let same = "CREATE TABLE t (a TEXT CHECK (a IN ('x','y')), b INTEGER)";
        assert_eq!(words(own), words(same));
        for other in [
            "CREATE TABLE t (a TEXT CHECK (a IN ('x','y ')), b INTEGER)",
            "CREATE TABLE t (a TEXT CHECK (a IN ('x','--\ny')), b INTEGER)",
            "CREATE TABLE t (a TEXT CHECK (a IN ('x','y')), b INT EGER)",
            "CREATE TABLE t (a TEXT CHECK (a IN ('x','y')), b INTEGER /* -- */)",
            "CREATE TABLE t (a TEXT CHECK (a IN ('x','y')), \"b\" INTEGER)",
            "CREATE TABLE t (a TEXT CHECK (a IN ('x','y')), b INTEGER",
        ] {
            assert_ne!(words(other), words(same), "{other}");
        }
    }
}
