//! One-time codes that a front end of somebody's own exchanges for a sign-in with a provider.

use crate::domain::id::UserId;
use crate::domain::identity::ProviderProof;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::tx::{Query, Tx, params, words};

/// What a code stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OauthCode {
    pub user: UserId,
    /// Of the verifier that whoever began has (RFC 7636 §4.2).
    pub code_challenge: String,
    pub provider: ProviderProof,
}

/// Inserts a code, good until `expires_at`.
pub fn insert(
    tx: &mut Tx<'_>,
    code_hash: &[u8; 32],
    code: &OauthCode,
    expires_at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO oauth_codes (code_hash, user_id, code_challenge, provider_amr, provider_auth_time, expires_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (amr, at) = (code.provider.amr.join(" "), code.provider.at);
    tx.execute(sql, params![code_hash, code.user, code.code_challenge, amr, at, expires_at]).map(drop)
}

/// Voids every code of a user.
pub fn delete_of_user(tx: &mut Tx<'_>, user: UserId) -> Result<(), Fault> {
    tx.execute("DELETE FROM oauth_codes WHERE user_id = ?1", params![user]).map(drop)
}

/// Voids everybody's.
pub fn delete_all(tx: &mut Tx<'_>) -> Result<(), Fault> {
    tx.execute("DELETE FROM oauth_codes", &[]).map(drop)
}

/// Spends a code, whatever else is wrong with it. `None`: it is wrong, spent or too old.
pub fn spend(tx: &mut Tx<'_>, code_hash: &[u8; 32]) -> Result<Option<OauthCode>, Fault> {
    let now = tx.now();
    let sql = "SELECT user_id, code_challenge, provider_amr, provider_auth_time FROM oauth_codes \
        WHERE code_hash = ?1 AND expires_at > ?2";
    let found = tx.opt(sql, params![code_hash, now], |row| {
        Ok(OauthCode {
            user: row.get("user_id")?,
            code_challenge: row.get("code_challenge")?,
            provider: ProviderProof {
                amr: words(row.get("provider_amr")?),
                at: row.get("provider_auth_time")?,
            },
        })
    })?;
    tx.execute("DELETE FROM oauth_codes WHERE code_hash = ?1", params![code_hash])?;
    Ok(found)
}
