//! Sessions: one row a login, rotated in place; and access tokens revoked one by one.

use super::users;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::session::{Bounds, Generation, Session};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::Fault;
use crate::store::page::{Page, Paged};
use crate::store::tx::{Query, Row, RowResult, Tx, params};
use crate::store::values::{millis, span};
use std::sync::LazyLock;
use std::time::Duration;

/// A session's random bytes; see `crypto::refresh`.
pub type Salt = [u8; 16];

const COLUMNS: &str = "s.id, s.user_id, s.generation, s.created_at, s.last_used_at, s.expires_at, s.ended_at, \
    s.auth_time, s.amr, s.ip, s.user_agent, s.salt, s.idle, s.oldest";

/// A session with the salt that its refresh tokens depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salted {
    pub session: Session,
    pub salt: Salt,
}

/// # Errors
/// The driver's.
pub fn find(query: &impl Query, id: SessionId) -> Result<Option<Session>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM sessions s WHERE s.id = ?1"), [id], read)
}

/// # Errors
/// The driver's.
pub fn find_salted(query: &impl Query, id: SessionId) -> Result<Option<Salted>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM sessions s WHERE s.id = ?1"), [id], |row| {
        Ok(Salted { session: read(row)?, salt: row.get(11)? })
    })
}

/// All that decides whether an access token is honoured, and whose it is, in one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub account: User,
    pub bounds: Bounds,
    pub oldest: Generation,
    /// See [`Session`].
    pub auth_time: Option<Timestamp>,
    pub token_is_revoked: bool,
    /// Whether the key that signed it is in the database, and its time is not over.
    pub key_counts: bool,
}

/// What an access token says of itself, and when that is asked.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub id: TokenId,
    /// The key that signed it.
    pub kid: &'a str,
    pub expires_at: Timestamp,
    pub now: Timestamp,
}

/// The latest end of a revoked token that is not remembered any more, as eight bytes, big endian. Whatever
/// ends no later is refused, so that none of them lives again where the clock is set back.
pub(in crate::store) const PRUNED_TO: &str = "revocations_pruned_to";

/// # Errors
/// The driver's.
pub fn find_standing(query: &impl Query, session: SessionId, token: Shown<'_>) -> Result<Option<Standing>, Fault> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT {}, s.last_used_at, s.expires_at, s.ended_at, s.idle, s.oldest, CASE WHEN s.amr <> '' THEN s.auth_time END, \
             EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = ?2) \
             OR EXISTS (SELECT 1 FROM meta WHERE key = '{PRUNED_TO}' AND value >= ?4), \
             EXISTS (SELECT 1 FROM signing_keys WHERE kid = ?3 AND (retired_at IS NULL OR keep_until > ?5)) \
             FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?1",
            users::COLUMNS
        )
    });
    let ends_at = bytes(token.expires_at);
    query.opt(&SQL, params![session, token.id, token.kid, ends_at, token.now], |row| {
        Ok(Standing {
            account: users::read_user(row)?,
            bounds: Bounds {
                last_used_at: row.get(12)?,
                expires_at: row.get(13)?,
                ended_at: row.get(14)?,
                idle: row.get::<_, Option<i64>>(15)?.and_then(span),
            },
            oldest: row.get::<_, i64>(16)?.try_into().unwrap_or(0),
            auth_time: row.get(17)?,
            token_is_revoked: row.get(18)?,
            key_counts: row.get(19)?,
        })
    })
}

/// A session, and the address of the account that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub session: Session,
    pub email: String,
}

/// A moment, and how long a session without a span of its own lives unused: what tells which ones live.
#[derive(Clone, Copy, Debug)]
pub struct Alive {
    pub now: Timestamp,
    pub idle: Duration,
}

/// Whether a session `s` lives at `?2`, where those without a span of their own live unused for `?3`. The plus
/// keeps the index over `expires_at` out of it, which almost all that live would be found by.
const LIVES: &str = "s.ended_at IS NULL AND +s.expires_at > ?2 AND s.last_used_at + coalesce(s.idle, ?3) > ?2";

