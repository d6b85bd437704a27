//! Users with all that hangs on them, as import writes and export reads them. Elsewhere nothing of an
//! account's past is ever written: here its times come from outside.

use super::passkeys::{self, StoredPasskey};
use super::users::{password_term_columns, read_password_term, words};
use super::{identities, roles};
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::identity::Identity;
use crate::domain::name::Name;
use crate::domain::password::PasswordTerm;
use crate::domain::role::RoleName;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Query, Row, Tx, params};

/// What is taken out of each account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contents {
    /// What others may know of it.
    Profile,
    /// Besides, what signs in to it: the password's hash, the second factor's secret, the hashes of the
    /// recovery codes, the identities, and the passkeys.
    WithCredentials,
}

/// An account with all that hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserExport {
    pub id: UserId,
    pub email: Email,
    /// `None`: the address is not verified.
    pub email_verified_at: Option<Timestamp>,
    pub name: Name,
    /// `None`: no password.
    pub password_hash: Option<String>,
    pub password_term: PasswordTerm,
    /// `None`: enabled.
    pub disabled_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// `None`: never.
    pub last_login_at: Option<Timestamp>,
    /// All of them, whoever gave them. Sorted.
    pub roles: Vec<RoleName>,
    pub factor: Option<FactorExport>,
    pub recovery_codes: Vec<RecoveryCode>,
    /// In the order in which they were linked.
    pub identities: Vec<IdentityExport>,
    /// In the order in which they were added.
    pub passkeys: Vec<StoredPasskey>,
}

/// An account elsewhere that signs in to this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityExport {
    pub identity: Identity,
    /// Those of the user's roles that it granted. Sorted.
    pub granted_roles: Vec<RoleName>,
}

/// A second factor, its secret sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorExport {
    pub secret_sealed: Vec<u8>,
    /// `None`: enrolled, not confirmed yet.
    pub enabled_at: Option<Timestamp>,
    pub last_step: Option<i64>,
    pub failures: u32,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryCode {
    /// SHA-256.
    pub hash: [u8; 32],
    /// `None`: not used yet.
    pub spent_at: Option<Timestamp>,
}

/// Looks whether somebody has the address, in any spelling.
pub fn has_email(query: &impl Query, email: &Email) -> Result<bool, Fault> {
    query.one(
        "SELECT EXISTS (SELECT 1 FROM users WHERE email_key = ?1) AS found",
        params![email.key()],
        |row| row.get("found"),
    )
}

/// Looks whether somebody has the id.
pub fn has_id(query: &impl Query, id: UserId) -> Result<bool, Fault> {
    query.one("SELECT EXISTS (SELECT 1 FROM users WHERE id = ?1) AS found", params![id], |row| {
        row.get("found")
    })
}

/// Inserts an account with all that hangs on it. Address and ids must be free, the identities linked to
/// nobody, the passkeys nobody's, and the roles there: see [`has_email`], [`has_id`], [`identities::find`],
/// [`identities::find_by_key`], [`passkeys::find`] and [`passkeys::find_by_credential`].
pub fn insert(tx: &mut Tx<'_>, user: &UserExport) -> Result<(), Fault> {
    let sql = "INSERT INTO users \
        (id, email, email_key, email_verified_at, name, password_hash, disabled_at, created_at, last_login_at, \
        password_must_change, password_ends_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let (must_change, ends_at) = password_term_columns(user.password_term);
    let (email, key, name) = (user.email.as_str(), user.email.key(), user.name.as_str());
    tx.execute(
        sql,
        params![
            user.id,
            email,
            key,
            user.email_verified_at,
            name,
            user.password_hash,
            user.disabled_at,
            user.created_at,
            user.last_login_at,
            must_change,
            ends_at
        ],
    )?;
    for IdentityExport { identity, granted_roles } in &user.identities {
        identities::insert(tx, identity)?;
        for role in granted_roles {
            identities::grant(tx, identity, role)?;
        }
    }
    for passkey in &user.passkeys {
        passkeys::insert(tx, passkey)?;
    }
    for role in assigned_roles(user) {
        roles::assign(tx, user.id, role)?;
    }
    if let Some(factor) = &user.factor {
        let sql = "INSERT INTO totp (user_id, secret_sealed, enabled_at, last_step, failures, created_at) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let FactorExport { secret_sealed, enabled_at, last_step, failures, created_at } = factor;
        tx.execute(sql, params![user.id, secret_sealed, enabled_at, last_step, failures, created_at])?;
    }
    for code in &user.recovery_codes {
        let sql = "INSERT INTO recovery_codes (user_id, code_hash, spent_at) VALUES (?1, ?2, ?3)";
        tx.execute(sql, params![user.id, code.hash, code.spent_at])?;
    }
    Ok(())
}

