//! Ids as operators read and type them: how many letters of one are enough to tell it from all others, and
//! which one its beginning means. HTTP takes whole ids only.

use crate::domain::caller::Caller;
use crate::domain::id::{ApiKeyId, IdentityId, MailId, PasskeyId, RegistrationId, SessionId, UserId};
use crate::error::{Error, Fault, Refusal};
use crate::store::tables::ids;
use crate::store::tables::ids::Id;
use crate::store::tables::{api_keys, identities, keys, mails, passkeys, registrations, sessions, users};
use crate::store::tx::Query;
use crate::usecase::account::reference::UserRef;
use crate::usecase::account::registrations::RegistrationRef;
use crate::usecase::app::App;
use crate::usecase::require;

pub use crate::store::tables::ids::Kind;

/// The fewest letters that are taken for the beginning of an id.
const TYPED_MIN: usize = 4;

/// The fewest letters that are shown of one.
const SHOWN_MIN: usize = 8;

/// How many of those are shown whose ids begin alike.
const CANDIDATES_MAX: usize = 5;

/// What an operator has named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named<T> {
    One(T),
    Several(Ambiguous),
}

/// Several things of one kind, whose ids begin with what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    /// A noun: `user`.
    pub what: &'static str,
    pub typed: String,
    /// The first of them, at least two.
    pub candidates: Vec<Candidate>,
    pub are_all: bool,
}

/// One of those that may have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// As much of its id as tells it from the others.
    pub id: String,
    /// What else tells it from the others: an address, a subject.
    pub about: String,
}

impl<T> Named<T> {
    fn map<U>(self, make: impl FnOnce(T) -> U) -> Named<U> {
        match self {
            Self::One(one) => Named::One(make(one)),
            Self::Several(ambiguous) => Named::Several(ambiguous),
        }
    }
}

/// Reads a user's address, id, or the beginning of an id.
///
/// # Errors
/// `forbidden` without `users:read`; `not_found`: what is none of these names nobody; the store's.
pub fn user(app: &App, caller: &Caller, text: &str) -> Result<Named<UserRef>, Error> {
    if let Ok(whole) = UserRef::parse(text) {
        return Ok(Named::One(whole));
    }
    let named = begun(app, caller, Kind::User, text)?;
    Ok(named.map(|id| UserRef::Id(UserId::from_bytes(id))))
}

/// Reads a user as [`user`] does, also one who is no more, by what the audit log has of them.
///
/// # Errors
/// As [`user`]; `forbidden` without `audit:read`.
pub fn logged_user(app: &App, caller: &Caller, text: &str) -> Result<Named<UserRef>, Error> {
    require(caller, "audit:read")?;
    let missing = match user(app, caller, text) {
        Err(Error::Refused(refusal @ Refusal::NotFound { .. })) if bounds(text).is_some() => refusal,
        other => return other,
    };
    let logged = app.store.read_log(|query| ids::find_logged_users(query, text))?;
    match logged {
        Some((first, last)) if first == last => {
            Ok(Named::One(UserRef::Id(UserId::parse(&first).ok_or(missing)?)))
        }
        Some((first, last)) => {
            let candidate = |id| Candidate { id, about: "deleted".into() };
            let candidates = vec![candidate(first), candidate(last)];
            Ok(Named::Several(Ambiguous { what: "user", typed: text.to_owned(), candidates, are_all: false }))
        }
        None => Err(missing.into()),
    }
}

/// Reads a session's id, or the beginning of it.
///
/// # Errors
/// `forbidden` without `sessions:read`; `not_found`; the store's.
pub fn session(app: &App, caller: &Caller, text: &str) -> Result<Named<SessionId>, Error> {
    match SessionId::parse(text) {
        Some(whole) => Ok(Named::One(whole)),
        None => Ok(begun(app, caller, Kind::Session, text)?.map(SessionId::from_bytes)),
    }
}

/// Reads a mail's id, or the beginning of it.
///
/// # Errors
/// `forbidden` for anybody but an operator; `not_found`; the store's.
pub fn mail(app: &App, caller: &Caller, text: &str) -> Result<Named<MailId>, Error> {
    match MailId::parse(text) {
        Some(whole) => Ok(Named::One(whole)),
        None => Ok(begun(app, caller, Kind::Mail, text)?.map(MailId::from_bytes)),
    }
}

/// Reads an address that registrations wait for, the id of one, or the beginning of an id.
///
/// # Errors
/// `forbidden` without `users:read`; `not_found`; the store's.
pub fn registration(app: &App, caller: &Caller, text: &str) -> Result<Named<RegistrationRef>, Error> {
    if let Ok(whole) = RegistrationRef::parse(text) {
        return Ok(Named::One(whole));
    }
    let named = begun(app, caller, Kind::Registration, text)?;
    Ok(named.map(|id| RegistrationRef::Id(RegistrationId::from_bytes(id))))
}

