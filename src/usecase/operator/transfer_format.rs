//! authd's own format, which `export` writes and `import` reads without loss: an object of texts, numbers and
//! lists of texts, so that it fits a row of CSV too. Here it is described and written.

use crate::domain::id::UserId;
use crate::domain::password::PasswordTerm;
use crate::domain::role::RoleName;
use crate::domain::time::Timestamp;
use crate::error::Error;
use crate::store::tables::transfer::{RecoveryCode, UserExport};
use crate::usecase::app::App;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde_json::{Map, Value};

/// What is taken out of each account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contents {
    /// What others may know of it.
    Profile,
    /// Besides, the password's hash, the second factor's secret and the hashes of the recovery codes.
    WithCredentials,
}

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

const CREDENTIALS: [(&str, Kind); 9] = [
    ("password_hash", Kind::Text),
    ("password_must_change", Kind::Flag),
    ("password_ends_at", Kind::Text),
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
    pub(super) fn of(app: &App, contents: Contents, user: UserExport) -> Result<Self, Error> {
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
            let (must_change, ends_at) = match user.password_term {
                PasswordTerm::Lasting => (false, None),
                PasswordTerm::Temporary { ends_at } => (true, ends_at),
            };
            values.extend([
                user.password_hash.into(),
                must_change.into(),
                time(ends_at).into(),
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

/// `hash`, or of one that was used `hash@time`.
fn written_code(code: &RecoveryCode) -> String {
    let hash = HEXLOWER.encode(&code.hash);
    code.spent_at.map_or_else(|| hash.clone(), |at| format!("{hash}@{}", at.exact()))
}
