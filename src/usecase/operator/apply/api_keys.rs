//! API keys. A new one's secret is shown once; of one that is there, the file says what it may do and how
//! long it lives from when it was made.

use super::change::{Action, Change, Detail, Prepared, Revelation, State, Step, difference, texts};
use super::fields::{Entry, Wrong};
use super::kind::{Difference, Fate, Kind, Look, NotListed, Spared};
use super::roles::take_permissions;
use crate::config::{parse_span, span_text};
use crate::domain::api_key::{ApiKey, ApiKeyName, InvalidApiKeyName};
use crate::domain::role::Permission;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Fault, Refusal};
use crate::store::tables::api_keys;
use crate::usecase::keys::api_keys::{self as api_key, ApiKeyRef, Expiry, NewApiKey};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A key as the file wants it.
#[derive(Debug)]
pub(super) struct WantedKey {
    /// Where the file says it: the entry, and its line.
    place: String,
    line: usize,
    name: ApiKeyName,
    /// Sorted, each once. `None`: not said, and left alone.
    permissions: Option<Vec<Permission>>,
    /// How long it lives from when it was made. `None`: not said; a new key has no end, another keeps its
    /// own.
    ttl: Option<Duration>,
}

fn read_name(text: &str) -> Result<ApiKeyName, Wrong> {
    ApiKeyName::parse(text).map_err(|InvalidApiKeyName| ("invalid", InvalidApiKeyName::MESSAGE))
}

fn read_ttl(text: &str) -> Result<Duration, Wrong> {
    let span = parse_span(text).ok_or(("invalid", "a span such as 90d is needed"))?;
    if span < Duration::from_secs(1) { Err(("out_of_range", "a key lives at least 1s")) } else { Ok(span) }
}

impl Kind for WantedKey {
    const SECTION: &'static str = "api_keys";
    const WORD: &'static str = "api_key";
    const NOUNS: [&'static str; 2] = ["API key", "API keys"];
    const KEY: &'static str = "name";
    const HOLDS: &'static str = "permissions";
    const PERMISSION: &'static str = "keys:write";

    fn read(entry: &mut Entry<'_>) -> Option<Self> {
        let name = entry.required(Self::KEY, read_name);
        let permissions = take_permissions(entry);
        let ttl = entry.text("ttl", read_ttl);
        Some(Self { place: entry.place().to_owned(), line: entry.line(), name: name?, permissions, ttl })
    }

    fn name(&self) -> String {
        self.name.to_string()
    }

    fn hands_out(&self) -> &[Permission] {
        self.permissions.as_deref().unwrap_or_default()
    }

    fn compare(wanted: &[Self], look: &Look<'_>) -> Result<Decision<Difference>, Fault> {
        let standing: BTreeMap<ApiKeyName, ApiKey> =
            api_keys::list(look.query)?.into_iter().map(|key| (key.name.clone(), key)).collect();
        let mut found = Difference::default();
        for key in wanted {
            let Some(before) = standing.get(&key.name) else {
                found.made.push(key.addition());
                continue;
            };
            match key.after(before, look.now) {
                Ok(after) if after != *before => found.made.push(edit(before, &after)),
                Ok(_) => {}
                Err(refusal) => return Ok(Decision::Refuse(refusal)),
            }
        }
        let not_listed =
            standing.values().filter(|standing| wanted.iter().all(|wanted| wanted.name != standing.name));
        match look.not_listed {
            NotListed::Remove => found.gone.extend(not_listed.map(removal)),
            NotListed::Keep => {
                found.spared.extend(Spared::of(not_listed.count(), Self::NOUNS, Fate::Removed));
            }
        }
        Ok(Decision::Grant(found))
    }
}

impl WantedKey {
    /// The key as it should be. An end that lies in the past is refused, unless it is the key's own: who
    /// shortens a life means to have a key, and who wants none revokes it.
    fn after(&self, before: &ApiKey, now: Timestamp) -> Result<ApiKey, Refusal> {
        let expires_at = self.ttl.map(|ttl| before.created_at.plus(ttl)).or(before.expires_at);
        let after = ApiKey {
            permissions: self.permissions.clone().unwrap_or_else(|| before.permissions.clone()),
            expires_at,
            ..before.clone()
        };
        if after.expires_at == before.expires_at || after.counts(now) {
            return Ok(after);
        }
        let message = format!(
            "line {}, API key {}: it was made at {}, so that by this ttl it would have ended already; \
             write a longer one, or revoke the key and apply makes a new one",
            self.line, self.name, before.created_at
        );
        Err(Refusal::invalid(format!("{}.ttl", self.place), "out_of_range", message))
    }

    fn addition(&self) -> Change {
        let new = NewApiKey {
            name: self.name.clone(),
            permissions: self.permissions.clone().unwrap_or_default(),
            ttl: self.ttl,
        };
        let mut details = difference(&[], &new.permissions);
        let ttl = self.ttl.map(span_text);
        details.extend(ttl.iter().map(|ttl| Detail::Says(format!("for {ttl}"))));
        let members = [("permissions", texts(&new.permissions)), ("ttl", ttl.into())];
        let after = members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        let step = Step::prepared(move |app| {
            let (draft, secret) = api_key::Draft::new(app, &new);
            let is = format!("API key {}", new.name);
            Prepared {
                work: Arc::new(move |_, tx| Ok(draft.add_in(tx)?.map(drop))),
                secret: Some(Revelation { secret, is }),
            }
        });
        Change { details, after: Some(after), ..WantedKey::change(Action::Add, &self.name, step) }
    }
}

fn edit(before: &ApiKey, after: &ApiKey) -> Change {
    let mut details = difference(&before.permissions, &after.permissions);
    if before.expires_at != after.expires_at {
        let until = after.expires_at.map_or("without an end".to_owned(), |end| format!("until {end}"));
        details.push(Detail::Says(until));
    }
    let (name, change) = (
        after.name.clone(),
        api_key::Change {
            permissions: Some(after.permissions.clone()),
            expires_at: Some(after.expires_at.map_or(Expiry::Never, Expiry::At)),
        },
    );
    let step = Step::plain(move |giver, tx| Ok(api_key::edit_in(tx, giver, &name, &change)?.map(drop)));
    let (before, after_state) = (Some(state(before)), Some(state(after)));
    Change { details, before, after: after_state, ..WantedKey::change(Action::Change, &after.name, step) }
}

fn removal(key: &ApiKey) -> Change {
    let of = ApiKeyRef::Id(key.id);
    let step = Step::plain(move |giver, tx| Ok(api_key::revoke_in(tx, giver, &of)?.map(drop)));
    Change { before: Some(state(key)), ..WantedKey::change(Action::Remove, &key.name, step) }
}

fn state(key: &ApiKey) -> State {
    let members = [
        ("id", key.id.to_string().into()),
        ("permissions", texts(&key.permissions)),
        ("expires_at", key.expires_at.map(|end| end.to_string()).into()),
    ];
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}
