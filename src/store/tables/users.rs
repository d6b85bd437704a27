//! Accounts: the table `users`, and the one query that reads an account with its roles.

use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::name::Name;
use crate::domain::password::PasswordTerm;
use crate::domain::role::{Permission, RoleName};
use crate::domain::time::Timestamp;
use crate::domain::user::{User, UserState};
use crate::error::Fault;
use crate::store::page::{Page, Paged};
use crate::store::tx::{Query, Row, ToValue, Tx, Value, params};

/// An account with what a login needs to judge it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub user: User,
    /// PHC string; `None`: the account has no password.
    pub password_hash: Option<String>,
    pub password_term: PasswordTerm,
}

/// What `list` looks for. `None` matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// A part of the address or the name, in any case.
    pub query: Option<String>,
    pub role: Option<RoleName>,
    pub state: Option<UserState>,
}

/// What `read_user` reads of an account `u`.
pub(in crate::store) const COLUMNS: &str = "u.id, u.email, u.email_verified_at, u.name, \
    (SELECT enabled_at FROM totp WHERE user_id = u.id) AS totp_at, \
    (SELECT count(*) FROM passkeys WHERE user_id = u.id) AS passkeys, u.disabled_at, \
    (SELECT max(until) FROM (SELECT max(locked_until) AS until FROM pair_failures WHERE account = u.email_key \
     AND locked_until IS NOT NULL \
     UNION ALL SELECT locked_until FROM account_failures WHERE account = u.email_key) AS locks) AS locked_until, \
    u.created_at, u.last_login_at, \
    (SELECT string_agg(role, ',') FROM user_roles WHERE user_id = u.id) AS roles, \
    (SELECT string_agg(permission, ',') FROM user_roles JOIN role_permissions USING (role) WHERE user_id = u.id) \
     AS permissions";

/// Finds an account by its id.
pub fn find(query: &impl Query, id: UserId) -> Result<Option<User>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM users u WHERE u.id = ?1"), params![id], read_user)
}

/// Finds an account by the canonical form of its address, whatever the spelling.
pub fn find_by_email(query: &impl Query, email: &Email) -> Result<Option<User>, Fault> {
    query.opt(
        &format!("SELECT {COLUMNS} FROM users u WHERE u.email_key = ?1"),
        params![email.key()],
        read_user,
    )
}

/// Counts all accounts.
pub fn count(query: &impl Query) -> Result<u64, Fault> {
    query.one("SELECT count(*) AS users FROM users", &[], |row| row.get("users"))
}

/// Finds the hash of an account's password. `None`: no such account, or it has no password.
pub fn find_password_hash(query: &impl Query, id: UserId) -> Result<Option<String>, Fault> {
    Ok(query
        .opt("SELECT password_hash FROM users WHERE id = ?1", params![id], |row| row.get("password_hash"))?
        .flatten())
}

/// Finds an account with its password's hash by the canonical form of its address.
pub fn find_credential(query: &impl Query, email: &Email) -> Result<Option<Credential>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS}, u.password_hash, u.password_must_change, u.password_ends_at \
         FROM users u WHERE u.email_key = ?1"
    );
    query.opt(&sql, params![email.key()], |row| {
        Ok(Credential {
            user: read_user(row)?,
            password_hash: row.get("password_hash")?,
            password_term: read_password_term(row)?,
        })
    })
}

