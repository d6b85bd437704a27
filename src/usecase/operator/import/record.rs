//! What an entry of a file comes to, whatever its format: a user to be, or why not.

use super::options::{Options, UnusableHash};
use crate::crypto::password::PasswordHashText;
use crate::crypto::password::foreign::{self, Unusable};
use crate::domain::email::{Email, InvalidEmail};
use crate::domain::id::{IdentityId, PasskeyId, UserId};
use crate::domain::identity::{IdentityKey, ProviderName};
use crate::domain::name::Name;
use crate::domain::password::PasswordTerm;
use crate::domain::role::{InvalidRoleName, RoleName};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::store::tables::transfer::RecoveryCode;
use crate::usecase::app::App;

/// Why an entry can't be taken over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Stable, snake_case: `malformed`, `too_long`, `invalid_email`, `invalid_name`, `unsupported_hash`,
    /// `malformed_hash`, `costly_hash`, `unknown_role`, `id_taken`, `identity_in_use`,
    /// `passkey_in_use`.
    pub code: &'static str,
    /// What is wrong and what to do. May hold text of the file, never a secret of it.
    pub message: String,
    /// Whose entry it is. `None`: that could not be read, or is no address.
    pub email: Option<Email>,
}

impl Problem {
    /// Makes the reason that `code` stands for, with a text for people; see the fields.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), email: None }
    }

    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new("malformed", message)
    }
}

/// What could not be taken along with a user who was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// Stable, snake_case: `second_factor_lost`, `password_lost`, `not_an_admin`.
    pub code: &'static str,
    pub message: &'static str,
}

const SECOND_FACTOR_LOST: Note = Note {
    code: "second_factor_lost",
    message: "had a second factor that the file doesn't hold; until it is set up again, the password alone logs in",
};

const PASSWORD_LOST: Note = Note {
    code: "password_lost",
    message: "has no password now, as the hash can't be verified here; a reset link sets one",
};

const NOT_AN_ADMIN: Note = Note {
    code: "not_an_admin",
    message: "was an administrator there; give a role with: authctl role assign",
};

/// A time that the file tells, or that of the import where it only says that it has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    Import,
    At(Timestamp),
}

impl Moment {
    /// Gives the time; `now` is that of the import.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Import => now,
            Self::At(at) => at,
        }
    }

    /// What a file says that tells a flag, a time, or both. A flag that says no wins.
    pub(super) fn of(flag: Option<bool>, at: Option<Timestamp>) -> Option<Self> {
        match (flag, at) {
            (Some(false), _) | (None, None) => None,
            (_, Some(at)) => Some(Self::At(at)),
            (Some(true), None) => Some(Self::Import),
        }
    }
}

/// The secret of a second factor: 160 bits.
pub type FactorSecret = Secret<[u8; 20]>;

/// A second factor, as it was elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Factor {
    pub secret: FactorSecret,
    pub enabled_at: Option<Timestamp>,
    pub last_step: Option<i64>,
    pub failures: u32,
    /// `None`: the import's time.
    pub created_at: Option<Timestamp>,
}

/// An account elsewhere that signed in to the one in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkedIdentity {
    /// `None`: a new one.
    pub id: Option<IdentityId>,
    pub provider: ProviderName,
    pub key: IdentityKey,
    /// What the provider stated last. `None`: nothing.
    pub email: Option<Email>,
    /// `None`: the import's time.
    pub linked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    /// Those of the record's roles that it granted; none is another identity's, too.
    pub granted_roles: Vec<RoleName>,
}

/// A passkey that signed in to the account in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordedPasskey {
    /// `None`: a new one.
    pub id: Option<PasskeyId>,
    pub rp_id: String,
    pub credential_id: Vec<u8>,
    /// A COSE_Key.
    pub public_key: Vec<u8>,
    pub user_handle: Vec<u8>,
    pub name: Name,
    pub sign_count: u32,
    pub backup_eligible: bool,
    pub backed_up: bool,
    /// Sorted.
    pub transports: Vec<String>,
    /// `None`: the import's time.
    pub created_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