/// The roles of an account that no identity of its granted.
pub fn assigned_roles(user: &UserExport) -> impl Iterator<Item = &RoleName> {
    let is_granted =
        |role: &RoleName| user.identities.iter().any(|linked| linked.granted_roles.contains(role));
    user.roles.iter().filter(move |role| !is_granted(role))
}

/// Lists the next `limit` accounts after one's id, in the order in which they were made. `None`: from the
/// first. For a profile, the rows of recovery codes and identities are not read.
pub fn list(
    query: &impl Query,
    contents: Contents,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<UserExport>, Fault> {
    let sql = "SELECT u.id, u.email, u.email_verified_at, u.name, u.password_hash, u.disabled_at, u.created_at, \
        u.last_login_at, u.password_must_change, u.password_ends_at, \
        (SELECT string_agg(ur.role, ',') FROM user_roles ur WHERE ur.user_id = u.id) AS roles, \
        t.secret_sealed AS factor_secret_sealed, t.enabled_at AS factor_enabled_at, t.last_step AS factor_last_step, \
        t.failures AS factor_failures, t.created_at AS factor_created_at \
        FROM users u LEFT JOIN totp t ON t.user_id = u.id WHERE u.id > ?1 ORDER BY u.id LIMIT ?2";
    // No id is shorter than the empty one.
    let after = after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
    let mut users = query.all(sql, params![after, limit], read)?;
    for user in &mut users {
        let linked = match contents {
            Contents::Profile => Vec::new(),
            Contents::WithCredentials => {
                user.recovery_codes = list_recovery_codes(query, user.id)?;
                identities::list_of(query, user.id)?
            }
        };
        for identity in linked {
            let granted_roles = identities::list_granted(query, identity.id)?;
            user.identities.push(IdentityExport { identity, granted_roles });
        }
        user.passkeys = passkeys::list_of(query, user.id)?;
    }
    Ok(users)
}

fn list_recovery_codes(query: &impl Query, user: UserId) -> Result<Vec<RecoveryCode>, Fault> {
    let sql = "SELECT code_hash, spent_at FROM recovery_codes WHERE user_id = ?1 ORDER BY code_hash";
    query.all(sql, params![user], |row| {
        Ok(RecoveryCode { hash: row.get("code_hash")?, spent_at: row.get("spent_at")? })
    })
}

fn read(row: &Row<'_>) -> Result<UserExport, Fault> {
    let factor = match row.get("factor_secret_sealed")? {
        None => None,
        Some(secret_sealed) => Some(FactorExport {
            secret_sealed,
            enabled_at: row.get("factor_enabled_at")?,
            last_step: row.get("factor_last_step")?,
            failures: row.get("factor_failures")?,
            created_at: row.get("factor_created_at")?,
        }),
    };
    Ok(UserExport {
        id: row.get("id")?,
        email: row.get("email")?,
        email_verified_at: row.get("email_verified_at")?,
        name: row.get("name")?,
        password_hash: row.get("password_hash")?,
        password_term: read_password_term(row)?,
        disabled_at: row.get("disabled_at")?,
        created_at: row.get("created_at")?,
        last_login_at: row.get("last_login_at")?,
        roles: words(row.get("roles")?, |word| RoleName::parse(word).ok()),
        factor,
        recovery_codes: Vec::new(),
        identities: Vec::new(),
        passkeys: Vec::new(),
    })
}