/// Lists password hashes in the order in which their accounts were made, after one. `None`: no password.
pub fn list_hashes(
    query: &impl Query,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<(UserId, Option<String>)>, Fault> {
    let after = after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
    let sql = "SELECT u.id, u.password_hash FROM users u WHERE u.id > ?1 ORDER BY u.id LIMIT ?2";
    query.all(sql, params![after, limit], |row| Ok((row.get("id")?, row.get("password_hash")?)))
}

/// Finds how long an account's password is good. `None`: there is no such account.
pub fn find_password_term(query: &impl Query, id: UserId) -> Result<Option<PasswordTerm>, Fault> {
    let sql = "SELECT password_must_change, password_ends_at FROM users WHERE id = ?1";
    query.opt(sql, params![id], read_password_term)
}

pub(in crate::store) fn read_password_term(row: &Row<'_>) -> Result<PasswordTerm, Fault> {
    Ok(if row.get("password_must_change")? {
        PasswordTerm::Temporary { ends_at: row.get("password_ends_at")? }
    } else {
        PasswordTerm::Lasting
    })
}

/// Whether it must be changed, and when it ends, as they are stored.
pub(in crate::store) const fn password_term_columns(term: PasswordTerm) -> (bool, Option<Timestamp>) {
    match term {
        PasswordTerm::Lasting => (false, None),
        PasswordTerm::Temporary { ends_at } => (true, ends_at),
    }
}

/// Lists accounts in the order in which they were made.
pub fn list(
    query: &impl Query,
    filter: &Filter,
    now: Timestamp,
    page: Page<UserId>,
) -> Result<Paged<User, UserId>, Fault> {
    let part = filter.query.as_deref().map(like_part);
    let role = filter.role.as_ref().map(RoleName::as_str);
    // No id is shorter than the empty one.
    let after = page.after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
    let users =
        query.all(&list_sql(filter), params![part, role, now, after, page.limit_and_one()], read_user)?;
    Ok(Paged::cut(users, page.limit, |user| user.id))
}

/// Only what was asked for stands in it, so that each question finds the index that answers it.
fn list_sql(filter: &Filter) -> String {
    let (from, by_role) = match filter.role {
        Some(_) => {
            ("user_roles held JOIN users u ON u.id = held.user_id", "held.role = ?2 AND held.user_id > ?4")
        }
        None => ("users u", "?2 IS NULL AND u.id > ?4"),
    };
    let order = if filter.role.is_some() { "held.user_id" } else { "u.id" };
    let by_state = match filter.state {
        None => "?3 IS NOT NULL",
        Some(UserState::Locked) => {
            "u.email_key IN (SELECT p.account FROM pair_failures p WHERE p.locked_until > ?3 \
             UNION ALL SELECT a.account FROM account_failures a WHERE a.locked_until > ?3)"
        }
        Some(UserState::Disabled) => "u.disabled_at IS NOT NULL AND ?3 IS NOT NULL",
        Some(UserState::Unverified) => "u.email_verified_at IS NULL AND ?3 IS NOT NULL",
        Some(UserState::NoSecondFactor) => {
            "NOT EXISTS (SELECT 1 FROM totp t WHERE t.user_id = u.id AND t.enabled_at IS NOT NULL) \
             AND NOT EXISTS (SELECT 1 FROM passkeys k WHERE k.user_id = u.id) AND ?3 IS NOT NULL"
        }
    };
    let by_text = match filter.query {
        Some(_) => "(u.email_key LIKE ?1 ESCAPE '\\' OR lower(u.name) LIKE ?1 ESCAPE '\\')",
        None => "?1 IS NULL",
    };
    format!(
        "SELECT {COLUMNS} FROM {from} WHERE {by_role} AND {by_state} AND {by_text} ORDER BY {order} LIMIT ?5"
    )
}

/// Lists addresses whose canonical form begins so, in its order: a walk along the index, however many there
/// are.
pub fn list_emails(query: &impl Query, prefix: &str, limit: u32) -> Result<Vec<String>, Fault> {
    let from = prefix.to_lowercase();
    // After every key that begins so, and before every other that follows.
    let to = format!("{from}{}", char::MAX);
    let sql = "SELECT email FROM users WHERE email_key >= ?1 AND email_key < ?2 ORDER BY email_key LIMIT ?3";
    query.all(sql, params![from, to, limit], |row| row.get("email"))
}

/// Lists the addresses that stand next to one in the order of their canonical forms: so many before it, and
/// as many from it on.
pub fn list_emails_around(query: &impl Query, email: &str, each: u32) -> Result<Vec<String>, Fault> {
    let key = email.to_lowercase();
    let mut found = Vec::new();
    for sql in [
        "SELECT email FROM users WHERE email_key < ?1 ORDER BY email_key DESC LIMIT ?2",
        "SELECT email FROM users WHERE email_key >= ?1 ORDER BY email_key LIMIT ?2",
    ] {
        found.extend(query.all(sql, params![key, each], |row| row.get("email"))?);
    }
    Ok(found)
}

/// How many accounts one question of [`list_emails_of`] is about at most.
pub const NAMED_MAX: usize = 64;

/// Lists the addresses of accounts by their ids, [`NAMED_MAX`] at most. Who is not there is not listed.
pub fn list_emails_of(query: &impl Query, ids: &[UserId]) -> Result<Vec<(UserId, String)>, Fault> {
    // Always as many parameters, so that it is one statement.
    let parameters: Vec<String> = (1..=NAMED_MAX).map(|number| format!("?{number}")).collect();
    let sql = format!("SELECT id, email FROM users WHERE id IN ({})", parameters.join(", "));
    let nobody = std::iter::repeat(Value::Null(Some(UserId::KIND)));
    let values: Vec<Value<'_>> = ids.iter().map(ToValue::to_value).chain(nobody).take(NAMED_MAX).collect();
    query.all(&sql, &values, |row| Ok((row.get("id")?, row.get("email")?)))
}

/// A pattern for what is in lower case. SQLite's `LIKE` takes no notice of the case of a to z, PostgreSQL's
/// does, and `lower` changes these letters alone in both.
fn like_part(text: &str) -> String {
    let escaped = text.to_ascii_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// Looks whether an enabled user other than `except` has the role `admin`.
pub fn has_enabled_admin(query: &impl Query, except: Option<UserId>) -> Result<bool, Fault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM user_roles ur JOIN users u ON u.id = ur.user_id \
        WHERE ur.role = 'admin' AND u.disabled_at IS NULL AND (?1 IS NULL OR u.id <> ?1)) AS found";
    query.one(sql, params![except], |row| row.get("found"))
}

