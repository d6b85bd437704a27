//! What SQLite itself says of the file: its size, and whether it is sound.

use crate::error::Fault;
use crate::store::tx::Query;
use crate::store::version::VERSION;

/// What `db status` shows of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStatus {
    pub schema_version: i64,
    /// What this binary works with.
    pub schema_current: i64,
    pub page_count: i64,
    pub page_size: i64,
    pub free_pages: i64,
    pub sqlite_version: &'static str,
}

/// Reads what `db status` shows of the file.
pub fn file_status(query: &impl Query) -> Result<FileStatus, Fault> {
    let pragma = |name: &'static str| query.one(&format!("PRAGMA {name}"), &[], |row| row.get::<i64>(name));
    Ok(FileStatus {
        schema_version: pragma("user_version")?,
        schema_current: VERSION,
        page_count: pragma("page_count")?,
        page_size: pragma("page_size")?,
        free_pages: pragma("freelist_count")?,
        sqlite_version: sqlite_version(),
    })
}

/// Gives the version of the SQLite that is built in.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// Finds what SQLite holds for wrong with the file and its references; empty when all is well.
pub fn integrity_problems(query: &impl Query) -> Result<Vec<String>, Fault> {
    let mut problems: Vec<String> =
        query.all("PRAGMA integrity_check", &[], |row| row.get("integrity_check"))?;
    problems.retain(|line| line != "ok");
    problems.extend(query.all("PRAGMA foreign_key_check", &[], |row| {
        let (table, parent): (&str, &str) = (row.get("table")?, row.get("parent")?);
        Ok(format!("a row of {table} refers to a row of {parent} that is not there"))
    })?);
    Ok(problems)
}

/// Finds what [`integrity_problems`] does, without comparing indexes with their tables: in a fraction of the
/// time.
pub fn quick_problems(query: &impl Query) -> Result<Vec<String>, Fault> {
    let mut problems: Vec<String> = query.all("PRAGMA quick_check", &[], |row| row.get("quick_check"))?;
    problems.retain(|line| line != "ok");
    Ok(problems)
}
