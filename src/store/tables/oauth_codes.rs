//! One-time codes that a front end of somebody's own exchanges for a sign-in with a provider.

use crate::domain::id::UserId;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Query, Tx, params, words};

/// What a code stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OauthCode {
    pub user: UserId,
    /// Of the verifier that whoever began has (RFC 7636 §4.2).
    pub code_challenge: String,
    /// How the provider says that the person proved who they are.
    pub provider_amr: Vec<String>,
}

/// Inserts a code, good until `expires_at`.
pub fn insert(
    tx: &mut Tx<'_>,
    code_hash: &[u8; 32],
    code: &OauthCode,
    expires_at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO oauth_codes (code_hash, user_id, code_challenge, provider_amr, expires_at) \
        VALUES (?1, ?2, ?3, ?4, ?5)";
    let amr = code.provider_amr.join(" ");
    tx.execute(sql, params![code_hash, code.user, code.code_challenge, amr, expires_at]).map(drop)
}

/// Voids every code of a user.
pub fn delete_of_user(tx: &mut Tx<'_>, user: UserId) -> Result<(), Fault> {
    tx.execute("DELETE FROM oauth_codes WHERE user_id = ?1", params![user]).map(drop)
}

/// Spends a code, whatever else is wrong with it. `None`: it is wrong, spent or too old.
pub fn spend(tx: &mut Tx<'_>, code_hash: &[u8; 32]) -> Result<Option<OauthCode>, Fault> {
    let now = tx.now();
    let sql = "SELECT user_id, code_challenge, provider_amr FROM oauth_codes \
        WHERE code_hash = ?1 AND expires_at > ?2";
    let found = tx.opt(sql, params![code_hash, now], |row| {
        Ok(OauthCode {
            user: row.get("user_id")?,
            code_challenge: row.get("code_challenge")?,
            provider_amr: words(row.get("provider_amr")?),
        })
    })?;
    tx.execute("DELETE FROM oauth_codes WHERE code_hash = ?1", params![code_hash])?;
    Ok(found)
}
