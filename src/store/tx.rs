//! The seam to the database: a transaction, a reader, and the four verbs that all SQL goes through. What
//! the drivers are, `store/sqlite/` and `store/postgres/` alone know. SQL here keeps to what other
//! databases have too: `?1` parameters, `ON CONFLICT`, `RETURNING`, no clock, no random.
//!
//! # Errors
//! Whatever asks or changes through these verbs can fail with what a database fails with, and nothing in the
//! store repeats it: [`Fault::StorageUnavailable`] when the file is busy, full or can't be written,
//! [`Fault::Storage`] when it is damaged, [`Fault::Permission`], and [`Fault::Internal`] when a statement, or
//! what it gives, is not what the code expects. What else a function refuses, it says itself.

use super::audit::chain::Chain;
use super::audit::entry::Entry;
use super::driver::Driver;
use crate::domain::audit::EventClass;
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::error::Fault;

pub use super::row::Row;
pub use super::value::{FromValue, ToValue, Value};
pub(in crate::store) use super::value::{params, words};

/// What keeps others than the store from making something that can be asked.
pub(in crate::store) mod source {
    use super::Driver;

    pub trait Source {
        /// Gives what statements run on.
        fn driver(&self) -> Driver<'_>;
    }
}

use source::Source;

/// Something that can be asked: a read connection, or a transaction.
pub trait Query: Source {
    /// Reads the one row that must be there.
    ///
    /// # Errors
    /// [`Fault::Internal`] when it is not, too.
    fn one<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let found = self.opt(sql, params, read)?;
        found.ok_or_else(|| Fault::Internal(format!("the database gave no row where one must be: {sql}")))
    }

    /// Reads the first row. `None`: there is none.
    fn opt<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        self.driver().first(sql, params, |cells| read(&Row::new(cells)))
    }

    /// Reads all rows.
    fn all<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut found = Vec::new();
        self.driver().each(sql, params, |cells| {
            found.push(read(&Row::new(cells))?);
            Ok(())
        })?;
        Ok(found)
    }
}

impl<S: Source> Query for S {}

/// A read-only view.
#[derive(Debug)]
pub struct Reader<'c> {
    driver: Driver<'c>,
}

impl<'c> Reader<'c> {
    pub(super) const fn new(driver: Driver<'c>) -> Self {
        Self { driver }
    }
}

impl Source for Reader<'_> {
    fn driver(&self) -> Driver<'_> {
        self.driver
    }
}

/// A write transaction. The store's mutators take `&mut Tx`, so nothing is changed without one.
#[derive(Debug)]
pub struct Tx<'c> {
    driver: Driver<'c>,
    now: Timestamp,
    caller: &'c Caller,
    chain: &'c Chain,
    /// What was written to the audit log, to be counted once it is on disk.
    happened: Vec<(EventClass, u64)>,
    /// Lines of the audit log that go to its inbox with the commit, where it has one.
    gathered: Vec<Entry>,
}

impl<'c> Tx<'c> {
    pub(super) const fn new(
        driver: Driver<'c>,
        now: Timestamp,
        caller: &'c Caller,
        chain: &'c Chain,
    ) -> Self {
        Self { driver, now, caller, chain, happened: Vec::new(), gathered: Vec::new() }
    }

    /// The time of this transaction: the same for its whole length.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Who asks.
    #[must_use]
    pub const fn caller(&self) -> &'c Caller {
        self.caller
    }

    /// The same to be asked alone; it sees what was changed so far.
    #[must_use]
    pub const fn reader(&self) -> Reader<'c> {
        Reader::new(self.driver)
    }

    /// What the audit log is written and checked with.
    #[must_use]
    pub const fn chain(&self) -> &'c Chain {
        self.chain
    }

    /// Changes rows; gives how many.
    pub fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<usize, Fault> {
        self.driver.execute(sql, params)
    }

    /// Does `work` and undoes it: it costs the same as if it counted, and leaves nothing but what it gives.
    /// So that the time of an answer doesn't tell which of two things was done, or to see what would be
    /// refused.
    ///
    /// # Errors
    /// Those of `work`, too.
    pub fn dry_run<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.driver.run("SAVEPOINT dry_run")?;
        let (happened, gathered) = (self.happened.len(), self.gathered.len());
        let outcome = work(self);
        self.happened.truncate(happened);
        self.leave_behind(gathered)?;
        self.driver.run("ROLLBACK TO dry_run")?;
        self.driver.run("RELEASE dry_run")?;
        outcome
    }

    /// Notes an event that was written to the audit log, and how often it happened.
    pub(super) fn note(&mut self, sort: EventClass, times: u64) {
        self.happened.push((sort, times));
    }

    pub(super) fn gather(&mut self, entry: Entry) {
        self.gathered.push(entry);
    }

    /// What was gathered after the first `kept`.
    pub(super) fn take_gathered(&mut self, kept: usize) -> Vec<Entry> {
        self.gathered.split_off(kept.min(self.gathered.len()))
    }

    /// What happened in here, and how often.
    pub(super) fn into_happened(self) -> Vec<(EventClass, u64)> {
        self.happened
    }
}

impl Source for Tx<'_> {
    fn driver(&self) -> Driver<'_> {
        self.driver
    }
}
