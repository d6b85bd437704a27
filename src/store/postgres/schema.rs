//! Making the schema in an empty database on a server, and whether what is there is authd's.

use super::session::Session;
use crate::domain::audit::Mark;
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::audit::chain::{Chain, End};
use crate::store::audit::head::sealed_anew;
use crate::store::audit::inbox;
use crate::store::driver::Driver;
use crate::store::tx::{Query, Reader, Tx, params};
use crate::store::version::VERSION;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

/// `/schema.sql` by rules, see tests/it/schema_postgres.rs.
const TABLES: &str = include_str!("schema.sql");

/// What no rule makes: the guards of the audit log, and what one file has no need of.
const OTHERS: &str = include_str!("others.sql");

/// Every column, index and trigger as [`objects`] lists them, one a line.
const OBJECTS: &str = include_str!("objects.txt");

/// Keys of `meta`: whose database it is, and of what version, in digits.
const APPLICATION: &str = "application";
const SCHEMA_VERSION: &str = "schema_version";
const AUTHD: &[u8] = b"authd";
const MOVED: &[u8] = b"authd, moved";

const BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL lock_timeout = '5s'";

/// What is made of a database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::store) enum Place {
    /// It must be empty.
    Empty,
    /// What authd has in it goes, in the same transaction.
    Emptied,
}

