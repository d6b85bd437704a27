//! In debug builds, and where `SQL_TEXTS` names a folder: writes down each text of SQL that runs, with the
//! kinds of its parameters, so that tests/postgres can try it on PostgreSQL. Their values are left out. A
//! release build knows nothing of this.

use crate::store::value::{Kind, Value};
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Longer than any statement of its own, in bytes.
const LENGTH_MAX: usize = 8 * 1024;

/// Names the folder, which is there.
const FOLDER: &str = "SQL_TEXTS";

/// Writes a text down, once for each way in which its parameters are bound. What can't be written is left
/// out: the test that reads the folder looks for every statement of the source.
pub(super) fn record(sql: &str, params: &[Value<'_>]) {
    static FOUND: LazyLock<Option<OsString>> = LazyLock::new(|| std::env::var_os(FOLDER));
    static KNOWN: LazyLock<Mutex<HashSet<u64>>> = LazyLock::new(Mutex::default);
    let Some(folder) = &*FOUND else {
        return;
    };
    // What copies a whole table has as many forms as there are rows in its last page.
    if sql.len() > LENGTH_MAX {
        return;
    }
    let entry = entry(sql, params);
    let mut hasher = DefaultHasher::new();
    entry.hash(&mut hasher);
    let number = hasher.finish();
    if KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(number) {
        let _ = fs::write(Path::new(folder).join(format!("{number:016x}.sql")), entry);
    }
}

/// The kinds on a line of their own, then the text.
fn entry(sql: &str, params: &[Value<'_>]) -> String {
    let kinds: Vec<&str> = params.iter().map(kind).collect();
    format!("{}\n{sql}\n", kinds.join(" "))
}

const fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Integer(_) | Value::Null(Some(Kind::Integer)) => "integer",
        Value::Text(_) | Value::Null(Some(Kind::Text)) => "text",
        Value::Blob(_) | Value::Null(Some(Kind::Blob)) => "blob",
        Value::Real(_) | Value::Null(None) => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tx::params;

    #[test]
    fn an_entry_tells_the_kind_of_what_is_null_too_and_no_value() {
        let (nobody, secret) = (None::<[u8; 32]>, "a secret");
        let entry = entry("SELECT ?1, ?2, ?3", params![nobody, secret, 7_i64]);
        assert_eq!(entry, "blob text integer\nSELECT ?1, ?2, ?3\n");
    }
}
