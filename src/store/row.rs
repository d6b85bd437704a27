//! A row of an answer: its columns are read by the names that the statement gives them, never by position, so
//! that a column more in one part of a statement shifts nothing in another.

use super::column::Column;
use super::driver::Cells;
use super::value::{FromValue, Value};
use crate::error::Fault;
use std::cell::Cell;
use std::fmt;

/// One row, for as long as the statement stands on it.
pub struct Row<'r> {
    cells: Cells<'r>,
    /// The column behind the one that was read last: who reads in the order of the statement finds each at
    /// once.
    next: Cell<usize>,
}

impl<'r> Row<'r> {
    pub(super) const fn new(cells: Cells<'r>) -> Self {
        Self { cells, next: Cell::new(0) }
    }

    /// Reads the column of this name. A text or a blob may be borrowed from the row.
    ///
    /// # Errors
    /// [`Fault::Internal`] when there is no such column, or it holds something else.
    #[inline]
    pub fn get<T: FromValue<'r>>(&self, column: &'static str) -> Result<T, Fault> {
        let next = self.next.get();
        let is_next = self.cells.columns().get(next).is_some_and(|candidate| candidate.is_known_as(column));
        let at = if is_next { next } else { self.find(column)? };
        self.next.set(at + 1);
        let value = self.cells.value(at)?;
        match T::from_value(value) {
            Some(read) => Ok(read),
            None => Err(mismatch(column, value, T::WANTED)),
        }
    }

    #[cold]
    fn find(&self, column: &'static str) -> Result<usize, Fault> {
        let columns = self.cells.columns();
        let found = columns.iter().position(|candidate| candidate.is(column));
        found.ok_or_else(|| unexpected(&format!("no column {column}, only {}", self.names().join(", "))))
    }

    fn names(&self) -> Vec<&str> {
        self.cells.columns().iter().map(Column::name).collect()
    }
}

#[cold]
fn mismatch(column: &str, value: Value<'_>, wanted: &str) -> Fault {
    unexpected(&format!("column {column} holds {}, not {wanted}", value.described()))
}

fn unexpected(what: &str) -> Fault {
    Fault::Internal(format!("the database gave what the code doesn't expect: {what}"))
}

/// The names alone: what stands in the columns may be a secret.
impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Row").field(&self.names()).finish()
    }
}
