//! What arguments name: users and registrations by address, and everything that has an id by it, or by as
//! much of its beginning as no other has. And ids as a terminal shows them.

use super::Context;
use super::exit::Failure;
use super::terminal::table::Table;
use crate::error::Error;
use crate::usecase::account::reference::UserRef;
use crate::usecase::account::registrations::RegistrationRef;
use crate::usecase::app::App;
use crate::usecase::operator::short_id::{self, Ambiguous, Kind, Named};

/// The user that an argument names.
///
/// # Errors
/// `not_found`; [`Failure::Ambiguous`].
pub(super) fn user(context: &Context, app: &App, text: &str) -> Result<UserRef, Failure> {
    the_one(short_id::user(app, context.caller(), text)?)
}

/// The user that a filter names, where there is one.
///
/// # Errors
/// As [`user`].
pub(super) fn maybe_user(
    context: &Context,
    app: &App,
    text: Option<&str>,
) -> Result<Option<UserRef>, Failure> {
    text.map(|text| user(context, app, text)).transpose()
}

/// As [`maybe_user`], also of one who is no more, but in the audit log.
///
/// # Errors
/// As [`user`].
pub(super) fn maybe_logged_user(
    context: &Context,
    app: &App,
    text: Option<&str>,
) -> Result<Option<UserRef>, Failure> {
    text.map(|text| the_one(short_id::logged_user(app, context.caller(), text)?)).transpose()
}

/// The session whose id an argument is, or begins.
///
/// # Errors
/// As [`user`].
pub(super) fn session(context: &Context, app: &App, text: &str) -> Result<String, Failure> {
    Ok(the_one(short_id::session(app, context.caller(), text)?)?.to_string())
}

/// The mail whose id an argument is, or begins.
///
/// # Errors
/// As [`user`].
pub(super) fn mail(context: &Context, app: &App, text: &str) -> Result<String, Failure> {
    Ok(the_one(short_id::mail(app, context.caller(), text)?)?.to_string())
}

/// The registrations that an argument names.
///
/// # Errors
/// As [`user`].
pub(super) fn registration(context: &Context, app: &App, text: &str) -> Result<RegistrationRef, Failure> {
    the_one(short_id::registration(app, context.caller(), text)?)
}

/// The identity whose id an argument is, or begins.
///
/// # Errors
/// As [`user`].
pub(super) fn identity(context: &Context, app: &App, text: &str) -> Result<String, Failure> {
    Ok(the_one(short_id::identity(app, context.caller(), text)?)?.to_string())
}

/// The passkey whose id an argument is, or begins.
///
/// # Errors
/// As [`user`].
pub(super) fn passkey(context: &Context, app: &App, text: &str) -> Result<String, Failure> {
    Ok(the_one(short_id::passkey(app, context.caller(), text)?)?.to_string())
}

/// The signing key whose id an argument is, or begins.
///
/// # Errors
/// As [`user`].
pub(super) fn signing_key(context: &Context, app: &App, text: &str) -> Result<String, Failure> {
    the_one(short_id::signing_key(app, context.caller(), text)?)
}

fn the_one<T>(named: Named<T>) -> Result<T, Failure> {
    match named {
        Named::One(one) => Ok(one),
        Named::Several(ambiguous) => Err(Failure::Ambiguous(says(&ambiguous))),
    }
}

/// Which ones it may be, one a line.
fn says(ambiguous: &Ambiguous) -> String {
    let Ambiguous { what, typed, candidates, are_all } = ambiguous;
    let several = if *are_all { candidates.len().to_string() } else { "several".into() };
    let lines = candidates.iter().map(|one| format!("\n  {}  {}", one.id, one.about)).collect::<String>();
    let others = if *are_all { "" } else { "\n  and others" };
    format!("{several} {what}s' ids begin with {typed}; give more of it:{lines}{others}")
}

/// Has a terminal show no more of the ids in `column` than is needed to name each; they are the rows' own.
///
/// # Errors
/// The store's.
pub(super) fn shortened(context: &Context, app: &App, kind: Kind, table: Table) -> Result<Table, Failure> {
    if !context.terminal().draws() {
        return Ok(table);
    }
    let ids = table.rows.iter().map(|row| row.id.as_str());
    let letters = short_id::letters(app, context.caller(), kind, ids)?;
    Ok(table.shortened("id", letters))
}

/// As [`shortened`], for signing keys.
///
/// # Errors
/// The store's.
pub(super) fn shortened_keys(context: &Context, app: &App, table: Table) -> Result<Table, Failure> {
    if !context.terminal().draws() {
        return Ok(table);
    }
    Ok(table.shortened("kid", short_id::signing_key_letters(app, context.caller())?))
}

/// An id as a sentence has it: on a terminal as short as in a list.
///
/// # Errors
/// The store's.
pub(super) fn short(context: &Context, app: &App, kind: Kind, id: &str) -> Result<String, Error> {
    if !context.terminal().draws() {
        return Ok(id.to_owned());
    }
    let letters = short_id::letters(app, context.caller(), kind, [id])?;
    Ok(id.chars().take(letters).collect())
}