/// An account that is about to be.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub id: UserId,
    pub email: Email,
    pub email_verified_at: Option<Timestamp>,
    pub name: Name,
    /// `None`: no password yet.
    pub password_hash: Option<String>,
}

/// Inserts an account, made now. The address must be free: see [`find_by_email`].
pub fn insert(tx: &mut Tx<'_>, user: &NewUser) -> Result<(), Fault> {
    let sql = "INSERT INTO users (id, email, email_key, email_verified_at, name, password_hash, created_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let now = tx.now();
    let (email, key) = (user.email.as_str(), user.email.key());
    tx.execute(
        sql,
        params![user.id, email, key, user.email_verified_at, user.name.as_str(), user.password_hash, now],
    )
    .map(drop)
}

/// Saves that the address was shown to be theirs, now. `false`: it was verified before.
pub fn save_verified(tx: &mut Tx<'_>, id: UserId) -> Result<bool, Fault> {
    let now = tx.now();
    let sql = "UPDATE users SET email_verified_at = ?2 WHERE id = ?1 AND email_verified_at IS NULL";
    Ok(tx.execute(sql, params![id, now])? == 1)
}

/// Saves the hash of a new password, which is a lasting one unless [`save_password_term`] says otherwise.
pub fn save_password(tx: &mut Tx<'_>, id: UserId, hash: &str) -> Result<(), Fault> {
    let sql = "UPDATE users SET password_hash = ?2, password_must_change = 0, password_ends_at = NULL WHERE id = ?1";
    tx.execute(sql, params![id, hash]).map(drop)
}

