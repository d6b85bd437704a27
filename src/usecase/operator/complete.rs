//! What a shell may offer while an operator types: what in the database has a name that begins as the word
//! does. It reads the database and nothing else: no key, no lock, no file that was not there before.

use crate::config::{Config, Database, Provider};
use crate::domain::access::OWN_PERMISSIONS;
use crate::domain::application::Application;
use crate::domain::audit::Event;
use crate::domain::id::{MailId, PasskeyId, SessionId};
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store;
use crate::store::page::Page;
use crate::store::tables::sessions::Alive;
use crate::store::tables::{api_keys, apps, keys, mails, passkeys, registrations, roles, sessions, users};
use crate::store::tx::Reader;
use crate::usecase::app::server_address;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a server may take, before nothing is offered.
const PATIENCE: Duration = Duration::from_secs(1);

/// More than a person reads; a query for them is short however many rows there are.
const OFFERED_MAX: u32 = 100;

/// What somebody has typed, and where to look for what it may become.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    pub config: &'a Config,
    pub now: Timestamp,
    /// The beginning of a name; empty before anything is typed.
    pub word: &'a str,
}

/// A name to offer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    pub name: String,
    /// What tells it from the others, in a few words; empty where the name says it all.
    pub about: String,
}

impl Offer {
    fn bare(name: String) -> Self {
        Self { name, about: String::new() }
    }
}

impl<'a> Look<'a> {
    /// For all names of a kind for which no time counts.
    #[must_use]
    pub const fn at_all(config: &'a Config) -> Self {
        Self { config, now: Timestamp::from_secs(0), word: "" }
    }

    /// Those of a short list that begin as the word does.
    fn beginning(&self, all: impl Iterator<Item = Offer>) -> Vec<Offer> {
        let beginning = all.filter(|offer| offer.name.starts_with(self.word));
        beginning.take(OFFERED_MAX as usize).collect()
    }
}

