//! What a provider says of whoever came back, taken out of its documents as its kind's rules say.

use super::document::Document;
use super::fault::{ProviderFault, Step, TokenFlaw};
use super::kinds::kind::{Authority, EmailRule, Kind};
use crate::config::Provider;
use crate::domain::email::Email;
use crate::domain::identity::{Claimed, IdentityKey, ProviderProof, StatedEmail};
use crate::domain::name::{MAX_LENGTH, Name};
use crate::domain::time::Timestamp;
use serde_json::Value;

/// The most values of `amr`, and of a claim of groups, that are taken.
const MOST_METHODS: usize = 16;
const MOST_GROUPS: usize = 1000;
/// The longest of either, in bytes.
const LONGEST_VALUE: usize = 255;

/// Where users' documents have a name: Discord's, GitHub's, and what Discord has for lack of one.
const NAMES: [&str; 3] = ["global_name", "name", "username"];

/// Whether the ID token leaves something open that userinfo may tell.
#[must_use]
pub fn wants_userinfo(kind: &Kind, provider: &Provider, id_token: &Document) -> bool {
    kind.asks_userinfo
        && (!has_email(id_token, kind.email)
            || id_token.text("name").is_none()
            || provider.role_claim.as_deref().is_some_and(|claim| id_token.value(claim).is_none()))
}

/// What an ID token, with userinfo where it was asked for, says. Both are checked already.
///
/// # Errors
/// [`TokenFlaw::Claim`] where `iss` and `sub` can't be a key.
pub fn of_id_token(
    kind: &Kind,
    provider: &Provider,
    id_token: &Document,
    userinfo: Option<&Document>,
) -> Result<Claimed, ProviderFault> {
    let text = |name| id_token.text(name).unwrap_or_default();
    let key = IdentityKey::parse(text("iss"), text("sub")).map_err(|_| TokenFlaw::Claim("sub"))?;
    let documents = [Some(id_token), userinfo];
    let stating = documents.into_iter().flatten().find(|document| has_email(document, kind.email));
    let stating =
        stating.or_else(|| documents.into_iter().flatten().find(|document| document.text("email").is_some()));
    let name = documents.into_iter().flatten().find_map(|document| document.text("name"));
    Ok(Claimed {
        key,
        email: stating.and_then(|document| stated(document, id_token, kind.email, provider)),
        name: name.map(name_of).unwrap_or_default(),
        proof: ProviderProof {
            amr: methods(id_token),
            at: id_token.seconds("auth_time").map(Timestamp::from_secs),
        },
        groups: groups(provider, &documents),
    })
}

/// What a user's document of a provider without ID tokens says: its key is made of the server's issuer and
/// `id`.
///
/// # Errors
/// [`ProviderFault::Member`] where there is no `id`.
pub fn of_user(
    issuer: &str,
    provider: &Provider,
    user: &Document,
    email: Option<StatedEmail>,
) -> Result<Claimed, ProviderFault> {
    let fault = || ProviderFault::Member { step: Step::UserInfo, name: "id" };
    let id = numeric_id(user).ok_or_else(fault)?;
    Ok(Claimed {
        key: IdentityKey::parse(issuer, &id).map_err(|_| fault())?,
        email,
        name: NAMES.into_iter().find_map(|name| user.text(name)).map(name_of).unwrap_or_default(),
        proof: ProviderProof::default(),
        groups: groups(provider, &[Some(user), None]),
    })
}

/// A number, as such or, where it could be too large for one, as text: names can change hands, numbers can't.
fn numeric_id(user: &Document) -> Option<String> {
    let id = match user.value("id")? {
        Value::Number(number) => number.as_u64()?.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    (!id.is_empty() && id.len() <= 20 && id.bytes().all(|c| c.is_ascii_digit()) && id != "0").then_some(id)
}

/// Whether a document has an address together with what it says of it.
fn has_email(document: &Document, rule: EmailRule) -> bool {
    document.text("email").is_some() && document.value(rule.flag).is_some()
}

/// The address of a document, and what the same document says of it.
pub(super) fn stated(
    document: &Document,
    id_token: &Document,
    rule: EmailRule,
    provider: &Provider,
) -> Option<StatedEmail> {
    let email = Email::parse(document.text("email")?).ok()?;
    let verified = match document.value(rule.flag) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => rule.texts.contains(&text.as_str()),
        _ => false,
    };
    let authoritative = match rule.authority {
        Authority::Flag => true,
        Authority::HostedDomain => {
            email.domain() == "gmail.com" || id_token.text("hd").is_some_and(|domain| !domain.is_empty())
        }
        Authority::AllowedDomains => provider.allowed_domains.iter().any(|domain| domain == email.domain()),
    };
    Some(StatedEmail { email, verified, authoritative: verified && authoritative })
}

/// A name as far as it is one; what is too long is cut.
pub(super) fn name_of(text: &str) -> Name {
    Name::parse(&text.trim().chars().take(MAX_LENGTH).collect::<String>()).unwrap_or_default()
}

fn methods(id_token: &Document) -> Vec<String> {
    let is_word = |text: &String| {
        !text.is_empty() && text.len() <= LONGEST_VALUE && text.bytes().all(|c| c.is_ascii_graphic())
    };
    id_token.texts("amr").into_iter().filter(is_word).take(MOST_METHODS).collect()
}

fn groups(provider: &Provider, documents: &[Option<&Document>]) -> Vec<String> {
    let Some(claim) = provider.role_claim.as_deref() else { return Vec::new() };
    let stating = documents.iter().flatten().find(|document| document.value(claim).is_some());
    let values = stating.map(|document| document.texts(claim)).unwrap_or_default();
    values.into_iter().filter(|value| value.len() <= LONGEST_VALUE).take(MOST_GROUPS).collect()
}
