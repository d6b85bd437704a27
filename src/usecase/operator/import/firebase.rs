//! Firebase: what `firebase auth:export users.json` writes, and the project's hash parameters beside it.

use super::fields::Members;
use super::record::{Moment, Problem, Record, Rules};
use crate::crypto::password::foreign::firebase::adopt;
use crate::domain::secret::Secret;
use data_encoding::BASE64_NOPAD;
use serde_json::Value;

pub use crate::crypto::password::foreign::firebase::Parameters;

/// Reads the parameters as a JSON object with the names that the console shows: `base64_signer_key`,
/// `base64_salt_separator`, `rounds`, `mem_cost`.
///
/// # Errors
/// What is missing or wrong, in words.
pub fn parameters(text: &Secret<String>) -> Result<Parameters, String> {
    // The parser's own words would be enough to find the place, and can't show the key.
    let value: Value = serde_json::from_str(text.expose())
        .map_err(|error| format!("it is not JSON (line {}, column {})", error.line(), error.column()))?;
    read(&value).map_err(|problem| problem.message)
}

fn read(value: &Value) -> Result<Parameters, Problem> {
    let fields = Members::of(value)?;
    fields.only(&["algorithm", "base64_signer_key", "base64_salt_separator", "rounds", "mem_cost"])?;
    if fields.text("algorithm")?.is_some_and(|name| name != "SCRYPT") {
        return Err(Problem::malformed("`algorithm` must be SCRYPT"));
    }
    let bytes = |name: &str| {
        let decoded = decode(fields.needed(name)?);
        decoded.ok_or_else(|| Problem::malformed(format!("`{name}` must be base64")))
    };
    let number = |name: &str| {
        let number = fields.number(name)?.and_then(|number| u8::try_from(number).ok());
        number.ok_or_else(|| Problem::malformed(format!("`{name}` must be a small number")))
    };
    Ok(Parameters {
        signer_key: Secret::new(bytes("base64_signer_key")?),
        salt_separator: bytes("base64_salt_separator")?,
        rounds: number("rounds")?.into(),
        mem_cost: number("mem_cost")?,
    })
}

pub(super) fn parse(rules: &Rules<'_>, user: &Value) -> Result<Record, Problem> {
    let fields = Members::of(user)?;
    Record::of(fields.email()?, |record| read_user(rules, fields, record))
}

fn read_user(rules: &Rules<'_>, fields: Members<'_>, record: &mut Record) -> Result<(), Problem> {
    record.verified = Moment::of(fields.flag("emailVerified")?, None);
    record.disabled = Moment::of(fields.flag("disabled")?, None);
    record.created_at = fields.millis("createdAt")?;
    record.last_login_at = fields.millis("lastSignedInAt")?;
    record.set_name(fields.text("displayName")?.unwrap_or_default())?;
    if fields.is_filled("mfaInfo") {
        record.note_lost_factor();
    }
    if let Some(hash) = fields.first_text(&["passwordHash"])? {
        let Some(parameters) = &rules.options.firebase else {
            let text = "a password of Firebase's needs the project's hash parameters: --firebase-config FILE";
            return Err(Problem::new("unsupported_hash", text));
        };
        let salt = fields.text("salt")?.unwrap_or_default();
        let (Some(hash), Some(salt)) = (decode(hash), decode(salt)) else {
            return Err(Problem::malformed("`passwordHash` and `salt` must be base64"));
        };
        rules.adopted(record, adopt(parameters, &hash, &salt))?;
    }
    Ok(())
}

/// Base64 in either alphabet, padded or not: Firebase's tools don't agree.
fn decode(text: &str) -> Option<Vec<u8>> {
    let plain = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
    BASE64_NOPAD.decode(plain.as_bytes()).ok()
}
