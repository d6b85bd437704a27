//! Ids as people type them: which rows have an id that begins so, and which ids stand next to one. Each
//! question is a step or two into the key of its table, however many rows that has.

use crate::error::Fault;
use crate::store::tx::{Query, params};

/// An id as it is stored.
pub type Id = [u8; 16];

/// What has an id that people type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    User,
    Session,
    Mail,
    Registration,
    Identity,
    Passkey,
    ApiKey,
}

impl Kind {
    const fn table(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Session => "sessions",
            Self::Mail => "mails",
            Self::Registration => "registrations",
            Self::Identity => "identities",
            Self::Passkey => "passkeys",
            Self::ApiKey => "api_keys",
        }
    }
}

/// Lists the ids from `first` to `last`, `limit` at most.
pub fn list_between(
    query: &impl Query,
    kind: Kind,
    first: &Id,
    last: &Id,
    limit: u32,
) -> Result<Vec<Id>, Fault> {
    let sql = format!("SELECT id FROM {} WHERE id >= ?1 AND id <= ?2 ORDER BY id LIMIT ?3", kind.table());
    query.all(&sql, params![first, last, limit], |row| row.get("id"))
}

/// Finds the ids next to one, before and after it; of the first and the last there is one alone.
pub fn list_neighbours(query: &impl Query, kind: Kind, id: &Id) -> Result<Vec<Id>, Fault> {
    let mut found = Vec::new();
    for (is_beside, order) in [("<", "DESC"), (">", "ASC")] {
        let table = kind.table();
        let sql = format!("SELECT id FROM {table} WHERE id {is_beside} ?1 ORDER BY id {order} LIMIT 1");
        found.extend(query.opt(&sql, params![id], |row| row.get::<Id>("id"))?);
    }
    Ok(found)
}

/// Lists the ids of signing keys that begin so, in their order, `limit` at most.
pub fn list_kids(query: &impl Query, beginning: &str, limit: u32) -> Result<Vec<String>, Fault> {
    // After every id that begins so, and before every other that follows.
    let to = format!("{beginning}{}", char::MAX);
    let sql = "SELECT kid FROM signing_keys WHERE kid >= ?1 AND kid < ?2 ORDER BY kid LIMIT ?3";
    query.all(sql, params![beginning, to, limit], |row| row.get("kid"))
}

/// Finds the first and the last id of users about whom the audit log has lines, of those that begin so.
/// `None`: there is none.
pub fn find_logged_users(query: &impl Query, beginning: &str) -> Result<Option<(String, String)>, Fault> {
    let to = format!("{beginning}{}", char::MAX);
    let mut ends = Vec::new();
    for order in ["ASC", "DESC"] {
        let sql = format!(
            "SELECT user_id FROM audit WHERE user_id >= ?1 AND user_id < ?2 ORDER BY user_id {order} LIMIT 1"
        );
        ends.extend(query.opt(&sql, params![beginning, to], |row| row.get::<String>("user_id"))?);
    }
    Ok(<[String; 2]>::try_from(ends).ok().map(|[first, last]| (first, last)))
}
