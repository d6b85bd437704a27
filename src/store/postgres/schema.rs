//! Making the schema in an empty database on a server, and whether what is there is authd's.

use super::session::{Commit, Session};
use crate::domain::audit::Mark;
use crate::error::Fault;
use crate::store::audit::chain::{Chain, End};
use crate::store::audit::head::sealed_anew;
use crate::store::audit::inbox;
use crate::store::driver::Driver;
use crate::store::tx::{Query, Reader, params};
use crate::store::version::VERSION;
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

const BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL lock_timeout = '5s'";

/// Makes the schema in an empty database. `false`: it is there already, or another process was faster.
///
/// # Errors
/// [`Fault::Storage`] where something else stands in the database.
pub(in crate::store) fn create(session: &Session, chain: &Chain) -> Result<bool, Fault> {
    if is_there(session)? {
        return Ok(false);
    }
    session.begin(BEGIN, Duration::ZERO);
    let made = make(session, chain);
    let outcome = match made {
        Ok(()) => match session.commit() {
            Commit::Done => return Ok(true),
            Commit::Refused(fault) | Commit::Unknown(fault) => fault,
        },
        Err(fault) => {
            session.roll_back();
            fault
        }
    };
    // Whoever was faster has made the same.
    if is_there(session)? { Ok(false) } else { Err(outcome) }
}

fn make(session: &Session, chain: &Chain) -> Result<(), Fault> {
    let strange = "SELECT count(*) AS tables FROM pg_catalog.pg_tables WHERE schemaname = current_schema()";
    let reader = Reader::new(Driver::Postgres(session));
    let tables: i64 = reader.one(strange, &[], |row| row.get("tables"))?;
    if tables > 0 {
        return Err(Fault::Storage(
            "the database holds somebody else's tables; check the key `database`, and give authd one of its own".into(),
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
    inbox::begin(Driver::Postgres(session), chain, &Mark::default(), 0)
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
    Ok(application.is_some_and(|found| found == AUTHD))
}

/// Reads the schema's version, once the database is known to be authd's.
///
/// # Errors
/// [`Fault::Storage`] for a database of somebody else's.
pub(in crate::store) fn version_of(session: &Session) -> Result<i64, Fault> {
    let sql = "SELECT (SELECT value FROM meta WHERE key = ?1) AS application, \
        (SELECT value FROM meta WHERE key = ?2) AS version";
    let reader = Reader::new(Driver::Postgres(session));
    reader.one(sql, params![APPLICATION, SCHEMA_VERSION], |row| {
        let (application, version): (Option<&[u8]>, Option<&[u8]>) =
            (row.get("application")?, row.get("version")?);
        let digits =
            version.filter(|_| application == Some(AUTHD)).and_then(|digits| str::from_utf8(digits).ok());
        digits
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| Fault::Storage("the database is none of authd's; check the key `database`".into()))
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
    let mut differences = String::new();
    for line in found.lines().filter(|line| !OBJECTS.lines().any(|own| own == *line)) {
        let _ = write!(differences, ", {line:?} is not authd's");
    }
    for line in OBJECTS.lines().filter(|own| !found.lines().any(|line| line == *own)) {
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

/// Names without their schema, which is whichever comes first in the search path.
const LIST: &str = "SELECT line FROM ( \
    SELECT 'column ' || c.table_name || '.' || c.column_name || ' ' || c.data_type || \
        CASE c.is_nullable WHEN 'NO' THEN ' not null' ELSE '' END || coalesce(' collate ' || c.collation_name, '') || \
        coalesce(' default ' || c.column_default, '') AS line \
    FROM information_schema.columns c WHERE c.table_schema = current_schema() \
    UNION ALL \
    SELECT 'constraint ' || t.relname || '.' || k.conname || ' ' || pg_get_constraintdef(k.oid) \
    FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid \
    WHERE k.connamespace = current_schema()::regnamespace AND k.contype <> 'n' \
    UNION ALL \
    SELECT 'index ' || i.indexname || ' ' || substring(i.indexdef from ' USING .*') \
    FROM pg_indexes i WHERE i.schemaname = current_schema() \
    UNION ALL \
    SELECT 'trigger ' || t.relname || '.' || g.tgname || ' ' || g.tgtype || ' ' || g.tgenabled::text || ' ' || \
        replace(p.prosrc, chr(10), ' ') \
    FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid \
    WHERE t.relnamespace = current_schema()::regnamespace AND NOT g.tgisinternal \
    UNION ALL \
    SELECT 'rule ' || r.tablename || '.' || r.rulename FROM pg_rules r WHERE r.schemaname = current_schema() \
    ) AS found ORDER BY line COLLATE \"C\"";
