//! A result column of a statement, whatever the database: found by name, at once by who asked before.

use std::cell::Cell;
use std::{fmt, ptr};

/// A result column.
pub(super) struct Column {
    name: Box<str>,
    /// The constant by which it was found last: who comes with the same again needs no comparison of texts.
    known_as: Cell<Option<&'static str>>,
}

impl Column {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into(), known_as: Cell::new(None) }
    }

    pub(super) const fn name(&self) -> &str {
        &self.name
    }

    /// Whether it was found by this very constant before.
    #[inline]
    pub(super) fn is_known_as(&self, name: &'static str) -> bool {
        self.known_as.get().is_some_and(|known| ptr::eq(known, name))
    }

    /// Whether this is its name; the constant is remembered then.
    pub(super) fn is(&self, name: &'static str) -> bool {
        let is = *self.name == *name;
        if is {
            self.known_as.set(Some(name));
        }
        is
    }
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
