//! The result columns of a statement, by name. SQLite finds one by walking over all of them; here they are
//! fetched once a statement and connection, since a hot read would pay for it as much as for itself.

use crate::store::column::Column;
use rusqlite::Statement;
use std::cell::Cell;
use std::fmt;

/// More than the statements that a connection keeps prepared.
const SLOTS: usize = 128;

/// What is known of a statement.
pub(super) struct Columns {
    sql: Box<str>,
    /// In their order.
    pub all: Box<[Column]>,
}

/// What a connection knows of its statements. Where two fall on the same slot, the later takes the place.
pub(super) struct ColumnCache(Box<[Cell<Option<Columns>>]>);

impl ColumnCache {
    pub(super) fn new() -> Self {
        Self((0..SLOTS).map(|_| Cell::default()).collect())
    }

    /// Takes the columns of the statement whose text is `sql` out, to be [put back](Self::put) once they are
    /// read: in between the connection may be asked something else.
    pub(super) fn take(&self, sql: &str, statement: &Statement<'_>) -> Columns {
        let known = self.slot(sql).take().filter(|known| *known.sql == *sql);
        known.unwrap_or_else(|| Columns {
            sql: sql.into(),
            all: statement.column_names().map(Column::new).collect(),
        })
    }

    pub(super) fn put(&self, columns: Columns) {
        self.slot(&columns.sql).set(Some(columns));
    }

    /// By the length, and eight bytes each in the midst and at the end. The texts are compared afterwards:
    /// two on the same slot cost time alone.
    fn slot(&self, sql: &str) -> &Cell<Option<Columns>> {
        let bytes = sql.as_bytes();
        let word = |chunk: Option<&[u8; 8]>| chunk.map_or(0, |chunk| u64::from_le_bytes(*chunk));
        let (middle, end) = (bytes[bytes.len() / 2..].first_chunk(), bytes.last_chunk());
        let mixed = word(middle) ^ word(end).rotate_left(1) ^ bytes.len() as u64;
        // The upper bits of a product depend on all of its factor (Fibonacci hashing).
        let slot = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - SLOTS.ilog2());
        &self.0[usize::try_from(slot).unwrap_or_default()]
    }
}

impl fmt::Debug for ColumnCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ColumnCache").finish_non_exhaustive()
    }
}
