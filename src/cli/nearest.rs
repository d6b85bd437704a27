//! What an operator most likely meant by a name that nobody has. Every `not_found` comes by here before it is
//! reported, so that no command has to think of it.

use super::exit::Failure;
use crate::config::Config;
use crate::domain::audit::Event;
use crate::domain::nearest::nearest;
use crate::error::{Error, Refusal};
use crate::usecase::operator::complete;
use crate::usecase::operator::complete::{Look, Offer};

/// Adds the name that is nearest to the one that isn't there, where one is near.
pub(super) fn suggest(config: impl FnOnce() -> Result<Config, Error>, failure: Failure) -> Failure {
    let Failure::Error(Error::Refused(refusal @ Refusal::NotFound { .. })) = failure else {
        return failure;
    };
    match find(config, &refusal) {
        Ok(Some(meant)) => Failure::Misspelt { refusal, meant },
        // What can't be read is not suggested; the refusal stands.
        Ok(None) | Err(_) => refusal.into(),
    }
}

fn find(config: impl FnOnce() -> Result<Config, Error>, refusal: &Refusal) -> Result<Option<String>, Error> {
    let Refusal::NotFound { what, name } = refusal else {
        return Ok(None);
    };
    let named = |offered: Vec<Offer>| offered.into_iter().map(|offer| offer.name).collect();
    let names: Vec<String> = match *what {
        "user" => complete::users_around(&config()?, name)?,
        "role" => named(complete::roles(&Look::at_all(&config()?))?),
        "API key" => named(complete::api_keys(&Look::at_all(&config()?))?),
        "application" => named(complete::apps(&Look::at_all(&config()?))?),
        "provider" => named(complete::providers(&Look::at_all(&config()?))?),
        "event" => return Ok(nearest(name, Event::NAMES).map(str::to_owned)),
        _ => return Ok(None),
    };
    Ok(nearest(name, names.iter().map(String::as_str)).map(str::to_owned))
}
