//! Registrations that wait for the link in their mail: the same row whether or not the address has an
//! account, at most [`MAX_PER_ADDRESS`] of one address.

use crate::domain::email::Email;
use crate::domain::id::RegistrationId;
use crate::domain::identity::{IdentityKey, ProviderName};
use crate::domain::name::Name;
use crate::domain::registration::{MAX_PER_ADDRESS, Registration, WAITS};
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::page::{Page, Paged};
use crate::store::tx::{Query, Row, Tx, params};

/// What signs in to the account that is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NewCredential {
    /// PHC string.
    Password(String),
    Identity {
        provider: ProviderName,
        key: IdentityKey,
    },
}

#[derive(Clone, Debug)]
pub struct NewRegistration {
    pub id: RegistrationId,
    pub email: Email,
    pub name: Name,
    pub credential: NewCredential,
    /// See `crypto/password_tag.rs`.
    pub password_tag: [u8; 32],
    /// The SHA-256 of its link's secret, whether or not that was mailed.
    pub token_hash: [u8; 32],
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

/// A registration with what an account is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub registration: Registration,
    pub credential: NewCredential,
    pub password_tag: [u8; 32],
}

const COLUMNS: &str = "id, email, name, ip, user_agent, contested, created_at, expires_at";
const WAITING: &str = "id, email, name, ip, user_agent, contested, created_at, expires_at, password_hash, \
    password_tag, provider, issuer, subject";

/// Adds a registration, as of now, and drops what is more than [`MAX_PER_ADDRESS`] of its address, the oldest
/// first. Where another password waits, all of them want theirs beside the link from now on: those that come
/// later, too, for as long as one of these is kept, so that pushing the others out hides nothing, nor does
/// waiting until they end.
pub fn insert(tx: &mut Tx<'_>, new: &NewRegistration) -> Result<(), Fault> {
    let (now, key) = (tx.now(), new.email.key());
    let sql = "SELECT EXISTS (SELECT 1 FROM registrations WHERE email_key = ?1 \
        AND (contested = 1 OR password_tag <> ?2)) AS contested";
    let contested: bool = tx.one(sql, params![key, new.password_tag], |row| row.get("contested"))?;
    let sql = "INSERT INTO registrations (id, email, email_key, name, password_hash, password_tag, token_hash, ip, \
        user_agent, contested, created_at, expires_at, provider, issuer, subject) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    let (hash, provider, identity) = match &new.credential {
        NewCredential::Password(hash) => (hash.as_str(), None, None),
        NewCredential::Identity { provider, key } => ("", Some(provider.as_str()), Some(key)),
    };
    tx.execute(
        sql,
        params![
            new.id,
            new.email.as_str(),
            key,
            new.name.as_str(),
            hash,
            new.password_tag,
            new.token_hash,
            new.ip,
            new.user_agent,
            contested,
            now,
            now.plus(WAITS),
            provider,
            identity.map(|key| key.issuer.as_str()),
            identity.map(|key| key.subject.as_str())
        ],
    )?;
    let sql = "UPDATE registrations SET contested = 1 WHERE email_key = ?1 AND contested < ?2";
    tx.execute(sql, params![key, contested])?;
    // The new one is left out and stays, however the clock goes. No address has more than one too many.
    let sql = "DELETE FROM registrations WHERE email_key = ?1 AND id IN (SELECT id FROM registrations \
        WHERE email_key = ?1 AND id <> ?2 ORDER BY id DESC LIMIT ?3 OFFSET ?3)";
    tx.execute(sql, params![key, new.id, MAX_PER_ADDRESS - 1]).map(drop)
}

