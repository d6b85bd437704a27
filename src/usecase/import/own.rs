//! authd's own format, which `export` writes and `import` reads without loss: an object of texts, numbers and
//! lists of texts, so that it fits a row of CSV too.

use super::super::export::Contents;
use super::fields::Fields;
use super::record::{Factor, Moment, Problem, Record, Rules};
use super::source;
use crate::domain::id::UserId;
use crate::domain::role::{InvalidRoleName, RoleName};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::error::Error;
use crate::store::tables::transfer::{RecoveryCode, WholeUser};
use crate::usecase::app::App;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// How a member's value stands in a cell of CSV.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Text,
    Flag,
    Number,
    /// Separated by blanks.
    List,
}

/// The members, in the order in which they are written.
const PROFILE: [(&str, Kind); 9] = [
    ("id", Kind::Text),
    ("email", Kind::Text),
    ("email_verified_at", Kind::Text),
    ("name", Kind::Text),
    ("roles", Kind::List),
    ("disabled_at", Kind::Text),
    ("created_at", Kind::Text),
    ("last_login_at", Kind::Text),
    ("two_factor", Kind::Flag),
];

const CREDENTIALS: [(&str, Kind); 7] = [
    ("password_hash", Kind::Text),
    ("totp_secret", Kind::Text),
    ("totp_enabled_at", Kind::Text),
    ("totp_last_step", Kind::Number),
    ("totp_failures", Kind::Number),
    ("totp_created_at", Kind::Text),
    ("recovery_codes", Kind::List),
];

/// What a file made by hand may say in the place of a time.
const FLAGS: [(&str, Kind); 2] = [("email_verified", Kind::Flag), ("disabled", Kind::Flag)];

/// Every member that is read.
pub(super) fn known() -> impl Iterator<Item = (&'static str, Kind)> {
    PROFILE.into_iter().chain(CREDENTIALS).chain(FLAGS)
}

/// The members that an export writes.
#[must_use]
pub fn columns(contents: Contents) -> Vec<&'static str> {
    let credentials = (contents == Contents::WithCredentials).then_some(CREDENTIALS);
    PROFILE.into_iter().chain(credentials.into_iter().flatten()).map(|(name, _)| name).collect()
}

/// An exported user. Holds secrets where those were asked for: redacted when printed for debugging.
#[derive(Clone)]
pub struct Line {
    pub id: UserId,
    /// The members of [`columns`].
    pub object: Map<String, Value>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({})", self.id)
    }
}

impl Line {
    pub(in crate::usecase) fn of(app: &App, contents: Contents, user: WholeUser) -> Result<Self, Error> {
        let time = |at: Option<Timestamp>| at.map(Timestamp::exact);
        let two_factor = user.factor.as_ref().is_some_and(|factor| factor.enabled_at.is_some());
        let mut values: Vec<Value> = vec![
            user.id.to_string().into(),
            user.email.as_str().into(),
            time(user.email_verified_at).into(),
            user.name.as_str().into(),
            user.roles.iter().map(RoleName::as_str).collect(),
            time(user.disabled_at).into(),
            user.created_at.exact().into(),
            time(user.last_login_at).into(),
            two_factor.into(),
        ];
        if contents == Contents::WithCredentials {
            let secret = match &user.factor {
                Some(factor) => {
                    let secret = app.totp_sealer.open(user.id.as_bytes(), &factor.secret_sealed)?;
                    Some(BASE32_NOPAD.encode(secret.expose()))
                }
                None => None,
            };
            let factor = user.factor.as_ref();
            values.extend([
                user.password_hash.into(),
                secret.into(),
                time(factor.and_then(|factor| factor.enabled_at)).into(),
                factor.and_then(|factor| factor.last_step).into(),
                factor.map(|factor| factor.failures).into(),
                time(factor.map(|factor| factor.created_at)).into(),
                user.recovery_codes.iter().map(written_code).collect(),
            ]);
        }
        let object = columns(contents).into_iter().map(str::to_owned).zip(values).collect();
        Ok(Self { id: user.id, object })
    }

    /// The values as they stand in cells of CSV, in the order of [`columns`].
    pub fn cells(&self) -> impl Iterator<Item = String> {
        self.object.values().map(|value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            other => other.to_string(),
        })
    }
}

/// Reads a line of JSON.
pub(super) fn parse(rules: &Rules<'_>, line: &str) -> Result<Record, Problem> {
    record(rules, &source::value(line)?)
}

/// Reads the object, whichever way it came.
pub(super) fn record(rules: &Rules<'_>, value: &Value) -> Result<Record, Problem> {
    let fields = Fields::of(value)?;
    fields.only(&known().map(|(name, _)| name).collect::<Vec<_>>())?;
    let mut record = Record::new(fields.email()?);
    if let Some(text) = fields.text("id")? {
        let id = UserId::parse(text).ok_or_else(|| Problem::malformed("`id` must be a UUID in lower case"))?;
        record.id = Some(id);
    }
    record.verified = Moment::of(fields.flag("email_verified")?, fields.time("email_verified_at")?);
    record.disabled = Moment::of(fields.flag("disabled")?, fields.time("disabled_at")?);
    record.created_at = fields.time("created_at")?;
    record.last_login_at = fields.time("last_login_at")?;
    record.set_name(fields.text("name")?.unwrap_or_default())?;
    record.roles = roles(&fields.texts("roles")?)?;
    if let Some(hash) = fields.text("password_hash")? {
        rules.hash(&mut record, hash)?;
    }
    record.factor = factor(fields)?;
    record.recovery_codes = recovery_codes(&fields.texts("recovery_codes")?)?;
    if record.factor.is_none() && fields.flag("two_factor")? == Some(true) {
        record.note_lost_factor();
    }
    Ok(record)
}

fn roles(names: &[&str]) -> Result<Vec<RoleName>, Problem> {
    let parsed = names.iter().map(|name| RoleName::parse(name)).collect::<Result<Vec<_>, _>>();
    let mut roles = parsed.map_err(|InvalidRoleName| Problem::new("unknown_role", InvalidRoleName::MESSAGE))?;
    roles.sort();
    roles.dedup();
    Ok(roles)
}

fn factor(fields: Fields<'_>) -> Result<Option<Factor>, Problem> {
    let Some(text) = fields.text("totp_secret")? else { return Ok(None) };
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

/// `hash`, or of one that was used `hash@time`.
fn written_code(code: &RecoveryCode) -> String {
    let hash = HEXLOWER.encode(&code.hash);
    code.spent_at.map_or_else(|| hash.clone(), |at| format!("{hash}@{}", at.exact()))
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
