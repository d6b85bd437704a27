//! In debug builds, and so under every test: no statement may look at all rows of a table that grows, or sort
//! them, unless it is named here with a reason; and none may give two columns of one name, since rows are
//! read by name. Whatever a test runs is judged before it runs, by the plan that SQLite makes for it; a
//! release build knows nothing of this.

use super::fault::fault;
use crate::error::Fault;
use crate::store::version::VERSION;
use rusqlite::Connection;
use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Tables that stay small: what operators set up by hand. All others grow with the users or with time.
const SMALL: [&str; 6] =
    ["meta", "roles", "role_permissions", "signing_keys", "api_keys", "api_key_permissions"];

/// Statements that may walk over a table, by a part of their text, and why.
const WALKS: &[(&str, &str)] = &[
    (
        " AS page WHERE ",
        "pruning: a page of primary keys that the statement before it found, or the last of them",
    ),
    (
        "SELECT count(*) AS users FROM users",
        "counted for the metrics: rarely, for a hundredth of one reader's time at most; and by `apply`",
    ),
    ("SELECT count(*) AS alive FROM sessions WHERE ended_at IS NULL", "counted for the metrics, too"),
    ("SELECT count(*) AS accounts FROM totp WHERE enabled_at IS NOT NULL", "counted for the metrics, too"),
    ("SELECT count(DISTINCT user_id) AS accounts FROM passkeys", "counted for the metrics, too"),
    ("SELECT count(*) AS all_rows FROM ", "`db status`, which an operator asks for"),
    (
        "FROM identities i GROUP BY i.provider",
        "`doctor`, which an operator asks for and which reads the whole file",
    ),
    ("FROM unclaimed WHERE delete_at <= ?1", "a list to which nothing is added, and that is empty some day"),
    (
        "FROM registrations WHERE id > ?1",
        "a page of those that wait, which are nearly all: the others go within minutes",
    ),
    (
        " ORDER BY mails.id DESC",
        "`mail list`: a page of those that were sent, which are nearly all, or of the few that were not, sorted",
    ),
    ("/* of everybody */", "`token list`: a page begins with the newest, most of which live"),
    (
        "SELECT s.created_at FROM sessions s WHERE s.id <= ?1",
        "`token revoke --jti`: the newest sessions of that time first, one of which it most likely is",
    ),
    ("(u.email_key LIKE ?1", "a search in the midst of texts looks at each account until its page is full"),
    ("u.disabled_at IS NOT NULL AND ?3", "an index holds these alone"),
    ("u.email_verified_at IS NULL AND ?3", "an index holds these alone, too"),
    (
        "NOT EXISTS (SELECT 1 FROM totp t WHERE t.user_id = u.id",
        "looks at each account until its page is full: of those who lack a factor there are many, or it is the last page",
    ),
    ("u.email_key IN (SELECT p.account", "sorts the accounts that are locked at this moment"),
    (
        "UPDATE sessions SET ended_at = ?1 WHERE ended_at IS NULL",
        "ends everybody's, by an operator or a restore",
    ),
    (
        "SELECT user_id, code_hash FROM recovery_codes WHERE spent_at IS NULL",
        "a restore, in a copy that nobody uses",
    ),
    ("SELECT id, user_id, sign_count FROM passkeys", "a restore, too"),
    (
        "CASE WHEN locked_until > last_at THEN locked_until ELSE last_at END DESC",
        "the failures of one account, of which there are a thousand at most",
    ),
    ("ORDER BY s.last_used_at DESC, s.id DESC", "the sessions of one user that live, which are few for that"),
    ("UPDATE totp SET last_step = ?1 WHERE last_step IS NULL", "a restore, too"),
    ("SELECT count(*) AS good FROM links WHERE spent_at IS NULL", "a restore, too"),
    ("SELECT count(*) AS waiting FROM tickets WHERE spent_at IS NULL", "a restore, too"),
];

/// A step of a plan, as SQLite tells it.
struct PlanStep {
    parent: i64,
    detail: String,
}

/// Judges a statement, once for each text.
///
/// # Errors
/// [`Fault::Internal`] for one that walks and is not named, or gives two columns of one name.
pub(in crate::store) fn check(connection: &Connection, sql: &str) -> Result<(), Fault> {
    static KNOWN: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    let changes_or_reads =
        ["SELECT ", "INSERT ", "UPDATE ", "DELETE "].iter().any(|verb| sql.starts_with(verb));
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    // An older schema, as a backup may have it, lacks this one's indexes.
    if !changes_or_reads || known().contains(sql) || version(connection)? != VERSION {
        return Ok(());
    }
    if let Some(name) = repeated_column(connection, sql).map_err(fault)? {
        return Err(Fault::Internal(format!("a statement gives two columns of the name {name}: {sql}")));
    }
    let steps = explain(connection, sql).map_err(fault)?;
    // What takes every row away is looked for nowhere.
    let takes_all = sql.starts_with("DELETE ") && !sql.contains(" WHERE ");
    if !takes_all
        && let Some(step) = steps.iter().find(|step| is_walk(step, &steps, sql))
        && !WALKS.iter().any(|(part, _)| sql.contains(part))
    {
        let detail = &step.detail;
        return Err(Fault::Internal(format!("a statement walks over a table that grows ({detail}): {sql}")));
    }
    known().insert(sql.to_owned());
    Ok(())
}

