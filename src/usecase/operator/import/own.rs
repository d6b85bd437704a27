//! Reading authd's own format, which `export` writes; `transfer_format` describes it.

use super::fields::Members;
use super::record::{Factor, Moment, Problem, Record, Rules, roles};
use super::source;
use super::{identities, passkeys};
use crate::domain::id::UserId;
use crate::domain::password::PasswordTerm;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::store::tables::transfer::RecoveryCode;
use crate::usecase::operator::transfer_format::known;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde_json::Value;
use std::collections::HashSet;

/// Reads a line of JSON.
pub(super) fn parse(rules: &Rules<'_>, line: &str) -> Result<Record, Problem> {
    record(rules, &source::value(line)?)
}

/// Reads the object, whichever way it came.
pub(super) fn record(rules: &Rules<'_>, value: &Value) -> Result<Record, Problem> {
    let fields = Members::of(value)?;
    Record::of(fields.email()?, |record| read(rules, fields, record))
}

fn read(rules: &Rules<'_>, fields: Members<'_>, record: &mut Record) -> Result<(), Problem> {
    fields.only(&known().map(|(name, _)| name).collect::<Vec<_>>())?;
    if let Some(text) = fields.text("id")? {
        let id =
            UserId::parse(text).ok_or_else(|| Problem::malformed("`id` must be a UUID in lower case"))?;
        record.id = Some(id);
    }
    record.verified = Moment::of(fields.flag("email_verified")?, fields.time("email_verified_at")?);
    record.disabled = Moment::of(fields.flag("disabled")?, fields.time("disabled_at")?);
    record.created_at = fields.time("created_at")?;
    record.last_login_at = fields.time("last_login_at")?;
    record.set_name(fields.text("name")?.unwrap_or_default())?;
    record.roles = roles(&fields.texts("roles")?)?;
    if let Some(hash) = fields.text("password_hash")? {
        rules.hash(record, hash)?;
    }
    let ends_at = fields.time("password_ends_at")?;
    if fields.flag("password_must_change")? == Some(true) {
        record.password_term = PasswordTerm::Temporary { ends_at };
    }
    record.factor = factor(fields)?;
    record.recovery_codes = recovery_codes(&fields.texts("recovery_codes")?)?;
    record.identities = identities::read(fields, &record.roles)?;
    record.passkeys = passkeys::read(fields)?;
    if record.factor.is_none() && record.passkeys.is_empty() && fields.flag("two_factor")? == Some(true) {
        record.note_lost_factor();
    }
    Ok(())
}

fn factor(fields: Members<'_>) -> Result<Option<Factor>, Problem> {
    let Some(text) = fields.text("totp_secret")? else {
        return Ok(None);
    };
    let bytes = BASE32_NOPAD.decode(text.as_bytes()).ok().and_then(|bytes| <[u8; 20]>::try_from(bytes).ok());
    let secret = bytes.ok_or_else(|| Problem::malformed("`totp_secret` must be 160 bits in base32"))?;
    let small = |name: &str| {
        let number = fields.number(name)?.map(u32::try_from).transpose();
        number.map_err(|_| Problem::malformed(format!("`{name}` must be a small number")))
    };
    Ok(Some(Factor {
        secret: Secret::new(secret),
        enabled_at: fields.time("totp_enabled_at")?,
        last_step: small("totp_last_step")?.map(i64::from),
        failures: small("totp_failures")?.unwrap_or(0),
        created_at: fields.time("totp_created_at")?,
    }))
}

fn recovery_codes(texts: &[&str]) -> Result<Vec<RecoveryCode>, Problem> {
    let wrong = || Problem::malformed("`recovery_codes` must be different SHA-256 hashes in hexadecimal");
    let mut seen = HashSet::new();
    let code = |text: &&str| {
        let (hash, spent_at) = match text.split_once('@') {
            None => (*text, None),
            Some((hash, at)) => (hash, Some(Timestamp::parse_rfc3339(at).ok_or_else(wrong)?)),
        };
        let bytes = HEXLOWER.decode(hash.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        let hash = bytes.filter(|hash| seen.insert(*hash)).ok_or_else(wrong)?;
        Ok(RecoveryCode { hash, spent_at })
    };
    texts.iter().map(code).collect()
}