/// Takes the account's password away. `false`: it had none.
pub fn clear_password(tx: &mut Tx<'_>, id: UserId) -> Result<bool, Fault> {
    let sql = "UPDATE users SET password_hash = NULL, password_must_change = 0, password_ends_at = NULL \
        WHERE id = ?1 AND password_hash IS NOT NULL";
    Ok(tx.execute(sql, params![id])? == 1)
}

/// Saves how long the account's password is good.
pub fn save_password_term(tx: &mut Tx<'_>, id: UserId, term: PasswordTerm) -> Result<(), Fault> {
    let (must_change, ends_at) = password_term_columns(term);
    let sql = "UPDATE users SET password_must_change = ?2, password_ends_at = ?3 WHERE id = ?1";
    tx.execute(sql, params![id, must_change, ends_at]).map(drop)
}

/// Puts a hash in the place of an older one of the same password. `false`: the password was changed in
/// between, and stays as it is.
pub fn replace_hash(tx: &mut Tx<'_>, id: UserId, old: &str, new: &str) -> Result<bool, Fault> {
    let sql = "UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2";
    Ok(tx.execute(sql, params![id, old, new])? == 1)
}

/// Saves that somebody logged in now.
pub fn save_login(tx: &mut Tx<'_>, id: UserId) -> Result<(), Fault> {
    let now = tx.now();
    tx.execute("UPDATE users SET last_login_at = ?2 WHERE id = ?1", params![id, now]).map(drop)
}

/// Saves another name.
pub fn save_name(tx: &mut Tx<'_>, id: UserId, name: &Name) -> Result<(), Fault> {
    tx.execute("UPDATE users SET name = ?2 WHERE id = ?1", params![id, name.as_str()]).map(drop)
}

/// Gives the account another address, which must be free. `verified_at` of `None`: nobody has shown that it
/// is theirs.
pub fn save_email(
    tx: &mut Tx<'_>,
    id: UserId,
    email: &Email,
    verified_at: Option<Timestamp>,
) -> Result<(), Fault> {
    let sql = "UPDATE users SET email = ?2, email_key = ?3, email_verified_at = ?4 WHERE id = ?1";
    tx.execute(sql, params![id, email.as_str(), email.key(), verified_at]).map(drop)
}

/// Disables the account, or with `None` enables it.
pub fn save_disabled(tx: &mut Tx<'_>, id: UserId, disabled_at: Option<Timestamp>) -> Result<(), Fault> {
    tx.execute("UPDATE users SET disabled_at = ?2 WHERE id = ?1", params![id, disabled_at]).map(drop)
}

/// Takes the account and all that hangs on it out of the database.
pub fn delete(tx: &mut Tx<'_>, id: UserId) -> Result<(), Fault> {
    tx.execute("DELETE FROM mails WHERE user_id = ?1", params![id])?;
    tx.execute("DELETE FROM users WHERE id = ?1", params![id]).map(drop)
}

pub(in crate::store) fn read_user(row: &Row<'_>) -> Result<User, Fault> {
    Ok(User {
        id: row.get("id")?,
        email: row.get("email")?,
        email_verified_at: row.get("email_verified_at")?,
        name: row.get("name")?,
        totp_at: row.get("totp_at")?,
        passkeys: row.get("passkeys")?,
        disabled_at: row.get("disabled_at")?,
        locked_until: row.get("locked_until")?,
        created_at: row.get("created_at")?,
        last_login_at: row.get("last_login_at")?,
        roles: words(row.get("roles")?, |word| RoleName::parse(word).ok()),
        permissions: words(row.get("permissions")?, |word| Permission::parse(word).ok()),
    })
}

/// Reads what `string_agg` joined with commas; sorted, each once. `None`: the group is empty.
pub(in crate::store) fn words<T: Ord>(joined: Option<&str>, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
    let mut words: Vec<T> = joined.iter().flat_map(|joined| joined.split(',')).filter_map(parse).collect();
    words.sort();
    words.dedup();
    words
}
