//! The two databases behind the seam. A statement has one text for both; which of them it goes to is decided
//! here, and nowhere above.

use super::column::Column;
use super::postgres::session::Session;
use super::postgres::statement as postgres;
use super::sqlite::connection::Connection;
use super::sqlite::statement as sqlite;
use super::value::Value;
use crate::error::Fault;

/// What a statement runs on.
#[derive(Clone, Copy, Debug)]
pub enum Driver<'c> {
    Sqlite(&'c Connection),
    Postgres(&'c Session),
}

/// The row on which a statement stands.
#[derive(Clone, Copy)]
pub(in crate::store) enum Cells<'r> {
    Sqlite(sqlite::Cells<'r>),
    Postgres(postgres::Cells<'r>),
}

impl Driver<'_> {
    /// Gives the first row to `read`. `None`: there is none.
    pub(super) fn first<T>(
        self,
        sql: &str,
        params: &[Value<'_>],
        read: impl FnOnce(Cells<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        match self {
            Self::Sqlite(connection) => connection.first(sql, params, |cells| read(Cells::Sqlite(cells))),
            Self::Postgres(session) => session.first(sql, params, |cells| read(Cells::Postgres(cells))),
        }
    }

    /// Gives each row to `read`, until one is a fault.
    pub(super) fn each(
        self,
        sql: &str,
        params: &[Value<'_>],
        mut read: impl FnMut(Cells<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        match self {
            Self::Sqlite(connection) => connection.each(sql, params, |cells| read(Cells::Sqlite(cells))),
            Self::Postgres(session) => session.each(sql, params, |cells| read(Cells::Postgres(cells))),
        }
    }

    /// Runs a statement that gives no rows; gives how many it changed.
    pub(super) fn execute(self, sql: &str, params: &[Value<'_>]) -> Result<usize, Fault> {
        match self {
            Self::Sqlite(connection) => connection.execute(sql, params),
            Self::Postgres(session) => session.execute(sql, params),
        }
    }

    /// Runs a statement without values that gives nothing: what begins and ends part of a transaction.
    pub(super) fn run(self, sql: &str) -> Result<(), Fault> {
        match self {
            Self::Sqlite(connection) => connection.run(sql),
            Self::Postgres(session) => session.run(sql),
        }
    }
}

impl<'r> Cells<'r> {
    /// Its columns, in their order.
    pub(super) const fn columns(&self) -> &'r [Column] {
        match self {
            Self::Sqlite(cells) => cells.columns(),
            Self::Postgres(cells) => cells.columns(),
        }
    }

    /// What stands in a column, by its position.
    #[inline]
    pub(super) fn value(&self, at: usize) -> Result<Value<'r>, Fault> {
        match self {
            Self::Sqlite(cells) => cells.value(at),
            Self::Postgres(cells) => cells.value(at),
        }
    }
}
