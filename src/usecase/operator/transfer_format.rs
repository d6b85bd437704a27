//! authd's own format, which `export` writes and `import` reads without loss: an object of texts, numbers
//! and lists of texts, so that it fits a row of CSV too; identities and passkeys alone are objects
//! themselves. Here it is described and written.

use crate::domain::id::UserId;
use crate::domain::password::PasswordTerm;
use crate::domain::role::RoleName;
use crate::domain::time::Timestamp;
use crate::error::Error;
use crate::store::tables::passkeys::StoredPasskey;
use crate::store::tables::transfer::{IdentityExport, RecoveryCode, UserExport};
use crate::usecase::app::App;
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Map, Value};

pub use crate::store::tables::transfer::Contents;

/// How a member's value stands in JSON and in a cell of CSV.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Text,
    /// RFC 3339, to the millisecond.
    Time,
    Flag,
    Number,
    /// Of texts; in a cell separated by blanks.
    List,
    /// A list of objects of [`IDENTITY`]; in a cell as JSON, or empty where there are none.
    Identities,
    /// A list of objects of [`PASSKEY`]; in a cell as JSON, or empty where there are none.
    Passkeys,
}

/// Whether every account has a value for a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    Always,
    /// `null` where there is none, and an empty cell.
    Maybe,
}

/// A member of the object that an account is: what it is called, and what stands in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    pub name: &'static str,
    pub kind: Kind,
    pub presence: Presence,
    /// For people, in a sentence.
    pub about: &'static str,
}

const fn always(name: &'static str, kind: Kind, about: &'static str) -> Member {
    Member { name, kind, presence: Presence::Always, about }
}

const fn maybe(name: &'static str, kind: Kind, about: &'static str) -> Member {
    Member { name, kind, presence: Presence::Maybe, about }
}

/// The members, in the order in which they are written. Those that lists of users have, too, are called as
/// there.
static PROFILE: [Member; 11] = [
    always("id", Kind::Text, "UUIDv7."),
    always("email", Kind::Text, "The address, its domain in IDNA's ASCII form."),
    always("email_verified", Kind::Flag, "Whether a link sent to the address came back."),
    maybe("email_verified_at", Kind::Time, "When it did. Null: it didn't."),
    always("name", Kind::Text, "May be empty."),
    always("roles", Kind::List, "Sorted."),
    always("two_factor", Kind::Flag, "Whether a second factor is on."),
    always("disabled", Kind::Flag, "A disabled account can't log in."),
    maybe("disabled_at", Kind::Time, "Since when. Null: it isn't."),
    always("created_at", Kind::Time, "UTC."),
    maybe("last_login_at", Kind::Time, "Null: never."),
];

static CREDENTIALS: [Member; 11] = [
    maybe("password_hash", Kind::Text, "With its method and its cost. Null: there is no password."),
    always("password_must_change", Kind::Flag, "Whether the next login asks for another password."),
    maybe("password_ends_at", Kind::Time, "Until when such a password counts. Null: it doesn't end."),
    maybe("totp_secret", Kind::Text, "The second factor's, in base32. Null: there is none."),
    maybe("totp_enabled_at", Kind::Time, "Since when logins ask for it. Null: they don't."),
    maybe("totp_last_step", Kind::Number, "The step of the code that was used last. Null: none was."),
    maybe("totp_failures", Kind::Number, "Wrong codes in a row. Null: there is no second factor."),
    maybe("totp_created_at", Kind::Time, "Null: there is no second factor."),
    always("recovery_codes", Kind::List, "The SHA-256 of each; behind an `@`, when it was used."),
    always(
        "identities",
        Kind::Identities,
        "The accounts elsewhere that sign in, in the order of their linking.",
    ),
    always("passkeys", Kind::Passkeys, "Those that sign in, in the order in which they were added."),
];

/// The members of the object that an identity is, called as where it is shown, in the order in which they are
/// written.
pub static IDENTITY: [Member; 8] = [
    always("id", Kind::Text, "UUIDv7."),
    always("provider", Kind::Text, "As the configuration names it."),
    always("issuer", Kind::Text, "Who vouches for the subject."),
    always("subject", Kind::Text, "Who it is there."),
    maybe("email", Kind::Text, "What the provider stated last; it only informs. Null: nothing."),
    always("linked_at", Kind::Time, "UTC."),
    maybe("last_used_at", Kind::Time, "Null: nobody has signed in by it."),
    always("granted_roles", Kind::List, "Those of the account's roles that the provider granted. Sorted."),
];

