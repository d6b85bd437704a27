//! The database past authd: what a test plants in it, and what it finds there. It is the one door, so that a
//! test needn't know what the database is; those that are about a file have `on_a_file` in their path, and
//! may open it themselves.
//!
//! The SQL is as the store's own (see docs/decisions/0034-sql-that-postgresql-knows-too.md): `?1` for a
//! parameter, and bytes as values. What fails, panics. Worlds have files of SQLite's, or with
//! `AUTHD_TEST_STORE=postgres` databases of PostgreSQL's, see [`worlds`].

mod file;
mod server;
mod value;
pub mod worlds;

use authd::config::{Config, Database};
use file::File;
use server::Server;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
pub use value::{Column, Value};

/// What each kind of database does its own way. A text that can't be run panics where nothing else is said.
trait Driver: Send {
    /// Runs statements without parameters, one after the other.
    fn run(&mut self, script: &str);

    /// Gives how many rows were changed, or what was wrong.
    fn change(&mut self, statement: &str, values: &[Value]) -> Result<u64, String>;

    fn rows(&mut self, query: &str) -> Vec<Vec<Value>>;

    /// The names of the tables, in their order.
    fn tables(&mut self) -> Vec<String>;

    /// The names of a table's columns, as they stand in it.
    fn columns(&mut self, table: &str) -> Vec<String>;

    /// Begins a transaction beside which nobody writes.
    fn hold(&mut self);

    /// Takes away what keeps the audit log from being changed.
    fn unguard(&mut self);

    /// Puts it back, as if nothing had been.
    fn guard(&mut self);

    /// Says that a newer authd has brought the schema up.
    fn outdate(&mut self);

    /// The table that a probe updates, and how its row is then.
    fn probe(&self) -> (&'static str, &'static str);

    /// Has a statement, or else a failure, follow each update of such a row.
    fn follow(&mut self, table: &str, condition: &str, statement: Option<&str>);

    /// Ends that again.
    fn let_be(&mut self, table: &str);

    /// Whether these bytes stand anywhere in it.
    fn holds(&mut self, bytes: &[u8]) -> bool;
}

/// See the module.
pub struct TestDatabase(Mutex<Box<dyn Driver>>);

impl TestDatabase {
    /// The one that the configuration names.
    pub fn of(config: &Config) -> Self {
        Self::in_place(&config.database)
    }

    /// The one in such a place.
    pub fn in_place(place: &Database) -> Self {
        match place {
            Database::File(path) => Self::at(path),
            Database::Server(url) => Self(Mutex::new(Box::new(Server::connect(url.expose().expose())))),
        }
    }

    /// The one in a file.
    pub fn at(path: &Path) -> Self {
        Self(Mutex::new(Box::new(File::open(path))))
    }

    fn driver(&self) -> MutexGuard<'_, Box<dyn Driver>> {
        self.0.lock().unwrap()
    }

    /// Runs statements that take no values.
    pub fn sql(&self, script: &str) {
        self.driver().run(script);
    }

    /// Runs one statement; gives how many rows were changed.
    pub fn change(&self, statement: &str, values: &[Value]) -> u64 {
        self.try_change(statement, values).unwrap_or_else(|error| panic!("{error}: {statement}"))
    }

    /// The same where it may be refused, for a reason that is told.
    pub fn try_change(&self, statement: &str, values: &[Value]) -> Result<u64, String> {
        self.driver().change(statement, values)
    }

    /// Every row that a query gives.
    pub fn rows(&self, query: &str) -> Vec<Vec<Value>> {
        self.driver().rows(query)
    }

    /// The first column of every row.
    pub fn all<T: Column>(&self, query: &str) -> Vec<T> {
        self.rows(query).into_iter().map(|mut row| T::of(row.swap_remove(0))).collect()
    }

    /// The first column of the first row.
    pub fn one<T: Column>(&self, query: &str) -> T {
        self.all(query).into_iter().next().unwrap_or_else(|| panic!("no row: {query}"))
    }

    pub fn columns(&self, table: &str) -> Vec<String> {
        self.driver().columns(table)
    }

    /// Every value of every row of every table, after `table.column`. Whatever is changed, these differ.
    pub fn everything(&self) -> Vec<(String, Value)> {
        let mut driver = self.driver();
        let mut found = Vec::new();
        for table in driver.tables() {
            let columns = driver.columns(&table);
            let order: Vec<String> = (1..=columns.len()).map(|at| at.to_string()).collect();
            let rows = driver.rows(&format!("SELECT * FROM {table} ORDER BY {}", order.join(", ")));
            let names = columns.iter().map(|column| format!("{table}.{column}"));
            let names: Vec<String> = names.collect();
            found.extend(rows.into_iter().flat_map(|row| names.clone().into_iter().zip(row)));
        }
        found
    }

    /// Whether these bytes stand anywhere in it: what is thrown away with a stolen disk.
    pub fn holds(&self, bytes: impl AsRef<[u8]>) -> bool {
        self.driver().holds(bytes.as_ref())
    }

    /// From here on nobody else writes, as if another process were at it; reads go on. Until
    /// [`TestDatabase::let_go`], or this is dropped.
    pub fn hold(&self) {
        self.driver().hold();
    }

    pub fn let_go(&self) {
        self.driver().run("ROLLBACK");
    }

    /// As somebody who may write to the database: takes away what keeps the audit log from being changed.
    pub fn unguard(&self) {
        self.driver().unguard();
    }

    /// Takes that trace away.
    pub fn guard(&self) {
        self.driver().guard();
    }

    /// As if a newer authd had brought the schema up.
    pub fn outdate(&self) {
        self.driver().outdate();
    }

    /// Has each update of a row fail that is then so: `new.state = 'sent'`.
    pub fn refuse(&self, table: &str, condition: &str) {
        self.driver().follow(table, condition, None);
    }

    /// Counts from here on how often it is probed whether it takes a write, in a table of its own, `probes`.
    pub fn count_probes(&self) {
        self.sql("CREATE TABLE probes (at INTEGER)");
        let mut driver = self.driver();
        let (table, condition) = driver.probe();
        driver.follow(table, condition, Some("INSERT INTO probes VALUES (0)"));
    }

    /// Ends what [`TestDatabase::refuse`] has begun.
    pub fn let_be(&self, table: &str) {
        self.driver().let_be(table);
    }
}
