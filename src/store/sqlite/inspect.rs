//! What SQLite itself says of the file: its size, and whether it is sound.

use super::version::VERSION;
use crate::error::Fault;
use crate::store::tx::Query;

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

/// # Errors
/// The driver's.
pub fn file_status(query: &impl Query) -> Result<FileStatus, Fault> {
    let pragma = |name: &str| query.one(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    Ok(FileStatus {
        schema_version: pragma("user_version")?,
        schema_current: VERSION,
        page_count: pragma("page_count")?,
        page_size: pragma("page_size")?,
        free_pages: pragma("freelist_count")?,
        sqlite_version: rusqlite::version(),
    })
}

/// What SQLite finds wrong with the file and its references; empty when all is well.
///
/// # Errors
/// The driver's.
pub fn integrity_problems(query: &impl Query) -> Result<Vec<String>, Fault> {
    let mut problems: Vec<String> = query.all("PRAGMA integrity_check", [], |row| row.get(0))?;
    problems.retain(|line| line != "ok");
    problems.extend(query.all("PRAGMA foreign_key_check", [], |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("a row of {table} refers to a row of {parent} that is not there"))
    })?);
    Ok(problems)
}

/// As [`integrity_problems`], without comparing indexes with their tables: in a fraction of the time.
///
/// # Errors
/// The driver's.
pub fn quick_problems(query: &impl Query) -> Result<Vec<String>, Fault> {
    let mut problems: Vec<String> = query.all("PRAGMA quick_check", [], |row| row.get(0))?;
    problems.retain(|line| line != "ok");
    Ok(problems)
}