/// Makes the schema in a database, with what `fill` writes, in one transaction. `None`: it is there
/// already, or another process was faster, and `fill` may have been called for nothing.
///
/// # Errors
/// Those of `fill`; [`Fault::Config`] where something else stands in the database.
pub(in crate::store) fn make<T>(
    session: &Session,
    chain: &Chain,
    now: Timestamp,
    caller: &Caller,
    place: Place,
    fill: impl FnOnce(&mut Tx<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    check_settings(session)?;
    if place == Place::Empty && is_there(session)? {
        return Ok(None);
    }
    session.begin(BEGIN, Duration::ZERO);
    let made = session.end(make_in(session, chain, now, caller, place, fill));
    // Whoever was faster has made the same.
    let others = made.is_err() && place == Place::Empty && is_there(session).unwrap_or(false);
    if others { Ok(None) } else { made.map(Some) }
}

fn make_in<T>(
    session: &Session,
    chain: &Chain,
    now: Timestamp,
    caller: &Caller,
    place: Place,
    fill: impl FnOnce(&mut Tx<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let driver = Driver::Postgres(session);
    let reader = Reader::new(driver);
    if place == Place::Emptied {
        drop_all(session)?;
    }
    let strange = "SELECT count(*) AS tables FROM pg_catalog.pg_tables WHERE schemaname = current_schema()";
    let tables: i64 = reader.one(strange, &[], |row| row.get("tables"))?;
    if tables > 0 {
        return Err(Fault::Config(
            "database: it holds somebody else's tables; name another, and give authd one of its own".into(),
        ));
    }
    session.run(TABLES)?;
    session.run(OTHERS)?;
    let head = sealed_anew(&reader, chain)?;
    let version = VERSION.to_string();
    for (key, value) in
        [(End::Head.key(), &head[..]), (APPLICATION, AUTHD), (SCHEMA_VERSION, version.as_bytes())]
    {
        session.execute("INSERT INTO meta (key, value) VALUES (?1, ?2)", params![key, value])?;
    }
    // No id was good in an earlier life of the database, so that no line of that comes back.
    let first = now.as_millis().saturating_mul(1_000).max(1);
    reader.one("SELECT setval('audit_inbox_id', ?1) AS first", params![first], |_| Ok(()))?;
    inbox::begin(driver, chain, &Mark::default(), first)?;
    let mut tx = Tx::new(driver, now, caller, chain);
    let filled = fill(&mut tx)?;
    tx.close()?;
    Ok(filled)
}

fn drop_all(session: &Session) -> Result<(), Fault> {
    let reader = Reader::new(Driver::Postgres(session));
    let sql =
        "SELECT tablename AS name FROM pg_catalog.pg_tables WHERE schemaname = current_schema() ORDER BY 1";
    let found: Vec<String> = reader.all(sql, &[], |row| row.get("name"))?;
    let is_own = |name: &&String| OBJECTS.lines().any(|line| line.starts_with(&format!("column {name}.")));
    let own: Vec<&str> = found.iter().filter(is_own).map(String::as_str).collect();
    if !own.is_empty() {
        session.run(&format!("DROP TABLE {} CASCADE", own.join(", ")))?;
    }
    session.run("DROP FUNCTION IF EXISTS audit_is_append_only(); DROP SEQUENCE IF EXISTS audit_inbox_id")
}

/// Whether authd's schema is there, of whichever version.
pub(in crate::store) fn is_there(session: &Session) -> Result<bool, Fault> {
    let reader = Reader::new(Driver::Postgres(session));
    let sql = "SELECT to_regclass('meta') IS NOT NULL AS is_there";
    if !reader.one(sql, &[], |row| row.get::<bool>("is_there"))? {
        return Ok(false);
    }
    let sql = "SELECT value FROM meta WHERE key = ?1";
    let application: Option<Vec<u8>> = reader.opt(sql, params![APPLICATION], |row| row.get("value"))?;
    Ok(application.is_some_and(|found| found == AUTHD || found == MOVED))
}

/// Keeps others from changing anything, to the end of the transaction that this begins.
pub(super) fn lock_all(session: &Session) -> Result<(), Fault> {
    let tables: BTreeSet<&str> = OBJECTS
        .lines()
        .filter_map(|line| line.strip_prefix("column ")?.split_once('.'))
        .map(|(table, _)| table)
        .collect();
    let tables: Vec<&str> = tables.into_iter().collect();
    session.run(&format!("LOCK TABLE {} IN EXCLUSIVE MODE", tables.join(", ")))
}

/// Says of a database that its content is elsewhere from here on: nobody opens it any more.
pub(in crate::store) fn mark_moved(session: &Session) -> Result<(), Fault> {
    session.execute("UPDATE meta SET value = ?2 WHERE key = ?1", params![APPLICATION, MOVED]).map(drop)
}

/// Reads the schema's version, once the database is known to be authd's.
///
/// # Errors
/// [`Fault::Config`] for a database of somebody else's, and one that was moved.
pub(in crate::store) fn version_of(session: &Session) -> Result<i64, Fault> {
    let sql = "SELECT (SELECT value FROM meta WHERE key = ?1) AS application, \
        (SELECT value FROM meta WHERE key = ?2) AS version";
    let reader = Reader::new(Driver::Postgres(session));
    reader.one(sql, params![APPLICATION, SCHEMA_VERSION], |row| {
        let (application, version): (Option<&[u8]>, Option<&[u8]>) =
            (row.get("application")?, row.get("version")?);
        if application == Some(MOVED) {
            return Err(Fault::Config(
                "database: it was moved by `authctl db migrate-to`; set `database` to where it is now".into(),
            ));
        }
        let digits =
            version.filter(|_| application == Some(AUTHD)).and_then(|digits| str::from_utf8(digits).ok());
        digits
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| Fault::Config("database: it is none of authd's; name another".into()))
    })
}

/// Refuses a server that would lose what was answered for.
///
/// # Errors
/// [`Fault::Config`], which names the server's setting.
pub(super) fn check_settings(session: &Session) -> Result<(), Fault> {
    let sql = "SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commits, \
        current_setting('server_encoding') AS encoding";
    let reader = Reader::new(Driver::Postgres(session));
    reader.one(sql, &[], |row| {
        let (fsync, commits, encoding): (&str, &str, &str) =
            (row.get("fsync")?, row.get("commits")?, row.get("encoding")?);
        let flaw = match (fsync, commits, encoding) {
            ("off", ..) => "`fsync` is off",
            (_, "off", _) => "`synchronous_commit` is off",
            (.., encoding) if encoding != "UTF8" => "the database's encoding is not UTF8",
            _ => return Ok(()),
        };
        Err(Fault::Config(format!("database: the server can't be relied on: {flaw}")))
    })
}

/// Checks that the schema is what this binary makes, and nothing was added that reacts to changes.
///
/// # Errors
/// [`Fault::CheckFailed`], which names what differs.
pub(in crate::store) fn check_objects(session: &Session) -> Result<(), Fault> {
    let found = objects(&Reader::new(Driver::Postgres(session)))?;
    let (own, found): (BTreeSet<&str>, BTreeSet<&str>) = (OBJECTS.lines().collect(), found.lines().collect());
    let mut differences = String::new();
    for line in found.difference(&own) {
        let _ = write!(differences, ", {line:?} is not authd's");
    }
    for line in own.difference(&found) {
        let _ = write!(differences, ", {line:?} is missing");
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(Fault::CheckFailed(format!(
        "somebody has changed the database's schema: {}; undo it if it was you, else restore a backup from before",
        differences.trim_start_matches(", ")
    )))
}

/// Lists the columns, constraints, indexes and triggers of authd's schema, one a line.
pub(in crate::store) fn objects(query: &impl Query) -> Result<String, Fault> {
    let lines = query.all(LIST, &[], |row| row.get::<String>("line"))?;
    Ok(lines.into_iter().map(|line| line + "\n").collect())
}

/// Names without their schema, which is whichever comes first in the search path. Of the catalogue itself: to
/// plan what stands in `information_schema` takes the server longer than all else that opening does.
const LIST: &str = "SELECT line FROM ( \
    SELECT 'column ' || t.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || \
        CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || coalesce(' collate ' || l.collname, '') || \
        coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') AS line \
    FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid \
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    LEFT JOIN pg_collation l ON l.oid = a.attcollation AND l.collname <> 'default' \
    WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'v', 'f', 'p') \
        AND a.attnum > 0 AND NOT a.attisdropped \
    UNION ALL \
    SELECT 'constraint ' || t.relname || '.' || k.conname || ' ' || pg_get_constraintdef(k.oid) \
    FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid \
    WHERE k.connamespace = current_schema()::regnamespace AND k.contype <> 'n' \
    UNION ALL \
    SELECT 'index ' || t.relname || ' ' || substring(pg_get_indexdef(t.oid) from ' USING .*') \
    FROM pg_class t JOIN pg_index i ON i.indexrelid = t.oid \
    WHERE t.relnamespace = current_schema()::regnamespace \
    UNION ALL \
    SELECT 'trigger ' || t.relname || '.' || g.tgname || ' ' || g.tgtype || ' ' || g.tgenabled::text || ' ' || \
        replace(p.prosrc, chr(10), ' ') \
    FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid \
    WHERE t.relnamespace = current_schema()::regnamespace AND NOT g.tgisinternal \
    UNION ALL \
    SELECT 'rule ' || t.relname || '.' || r.rulename FROM pg_rewrite r JOIN pg_class t ON t.oid = r.ev_class \
    WHERE t.relnamespace = current_schema()::regnamespace AND r.rulename <> '_RETURN' \
    ) AS found ORDER BY line COLLATE \"C\"";
