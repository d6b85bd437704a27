//! Accounts at providers that sign in here, and the roles that they grant.

use super::users::words;
use crate::domain::id::{IdentityId, UserId};
use crate::domain::identity::{Identity, IdentityKey, ProviderName};
use crate::domain::role::RoleName;
use crate::error::Fault;
use crate::store::page::{Page, Paged};
use crate::store::tx::{Query, Row, Tx, params};

const COLUMNS: &str = "id, user_id, provider, issuer, subject, email, linked_at, last_used_at";

/// Finds the one with this key. `None`: it is linked to nobody.
pub fn find_by_key(query: &impl Query, key: &IdentityKey) -> Result<Option<Identity>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM identities WHERE issuer = ?1 AND subject = ?2");
    query.opt(&sql, params![key.issuer, key.subject], read)
}

/// Finds one by its id.
pub fn find(query: &impl Query, id: IdentityId) -> Result<Option<Identity>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM identities WHERE id = ?1"), params![id], read)
}

/// Lists those of a user in the order in which they were linked.
pub fn list_of(query: &impl Query, user: UserId) -> Result<Vec<Identity>, Fault> {
    query.all(
        &format!("SELECT {COLUMNS} FROM identities WHERE user_id = ?1 ORDER BY id"),
        params![user],
        read,
    )
}

/// Lists those of a user, a page.
pub fn list_page(
    query: &impl Query,
    user: UserId,
    page: Page<IdentityId>,
) -> Result<Paged<Identity, IdentityId>, Fault> {
    // No id is shorter than the empty one.
    let after = page.after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
    let sql = format!("SELECT {COLUMNS} FROM identities WHERE user_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3");
    let listed = query.all(&sql, params![user, after, page.limit_and_one()], read)?;
    Ok(Paged::cut(listed, page.limit, |last| last.id))
}

/// How much hangs on the name of a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderCount {
    pub provider: ProviderName,
    pub identities: u64,
    /// The roles that these grant, each as often as somebody has it by one.
    pub granted_roles: u64,
    /// The one with the least id, which is one of the oldest.
    pub first: IdentityId,
}

/// Counts those of each provider, in the order of the names. It takes time on a large database.
pub fn count_by_provider(query: &impl Query) -> Result<Vec<ProviderCount>, Fault> {
    // PostgreSQL finds no least id before version 18, and sums whole numbers up to one of another type.
    let sql = "SELECT i.provider, count(*) AS identities, \
        (SELECT f.id FROM identities f WHERE f.provider = i.provider ORDER BY f.id LIMIT 1) AS first, \
        CAST(sum((SELECT count(*) FROM user_roles ur WHERE ur.granted_by = i.id)) AS BIGINT) AS granted_roles \
        FROM identities i GROUP BY i.provider ORDER BY i.provider";
    query.all(sql, &[], |row| {
        let (identities, granted_roles) = (row.get("identities")?, row.get("granted_roles")?);
        Ok(ProviderCount {
            provider: read_provider(row)?,
            identities,
            granted_roles,
            first: row.get("first")?,
        })
    })
}

/// Inserts one, linked now. Its key must be free: see [`find_by_key`].
pub fn insert(tx: &mut Tx<'_>, identity: &Identity) -> Result<(), Fault> {
    let sql = "INSERT INTO identities (id, user_id, provider, issuer, subject, email, linked_at, last_used_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let Identity { id, user, provider, key, email, linked_at, last_used_at } = identity;
    let (issuer, subject) = (&key.issuer, &key.subject);
    tx.execute(sql, params![id, user, provider.as_str(), issuer, subject, email, linked_at, last_used_at])
        .map(drop)
}

/// Saves that somebody signed in by it now, and what the provider stated.
pub fn save_use(tx: &mut Tx<'_>, id: IdentityId, email: Option<&str>) -> Result<(), Fault> {
    let now = tx.now();
    let sql = "UPDATE identities SET last_used_at = ?2, email = ?3 WHERE id = ?1";
    tx.execute(sql, params![id, now, email]).map(drop)
}

/// Deletes one; the roles that it granted go with it. `false`: it is not there.
pub fn delete(tx: &mut Tx<'_>, id: IdentityId) -> Result<bool, Fault> {
    Ok(tx.execute("DELETE FROM identities WHERE id = ?1", params![id])? > 0)
}

/// Lists the roles that a user has by this identity alone.
pub fn list_granted(query: &impl Query, id: IdentityId) -> Result<Vec<RoleName>, Fault> {
    let sql = "SELECT string_agg(role, ',') AS roles FROM user_roles WHERE granted_by = ?1";
    query.one(sql, params![id], |row| Ok(words(row.get("roles")?, |word| RoleName::parse(word).ok())))
}

/// Gives the user of an identity a role by it. `false`: they had it already, whoever gave it.
pub fn grant(tx: &mut Tx<'_>, identity: &Identity, role: &RoleName) -> Result<bool, Fault> {
    let sql = "INSERT INTO user_roles (user_id, role, granted_by) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![identity.user, role.as_str(), identity.id])? > 0)
}

/// Lets the user of an identity keep a role that it granted, whatever becomes of it.
pub fn let_keep(tx: &mut Tx<'_>, identity: &Identity, role: &RoleName) -> Result<(), Fault> {
    let sql = "UPDATE user_roles SET granted_by = NULL WHERE user_id = ?1 AND role = ?2";
    tx.execute(sql, params![identity.user, role.as_str()]).map(drop)
}

fn read(row: &Row<'_>) -> Result<Identity, Fault> {
    Ok(Identity {
        id: row.get("id")?,
        user: row.get("user_id")?,
        provider: read_provider(row)?,
        key: IdentityKey { issuer: row.get("issuer")?, subject: row.get("subject")? },
        email: row.get("email")?,
        linked_at: row.get("linked_at")?,
        last_used_at: row.get("last_used_at")?,
    })
}

fn read_provider(row: &Row<'_>) -> Result<ProviderName, Fault> {
    let name: String = row.get("provider")?;
    ProviderName::parse(&name).map_err(|_| Fault::Storage(format!("an identity has the provider {name:?}")))
}
