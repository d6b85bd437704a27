//! Pages of lists in the order of names, and the cursors and limits of all.

use crate::domain::cursor::{self, List};
use crate::error::{Error, Fault, Refusal};
use crate::store::page::{Page, Paged};

/// Refuses a page without room for anything.
///
/// # Errors
/// `validation_failed` for a page that holds nothing.
pub(super) fn check_limit(limit: u32) -> Result<(), Refusal> {
    if limit == 0 { Err(Refusal::invalid("limit", "out_of_range", "at least 1")) } else { Ok(()) }
}

/// What `decode` makes of a cursor. `None`: from the beginning.
///
/// # Errors
/// `invalid_cursor`.
pub(super) fn start<K>(
    list: List,
    cursor: Option<&str>,
    decode: impl FnOnce(List, &str) -> Option<K>,
) -> Result<Option<K>, Refusal> {
    cursor.map(|text| decode(list, text).ok_or(Refusal::BadCursor)).transpose()
}

/// A page of items in the order of their names, which `read` reads. The cursor holds the last name, so that a
/// page holds whatever was made or deleted in between.
///
/// # Errors
/// `invalid_cursor`; `validation_failed` for a limit of 0; those of `read`.
pub(super) fn by_name<T>(
    list: List,
    limit: u32,
    after: Option<&str>,
    read: impl FnOnce(Page<String>) -> Result<Paged<T, String>, Fault>,
) -> Result<Paged<T, String>, Error> {
    check_limit(limit)?;
    let after = start(list, after, cursor::decode_name)?;
    let Paged { items, next } = read(Page { limit, after })?;
    Ok(Paged { items, next: next.map(|name| cursor::encode_name(list, &name)) })
}
