//! Pages of short lists that are read whole, and the cursors and limits of all.

use crate::domain::cursor::{self, List};
use crate::error::Refusal;
use crate::store::page::Paged;

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

/// A page of items that are sorted by a name of their own. The cursor holds the last name, so that a page
/// holds whatever was made or deleted in between.
///
/// # Errors
/// `invalid_cursor`; `validation_failed` for a limit of 0.
pub(super) fn by_name<T>(
    list: List,
    mut items: Vec<T>,
    limit: u32,
    after: Option<&str>,
    name: impl Fn(&T) -> &str,
) -> Result<Paged<T, String>, Refusal> {
    check_limit(limit)?;
    if let Some(after) = start(list, after, cursor::decode_name)? {
        items.retain(|item| name(item) > after.as_str());
    }
    Ok(Paged::cut(items, limit, |last| cursor::encode_name(list, name(last))))
}
