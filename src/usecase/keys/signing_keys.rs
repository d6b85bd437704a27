//! The signing keys as an operator looks after them: listed, rotated, retired.

use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::cursor;
use crate::domain::signing_key::{KeyState, Retired, SigningKey};
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::page::{Page, Paged};
use crate::store::tables::keys;
use crate::store::tables::keys::{Place, StoredKey};
use crate::store::tx::{Query, Tx};
use crate::usecase::app::App;
use crate::usecase::app::keyring::algorithm_of;
use crate::usecase::paging::{check_limit, start};
use crate::usecase::require;
use std::time::Duration;

/// A login that fetched its key just before a rotation signs with it a moment after. No request takes
/// nearly this long.
const IN_FLIGHT: Duration = Duration::from_secs(60);

/// A page of all keys, oldest first; those whose time is over too: `limit` of them (at least 1), after the
/// `next` of the page before.
///
/// # Errors
/// `forbidden` without `keys:write`; `invalid_cursor`; `validation_failed` for a limit of 0; the store's.
pub fn page(
    app: &App,
    caller: &Caller,
    limit: u32,
    after: Option<&str>,
) -> Result<Paged<SigningKey, String>, Error> {
    require(caller, "keys:write")?;
    check_limit(limit)?;
    let after = start(cursor::List::SigningKeys, after, place_of)?;
    let Paged { items, next } = app.store.read(|query| keys::list_page(query, &Page { limit, after }))?;
    let items = items.iter().map(shown).collect::<Result<_, _>>()?;
    Ok(Paged { items, next: next.map(|place| cursor_of(&place)) })
}

fn cursor_of(place: &Place) -> String {
    let Place { created_at, signs, kid } = place;
    cursor::encode_name(cursor::List::SigningKeys, &format!("{} {signs} {kid}", created_at.as_millis()))
}

fn place_of(list: cursor::List, text: &str) -> Option<Place> {
    let name = cursor::decode_name(list, text)?;
    let mut parts = name.splitn(3, ' ');
    Some(Place {
        created_at: Timestamp::from_millis(parts.next()?.parse().ok()?),
        signs: parts.next()?.parse().ok()?,
        kid: parts.next()?.to_owned(),
    })
}

/// What a rotation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The key that signs from now on.
    pub key: SigningKey,
    /// The one that did before. `None`: there was none.
    pub previous: Option<SigningKey>,
}

/// Makes a new key of the configured algorithm, which signs at once, in a running daemon too. The one
/// before verifies until no token that it signed can still live.
///
/// # Errors
/// `forbidden` for anybody but an operator; those of the store and of the crypto library.
pub fn rotate(app: &App, caller: &Caller) -> Result<Rotated, Error> {
    require(caller, "signing_keys:write")?;
    let new = app.keyring.generate(app.ports())?;
    let ttl = app.config.tokens.access_ttl;
    app.store.write(caller, move |tx| {
        let now = tx.now();
        let previous = keys::find_current(tx)?;
        if let Some(previous) = &previous {
            // A daemon may run with another configuration than this tool: the longer life counts.
            let last = now.plus(previous.token_ttl.max(ttl)).plus(IN_FLIGHT);
            keys::save_retired(tx, &previous.kid, previous.keep_until.max(last))?;
        }
        keys::insert(tx, &new)?;
        let previous = match previous {
            Some(previous) => find_in(tx, &previous.kid)?,
            None => None,
        };
        let old = previous.as_ref().map(|previous| previous.kid.clone());
        tx.audit(&Event::SigningKeyRotated { kid: new.kid.clone(), previous: old }, Subject::default())?;
        Ok(Decision::Grant(Rotated { key: shown(&new)?, previous }))
    })
}

/// Whether the tokens that a key signed may live out their lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetireMode {
    InDueTime,
    /// The key has leaked: whoever has it could sign tokens of their own.
    AtOnce,
}

/// What retiring a key came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retirement {
    /// Its tokens can still live; it goes by itself when they can't.
    Waits { key: SigningKey, keep_until: Timestamp },
    /// It is gone; its time was over by then.
    Gone(SigningKey),
}

/// Takes a key away whose time is over, or [`RetireMode::AtOnce`] one that still verifies.
///
/// # Errors
/// `forbidden` for anybody but an operator; `not_found`; `conflict` for the key that signs; the store's.
pub fn retire(app: &App, caller: &Caller, kid: &str, mode: RetireMode) -> Result<Retirement, Error> {
    require(caller, "signing_keys:write")?;
    let kid = kid.to_owned();
    app.store.write(caller, move |tx| retire_in(tx, &kid, mode))
}

/// Says what [`retire`] would come to, refuses as it would, and changes nothing: for whoever is about to be
/// asked.
///
/// # Errors
/// As [`retire`].
pub fn retirable(app: &App, caller: &Caller, kid: &str, mode: RetireMode) -> Result<Retirement, Error> {
    require(caller, "signing_keys:write")?;
    let kid = kid.to_owned();
    app.store.write(caller, move |tx| tx.dry_run(|tx| retire_in(tx, &kid, mode)))
}

fn retire_in(tx: &mut Tx<'_>, kid: &str, mode: RetireMode) -> Result<Decision<Retirement>, Fault> {
    let Some(mut key) = find_in(tx, kid)? else {
        return Ok(Decision::Refuse(missing(kid)));
    };
    let now = tx.now();
    let Some(retired) = key.retired else {
        let reason = format!("the key {kid} is the one that signs; run `authctl key rotate` first");
        return Ok(Decision::Refuse(Refusal::Conflict { reason }));
    };
    let keep_until = retired.keep_until;
    if key.state(now) == KeyState::Verifying {
        if mode == RetireMode::InDueTime {
            return Ok(Decision::Grant(Retirement::Waits { key, keep_until }));
        }
        key.retired = Some(Retired { keep_until: now, ..retired });
    }
    keys::delete(tx, kid)?;
    tx.audit(&Event::SigningKeyRetired { kid: kid.to_owned(), keep_until }, Subject::default())?;
    Ok(Decision::Grant(Retirement::Gone(key)))
}

fn find_in(query: &impl Query, kid: &str) -> Result<Option<SigningKey>, Fault> {
    keys::find(query, kid)?.as_ref().map(shown).transpose()
}

fn shown(stored: &StoredKey) -> Result<SigningKey, Fault> {
    Ok(SigningKey {
        kid: stored.kid.clone(),
        algorithm: algorithm_of(stored)?,
        created_at: stored.created_at,
        retired: stored.retired_at.map(|at| Retired { at, keep_until: stored.keep_until }),
    })
}

fn missing(kid: &str) -> Refusal {
    Refusal::not_found("signing key", kid)
}
