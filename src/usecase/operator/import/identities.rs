//! Reading the identities of an account of authd's own format, and finding out whether they are free.

use super::fields::Members;
use super::record::{LinkedIdentity, Problem, email, roles};
use crate::domain::id::IdentityId;
use crate::domain::identity::{Identity, IdentityKey, InvalidProviderName, ProviderName};
use crate::domain::role::RoleName;
use crate::error::Fault;
use crate::store::tables::identities;
use crate::store::tables::transfer::IdentityExport;
use crate::store::tx::Query;
use crate::usecase::operator::transfer_format::IDENTITY;
use std::collections::HashSet;

/// Reads those of an account; `all` are its roles.
pub(super) fn read(fields: Members<'_>, all: &[RoleName]) -> Result<Vec<LinkedIdentity>, Problem> {
    let read = fields.objects("identities")?.into_iter().map(identity).collect::<Result<Vec<_>, _>>()?;
    let (mut keys, mut ids) = (HashSet::new(), HashSet::new());
    let mut ungranted: HashSet<&RoleName> = all.iter().collect();
    for linked in &read {
        if !keys.insert(&linked.key) || linked.id.is_some_and(|id| !ids.insert(id)) {
            return Err(Problem::malformed("`identities` must differ in issuer and subject, and in `id`"));
        }
        if !linked.granted_roles.iter().all(|role| ungranted.remove(role)) {
            return Err(Problem::malformed("`granted_roles` must be of the `roles`, each granted once"));
        }
    }
    Ok(read)
}

fn identity(fields: Members<'_>) -> Result<LinkedIdentity, Problem> {
    fields.only(&IDENTITY.each_ref().map(|member| member.name))?;
    let id = fields.text("id")?.map(|text| {
        IdentityId::parse(text)
            .ok_or_else(|| Problem::malformed("an identity's `id` must be a UUID in lower case"))
    });
    let provider = ProviderName::parse(fields.needed("provider")?)
        .map_err(|InvalidProviderName| Problem::malformed(InvalidProviderName::MESSAGE))?;
    let key = IdentityKey::parse(fields.needed("issuer")?, fields.needed("subject")?);
    Ok(LinkedIdentity {
        id: id.transpose()?,
        provider,
        key: key.map_err(Problem::malformed)?,
        email: fields.text("email")?.map(email).transpose()?,
        linked_at: fields.time("linked_at")?,
        last_used_at: fields.time("last_used_at")?,
        granted_roles: roles(&fields.texts("granted_roles")?)?,
    })
}

/// Why an account can't have these identities. `None`: they are all free.
pub(super) fn taken(query: &impl Query, wanted: &[IdentityExport]) -> Result<Option<Problem>, Fault> {
    for IdentityExport { identity, .. } in wanted {
        if identities::find_by_key(query, &identity.key)?.is_some() {
            return Ok(Some(in_use(identity)));
        }
        if identities::find(query, identity.id)?.is_some() {
            return Ok(Some(id_taken(identity)));
        }
    }
    Ok(None)
}

/// The identities that came before in the same file, for a dry run.
#[derive(Default)]
pub(super) struct SeenIdentities {
    keys: HashSet<IdentityKey>,
    ids: HashSet<IdentityId>,
}

impl SeenIdentities {
    /// As [`taken`], of those that came before.
    pub(super) fn taken(&self, wanted: &[IdentityExport]) -> Option<Problem> {
        wanted.iter().find_map(|IdentityExport { identity, .. }| {
            let is_known = self.keys.contains(&identity.key);
            let known = is_known.then(|| in_use(identity));
            known.or_else(|| self.ids.contains(&identity.id).then(|| id_taken(identity)))
        })
    }

    pub(super) fn note(&mut self, wanted: &[IdentityExport]) {
        for IdentityExport { identity, .. } in wanted {
            self.keys.insert(identity.key.clone());
            self.ids.insert(identity.id);
        }
    }
}

/// Names the provider and not the subject: a terminal shows each message once, however many entries have it.
fn in_use(Identity { provider, key, .. }: &Identity) -> Problem {
    let issuer = &key.issuer;
    let text = format!(
        "the identity at {provider} ({issuer}) signs in to another account; unlink it there, or leave it out"
    );
    Problem::new("identity_in_use", text)
}

fn id_taken(identity: &Identity) -> Problem {
    let text =
        format!("the id {} belongs to another identity; leave it out, and a new one is made", identity.id);
    Problem::new("id_taken", text)
}
