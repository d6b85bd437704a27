//! Auth0: its bulk export (a JSON object a line), the hashes that its support hands out (the same), and the
//! array that its own bulk import takes.

use super::fields::Members;
use super::record::{Moment, Problem, Record, Rules};
use crate::crypto::password::foreign::Unusable;
use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use serde_json::Value;

pub(super) fn parse(rules: &Rules<'_>, user: &Value) -> Result<Record, Problem> {
    let fields = Members::of(user)?;
    Record::of(fields.email()?, |record| read(rules, fields, record))
}

fn read(rules: &Rules<'_>, fields: Members<'_>, record: &mut Record) -> Result<(), Problem> {
    record.verified = Moment::of(fields.flag("email_verified")?, None);
    record.disabled = Moment::of(fields.flag("blocked")?, None);
    record.created_at = fields.time("created_at")?;
    record.last_login_at = fields.time("last_login")?;
    // Where nobody gave a name, Auth0 shows the address.
    let name = fields.first_text(&["name"])?.filter(|name| !name.eq_ignore_ascii_case(record.email.as_str()));
    record.set_name(name.unwrap_or_default())?;
    if ["mfa_factors", "multifactor", "guardian_authenticators"].iter().any(|member| fields.is_filled(member))
    {
        record.note_lost_factor();
    }
    if let Some(hash) = fields.first_text(&["password_hash", "passwordHash"])? {
        rules.hash(record, hash)?;
    } else if let Some(custom) = fields.object("custom_password_hash")? {
        match custom_hash(custom)? {
            Some(text) => rules.hash(record, &text)?,
            None => rules.adopted(record, Err(Unusable::Unsupported))?,
        }
    }
    Ok(())
}

/// The hash as the text that authd reads. `None`: of a kind that it doesn't verify.
fn custom_hash(custom: Members<'_>) -> Result<Option<String>, Problem> {
    let hash =
        custom.object("hash")?.ok_or_else(|| Problem::malformed("`custom_password_hash.hash` is missing"))?;
    let value = hash.needed("value")?;
    let encoding = hash.text("encoding")?.unwrap_or("utf8");
    let salted = custom.object("salt")?;
    Ok(match (custom.needed("algorithm")?, encoding) {
        ("bcrypt" | "argon2" | "pbkdf2" | "ldap", "utf8") => Some(value.to_owned()),
        ("sha1", _) if salted.is_none() => {
            decode(value, encoding).map(|hash| format!("{{SHA}}{}", BASE64.encode(&hash)))
        }
        ("scrypt", _) => match (salted, decode(value, encoding)) {
            (Some(salt), Some(hash)) => scrypt(custom, salt, &hash)?,
            _ => None,
        },
        _ => None,
    })
}

fn scrypt(custom: Members<'_>, salt: Members<'_>, hash: &[u8]) -> Result<Option<String>, Problem> {
    let cost = custom.number("cost")?.unwrap_or(16_384);
    let (r, p) = (custom.number("blockSize")?.unwrap_or(8), custom.number("parallelization")?.unwrap_or(1));
    let salt = decode(salt.needed("value")?, salt.text("encoding")?.unwrap_or("utf8"));
    let Some(salt) = salt.filter(|_| cost.is_power_of_two()) else {
        return Ok(None);
    };
    let (salt, hash) = (BASE64_NOPAD.encode(&salt), BASE64_NOPAD.encode(hash));
    Ok(Some(format!("$scrypt$ln={},r={r},p={p}${salt}${hash}", cost.trailing_zeros())))
}

fn decode(text: &str, encoding: &str) -> Option<Vec<u8>> {
    match encoding {
        "base64" => BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok(),
        "hex" => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok(),
        "utf8" => Some(text.as_bytes().to_vec()),
        _ => None,
    }
}