/// Finds the one whose link has this secret. `None`: none that waits still.
pub fn find_by_token(
    query: &impl Query,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Waiting>, Fault> {
    let sql = format!("SELECT {WAITING} FROM registrations WHERE token_hash = ?1 AND expires_at > ?2");
    query.opt(&sql, params![token_hash, now], read_waiting)
}

/// Finds one by its id. `None`: it doesn't wait (any more).
pub fn find(query: &impl Query, id: RegistrationId, now: Timestamp) -> Result<Option<Waiting>, Fault> {
    let sql = format!("SELECT {WAITING} FROM registrations WHERE id = ?1 AND expires_at > ?2");
    query.opt(&sql, params![id, now], read_waiting)
}

/// Finds the address of one by its id, whether or not it waits still.
pub fn find_email(query: &impl Query, id: RegistrationId) -> Result<Option<String>, Fault> {
    query.opt("SELECT email FROM registrations WHERE id = ?1", params![id], |row| row.get("email"))
}

/// Lists those of an address, newest first.
pub fn list_of(query: &impl Query, email: &Email, now: Timestamp) -> Result<Vec<Waiting>, Fault> {
    let sql = format!(
        "SELECT {WAITING} FROM registrations WHERE email_key = ?1 AND expires_at > ?2 ORDER BY id DESC"
    );
    query.all(&sql, params![email.key(), now], read_waiting)
}

/// Lists the tags of the passwords that wait for an address.
pub fn list_tags(query: &impl Query, email: &Email, now: Timestamp) -> Result<Vec<[u8; 32]>, Fault> {
    let sql = "SELECT password_tag FROM registrations WHERE email_key = ?1 AND expires_at > ?2";
    query.all(sql, params![email.key(), now], |row| row.get("password_tag"))
}

/// Lists those that wait, oldest first.
pub fn list(
    query: &impl Query,
    now: Timestamp,
    page: Page<RegistrationId>,
) -> Result<Paged<Registration, RegistrationId>, Fault> {
    // No id is shorter than the empty one.
    let after = page.after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
    let sql =
        format!("SELECT {COLUMNS} FROM registrations WHERE id > ?1 AND expires_at > ?2 ORDER BY id LIMIT ?3");
    let registrations = query.all(&sql, params![after, now, page.limit_and_one()], read)?;
    Ok(Paged::cut(registrations, page.limit, |registration| registration.id))
}

/// Lists addresses whose canonical form begins so, in its order, each once.
pub fn list_emails(query: &impl Query, prefix: &str, limit: u32) -> Result<Vec<String>, Fault> {
    let from = prefix.to_lowercase();
    // After every key that begins so, and before every other that follows.
    let to = format!("{from}{}", char::MAX);
    let sql = "SELECT DISTINCT email_key FROM registrations WHERE email_key >= ?1 AND email_key < ?2 \
        ORDER BY email_key LIMIT ?3";
    query.all(sql, params![from, to, limit], |row| row.get("email_key"))
}

/// Gives it another link: the one before is void. `false`: it doesn't wait (any more).
pub fn replace_token(tx: &mut Tx<'_>, id: RegistrationId, token_hash: &[u8; 32]) -> Result<bool, Fault> {
    let sql = "UPDATE registrations SET token_hash = ?2 WHERE id = ?1";
    Ok(tx.execute(sql, params![id, token_hash])? == 1)
}

/// Deletes one, if it is there still.
pub fn delete(tx: &mut Tx<'_>, id: RegistrationId) -> Result<(), Fault> {
    tx.execute("DELETE FROM registrations WHERE id = ?1", params![id]).map(drop)
}

/// Voids the links of all that wait for an address.
pub fn void_links_of(tx: &mut Tx<'_>, email: &Email) -> Result<(), Fault> {
    // No link has a hash as short as an id, and no two registrations have the same one.
    let sql = "UPDATE registrations SET token_hash = id WHERE email_key = ?1";
    tx.execute(sql, params![email.key()]).map(drop)
}

/// Deletes everybody's; gives how many there were.
pub fn delete_all(tx: &mut Tx<'_>) -> Result<u64, Fault> {
    let rows = tx.execute("DELETE FROM registrations", &[])?;
    Ok(u64::try_from(rows).unwrap_or(u64::MAX))
}

fn read(row: &Row<'_>) -> Result<Registration, Fault> {
    Ok(Registration {
        id: row.get("id")?,
        email: row.get("email")?,
        name: row.get("name")?,
        ip: row.get("ip")?,
        user_agent: row.get("user_agent")?,
        password_required: row.get("contested")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
    })
}

fn read_waiting(row: &Row<'_>) -> Result<Waiting, Fault> {
    Ok(Waiting {
        registration: read(row)?,
        credential: read_credential(row)?,
        password_tag: row.get("password_tag")?,
    })
}

fn read_credential(row: &Row<'_>) -> Result<NewCredential, Fault> {
    let Some(provider) = row.get::<Option<&str>>("provider")? else {
        return Ok(NewCredential::Password(row.get("password_hash")?));
    };
    let provider = ProviderName::parse(provider)
        .map_err(|_| Fault::Storage(format!("a registration has the provider {provider:?}")))?;
    let key = IdentityKey { issuer: row.get("issuer")?, subject: row.get("subject")? };
    Ok(NewCredential::Identity { provider, key })
}
