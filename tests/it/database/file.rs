//! A database that is a file, of SQLite's.

use super::{Driver, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than anybody holds the database whom a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct File {
    path: PathBuf,
    connection: Connection,
}

impl File {
    pub fn open(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection.busy_timeout(PATIENCE).unwrap();
        Self { path: path.to_owned(), connection }
    }

    fn names(&self, query: &str) -> Vec<String> {
        let mut statement = self.connection.prepare(query).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    }
}

impl Driver for File {
    fn run(&mut self, script: &str) {
        self.connection.execute_batch(script).unwrap_or_else(|error| panic!("{error}: {script}"));
    }

    fn change(&mut self, statement: &str, values: &[Value]) -> Result<u64, String> {
        let changed = self.connection.execute(statement, params_from_iter(values));
        changed.map(|rows| rows.try_into().unwrap()).map_err(|error| error.to_string())
    }

    fn rows(&mut self, query: &str) -> Vec<Vec<Value>> {
        let mut statement = self.connection.prepare(query).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..columns).map(|at| Ok(value(row.get_ref(at)?))).collect::<Result<Vec<_>, _>>()
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn tables(&mut self) -> Vec<String> {
        self.names("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    }

    fn columns(&mut self, table: &str) -> Vec<String> {
        self.names(&format!("SELECT name FROM pragma_table_info('{table}')"))
    }

    fn hold(&mut self) {
        self.run("BEGIN IMMEDIATE");
    }

    fn unguard(&mut self) {
        self.run("DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_only_pruned");
    }

    fn guard(&mut self) {
        let schema = include_str!("../../../schema.sql");
        let begin = schema.find("CREATE TRIGGER audit_is_never_changed").unwrap();
        let end = schema.rfind("END;").unwrap();
        self.run(&format!("{}END;", &schema[begin..end]));
    }

    fn outdate(&mut self) {
        self.run("PRAGMA user_version = 99");
    }

    fn probe(&self) -> (&'static str, &'static str) {
        ("meta", "new.key = 'probe'")
    }

    fn follow(&mut self, table: &str, condition: &str, statement: Option<&str>) {
        let statement = statement.unwrap_or("SELECT raise(ABORT, 'no')");
        self.run(&format!(
            "CREATE TRIGGER of_{table} BEFORE UPDATE ON {table} WHEN {condition} BEGIN {statement}; END"
        ));
    }

    fn let_be(&mut self, table: &str) {
        self.run(&format!("DROP TRIGGER of_{table}"));
    }

    fn holds(&mut self, bytes: &[u8]) -> bool {
        let log = std::fs::read(format!("{}-wal", self.path.display())).unwrap_or_default();
        let files = [std::fs::read(&self.path).unwrap(), log];
        files.iter().any(|file| file.windows(bytes.len()).any(|window| window == bytes))
    }
}

fn value(read: ValueRef<'_>) -> Value {
    let text = |bytes: &[u8]| {
        String::from_utf8(bytes.to_vec()).map_or_else(|_| Value::Spoilt(bytes.to_vec()), Value::Text)
    };
    match read {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(bytes) => text(bytes),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        ValueRef::Real(number) => panic!("{number}: no column has such"),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Spoilt(bytes) => ValueRef::Text(bytes),
        }))
    }
}
