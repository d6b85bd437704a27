//! Looking at a one-time link without spending it, so that a page can say at once what it is about.

use crate::crypto::opaque;
use crate::domain::email::Email;
use crate::domain::link::LinkKind;
use crate::error::Error;
use crate::store::tables::links;
use crate::usecase::app::App;

/// The address that a link is about: the new one for a change of address, else the account's. `None`:
/// the link is wrong, spent, replaced or too old.
///
/// # Errors
/// The store's.
pub fn peek(app: &App, kind: LinkKind, token: &str) -> Result<Option<Email>, Error> {
    let Some(hash) = opaque::parse(kind.prefix(), token) else {
        return Ok(None);
    };
    let now = app.now();
    Ok(app.store.read(|query| links::find_email(query, kind.same_effect(), &hash, now))?)
}
