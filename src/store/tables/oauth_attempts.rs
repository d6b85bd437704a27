//! Sign-ins with a provider that have begun: browsers that were sent there and are to come back.

use crate::domain::id::{SessionId, UserId};
use crate::domain::identity::ProviderName;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Query, Tx, params};

/// One that has begun.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// SHA-256 of what the browser keeps.
    pub browser_hash: [u8; 32],
    /// What is needed once it is back, sealed.
    pub sealed: Vec<u8>,
    /// Who wants to link an identity, in which session. `None`: somebody signs in.
    pub links: Option<(UserId, SessionId)>,
}

/// Inserts one, good until `expires_at`.
pub fn insert(
    tx: &mut Tx<'_>,
    state_hash: &[u8; 32],
    provider: &ProviderName,
    attempt: &Attempt,
    expires_at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO oauth_attempts (state_hash, provider, browser_hash, sealed, user_id, session_id, expires_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let Attempt { browser_hash, sealed, links } = attempt;
    let (user, session) = links.unzip();
    let provider = provider.as_str();
    tx.execute(sql, params![state_hash, provider, browser_hash, sealed, user, session, expires_at]).map(drop)
}

/// Deletes all that have begun.
pub fn delete_all(tx: &mut Tx<'_>) -> Result<(), Fault> {
    tx.execute("DELETE FROM oauth_attempts", &[]).map(drop)
}

/// Spends one of this provider and this browser. `None`: there is none, or it is spent or too old.
pub fn spend(
    tx: &mut Tx<'_>,
    state_hash: &[u8; 32],
    provider: &ProviderName,
    browser_hash: &[u8; 32],
) -> Result<Option<Attempt>, Fault> {
    let now = tx.now();
    let sql = "SELECT sealed, user_id, session_id FROM oauth_attempts \
        WHERE state_hash = ?1 AND provider = ?2 AND browser_hash = ?3 AND expires_at > ?4";
    let found = tx.opt(sql, params![state_hash, provider.as_str(), browser_hash, now], |row| {
        let links = row.get::<Option<UserId>>("user_id")?.zip(row.get("session_id")?);
        Ok(Attempt { browser_hash: *browser_hash, sealed: row.get("sealed")?, links })
    })?;
    if found.is_some() {
        tx.execute("DELETE FROM oauth_attempts WHERE state_hash = ?1", params![state_hash])?;
    }
    Ok(found)
}
