//! Running a statement: its values are bound, its rows are handed out. The seam's verbs (`store/tx.rs`) end
//! here, and no type of the driver goes further up than [`Cells`], which hides it.

use super::connection::Connection;
use super::fault::fault;
use crate::error::Fault;
use crate::store::column::Column;
use crate::store::value::Value;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Params, ToSql, params_from_iter};

/// The row on which a statement stands.
#[derive(Clone, Copy)]
pub(in crate::store) struct Cells<'r> {
    row: &'r rusqlite::Row<'r>,
    columns: &'r [Column],
}

impl<'r> Cells<'r> {
    /// Its columns, in their order.
    pub(in crate::store) const fn columns(&self) -> &'r [Column] {
        self.columns
    }

    /// What stands in a column, by its position.
    #[inline]
    pub(in crate::store) fn value(&self, at: usize) -> Result<Value<'r>, Fault> {
        Ok(match self.row.get_ref(at).map_err(fault)? {
            ValueRef::Null => Value::Null(None),
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(bytes) => Value::Text(bytes),
            ValueRef::Blob(bytes) => Value::Blob(bytes),
        })
    }
}

impl Connection {
    /// Gives the first row to `read`. `None`: there is none.
    pub(in crate::store) fn first<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        read: impl FnOnce(Cells<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let mut statement = self.prepare(sql, params)?;
        let mut rows = statement.query(bound(params)).map_err(|error| self.met(error))?;
        let Some(row) = rows.next().map_err(|error| self.met(error))? else {
            return Ok(None);
        };
        let columns = self.columns.take(sql, row.as_ref());
        let outcome = read(Cells { row, columns: &columns.all });
        self.columns.put(columns);
        outcome.map(Some)
    }

    /// Gives each row to `read`, until one is a fault.
    pub(in crate::store) fn each(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut read: impl FnMut(Cells<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut statement = self.prepare(sql, params)?;
        let columns = self.columns.take(sql, &statement);
        let mut rows = statement.query(bound(params)).map_err(|error| self.met(error))?;
        let mut read_all = || {
            while let Some(row) = rows.next().map_err(|error| self.met(error))? {
                read(Cells { row, columns: &columns.all })?;
            }
            Ok(())
        };
        let outcome = read_all();
        self.columns.put(columns);
        outcome
    }

    /// Runs a statement that gives no rows; gives how many it changed.
    pub(in crate::store) fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<usize, Fault> {
        self.prepare(sql, params)?.execute(bound(params)).map_err(|error| self.met(error))
    }

    /// Runs a statement without values that gives nothing: what begins and ends a transaction.
    pub(in crate::store) fn run(&self, sql: &str) -> Result<(), Fault> {
        self.execute(sql, &[]).map(drop)
    }

    /// What an error means; damage is noted for whoever asks how the database is.
    fn met(&self, error: rusqlite::Error) -> Fault {
        self.damage.noting(fault(error))
    }

    #[cfg_attr(
        not(debug_assertions),
        allow(unused_variables, reason = "a debug build writes down their kinds")
    )]
    fn prepare(&self, sql: &str, params: &[Value<'_>]) -> Result<CachedStatement<'_>, Fault> {
        #[cfg(debug_assertions)]
        {
            super::plan::check(&self.driver, sql)?;
            super::recorder::record(sql, params);
        }
        self.driver.prepare_cached(sql).map_err(|error| self.met(error))
    }
}

/// A value as the driver binds it.
struct Bound<'v>(Value<'v>);

impl ToSql for Bound<'_> {
    #[inline]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null(_) => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(number),
            Value::Real(number) => ValueRef::Real(number),
            Value::Text(bytes) => ValueRef::Text(bytes),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn bound(params: &[Value<'_>]) -> impl Params {
    params_from_iter(params.iter().map(|value| Bound(*value)))
}
