//! The seam to the driver: a transaction, a reader, and the four verbs that all SQL goes through.
//!
//! The rest of `store/` names nothing of the driver but what this file gives out. SQL here keeps to
//! what other databases have too: `?1` parameters, `ON CONFLICT`, `RETURNING`, no clock, no random.

use super::audit::chain::Chain;
use super::sqlite::connection::fault;
use crate::domain::audit::{Event, EventClass, Subject};
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use rusqlite::{CachedStatement, Connection, Params};

pub use rusqlite::params;

pub type Row<'a> = rusqlite::Row<'a>;
pub type RowResult<T> = rusqlite::Result<T>;

/// Something that can be asked: a read connection, or a transaction.
pub trait Query {
    fn connection(&self) -> &Connection;

    /// The one row that must be there.
    ///
    /// # Errors
    /// [`Fault::Internal`] when it is not.
    fn one<T>(&self, sql: &str, params: impl Params, read: impl FnOnce(&Row<'_>) -> RowResult<T>) -> Result<T, Fault> {
        let mut statement = prepare(self.connection(), sql)?;
        statement.query_row(params, read).map_err(fault)
    }

    /// The first row, or `None`.
    ///
    /// # Errors
    /// The driver's.
    fn opt<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> RowResult<T>,
    ) -> Result<Option<T>, Fault> {
        match prepare(self.connection(), sql)?.query_row(params, read) {
            Ok(value) => Ok(Some(value)),
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
            Err(error) => Err(fault(error)),
        }
    }

    /// All rows.
    ///
    /// # Errors
    /// The driver's.
    fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> RowResult<T>,
    ) -> Result<Vec<T>, Fault> {
        let mut statement = prepare(self.connection(), sql)?;
        let rows = statement.query_map(params, read).map_err(fault)?;
        rows.collect::<RowResult<Vec<T>>>().map_err(fault)
    }
}

fn prepare<'c>(connection: &'c Connection, sql: &str) -> Result<CachedStatement<'c>, Fault> {
    #[cfg(debug_assertions)]
    super::sqlite::plan::check(connection, sql)?;
    connection.prepare_cached(sql).map_err(fault)
}

/// A read-only view.
#[derive(Debug)]
pub struct Reader<'c> {
    connection: &'c Connection,
}

impl<'c> Reader<'c> {
    pub(super) const fn new(connection: &'c Connection) -> Self {
        Self { connection }
    }
}

impl Query for Reader<'_> {
    fn connection(&self) -> &Connection {
        self.connection
    }
}

/// A write transaction. The store's mutators take `&mut Tx`, so nothing is changed without one.
#[derive(Debug)]
pub struct Tx<'c> {
    connection: &'c Connection,
    now: Timestamp,
    caller: &'c Caller,
    chain: &'c Chain,
    /// What was written to the audit log, to be counted once it is on disk.
    happened: Vec<EventClass>,
}

impl<'c> Tx<'c> {
    pub(super) const fn new(connection: &'c Connection, now: Timestamp, caller: &'c Caller, chain: &'c Chain) -> Self {
        Self { connection, now, caller, chain, happened: Vec::new() }
    }

    /// The time of this transaction: the same for its whole length.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) const fn chain(&self) -> &'c Chain {
        self.chain
    }

    /// Changes rows; gives how many.
    ///
    /// # Errors
    /// The driver's.
    pub fn execute(&mut self, sql: &str, params: impl Params) -> Result<usize, Fault> {
        prepare(self.connection, sql)?.execute(params).map_err(fault)
    }

    /// Does `work` and undoes it: it costs the same as if it counted, and leaves nothing. So that the time
    /// of an answer doesn't tell which of two things was done.
    ///
    /// # Errors
    /// Those of `work`, and the driver's.
    pub fn rehearse(&mut self, work: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.execute("SAVEPOINT rehearsal", [])?;
        let happened = self.happened.len();
        let outcome = work(self);
        self.happened.truncate(happened);
        self.execute("ROLLBACK TO rehearsal", [])?;
        self.execute("RELEASE rehearsal", [])?;
        outcome
    }

    /// Writes a line of the audit log, in the same transaction as the change that it tells of.
    ///
    /// # Errors
    /// The driver's: then the change is undone too.
    pub fn audit(&mut self, event: &Event, subject: impl Into<Subject>) -> Result<(), Fault> {
        let (caller, chain) = (self.caller, self.chain);
        super::audit::log::append(self, chain, caller, event, subject.into())?;
        self.happened.push(event.class());
        Ok(())
    }

    /// What happened in here.
    pub(super) fn into_happened(self) -> Vec<EventClass> {
        self.happened
    }
}

impl Query for Tx<'_> {
    fn connection(&self) -> &Connection {
        self.connection
    }
}