/// The members of the object that a passkey is, called and ordered as it is stored.
pub static PASSKEY: [Member; 12] = [
    always("id", Kind::Text, "UUIDv7."),
    always("rp_id", Kind::Text, "The domain that it was made for."),
    always("credential_id", Kind::Text, "As its authenticator names it: base64url."),
    always("public_key", Kind::Text, "A COSE_Key (RFC 9052): base64url."),
    always("user_handle", Kind::Text, "What its authenticator has for the account: base64url."),
    always("name", Kind::Text, "As its owner calls it; may be empty."),
    always("sign_count", Kind::Number, "Its authenticator's own, at the last use. 0: it doesn't count."),
    always("backup_eligible", Kind::Flag, "Whether it can be on several devices."),
    always("backed_up", Kind::Flag, "Whether it was, at the last use."),
    always("transports", Kind::List, "How a browser reaches its authenticator. Sorted."),
    always("created_at", Kind::Time, "UTC."),
    maybe("last_used_at", Kind::Time, "Null: never."),
];

/// Every member, and whether an export writes it only with credentials.
pub fn members() -> impl Iterator<Item = (&'static Member, Contents)> {
    let profile = PROFILE.iter().map(|member| (member, Contents::Profile));
    profile.chain(CREDENTIALS.iter().map(|member| (member, Contents::WithCredentials)))
}

/// Every member that is read. A file made by hand may have a flag without its time, or a time without its
/// flag.
pub(super) fn known() -> impl Iterator<Item = (&'static str, Kind)> {
    members().map(|(member, _)| (member.name, member.kind))
}

/// The members that an export writes.
#[must_use]
pub fn columns(contents: Contents) -> Vec<&'static str> {
    let written = members().filter(|(_, only)| contents == Contents::WithCredentials || *only == contents);
    written.map(|(member, _)| member.name).collect()
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
        let app_is_on = user.factor.as_ref().is_some_and(|factor| factor.enabled_at.is_some());
        let two_factor = app_is_on || !user.passkeys.is_empty();
        let mut values: Vec<Value> = vec![
            user.id.to_string().into(),
            user.email.as_str().into(),
            user.email_verified_at.is_some().into(),
            time(user.email_verified_at).into(),
            user.name.as_str().into(),
            user.roles.iter().map(RoleName::as_str).collect(),
            two_factor.into(),
            user.disabled_at.is_some().into(),
            time(user.disabled_at).into(),
            user.created_at.exact().into(),
            time(user.last_login_at).into(),
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
                user.identities.iter().map(written_identity).collect(),
                user.passkeys.iter().map(written_passkey).collect(),
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
            Value::Array(values) if values.iter().all(Value::is_string) => {
                values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
            }
            other => other.to_string(),
        })
    }
}

/// `hash`, or of one that was used `hash@time`.
fn written_code(code: &RecoveryCode) -> String {
    let hash = HEXLOWER.encode(&code.hash);
    code.spent_at.map_or_else(|| hash.clone(), |at| format!("{hash}@{}", at.exact()))
}

fn written_identity(linked: &IdentityExport) -> Value {
    let IdentityExport { identity, granted_roles } = linked;
    let values: [Value; 8] = [
        identity.id.to_string().into(),
        identity.provider.as_str().into(),
        identity.key.issuer.as_str().into(),
        identity.key.subject.as_str().into(),
        identity.email.as_deref().into(),
        identity.linked_at.exact().into(),
        identity.last_used_at.map(Timestamp::exact).into(),
        granted_roles.iter().map(RoleName::as_str).collect(),
    ];
    Value::Object(IDENTITY.iter().map(|member| member.name.to_owned()).zip(values).collect())
}

fn written_passkey(stored: &StoredPasskey) -> Value {
    let passkey = &stored.passkey;
    let binary = |bytes: &[u8]| Value::from(BASE64URL_NOPAD.encode(bytes));
    let values: [Value; 12] = [
        passkey.id.to_string().into(),
        passkey.rp_id.as_str().into(),
        binary(&stored.credential_id),
        binary(&stored.public_key),
        binary(&stored.user_handle),
        passkey.name.as_str().into(),
        stored.sign_count.into(),
        stored.backup_eligible.into(),
        passkey.backed_up.into(),
        passkey.transports.iter().map(String::as_str).collect(),
        passkey.created_at.exact().into(),
        passkey.last_used_at.map(Timestamp::exact).into(),
    ];
    Value::Object(PASSKEY.iter().map(|member| member.name.to_owned()).zip(values).collect())
}
