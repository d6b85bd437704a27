//! Looking at a one-time link without spending it, so that a page can say at once what it is about.

use crate::crypto::opaque;
use crate::domain::email::Email;
use crate::domain::link::LinkKind;
use crate::domain::registration::Registration;
use crate::error::Error;
use crate::store::tables::{links, registrations};
use crate::usecase::app::App;

/// What a link is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkTarget {
    /// The address: the new one for a change of address, else the account's.
    Account(Email),
    /// What becomes an account by it.
    Registration(Registration),
}

/// Finds out what a link is about. `None`: it is wrong, spent, replaced or too old.
///
/// # Errors
/// The store's.
pub fn peek(app: &App, kind: LinkKind, token: &str) -> Result<Option<LinkTarget>, Error> {
    let Some(hash) = opaque::parse(kind.prefix(), token) else {
        return Ok(None);
    };
    let now = app.now();
    Ok(app.store.read(|query| {
        if let Some(email) = links::find_email(query, kind.same_effect(), &hash, now)? {
            return Ok(Some(LinkTarget::Account(email)));
        }
        // No link of another kind has such a secret: its prefix is part of it.
        let waiting = registrations::find_by_token(query, &hash, now)?;
        Ok(waiting.map(|waiting| LinkTarget::Registration(waiting.registration)))
    })?)
}
