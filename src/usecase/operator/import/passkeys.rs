//! Reading the passkeys of an account of authd's own format, and finding out whether they are free.

use super::fields::Members;
use super::record::{Problem, RecordedPasskey};
use crate::domain::id::PasskeyId;
use crate::domain::name::Name;
use crate::domain::passkey::{PASSKEYS_MAX, Passkey, is_rp_id};
use crate::error::Fault;
use crate::store::tables::passkeys::{self, StoredPasskey};
use crate::store::tx::Query;
use crate::usecase::operator::transfer_format::PASSKEY;
use crate::webauthn;
use data_encoding::BASE64URL_NOPAD;
use std::collections::HashSet;

/// More than there are (§5.8.4).
const TRANSPORTS_MAX: usize = 16;

/// The longest user handle, in bytes (WebAuthn Level 3 §5.4.3).
const USER_HANDLE_MAX: usize = 64;

/// Reads those of an account.
pub(super) fn read(fields: Members<'_>) -> Result<Vec<RecordedPasskey>, Problem> {
    let read = fields.objects("passkeys")?.into_iter().map(passkey).collect::<Result<Vec<_>, _>>()?;
    if read.len() > PASSKEYS_MAX as usize {
        return Err(Problem::malformed(format!("`passkeys` must be {PASSKEYS_MAX} at most")));
    }
    let (mut credentials, mut ids) = (HashSet::new(), HashSet::new());
    for recorded in &read {
        let is_new_id = recorded.id.is_none_or(|id| ids.insert(id));
        if !credentials.insert(&recorded.credential_id) || !is_new_id {
            return Err(Problem::malformed("`passkeys` must differ in `credential_id` and in `id`"));
        }
    }
    Ok(read)
}

fn passkey(fields: Members<'_>) -> Result<RecordedPasskey, Problem> {
    fields.only(&PASSKEY.each_ref().map(|member| member.name))?;
    let id = fields.text("id")?.map(|text| {
        PasskeyId::parse(text)
            .ok_or_else(|| Problem::malformed("a passkey's `id` must be a UUID in lower case"))
    });
    let public_key = bytes(fields, "public_key", usize::MAX)?;
    if !webauthn::takes_key(&public_key) {
        return Err(Problem::malformed("`public_key` must be a COSE_Key of an algorithm that is offered"));
    }
    let name = Name::parse(fields.text("name")?.unwrap_or_default());
    let count = fields.number("sign_count")?.map(u32::try_from).transpose();
    let backup_eligible = fields.flag("backup_eligible")?.unwrap_or(false);
    let backed_up = fields.flag("backed_up")?.unwrap_or(false);
    if backed_up && !backup_eligible {
        return Err(Problem::malformed("a passkey that is `backed_up` must be `backup_eligible`"));
    }
    Ok(RecordedPasskey {
        id: id.transpose()?,
        rp_id: rp_id(fields.needed("rp_id")?)?,
        credential_id: bytes(fields, "credential_id", webauthn::CREDENTIAL_ID_MAX)?,
        public_key,
        user_handle: bytes(fields, "user_handle", USER_HANDLE_MAX)?,
        name: name.map_err(|error| Problem::malformed(error.message()))?,
        sign_count: count
            .map_err(|_| Problem::malformed("`sign_count` must be a small number"))?
            .unwrap_or(0),
        backup_eligible,
        backed_up,
        transports: transports(&fields.texts("transports")?)?,
        created_at: fields.time("created_at")?,
        last_used_at: fields.time("last_used_at")?,
    })
}

fn bytes(fields: Members<'_>, name: &str, most: usize) -> Result<Vec<u8>, Problem> {
    let read = BASE64URL_NOPAD.decode(fields.needed(name)?.as_bytes()).ok();
    read.filter(|bytes| (1..=most).contains(&bytes.len()))
        .ok_or_else(|| Problem::malformed(format!("`{name}` must be base64url, and not too long")))
}

fn rp_id(text: &str) -> Result<String, Problem> {
    let read = is_rp_id(text).then(|| text.to_owned());
    read.ok_or_else(|| Problem::malformed("`rp_id` must be a domain in lower case"))
}

/// Sorted, each once.
fn transports(texts: &[&str]) -> Result<Vec<String>, Problem> {
    let is_plain = |c: u8| c.is_ascii_lowercase() || c == b'-';
    if texts.len() > TRANSPORTS_MAX
        || !texts.iter().all(|text| (1..=32).contains(&text.len()) && text.bytes().all(is_plain))
    {
        return Err(Problem::malformed("`transports` must be words such as internal, hybrid or usb"));
    }
    let mut named: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    named.sort();
    named.dedup();
    Ok(named)
}

/// Why an account can't have these passkeys. `None`: they are all free.
pub(super) fn taken(query: &impl Query, wanted: &[StoredPasskey]) -> Result<Option<Problem>, Fault> {
    for stored in wanted {
        if passkeys::find_by_credential(query, &stored.credential_id)?.is_some() {
            return Ok(Some(in_use(&stored.passkey)));
        }
        if passkeys::find(query, stored.passkey.id)?.is_some() {
            return Ok(Some(id_taken(&stored.passkey)));
        }
    }
    Ok(None)
}

/// The passkeys that came before in the same file, for a dry run.
#[derive(Default)]
pub(super) struct SeenPasskeys {
    credentials: HashSet<Vec<u8>>,
    ids: HashSet<PasskeyId>,
}

impl SeenPasskeys {
    /// As [`taken`], of those that came before.
    pub(super) fn taken(&self, wanted: &[StoredPasskey]) -> Option<Problem> {
        wanted.iter().find_map(|stored| {
            let is_known = self.credentials.contains(&stored.credential_id);
            let known = is_known.then(|| in_use(&stored.passkey));
            known.or_else(|| self.ids.contains(&stored.passkey.id).then(|| id_taken(&stored.passkey)))
        })
    }

    pub(super) fn note(&mut self, wanted: &[StoredPasskey]) {
        for stored in wanted {
            self.credentials.insert(stored.credential_id.clone());
            self.ids.insert(stored.passkey.id);
        }
    }
}

fn in_use(passkey: &Passkey) -> Problem {
    let made = passkey.created_at;
    let text =
        format!("the passkey made {made} signs in to another account; delete it there, or leave it out");
    Problem::new("passkey_in_use", text)
}

fn id_taken(passkey: &Passkey) -> Problem {
    let text =
        format!("the id {} belongs to another passkey; leave it out, and a new one is made", passkey.id);
    Problem::new("id_taken", text)
}