/// Whose a session `s` is. An `OR` for both cases would be answered without an index.
const fn of_user(user: Option<UserId>) -> &'static str {
    if user.is_some() { "s.user_id = ?1" } else { "?1 IS NULL /* of everybody */" }
}

/// Sessions of one user or (`None`) of everybody, newest first; only those that live, or (`None`) all.
///
/// # Errors
/// The driver's.
pub fn list(query: &impl Query, user: Option<UserId>, alive: Option<Alive>) -> Result<Vec<Listed>, Fault> {
    let (of, live) = (of_user(user), if alive.is_some() { LIVES } else { "?2 IS ?3" });
    let sql = format!(
        "SELECT {COLUMNS}, u.email FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE {of} AND {live} ORDER BY s.id DESC"
    );
    let (now, idle) = (alive.map(|alive| alive.now), alive.map(|alive| millis(alive.idle)));
    query.all(&sql, params![user, now, idle], |row| Ok(Listed { session: read(row)?, email: row.get(14)? }))
}

/// As [`list`], a page of those that live.
///
/// # Errors
/// The driver's.
pub fn list_page(
    query: &impl Query,
    user: Option<UserId>,
    alive: Alive,
    page: Page<SessionId>,
) -> Result<Paged<Listed, SessionId>, Fault> {
    let of = of_user(user);
    let sql = format!(
        "SELECT {COLUMNS}, u.email FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE {of} AND {LIVES} AND s.id < ?4 ORDER BY s.id DESC LIMIT ?5"
    );
    // No id comes after this one.
    let before = page.after.unwrap_or(SessionId::from_bytes([0xff; 16]));
    let row = params![user, alive.now, millis(alive.idle), before, page.limit_and_one()];
    let listed = query.all(&sql, row, |row| Ok(Listed { session: read(row)?, email: row.get(14)? }))?;
    Ok(Paged::cut(listed, page.limit, |last| last.session.id))
}

/// # Errors
/// The driver's.
pub fn insert(tx: &mut Tx<'_>, session: &Session, salt: &Salt) -> Result<(), Fault> {
    let sql = "INSERT INTO sessions (id, user_id, generation, salt, created_at, last_used_at, expires_at, auth_time, \
        amr, ip, user_agent, idle) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let generation = column(session.generation);
    let ip = session.ip.map(|ip| ip.to_string());
    let idle = session.idle.map(millis);
    let auth_time = session.auth_time.unwrap_or(Timestamp::from_millis(0));
    let row = params![
        session.id,
        session.user,
        generation,
        salt,
        session.created_at,
        session.last_used_at,
        session.expires_at,
        auth_time,
        session.amr.join(" "),
        ip,
        session.user_agent,
        idle
    ];
    tx.execute(sql, row).map(drop)
}

/// Spends the token of `generation`: the one conditional update whose row count decides. `false`:
/// another request was faster.
///
/// # Errors
/// The driver's.
pub fn rotate(tx: &mut Tx<'_>, id: SessionId, generation: Generation) -> Result<bool, Fault> {
    let now = tx.now();
    let sql = "UPDATE sessions SET generation = generation + 1, last_used_at = ?3 \
        WHERE id = ?1 AND generation = ?2 AND ended_at IS NULL";
    Ok(tx.execute(sql, params![id, column(generation), now])? == 1)
}

/// As [`rotate`], and no token made before counts any more.
///
/// # Errors
/// The driver's.
pub fn renew(tx: &mut Tx<'_>, id: SessionId, generation: Generation) -> Result<bool, Fault> {
    let renewed = rotate(tx, id, generation)?;
    tx.execute("UPDATE sessions SET oldest = generation WHERE id = ?1", [id])?;
    Ok(renewed)
}

/// Says anew how the person of a session has proved who they are.
///
/// # Errors
/// The driver's.
pub fn save_amr(tx: &mut Tx<'_>, id: SessionId, amr: &[String]) -> Result<(), Fault> {
    tx.execute("UPDATE sessions SET amr = ?2 WHERE id = ?1", params![id, amr.join(" ")]).map(drop)
}