/// Reads an identity's id, or the beginning of it.
///
/// # Errors
/// `forbidden` without `users:read`; `not_found`; the store's.
pub fn identity(app: &App, caller: &Caller, text: &str) -> Result<Named<IdentityId>, Error> {
    match IdentityId::parse(text) {
        Some(whole) => Ok(Named::One(whole)),
        None => Ok(begun(app, caller, Kind::Identity, text)?.map(IdentityId::from_bytes)),
    }
}

/// Reads a passkey's id, or the beginning of it.
///
/// # Errors
/// `forbidden` without `users:read`; `not_found`; the store's.
pub fn passkey(app: &App, caller: &Caller, text: &str) -> Result<Named<PasskeyId>, Error> {
    match PasskeyId::parse(text) {
        Some(whole) => Ok(Named::One(whole)),
        None => Ok(begun(app, caller, Kind::Passkey, text)?.map(PasskeyId::from_bytes)),
    }
}

/// Reads a signing key's id, or the beginning of it.
///
/// # Errors
/// `forbidden` for anybody but an operator; `not_found`; the store's.
pub fn signing_key(app: &App, caller: &Caller, text: &str) -> Result<Named<String>, Error> {
    require(caller, "signing_keys:read")?;
    let missing = || Refusal::not_found("signing key", text);
    if text.len() < TYPED_MIN {
        return Err(missing().into());
    }
    let most = u32::try_from(CANDIDATES_MAX).unwrap_or(u32::MAX) + 1;
    let mut found = app.store.read(|query| ids::list_kids(query, text, most))?;
    // A whole one may be the beginning of no other: all are of one length.
    match found.len() {
        0 => Err(missing().into()),
        1 => Ok(Named::One(found.remove(0))),
        count => {
            found.truncate(CANDIDATES_MAX);
            let letters = letters_of(&found);
            let candidates = app.store.read(|query| {
                let candidate = |kid: &String| {
                    let made =
                        keys::find(query, kid)?.map_or_else(String::new, |key| key.created_at.to_string());
                    Ok(Candidate { id: kid[..letters].to_owned(), about: format!("made {made}") })
                };
                found.iter().map(candidate).collect::<Result<Vec<_>, Fault>>()
            })?;
            let are_all = count <= CANDIDATES_MAX;
            Ok(Named::Several(Ambiguous { what: "signing key", typed: text.to_owned(), candidates, are_all }))
        }
    }
}

/// Finds how many letters of these ids tell each from all others of its kind in the database, those that are
/// not listed too; at least eight. What is no id counts for nothing.
///
/// # Errors
/// `forbidden` as for a look at things of that kind; the store's.
pub fn letters<'i>(
    app: &App,
    caller: &Caller,
    kind: Kind,
    shown: impl IntoIterator<Item = &'i str>,
) -> Result<usize, Error> {
    require(caller, permission(kind))?;
    let shown: Vec<Id> = shown.into_iter().filter_map(UserId::parse).map(|id| *id.as_bytes()).collect();
    Ok(app.store.read(|query| letters_in(query, kind, &shown))?)
}

/// Finds how many letters of every signing key's id tell it from the others; at least eight.
///
/// # Errors
/// `forbidden` for anybody but an operator; the store's.
pub fn signing_key_letters(app: &App, caller: &Caller) -> Result<usize, Error> {
    require(caller, "signing_keys:read")?;
    Ok(letters_of(&app.store.read(|query| ids::list_kids(query, "", u32::MAX))?))
}

fn begun(app: &App, caller: &Caller, kind: Kind, text: &str) -> Result<Named<Id>, Error> {
    require(caller, permission(kind))?;
    let missing = Refusal::not_found(noun(kind), text);
    let (first, last) = bounds(text).ok_or_else(|| missing.clone())?;
    let most = u32::try_from(CANDIDATES_MAX).unwrap_or(u32::MAX) + 1;
    let mut found = app.store.read(|query| ids::list_between(query, kind, &first, &last, most))?;
    match found.len() {
        0 => Err(missing.into()),
        1 => Ok(Named::One(found.remove(0))),
        count => {
            found.truncate(CANDIDATES_MAX);
            let candidates = app.store.read(|query| {
                let letters = letters_in(query, kind, &found)?;
                let candidate = |id: &Id| {
                    let about = about(query, kind, *id)?.unwrap_or_default();
                    Ok(Candidate { id: text_of(id)[..letters].to_owned(), about })
                };
                found.iter().map(candidate).collect::<Result<Vec<_>, Fault>>()
            })?;
            let are_all = count <= CANDIDATES_MAX;
            Ok(Named::Several(Ambiguous { what: noun(kind), typed: text.to_owned(), candidates, are_all }))
        }
    }
}

