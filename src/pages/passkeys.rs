//! What pages have of passkeys: whether they offer them, and what their script asks a browser.

use super::visit::Visit;
use crate::error::{Error, Refusal};
use crate::usecase::account::passkeys;
use crate::usecase::signin::passkey::ceremony::Begun;
use crate::usecase::signin::passkey::login;
use crate::usecase::signin::second_factor;
use minijinja::{Value, context};
use serde::Serialize;
use std::net::IpAddr;

/// Whether pages offer passkeys: browsers take none for an address in the place of a domain.
#[must_use]
pub fn are_offered(visit: &Visit<'_>) -> bool {
    let passkeys = &visit.app.config.passkeys;
    passkeys.enabled && passkeys.rp_id.trim_matches(['[', ']']).parse::<IpAddr>().is_err()
}

/// A ceremony for a template: the button of a form that a script completes.
#[must_use]
pub fn button<T: Serialize>(begun: &Begun<T>) -> Value {
    let options = serde_json::to_string(&begun.options).expect("options are texts, numbers and lists");
    context! { ceremony => begun.ceremony.as_str(), options, makes => false, again => "" }
}

/// One by which a passkey stands alone, of whoever it is. `None`: pages offer none.
///
/// # Errors
/// None that [`are_offered`] leaves.
pub fn alone(visit: &Visit<'_>) -> Result<Option<Value>, Error> {
    if !are_offered(visit) {
        return Ok(None);
    }
    Ok(Some(context! { again => "/api/auth/passkeys/login/start", ..button(&login::start(visit.app)?) }))
}

/// The same for whoever is signed in. `None`: they have none that could be used here.
///
/// # Errors
/// `unauthenticated`; the store's.
pub fn alone_by_own(visit: &Visit<'_>) -> Result<Option<Value>, Error> {
    if !are_offered(visit) {
        return Ok(None);
    }
    let all = passkeys::list_own(visit.app, &visit.caller)?;
    let here = &visit.app.config.passkeys.rp_id;
    if all.iter().any(|one| one.rp_id == *here) { alone(visit) } else { Ok(None) }
}

/// One by which a passkey of whoever is signed in is their second factor. `None`: they have none that could
/// be used here.
///
/// # Errors
/// `unauthenticated`; the store's.
pub fn own_factor(visit: &Visit<'_>) -> Result<Option<Value>, Error> {
    if !are_offered(visit) {
        return Ok(None);
    }
    usable(second_factor::start_own_passkey(visit.app, &visit.caller))
}

/// The same for whoever is half signed in, with this ticket.
///
/// # Errors
/// The store's.
pub fn factor_of_ticket(visit: &Visit<'_>, ticket: &str) -> Result<Option<Value>, Error> {
    if !are_offered(visit) {
        return Ok(None);
    }
    usable(second_factor::start_passkey(visit.app, ticket))
}

fn usable<T: Serialize>(begun: Result<Begun<T>, Error>) -> Result<Option<Value>, Error> {
    match begun {
        Ok(begun) => Ok(Some(button(&begun))),
        Err(Error::Refused(Refusal::InvalidCode)) => Ok(None),
        Err(error) => Err(error),
    }
}
