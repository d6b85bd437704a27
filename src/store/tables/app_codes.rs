//! One-time codes that carry a sign-in from authd's pages to an application's host.

use crate::domain::application::AppName;
use crate::domain::id::SessionId;
use crate::domain::session::Generation;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Query, Tx, params};

/// What a code stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppCode {
    pub session: SessionId,
    /// That of the session when the code was given.
    pub generation: Generation,
    /// Whether what comes of it outlives the browser's window.
    pub remembered: bool,
    /// SHA-256 of what the browser that began has at the application's host.
    pub state_hash: [u8; 32],
    /// A path there.
    pub return_to: String,
}

/// Inserts a code for one application, good until `expires_at`.
pub fn insert(
    tx: &mut Tx<'_>,
    code_hash: &[u8; 32],
    app: &AppName,
    code: &AppCode,
    expires_at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO app_codes (code_hash, app, session_id, generation, remembered, state_hash, return_to, \
        expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let AppCode { session, generation, remembered, state_hash, return_to } = code;
    tx.execute(
        sql,
        params![code_hash, app.as_str(), session, generation, remembered, state_hash, return_to, expires_at],
    )
    .map(drop)
}

/// Spends a code of an application, whatever else is wrong with it. `None`: it is wrong, spent or too old, or
/// of another application.
pub fn spend(tx: &mut Tx<'_>, code_hash: &[u8; 32], app: &AppName) -> Result<Option<AppCode>, Fault> {
    let now = tx.now();
    let sql = "SELECT session_id, generation, remembered, state_hash, return_to FROM app_codes \
        WHERE code_hash = ?1 AND app = ?2 AND expires_at > ?3";
    let found = tx.opt(sql, params![code_hash, app.as_str(), now], |row| {
        Ok(AppCode {
            session: row.get("session_id")?,
            generation: row.get("generation")?,
            remembered: row.get("remembered")?,
            state_hash: row.get("state_hash")?,
            return_to: row.get("return_to")?,
        })
    })?;
    tx.execute("DELETE FROM app_codes WHERE code_hash = ?1", params![code_hash])?;
    Ok(found)
}

/// Deletes the codes of a session for an application but the newest so many, which windows may yet come back
/// with.
pub fn keep_newest(tx: &mut Tx<'_>, session: SessionId, app: &AppName, most: usize) -> Result<(), Fault> {
    let sql = "SELECT code_hash, expires_at FROM app_codes WHERE session_id = ?1 AND app = ?2";
    let mut codes = tx.all(sql, params![session, app.as_str()], |row| {
        Ok((row.get::<Timestamp>("expires_at")?, row.get::<[u8; 32]>("code_hash")?))
    })?;
    codes.sort_unstable();
    let surplus = codes.len().saturating_sub(most);
    for (_, code_hash) in &codes[..surplus] {
        tx.execute("DELETE FROM app_codes WHERE code_hash = ?1", params![code_hash])?;
    }
    Ok(())
}
