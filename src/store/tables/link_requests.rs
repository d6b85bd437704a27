//! Links that were asked for and not looked at yet.

use crate::domain::email::Email;
use crate::domain::id::LinkId;
use crate::domain::link::LinkKind;
use crate::error::Fault;
use crate::store::tx::{Query, Tx, params};

/// Somebody asked for a link to be sent to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRequest {
    pub id: LinkId,
    pub kind: LinkKind,
    pub email: Email,
    /// Where it was asked from, for the audit log; `None`: not known.
    pub ip: Option<String>,
    pub request_id: Option<String>,
}

/// Inserts a request, as of now.
pub fn insert(tx: &mut Tx<'_>, request: &LinkRequest) -> Result<(), Fault> {
    let now = tx.now();
    let sql = "INSERT INTO link_requests (id, kind, email, ip, request_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (kind, email) = (request.kind.name(), request.email.as_str());
    tx.execute(sql, params![request.id, kind, email, request.ip, request.request_id, now]).map(drop)
}

/// Finds the oldest that waits. `None`: none does.
pub fn find_oldest(query: &impl Query) -> Result<Option<LinkRequest>, Fault> {
    let sql = "SELECT id, kind, email, ip, request_id FROM link_requests ORDER BY id LIMIT 1";
    query.opt(sql, &[], |row| {
        let kind: &str = row.get("kind")?;
        Ok(LinkRequest {
            id: row.get("id")?,
            // Nothing else is ever written.
            kind: LinkKind::parse(kind).unwrap_or(LinkKind::VerifyEmail),
            email: row.get("email")?,
            ip: row.get("ip")?,
            request_id: row.get("request_id")?,
        })
    })
}

/// Deletes a request that was worked off. `false`: somebody else has worked it off.
pub fn delete(tx: &mut Tx<'_>, id: LinkId) -> Result<bool, Fault> {
    Ok(tx.execute("DELETE FROM link_requests WHERE id = ?1", params![id])? == 1)
}

/// Deletes what waits; gives how many.
pub fn delete_all(tx: &mut Tx<'_>) -> Result<u64, Fault> {
    let rows = tx.execute("DELETE FROM link_requests", &[])?;
    Ok(u64::try_from(rows).unwrap_or(u64::MAX))
}