/// The first and the last id that begin so. `None`: it is the beginning of no id, or too short for one.
fn bounds(text: &str) -> Option<(Id, Id)> {
    const FIRST: &str = "00000000-0000-0000-0000-000000000000";
    const LAST: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    if text.len() < TYPED_MIN || text.len() > FIRST.len() || !text.is_ascii() {
        return None;
    }
    let completed = |rest: &str| UserId::parse(&format!("{text}{}", &rest[text.len()..]));
    Some((*completed(FIRST)?.as_bytes(), *completed(LAST)?.as_bytes()))
}

fn letters_in(query: &impl Query, kind: Kind, shown: &[Id]) -> Result<usize, Fault> {
    let mut enough = SHOWN_MIN;
    for id in shown {
        let text = text_of(id);
        for neighbour in ids::list_neighbours(query, kind, id)? {
            enough = enough.max(1 + alike(&text, &text_of(&neighbour)));
        }
    }
    Ok(enough)
}

/// As [`letters_in`], where these are all there are, in their order.
fn letters_of(all: &[String]) -> usize {
    let pairs = all.windows(2).map(|pair| 1 + alike(&pair[0], &pair[1]));
    pairs.fold(SHOWN_MIN, usize::max)
}

/// How many letters two ids have in common from the beginning.
fn alike(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

/// All ids are written alike.
fn text_of(id: &Id) -> String {
    UserId::from_bytes(*id).to_string()
}

/// What tells a thing from others whose ids begin alike. `None`: it is gone by now.
fn about(query: &impl Query, kind: Kind, id: Id) -> Result<Option<String>, Fault> {
    Ok(match kind {
        Kind::User => users::find(query, UserId::from_bytes(id))?.map(|user| user.email.to_string()),
        Kind::Session => match sessions::find(query, SessionId::from_bytes(id))? {
            Some(session) => users::find(query, session.user)?
                .map(|user| format!("{}, begun {}", user.email, session.created_at)),
            None => None,
        },
        Kind::Mail => mails::find(query, MailId::from_bytes(id))?
            .map(|sealed| format!("to {}: {}", sealed.mail.to, sealed.mail.subject)),
        Kind::Registration => registrations::find_email(query, RegistrationId::from_bytes(id))?,
        Kind::Identity => identities::find(query, IdentityId::from_bytes(id))?
            .map(|identity| format!("{} {}", identity.provider, identity.key.subject)),
        Kind::Passkey => match passkeys::find(query, PasskeyId::from_bytes(id))? {
            Some(found) => users::find(query, found.passkey.user)?
                .map(|user| format!("{}, made {}", user.email, found.passkey.created_at)),
            None => None,
        },
        Kind::ApiKey => {
            api_keys::find_by_id(query, ApiKeyId::from_bytes(id))?.map(|key| key.name.to_string())
        }
    })
}

const fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "user",
        Kind::Session => "session",
        Kind::Mail => "mail",
        Kind::Registration => "registration",
        Kind::Identity => "identity",
        Kind::Passkey => "passkey",
        Kind::ApiKey => "API key",
    }
}

const fn permission(kind: Kind) -> &'static str {
    match kind {
        Kind::User | Kind::Registration | Kind::Identity | Kind::Passkey => "users:read",
        Kind::Session => "sessions:read",
        Kind::Mail => "mail:read",
        Kind::ApiKey => "keys:write",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_a_range_of_ids() {
        let (first, last) = bounds("019a0b7c-6").unwrap();
        assert_eq!(text_of(&first), "019a0b7c-6000-0000-0000-000000000000");
        assert_eq!(text_of(&last), "019a0b7c-6fff-ffff-ffff-ffffffffffff");
        let whole = "019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9";
        let (first, last) = bounds(whole).unwrap();
        assert_eq!((text_of(&first), first), (whole.into(), last));
        assert_eq!(bounds("019a").map(|(first, _)| first[0]), Some(1));
        for wrong in ["", "019", "019A", "019a0b7c6", "019a0b7c-6c7e7", "ann@", "019a0b7c--", "01_a", "ööö"]
        {
            assert_eq!(bounds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn letters_are_as_many_as_the_most_alike_need() {
        let ids = |all: &[&str]| all.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(letters_of(&ids(&["abcdefghijk", "abcdefghxyz", "z"])), 9);
        assert_eq!(letters_of(&ids(&["a", "b"])), 8);
        assert_eq!(letters_of(&[]), 8);
    }
}
