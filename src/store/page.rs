//! Pages of a list: how many rows, and after which. The cursor names the last row seen, so that a
//! page holds under inserts.

/// The most rows on a page, and the number where none was asked for.
pub const LIMIT_MAX: u32 = 200;
pub const LIMIT_DEFAULT: u32 = 50;

/// A limit that nothing reaches, for rows from an offset on: in SQLite that can't stand alone, and PostgreSQL
/// takes no negative limit.
pub const ALL_ROWS: u32 = u32::MAX;

/// What part of a list to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<C> {
    /// 1 to [`LIMIT_MAX`] for HTTP; the command line may ask for more.
    pub limit: u32,
    /// `None`: from the beginning.
    pub after: Option<C>,
}

impl<C> Page<C> {
    /// One row more than asked for, to see whether there is a next page.
    #[must_use]
    pub fn limit_and_one(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// Rows, and the cursor of the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<T, C> {
    pub items: Vec<T>,
    /// `None`: this was the last page.
    pub next: Option<C>,
}

impl<T, C> Paged<T, C> {
    /// Cuts the row that was one too many, and names the last that stays.
    #[must_use]
    pub fn cut(mut items: Vec<T>, limit: u32, cursor: impl FnOnce(&T) -> C) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(cursor) } else { None };
        Self { items, next }
    }
}