/// Ends one session. `false`: it had ended already, or is not there.
///
/// # Errors
/// The driver's.
pub fn end(tx: &mut Tx<'_>, id: SessionId) -> Result<bool, Fault> {
    let now = tx.now();
    Ok(tx.execute("UPDATE sessions SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL", params![id, now])? == 1)
}

/// Ends all sessions of a user but `except`; gives how many.
///
/// # Errors
/// The driver's.
pub fn end_of_user(tx: &mut Tx<'_>, user: UserId, except: Option<SessionId>) -> Result<u64, Fault> {
    let now = tx.now();
    let sql = "UPDATE sessions SET ended_at = ?2 WHERE user_id = ?1 AND ended_at IS NULL AND (?3 IS NULL OR id <> ?3)";
    tx.execute(sql, params![user, now, except]).map(count)
}

/// Ends everybody's sessions; gives how many.
///
/// # Errors
/// The driver's.
pub fn end_all(tx: &mut Tx<'_>) -> Result<u64, Fault> {
    let now = tx.now();
    tx.execute("UPDATE sessions SET ended_at = ?1 WHERE ended_at IS NULL", [now]).map(count)
}

/// When the last of all sessions that were not ended runs out. `None`: there is none.
///
/// # Errors
/// The driver's.
pub fn find_last_end(query: &impl Query) -> Result<Option<Timestamp>, Fault> {
    query.one("SELECT max(expires_at) FROM sessions WHERE ended_at IS NULL", [], |row| row.get(0))
}

/// Revokes one access token. `expires_at` is when nobody needs to know any more. `false`: it was revoked already.
///
/// # Errors
/// The driver's.
pub fn revoke_token(tx: &mut Tx<'_>, token: TokenId, expires_at: Timestamp) -> Result<bool, Fault> {
    let sql = "INSERT INTO revoked_tokens (jti, expires_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![token, expires_at])? == 1)
}

/// Makes a session count as proved anew, now and by these means, and bounds the rest of its life.
///
/// # Errors
/// The driver's.
pub fn save_proof(tx: &mut Tx<'_>, id: SessionId, proof: &Proof<'_>) -> Result<(), Fault> {
    let now = tx.now();
    let sql = "UPDATE sessions SET auth_time = ?2, amr = ?3, expires_at = min(expires_at, ?4), idle = ?5 WHERE id = ?1";
    let idle = proof.idle.map(millis);
    tx.execute(sql, params![id, now, proof.amr.join(" "), proof.expires_at, idle]).map(drop)
}

/// See [`save_proof`].
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    pub amr: &'a [String],
    pub expires_at: Timestamp,
    /// `None`: as configured.
    pub idle: Option<Duration>,
}

/// A time after 1970 in bytes that compare as it does.
pub(in crate::store) fn bytes(time: Timestamp) -> [u8; 8] {
    time.as_millis().max(0).to_be_bytes()
}

/// A generation is far below 2^63: one a millisecond for 292 million years.
fn column(generation: Generation) -> i64 {
    i64::try_from(generation).unwrap_or(i64::MAX)
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

fn read(row: &Row<'_>) -> RowResult<Session> {
    let generation: i64 = row.get(2)?;
    let amr: String = row.get(8)?;
    let ip: Option<String> = row.get(9)?;
    let idle: Option<i64> = row.get(12)?;
    Ok(Session {
        id: row.get(0)?,
        user: row.get(1)?,
        generation: Generation::try_from(generation).unwrap_or(0),
        created_at: row.get(3)?,
        last_used_at: row.get(4)?,
        expires_at: row.get(5)?,
        ended_at: row.get(6)?,
        auth_time: if amr.is_empty() { None } else { Some(row.get(7)?) },
        amr: amr.split_whitespace().map(str::to_owned).collect(),
        ip: ip.and_then(|ip| ip.parse().ok()),
        user_agent: row.get(10)?,
        oldest: row.get::<_, i64>(13)?.try_into().unwrap_or(0),
        idle: idle.and_then(span),
    })
}
