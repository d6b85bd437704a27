//! The version of the schema that this binary works with, whatever the database.

use crate::error::Fault;

/// The schema that this binary works with.
pub const VERSION: i64 = 8;

/// Checks that a schema's version is this binary's.
///
/// # Errors
/// [`Fault::Storage`] for an older one, and for one of a newer authd.
pub(in crate::store) fn check_current(version: i64) -> Result<(), Fault> {
    check_not_newer(version)?;
    if version < VERSION {
        return Err(Fault::Storage(format!(
            "the database has schema {version}, this authd works with {VERSION}; run `authctl db migrate` to bring it up, \
             after `authctl db backup FILE`; `authd serve` brings it up at its start, too"
        )));
    }
    Ok(())
}

/// Checks that a version is not of a newer authd.
///
/// # Errors
/// [`Fault::Storage`] for a version that this binary doesn't know yet.
pub(in crate::store) fn check_not_newer(version: i64) -> Result<(), Fault> {
    if version > VERSION {
        return Err(Fault::Storage(format!(
            "the database has schema {version}, made by a newer authd; this one knows {VERSION}: install the newer one"
        )));
    }
    Ok(())
}