/// Reads without opening the database for more. What a shell waits for must come soon, or not at all.
fn look_into<T>(config: &Config, work: impl FnOnce(&Reader<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    match &config.database {
        Database::File(path) => store::look(path, work),
        Database::Server(url) => {
            store::look_on_server(&server_address::address(config, url)?, PATIENCE, work)
        }
    }
}

/// Finds addresses, in their order.
///
/// # Errors
/// What keeps the database from being read.
pub fn users(look: &Look<'_>) -> Result<Vec<Offer>, Fault> {
    let found = look_into(look.config, |query| users::list_emails(query, look.word, OFFERED_MAX))?;
    Ok(found.into_iter().map(Offer::bare).collect())
}

/// Finds the addresses that stand before and after one that nobody has, for who mistyped it: a slip in its
/// beginning is not found, as that would take a look at every account.
///
/// # Errors
/// As [`users()`].
pub fn users_around(config: &Config, email: &str) -> Result<Vec<String>, Fault> {
    look_into(config, |query| users::list_emails_around(query, email, OFFERED_MAX))
}

/// Finds addresses for which registrations wait, in their order.
///
/// # Errors
/// As [`users()`].
pub fn registrations(look: &Look<'_>) -> Result<Vec<Offer>, Fault> {
    let found = look_into(look.config, |query| registrations::list_emails(query, look.word, OFFERED_MAX))?;
    Ok(found.into_iter().map(Offer::bare).collect())
}

/// Finds roles by name, in their order.
///
/// # Errors
/// As [`users()`].
pub fn roles(look: &Look<'_>) -> Result<Vec<Offer>, Fault> {
    let all = look_into(look.config, |query| roles::list(query))?;
    Ok(look.beginning(
        all.into_iter().map(|role| Offer { name: role.name.to_string(), about: role.description }),
    ))
}

/// Finds API keys by name, in their order.
///
/// # Errors
/// As [`users()`].
pub fn api_keys(look: &Look<'_>) -> Result<Vec<Offer>, Fault> {
    let all = look_into(look.config, |query| api_keys::list(query))?;
    Ok(look.beginning(all.into_iter().map(|key| {
        let about = match key.last_used_at {
            Some(at) => format!("last used {at}"),
            None => "never used".into(),
        };
        Offer { name: key.name.to_string(), about }
    })))
}

/// Finds applications by name, in their order.
///
/// # Errors
/// As [`users()`].
pub fn apps(look: &Look<'_>) -> Result<Vec<Offer>, Fault> {
    let page = Page { limit: OFFERED_MAX, after: None };
    let first = look_into(look.config, |query| apps::list_page(query, &page))?;
    let offer = |app: Application| Offer { name: app.name.to_string(), about: app.origin.to_string() };
    Ok(look.beginning(first.items.into_iter().map(offer)))
}

/// Finds providers of identities by name, in their order. They are in the configuration alone.
///
/// # Errors
/// None.
pub fn providers(look: &Look<'_>) -> Result<Vec<Offer>, Fault> {
    let offer =
        |provider: &Provider| Offer { name: provider.name.to_string(), about: provider.display_name.clone() };
    Ok(look.beginning(look.config.oauth.iter().map(offer)))
}

/// Finds signing keys, the newest first.
///
/// # Errors
/// As [`users()`].
pub fn signing_keys(look: &Look<'_>) -> Result<Vec<Offer>, Fault> {
    let all = look_into(look.config, |query| keys::list(query))?;
    Ok(look.beginning(all.into_iter().rev().map(|key| {
        let about = match key.retired_at {
            Some(at) => format!("{}, retired {at}", key.algorithm),
            None => format!("{}, signs", key.algorithm),
        };
        Offer { name: key.kid, about }
    })))
}

/// Finds sessions that live by their id, the newest first.
///
/// # Errors
/// As [`users()`].
pub fn sessions(look: &Look<'_>) -> Result<Vec<Offer>, Fault> {
    let Some((from, to)) = ids_beginning(look.word) else {
        return Ok(Vec::new());
    };
    let span = SessionId::from_bytes(from)..=SessionId::from_bytes(to);
    let alive = Alive { now: look.now, idle: look.config.tokens.refresh_idle };
    let found = look_into(look.config, |query| sessions::list_within(query, &span, alive, OFFERED_MAX))?;
    Ok(found
        .into_iter()
        .map(|found| Offer {
            name: found.session.id.to_string(),
            about: format!("{}, last used {}", found.email, found.session.last_used_at),
        })
        .collect())
}

/// Finds mails in the outbox by their id, the newest first.
///
/// # Errors
/// As [`users()`].
pub fn mails(look: &Look<'_>) -> Result<Vec<Offer>, Fault> {
    let Some((from, to)) = ids_beginning(look.word) else {
        return Ok(Vec::new());
    };
    let span = MailId::from_bytes(from)..=MailId::from_bytes(to);
    let found = look_into(look.config, |query| mails::list_within(query, &span, OFFERED_MAX))?;
    Ok(found
        .into_iter()
        .map(|mail| Offer {
            name: mail.id.to_string(),
            about: format!("{} to {}: {}", mail.state.name(), mail.to, mail.subject),
        })
        .collect())
}

/// Finds passkeys by their id, the newest first.
///
/// # Errors
/// As [`users()`].
pub fn passkeys(look: &Look<'_>) -> Result<Vec<Offer>, Fault> {
    let Some((from, to)) = ids_beginning(look.word) else {
        return Ok(Vec::new());
    };
    let span = PasskeyId::from_bytes(from)..=PasskeyId::from_bytes(to);
    let found = look_into(look.config, |query| passkeys::list_within(query, &span, OFFERED_MAX))?;
    Ok(found
        .into_iter()
        .map(|(id, name, email)| Offer { name: id.to_string(), about: format!("{email} {}", name.as_str()) })
        .collect())
}

/// Finds permissions: authd's own, and those that roles and API keys hold, in their order.
///
/// # Errors
/// As [`users()`].
pub fn permissions(look: &Look<'_>) -> Result<Vec<Offer>, Fault> {
    let (roles, keys) = look_into(look.config, |query| Ok((roles::list(query)?, api_keys::list(query)?)))?;
    let mut about: BTreeMap<String, String> = BTreeMap::new();
    for key in keys {
        let held =
            key.permissions.iter().map(|held| (held.to_string(), format!("of the API key {}", key.name)));
        about.extend(held);
    }
    for role in roles {
        let held =
            role.permissions.iter().map(|held| (held.to_string(), format!("of the role {}", role.name)));
        about.extend(held);
    }
    about.extend(OWN_PERMISSIONS.map(|own| (own.to_owned(), "of authd's own".to_owned())));
    Ok(look.beginning(about.into_iter().map(|(name, about)| Offer { name, about })))
}

/// Finds names of audit events, in their order. They are in no database.
///
/// # Errors
/// None.
pub fn events(look: &Look<'_>) -> Result<Vec<Offer>, Fault> {
    Ok(look.beginning(Event::NAMES.into_iter().map(|name| Offer::bare(name.to_owned()))))
}

/// The lowest and the highest id whose text begins so. `None`: no id does.
fn ids_beginning(word: &str) -> Option<([u8; 16], [u8; 16])> {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let fits = |(at, c): (usize, char)| {
        if HYPHENS.contains(&at) { c == '-' } else { matches!(c, '0'..='9' | 'a'..='f') }
    };
    if word.len() > 36 || !word.chars().enumerate().all(fits) {
        return None;
    }
    let digits = word.replace('-', "");
    let filled = |with: char| {
        let text: String = digits.chars().chain(std::iter::repeat(with)).take(32).collect();
        u128::from_str_radix(&text, 16).ok().map(u128::to_be_bytes)
    };
    filled('0').zip(filled('f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_of_an_id_spans_all_that_go_on_so() {
        assert_eq!(ids_beginning(""), Some(([0; 16], [0xff; 16])));
        let (from, to) = ids_beginning("019a0b7c-6").unwrap();
        assert_eq!(SessionId::from_bytes(from).to_string(), "019a0b7c-6000-0000-0000-000000000000");
        assert_eq!(SessionId::from_bytes(to).to_string(), "019a0b7c-6fff-ffff-ffff-ffffffffffff");
        let whole = "019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9";
        let (from, to) = ids_beginning(whole).unwrap();
        assert!(from == to && SessionId::from_bytes(from).to_string() == whole);
        for word in ["019A", "019a0b7c6", "019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9f", "-", "xyz", "ü"] {
            assert_eq!(ids_beginning(word), None, "{word}");
        }
    }
}