/// A user to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// `None`: a new one.
    pub id: Option<UserId>,
    pub email: Email,
    pub verified: Option<Moment>,
    pub name: Name,
    pub roles: Vec<RoleName>,
    pub disabled: Option<Moment>,
    /// `None`: the import's time.
    pub created_at: Option<Timestamp>,
    pub last_login_at: Option<Timestamp>,
    pub password_hash: Option<PasswordHashText>,
    pub password_term: PasswordTerm,
    pub factor: Option<Factor>,
    pub recovery_codes: Vec<RecoveryCode>,
    /// No two with the same key or the same id.
    pub identities: Vec<LinkedIdentity>,
    /// No two with the same credential id or the same id.
    pub passkeys: Vec<RecordedPasskey>,
    pub notes: Vec<Note>,
}

impl Record {
    /// Makes the record of whoever has the address, with all that `read` finds of them. A problem with that
    /// is a problem of theirs.
    pub(super) fn of(
        email: Email,
        read: impl FnOnce(&mut Self) -> Result<(), Problem>,
    ) -> Result<Self, Problem> {
        let mut record = Self::new(email);
        match read(&mut record) {
            Ok(()) => Ok(record),
            Err(problem) => Err(Problem { email: Some(record.email), ..problem }),
        }
    }

    fn new(email: Email) -> Self {
        Self {
            id: None,
            email,
            verified: None,
            name: Name::default(),
            roles: Vec::new(),
            disabled: None,
            created_at: None,
            last_login_at: None,
            password_hash: None,
            password_term: PasswordTerm::Lasting,
            factor: None,
            recovery_codes: Vec::new(),
            identities: Vec::new(),
            passkeys: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn set_name(&mut self, text: &str) -> Result<(), Problem> {
        self.name = Name::parse(text).map_err(|error| Problem::new("invalid_name", error.message()))?;
        Ok(())
    }

    pub(super) fn note_lost_factor(&mut self) {
        self.notes.push(SECOND_FACTOR_LOST);
    }

    pub(super) fn note_admin(&mut self) {
        self.notes.push(NOT_AN_ADMIN);
    }
}

pub(super) fn email(text: &str) -> Result<Email, Problem> {
    Email::parse(text).map_err(|_| Problem::new("invalid_email", InvalidEmail::MESSAGE))
}

pub(super) fn roles(names: &[&str]) -> Result<Vec<RoleName>, Problem> {
    let parsed = names.iter().map(|name| RoleName::parse(name)).collect::<Result<Vec<_>, _>>();
    let mut roles =
        parsed.map_err(|InvalidRoleName| Problem::new("unknown_role", InvalidRoleName::MESSAGE))?;
    roles.sort();
    roles.dedup();
    Ok(roles)
}

/// What the operator asked for, and what this authd can bear.
pub(super) struct Rules<'a> {
    pub app: &'a App,
    pub options: &'a Options,
}

impl Rules<'_> {
    /// Takes over a hash as it was written.
    pub(super) fn hash(&self, record: &mut Record, text: &str) -> Result<(), Problem> {
        self.adopted(record, foreign::adopt(text, self.app.gate.cost()))
    }

    pub(super) fn adopted(
        &self,
        record: &mut Record,
        adopted: Result<PasswordHashText, Unusable>,
    ) -> Result<(), Problem> {
        match (adopted, self.options.unusable_hash) {
            (Ok(hash), _) => record.password_hash = Some(hash),
            (Err(_), UnusableHash::Drop) => record.notes.push(PASSWORD_LOST),
            (Err(why), UnusableHash::Refuse) => return Err(unusable(why)),
        }
        Ok(())
    }
}

fn unusable(why: Unusable) -> Problem {
    let code = match why {
        Unusable::Unsupported => "unsupported_hash",
        Unusable::Malformed => "malformed_hash",
        Unusable::TooCostly => "costly_hash",
    };
    Problem::new(code, format!("{why}; with --drop-unusable-hashes the user comes without a password"))
}