fn version(connection: &Connection) -> Result<i64, Fault> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fault)
}

fn repeated_column(connection: &Connection, sql: &str) -> rusqlite::Result<Option<String>> {
    let statement = connection.prepare(sql)?;
    let mut names = HashSet::new();
    Ok(statement.column_names().find(|name| !names.insert(*name)).map(str::to_owned))
}

fn explain(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<PlanStep>> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    let steps = statement.raw_query().mapped(|row| Ok(PlanStep { parent: row.get(1)?, detail: row.get(3)? }));
    steps.collect()
}

fn is_walk(step: &PlanStep, steps: &[PlanStep], sql: &str) -> bool {
    let detail = step.detail.as_str();
    if detail.starts_with("USE TEMP B-TREE") {
        // Sorted is what the other steps of the same query give.
        let of_same = steps.iter().filter(|other| other.parent == step.parent);
        return of_same.filter_map(|other| table(other, sql)).any(grows);
    }
    if !table(step, sql).is_some_and(grows) {
        return false;
    }
    if detail.contains(" AUTOMATIC ") {
        return true;
    }
    // min and max are called a search whatever they do; without an index, only the key of `audit` gives them.
    let of_key = ["min(seq)", "max(seq)"].iter().any(|end| sql.contains(end));
    let is_end = !detail.contains('(') && (detail.contains(" USING ") || of_key);
    let between = detail.contains(">?") && detail.contains("<?");
    let looks_up = detail.starts_with("SEARCH ") && (is_end || detail.contains("=?") || between);
    let ends_soon = step.parent == 0 && stops_early(detail, steps, sql);
    !looks_up && !ends_soon
}

/// Whether a walk ends with the rows that were asked for: in the order of an index, and without a condition
/// that leaves rows out on the way.
fn stops_early(detail: &str, steps: &[PlanStep], sql: &str) -> bool {
    let outermost = outermost(sql);
    let conditions = outermost.split_once(" WHERE ").map_or("", |(_, rest)| rest);
    let conditions = conditions.split(" ORDER BY ").next().unwrap_or_default();
    let count = if conditions.is_empty() {
        0
    } else {
        conditions.split(" AND ").filter(|one| !is_constant(one)).count()
    };
    let sorts = steps.iter().any(|step| step.parent == 0 && step.detail.starts_with("USE TEMP B-TREE"));
    // The one condition of a search is where it begins.
    outermost.contains(" LIMIT ") && !sorts && count <= usize::from(detail.starts_with("SEARCH "))
}

/// A condition on parameters alone, which is there to name all of them.
fn is_constant(condition: &str) -> bool {
    let words: Vec<&str> = condition.split_whitespace().collect();
    let ([parameter, "IS", "NULL"] | [parameter, "IS", "NOT", "NULL"]) = words[..] else {
        return false;
    };
    parameter.starts_with('?')
}

/// The text, with a dash for each parenthesis in the place of what stands in it.
fn outermost(sql: &str) -> String {
    let mut depth = 0;
    let mut outermost = String::new();
    for letter in sql.chars() {
        match letter {
            '(' => {
                depth += 1;
                // A condition stays one.
                outermost.push('_');
            }
            ')' => depth -= 1,
            other if depth == 0 => outermost.push(other),
            _ => {}
        }
    }
    outermost
}

/// The table that a step is about. `None`: it is about none.
fn table<'s>(step: &'s PlanStep, sql: &'s str) -> Option<&'s str> {
    let name = step.detail.strip_prefix("SCAN ").or_else(|| step.detail.strip_prefix("SEARCH "))?;
    let name = name.split(' ').next().filter(|name| !name.starts_with('(') && *name != "CONSTANT")?;
    // Rows that stand in the statement: `2-ROW VALUES CLAUSE`.
    let is_in_text = name.ends_with("-ROW") && step.detail.ends_with(" VALUES CLAUSE");
    (!is_in_text && !is_of_query(name, sql)).then(|| behind_alias(name, sql))
}

/// Whether it is the alias of a query that stands in the place of a table.
fn is_of_query(name: &str, sql: &str) -> bool {
    sql.split("FROM (").skip(1).any(|inner| {
        let mut depth = 1;
        let end = inner.find(|letter| {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            depth == 0
        });
        let alias = end.and_then(|end| inner[end..].strip_prefix(") AS "));
        alias
            .and_then(|alias| alias.strip_prefix(name))
            .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    })
}

