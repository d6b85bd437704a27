//! The address of somebody whose provider states none: asked for by a page, and confirmed by mail. Until then
//! the browser carries who it is, sealed.

use super::admit::Newcomer;
use super::providers;
use crate::config::Provider;
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::identity::{Claimed, IdentityKey, ProviderProof, StatedEmail};
use crate::domain::name::Name;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Refusal};
use crate::usecase::app::App;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long somebody may take to type it.
const TTL: Duration = Duration::from_secs(10 * 60);

/// What it is sealed for: nothing else that is sealed so opens here.
const CONTEXT: &[u8] = b"an identity without an address";

#[derive(Serialize, Deserialize)]
struct Carried {
    provider: String,
    issuer: String,
    subject: String,
    name: String,
    /// Milliseconds since 1970.
    ends: i64,
}

/// Seals who it is, for the browser to carry.
pub(super) fn seal(app: &App, provider: &Provider, claimed: &Claimed) -> String {
    let carried = Carried {
        provider: provider.name.to_string(),
        issuer: claimed.key.issuer.clone(),
        subject: claimed.key.subject.clone(),
        name: claimed.name.as_str().to_owned(),
        ends: app.now().plus(TTL).as_millis(),
    };
    let plain = Secret::new(serde_json::to_vec(&carried).expect("texts are JSON"));
    BASE64URL_NOPAD.encode(&app.oauth_sealer.seal(app.entropy(), CONTEXT, plain.expose()))
}

/// Whether what a browser carries is good still.
#[must_use]
pub fn is_open(app: &App, sealed: &str) -> bool {
    open(app, sealed).is_some()
}

fn open(app: &App, sealed: &str) -> Option<Carried> {
    let sealed = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
    let plain = app.oauth_sealer.open(CONTEXT, &sealed).ok()?;
    let carried: Carried = serde_json::from_slice(plain.expose()).ok()?;
    (app.now() < Timestamp::from_millis(carried.ends)).then_some(carried)
}

/// Has a link mailed to the address; the account is made when that is opened.
///
/// # Errors
/// `state_mismatch` where what the browser carries is not good any more; `link_required`;
/// `registration_closed`; `domain_not_allowed`; the store's.
pub fn complete(app: &App, caller: &Caller, sealed: &str, email: &Email) -> Result<(), Error> {
    let carried = open(app, sealed).ok_or(Refusal::StateMismatch)?;
    let provider = providers::find(app, &carried.provider)?;
    let claimed = Claimed {
        key: IdentityKey { issuer: carried.issuer, subject: carried.subject },
        email: Some(StatedEmail { email: email.clone(), verified: false, authoritative: false }),
        name: Name::parse(&carried.name).unwrap_or_default(),
        proof: ProviderProof::default(),
        groups: Vec::new(),
    };
    let newcomer = Newcomer::new(app, caller, provider, claimed);
    app.store.write(caller, move |tx| {
        Ok(match newcomer.confirm(tx)? {
            Ok(()) => Decision::Grant(()),
            Err(refusal) => Decision::Refuse(refusal),
        })
    })
}
