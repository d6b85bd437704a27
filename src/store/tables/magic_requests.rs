//! Browsers that wait to sign in by mail: the same row whether or not the address has an account. Of one that
//! has, a link of the same id is made afterwards.

use crate::domain::email::Email;
use crate::domain::id::LinkId;
use crate::domain::link::MAGIC_REQUEST_WAITS;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Query, Row, Tx, params};

/// How many of one address are kept, each with a browser of its own. Beyond that the oldest go.
const MAX_PER_ADDRESS: u32 = 200;

#[derive(Clone, Debug)]
pub struct NewMagicRequest {
    pub id: LinkId,
    /// The SHA-256 of what the browser has.
    pub request_hash: [u8; 32],
    pub email: Email,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

/// A browser that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MagicRequest {
    /// That of its link, too, if one was made.
    pub id: LinkId,
    pub request_hash: [u8; 32],
    pub email: Email,
    /// How many wrong codes were shown with it.
    pub failures: u32,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

const COLUMNS: &str = "id, request_hash, email, failures, ip, user_agent, created_at, expires_at";

/// Adds one, as of now, and drops what is more than `MAX_PER_ADDRESS` of its address, the oldest first.
pub fn insert(tx: &mut Tx<'_>, new: &NewMagicRequest) -> Result<(), Fault> {
    let (now, key) = (tx.now(), new.email.key());
    let sql = "INSERT INTO magic_requests (id, request_hash, email, email_key, failures, ip, user_agent, created_at, \
        expires_at) VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?8)";
    let expires_at = now.plus(MAGIC_REQUEST_WAITS);
    let email = new.email.as_str();
    tx.execute(sql, params![new.id, new.request_hash, email, key, new.ip, new.user_agent, now, expires_at])?;
    // The new one is left out and stays, however the clock goes. No address has more than one too many.
    let sql = "DELETE FROM magic_requests WHERE email_key = ?1 AND id IN (SELECT id FROM magic_requests \
        WHERE email_key = ?1 AND id <> ?2 ORDER BY id DESC LIMIT ?3 OFFSET ?3)";
    tx.execute(sql, params![key, new.id, MAX_PER_ADDRESS - 1]).map(drop)
}

/// Finds the one that a browser has the secret of. `None`: none that waits still.
pub fn find(
    query: &impl Query,
    request_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<MagicRequest>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM magic_requests WHERE request_hash = ?1 AND expires_at > ?2");
    query.opt(&sql, params![request_hash, now], read)
}

/// Finds the one that a link was made for. `None`: none that waits still.
pub fn find_of_link(query: &impl Query, id: LinkId, now: Timestamp) -> Result<Option<MagicRequest>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM magic_requests WHERE id = ?1 AND expires_at > ?2");
    query.opt(&sql, params![id, now], read)
}

/// Counts a wrong code.
pub fn count_failure(tx: &mut Tx<'_>, id: LinkId) -> Result<(), Fault> {
    let sql = "UPDATE magic_requests SET failures = failures + 1 WHERE id = ?1";
    tx.execute(sql, params![id]).map(drop)
}

/// Deletes one that led to a sign-in: what is shown with it again is no guess.
pub fn delete(tx: &mut Tx<'_>, id: LinkId) -> Result<(), Fault> {
    tx.execute("DELETE FROM magic_requests WHERE id = ?1", params![id]).map(drop)
}

/// Deletes all that wait.
pub fn delete_all(tx: &mut Tx<'_>) -> Result<(), Fault> {
    tx.execute("DELETE FROM magic_requests", &[]).map(drop)
}

fn read(row: &Row<'_>) -> Result<MagicRequest, Fault> {
    Ok(MagicRequest {
        id: row.get("id")?,
        request_hash: row.get("request_hash")?,
        email: row.get("email")?,
        failures: row.get("failures")?,
        ip: row.get("ip")?,
        user_agent: row.get("user_agent")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
    })
}