/// SQLite calls a table by its alias. Where an alias stands for several, one that grows counts.
fn behind_alias<'s>(name: &'s str, sql: &'s str) -> &'s str {
    let words: Vec<&str> = sql.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty() && *word != "AS").collect();
    let mut tables: Vec<&str> = words
        .windows(3)
        .filter(|three| ["FROM", "JOIN", "UPDATE"].contains(&three[0]) && three[2] == name)
        .map(|three| three[1])
        .collect();
    tables.sort_by_key(|table| !grows(table));
    tables.first().copied().unwrap_or(name)
}

fn grows(table: &str) -> bool {
    !SMALL.contains(&table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("../../../schema.sql")).unwrap();
        connection.pragma_update(None, "user_version", VERSION).unwrap();
        connection
    }

    #[test]
    fn a_statement_that_walks_over_a_table_that_grows_is_told_from_one_that_does_not() {
        let database = database();
        let walks = [
            "SELECT salt FROM sessions WHERE ended_at IS NULL",
            "SELECT salt FROM sessions s WHERE (?1 IS NULL OR s.user_id = ?1) ORDER BY s.id LIMIT ?2",
            "SELECT salt FROM sessions WHERE id > ?1 AND ended_at IS NULL ORDER BY id LIMIT 50",
            "SELECT salt FROM sessions WHERE id > ?1",
            "SELECT salt FROM sessions ORDER BY last_used_at DESC LIMIT 50",
            "SELECT salt FROM sessions WHERE user_id = ?1 ORDER BY last_used_at DESC",
            "SELECT (SELECT max(at) FROM audit) FROM roles",
            "SELECT EXISTS (SELECT 1 FROM mails WHERE counts > ?1)",
            "SELECT r.name FROM roles r, users u WHERE u.name = r.name",
            "SELECT max(ends) FROM (SELECT count(*) AS ends FROM sessions WHERE salt = ?1) AS counted",
            "UPDATE users SET name = ?1 WHERE name = ?2",
            "DELETE FROM links WHERE expires_at <= ?1",
        ];
        let others = [
            "SELECT salt FROM sessions WHERE id = ?1",
            "SELECT salt FROM sessions WHERE user_id = ?1 ORDER BY id DESC",
            "SELECT salt FROM sessions WHERE id > ?1 AND id <= ?2",
            "SELECT salt FROM sessions ORDER BY id DESC LIMIT ?1",
            "SELECT salt FROM sessions WHERE ?2 IS NULL AND id > ?1 ORDER BY id LIMIT 50",
            "SELECT max(seq), ?1 FROM audit",
            "SELECT kid FROM signing_keys ORDER BY created_at",
            "SELECT u.name FROM roles r JOIN user_roles ur ON ur.role = r.name JOIN users u ON u.id = ur.user_id WHERE r.name = ?1",
            "SELECT max(until) FROM (SELECT max(locked_until) AS until FROM pair_failures WHERE account = ?1 \
             UNION ALL SELECT locked_until FROM account_failures WHERE account = ?1) AS locks",
            "UPDATE users SET name = ?1 WHERE id = ?2",
            "DELETE FROM links",
        ];
        for sql in walks {
            assert!(check(&database, sql).is_err(), "{sql}");
        }
        for sql in others {
            assert_eq!(check(&database, sql), Ok(()), "{sql}");
        }
    }

    #[test]
    fn a_statement_gives_no_two_columns_of_one_name() {
        let database = database();
        let of_both = "FROM users u JOIN sessions s ON s.user_id = u.id WHERE u.id = ?1";
        assert!(check(&database, &format!("SELECT u.id, u.created_at, s.created_at {of_both}")).is_err());
        let aliased = format!("SELECT u.id, u.created_at, s.created_at AS session_created_at {of_both}");
        assert_eq!(check(&database, &aliased), Ok(()));
    }

    #[test]
    fn what_a_deleted_row_takes_along_is_found_by_an_index() {
        let database = database();
        let sql = "SELECT t.name, k.\"from\" FROM sqlite_schema t, pragma_foreign_key_list(t.name) k";
        let mut statement = database.prepare(sql).unwrap();
        let keys = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let keys: Vec<(String, String)> = keys.collect::<Result<_, _>>().unwrap();
        assert!(keys.len() > 8);
        for (table, column) in keys {
            let sql = format!("DELETE FROM {table} WHERE {column} = ?1");
            assert_eq!(check(&database, &sql), Ok(()));
        }
    }

    #[test]
    fn every_statement_that_may_walk_is_still_there() {
        let store = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store");
        let folders = ["tables", "audit", "sqlite"]
            .map(|folder| std::fs::read_dir(format!("{store}/{folder}")).unwrap());
        let files = folders.into_iter().flatten().map(|file| file.unwrap().path());
        let files = files.filter(|path| path.is_file() && !path.ends_with("plan.rs"));
        let source: String = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
        for (part, why) in WALKS {
            assert!(source.contains(part), "{part}: {why}");
        }
    }
}
