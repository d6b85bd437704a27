//! Sessions: one row a login, rotated in place; and access tokens revoked one by one.

use super::users;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::session::{Bounds, Generation, Session};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::Fault;
use crate::store::page::{ALL_ROWS, Page, Paged};
use crate::store::tx::{Query, Row, Tx, params, words};
use std::ops::RangeInclusive;
use std::sync::LazyLock;
use std::time::Duration;

/// A session's random bytes; see `crypto::refresh` and `crypto::session_cookie`.
pub type Salt = [u8; 16];

/// What `read` reads of a session `s`, and its salt.
const COLUMNS: &str = "s.id, s.user_id, s.generation, s.created_at, s.last_used_at, s.expires_at, s.ended_at, \
    CASE WHEN s.amr <> '' THEN s.auth_time END AS auth_time, s.amr, s.provider_amr, s.ip, s.user_agent, s.oldest, s.idle, s.salt";

/// A session with the salt that its refresh tokens, or its cookie, depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaltedSession {
    pub session: Session,
    pub salt: Salt,
}

/// Finds a session by its id, ended or not.
pub fn find(query: &impl Query, id: SessionId) -> Result<Option<Session>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM sessions s WHERE s.id = ?1"), params![id], read)
}

/// Finds a session with its salt.
pub fn find_salted(query: &impl Query, id: SessionId) -> Result<Option<SaltedSession>, Fault> {
    query.opt(&format!("SELECT {COLUMNS} FROM sessions s WHERE s.id = ?1"), params![id], |row| {
        Ok(SaltedSession { session: read(row)?, salt: row.get("salt")? })
    })
}

/// What decides whether anything of a session is honoured, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionStatus {
    pub account: User,
    pub bounds: Bounds,
    /// See [`Session`].
    pub auth_time: Option<Timestamp>,
}

/// All that decides whether a browser's cookie is honoured, in one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieStatus {
    pub session: SessionStatus,
    pub generation: Generation,
    pub salt: Salt,
}

/// All that decides whether an access token is honoured, in one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenStatus {
    pub session: SessionStatus,
    pub oldest: Generation,
    pub token_is_revoked: bool,
    /// Whether the key that signed it is in the database, and its time is not over.
    pub key_counts: bool,
}

/// What an access token says of itself, and when that is asked.
#[derive(Clone, Copy, Debug)]
pub struct ShownToken<'a> {
    pub id: TokenId,
    /// The key that signed it.
    pub kid: &'a str,
    pub expires_at: Timestamp,
    pub now: Timestamp,
}

/// The latest end of a revoked token that is not remembered any more, as eight bytes, big endian. Whatever
/// ends no later is refused, so that none of them lives again where the clock is set back.
pub(in crate::store) const PRUNED_TO: &str = "revocations_pruned_to";

/// Finds the status of an access token of this session. `None`: there is no such session.
pub fn find_token_status(
    query: &impl Query,
    session: SessionId,
    token: ShownToken<'_>,
) -> Result<Option<TokenStatus>, Fault> {
    // Kept short: the driver copies the text at each use, and above 1,016 bytes malloc takes the slow way.
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT {}, {STATUS}, s.oldest, \
             EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = ?2) \
             OR EXISTS (SELECT 1 FROM meta WHERE key = '{PRUNED_TO}' AND value >= ?4) AS token_is_revoked, \
             EXISTS (SELECT 1 FROM signing_keys WHERE kid = ?3 AND (retired_at IS NULL OR keep_until > ?5)) AS key_counts \
             FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?1",
            users::COLUMNS
        )
    });
    let ends_at = bytes(token.expires_at);
    query.opt(&SQL, params![session, token.id, token.kid, ends_at, token.now], |row| {
        Ok(TokenStatus {
            session: read_status(row)?,
            oldest: row.get("oldest")?,
            token_is_revoked: row.get("token_is_revoked")?,
            key_counts: row.get("key_counts")?,
        })
    })
}

/// Finds the status of the cookie of this session. `None`: there is no such session.
pub fn find_cookie_status(query: &impl Query, session: SessionId) -> Result<Option<CookieStatus>, Fault> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT {}, {STATUS}, s.generation, s.salt \
             FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?1",
            users::COLUMNS
        )
    });
    query.opt(&SQL, params![session], |row| {
        Ok(CookieStatus {
            session: read_status(row)?,
            generation: row.get("generation")?,
            salt: row.get("salt")?,
        })
    })
}

/// What [`read_status`] reads of a session `s`, besides its account.
const STATUS: &str = "s.last_used_at, s.expires_at, s.ended_at, s.idle, \
    CASE WHEN s.amr <> '' THEN s.auth_time END AS auth_time";

fn read_status(row: &Row<'_>) -> Result<SessionStatus, Fault> {
    Ok(SessionStatus {
        account: users::read_user(row)?,
        bounds: Bounds {
            last_used_at: row.get("last_used_at")?,
            expires_at: row.get("expires_at")?,
            ended_at: row.get("ended_at")?,
            idle: row.get("idle")?,
        },
        auth_time: row.get("auth_time")?,
    })
}

/// A session, and the address of the account that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionOfUser {
    pub session: Session,
    pub email: String,
}

/// A moment, and how long a session without a span of its own lives unused: what tells which ones live.
#[derive(Clone, Copy, Debug)]
pub struct Alive {
    pub now: Timestamp,
    pub idle: Duration,
}

/// Whether a session `s` lives at `?2`, where those without a span of their own live unused for `?3`. The
/// plus keeps the index over `expires_at` out of it, which almost all that live would be found by.
const LIVES: &str =
    "s.ended_at IS NULL AND +s.expires_at > ?2 AND s.last_used_at + coalesce(s.idle, ?3) > ?2";

/// Whose a session `s` is. An `OR` for both cases would be answered without an index.
const fn of_user(user: Option<UserId>) -> &'static str {
    if user.is_some() { "s.user_id = ?1" } else { "?1 IS NULL /* of everybody */" }
}

/// Sessions that live, and those whose they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Living {
    pub sessions: u64,
    pub users: u64,
}

/// Counts the sessions of a user that live.
pub fn count_of_user(query: &impl Query, user: UserId, alive: Alive) -> Result<u64, Fault> {
    let sql = format!("SELECT count(*) AS sessions FROM sessions s WHERE s.user_id = ?1 AND {LIVES}");
    query.one(&sql, params![user, alive.now, alive.idle], |row| row.get("sessions"))
}

/// Counts the sessions of everybody that live.
pub fn count_all(query: &impl Query, alive: Alive) -> Result<Living, Fault> {
    let everybody = of_user(None);
    let sql = format!(
        "SELECT count(*) AS sessions, count(DISTINCT s.user_id) AS users FROM sessions s \
         WHERE {everybody} AND {LIVES}"
    );
    query.one(&sql, params![None::<UserId>, alive.now, alive.idle], |row| {
        Ok(Living { sessions: row.get("sessions")?, users: row.get("users")? })
    })
}

/// How many of the newest sessions [`list_within`] looks at, so that it is short however many have ended.
const LOOKED_AT: u32 = 10_000;

/// Lists the newest sessions of a span of ids that live, `most` at most, and of many that have ended only
/// those among the newest of all.
pub fn list_within(
    query: &impl Query,
    ids: &RangeInclusive<SessionId>,
    alive: Alive,
    most: u32,
) -> Result<Vec<SessionOfUser>, Fault> {
    let oldest = "SELECT id FROM sessions WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3";
    let oldest: Option<SessionId> =
        query.opt(oldest, params![ids.start(), ids.end(), LOOKED_AT], |row| row.get("id"))?;
    let sql = format!(
        "SELECT {COLUMNS}, u.email FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE s.id BETWEEN ?1 AND ?4 AND {LIVES} ORDER BY s.id DESC LIMIT ?5"
    );
    let from = oldest.as_ref().unwrap_or(ids.start());
    query.all(&sql, params![from, alive.now, alive.idle, ids.end(), most], |row| {
        Ok(SessionOfUser { session: read(row)?, email: row.get("email")? })
    })
}

/// Lists the newest sessions of a user that live, `most` at most.
pub fn list_newest(query: &impl Query, user: UserId, alive: Alive, most: u32) -> Result<Vec<Session>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sessions s WHERE s.user_id = ?1 AND {LIVES} ORDER BY s.id DESC LIMIT ?4"
    );
    query.all(&sql, params![user, alive.now, alive.idle, most], read)
}

/// Lists sessions of one user or (`None`) of everybody, newest first, a page; only those that live, or
/// (`None`) ended ones, too.
pub fn list_page(
    query: &impl Query,
    user: Option<UserId>,
    alive: Option<Alive>,
    page: Page<SessionId>,
) -> Result<Paged<SessionOfUser, SessionId>, Fault> {
    let (of, live) = (of_user(user), if alive.is_some() { LIVES } else { "?2 IS NULL AND ?3 IS NULL" });
    let sql = format!(
        "SELECT {COLUMNS}, u.email FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE {of} AND {live} AND s.id < ?4 ORDER BY s.id DESC LIMIT ?5"
    );
    // No id comes after this one.
    let before = page.after.unwrap_or(SessionId::from_bytes([0xff; 16]));
    let (now, idle) = (alive.map(|alive| alive.now), alive.map(|alive| alive.idle));
    let listed = query.all(&sql, params![user, now, idle, before, page.limit_and_one()], |row| {
        Ok(SessionOfUser { session: read(row)?, email: row.get("email")? })
    })?;
    Ok(Paged::cut(listed, page.limit, |last| last.session.id))
}

/// Inserts a session.
pub fn insert(tx: &mut Tx<'_>, session: &Session, salt: &Salt) -> Result<(), Fault> {
    let sql = "INSERT INTO sessions (id, user_id, generation, salt, created_at, last_used_at, expires_at, auth_time, \
        amr, ip, user_agent, idle, provider_amr) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let ip = session.ip.map(|ip| ip.to_string());
    let auth_time = session.auth_time.unwrap_or(Timestamp::from_millis(0));
    tx.execute(
        sql,
        params![
            session.id,
            session.user,
            session.generation,
            salt,
            session.created_at,
            session.last_used_at,
            session.expires_at,
            auth_time,
            session.amr.join(" "),
            ip,
            session.user_agent,
            session.idle,
            session.provider_amr.join(" ")
        ],
    )
    .map(drop)
}

/// Spends the token of `generation`: the one conditional update whose row count decides. `false`:
/// another request was faster.
pub fn rotate(tx: &mut Tx<'_>, id: SessionId, generation: Generation) -> Result<bool, Fault> {
    let now = tx.now();
    let sql = "UPDATE sessions SET generation = generation + 1, last_used_at = ?3 \
        WHERE id = ?1 AND generation = ?2 AND ended_at IS NULL";
    Ok(tx.execute(sql, params![id, generation, now])? == 1)
}

/// Rotates as [`rotate`] does, and no token made before counts any more.
pub fn renew(tx: &mut Tx<'_>, id: SessionId, generation: Generation) -> Result<bool, Fault> {
    let renewed = rotate(tx, id, generation)?;
    tx.execute("UPDATE sessions SET oldest = generation WHERE id = ?1", params![id])?;
    Ok(renewed)
}

/// Keeps when a session was used, unless a later use is known. One that has ended stays as it was.
pub fn save_use(tx: &mut Tx<'_>, id: SessionId, at: Timestamp) -> Result<(), Fault> {
    let sql =
        "UPDATE sessions SET last_used_at = ?2 WHERE id = ?1 AND last_used_at < ?2 AND ended_at IS NULL";
    tx.execute(sql, params![id, at]).map(drop)
}

/// Saves anew how the person of a session has proved who they are.
pub fn save_amr(tx: &mut Tx<'_>, id: SessionId, amr: &[String]) -> Result<(), Fault> {
    tx.execute("UPDATE sessions SET amr = ?2 WHERE id = ?1", params![id, amr.join(" ")]).map(drop)
}

/// Ends one session. `false`: it had ended already, or is not there.
pub fn end(tx: &mut Tx<'_>, id: SessionId) -> Result<bool, Fault> {
    let now = tx.now();
    Ok(tx
        .execute("UPDATE sessions SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL", params![id, now])?
        == 1)
}

/// Ends sessions of a user so that no more than `most` live on: first those that were unused for longest.
/// Gives those that it ended, the longest unused last.
pub fn end_surplus(
    tx: &mut Tx<'_>,
    user: UserId,
    idle: Duration,
    most: u32,
) -> Result<Vec<SessionId>, Fault> {
    let sql = format!(
        "SELECT s.id FROM sessions s WHERE s.user_id = ?1 AND {LIVES} \
         ORDER BY s.last_used_at DESC, s.id DESC LIMIT ?5 OFFSET ?4"
    );
    let surplus = tx.all(&sql, params![user, tx.now(), idle, most, ALL_ROWS], |row| row.get("id"))?;
    for id in &surplus {
        end(tx, *id)?;
    }
    Ok(surplus)
}

/// Ends all sessions of a user but `except`; gives how many.
pub fn end_of_user(tx: &mut Tx<'_>, user: UserId, except: Option<SessionId>) -> Result<u64, Fault> {
    let now = tx.now();
    let sql = "UPDATE sessions SET ended_at = ?2 WHERE user_id = ?1 AND ended_at IS NULL AND (?3 IS NULL OR id <> ?3)";
    tx.execute(sql, params![user, now, except]).map(count)
}

/// Ends everybody's sessions; gives how many.
pub fn end_all(tx: &mut Tx<'_>) -> Result<u64, Fault> {
    let now = tx.now();
    tx.execute("UPDATE sessions SET ended_at = ?1 WHERE ended_at IS NULL", params![now]).map(count)
}

/// Looks whether a session, ended or not, was begun by `until` and used from `since` on. Its id says when
/// it was begun, so the newest of those come first.
pub fn was_used(query: &impl Query, since: Timestamp, until: Timestamp) -> Result<bool, Fault> {
    let sql = "SELECT s.created_at FROM sessions s WHERE s.id <= ?1 AND s.last_used_at >= ?2 \
        ORDER BY s.id DESC LIMIT 1";
    let last = SessionId::new(until, [0xff; 10]);
    Ok(query.opt(sql, params![last, since], |row| row.get::<Timestamp>("created_at"))?.is_some())
}

/// Finds when the last of all sessions that were not ended runs out. `None`: there is none.
pub fn find_last_end(query: &impl Query) -> Result<Option<Timestamp>, Fault> {
    query.one("SELECT max(expires_at) AS last FROM sessions WHERE ended_at IS NULL", &[], |row| {
        row.get("last")
    })
}

/// Revokes one access token. `expires_at` is when nobody needs to know any more. `false`: it was revoked
/// already.
pub fn revoke_token(tx: &mut Tx<'_>, token: TokenId, expires_at: Timestamp) -> Result<bool, Fault> {
    let sql = "INSERT INTO revoked_tokens (jti, expires_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![token, expires_at])? == 1)
}

/// Makes a session count as proved anew, now and by these means, and bounds the rest of its life. Access
/// tokens from before its last refresh, which somebody else may hold, are not made fresh by it: they count no
/// more.
pub fn save_proof(tx: &mut Tx<'_>, id: SessionId, proof: &Proof<'_>) -> Result<(), Fault> {
    let now = tx.now();
    let sql = "UPDATE sessions SET auth_time = ?2, amr = ?3, provider_amr = '', \
        expires_at = CASE WHEN expires_at < ?4 THEN expires_at ELSE ?4 END, idle = ?5, oldest = generation WHERE id = ?1";
    tx.execute(sql, params![id, now, proof.amr.join(" "), proof.expires_at, proof.idle]).map(drop)
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

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

fn read(row: &Row<'_>) -> Result<Session, Fault> {
    Ok(Session {
        id: row.get("id")?,
        user: row.get("user_id")?,
        generation: row.get("generation")?,
        created_at: row.get("created_at")?,
        last_used_at: row.get("last_used_at")?,
        expires_at: row.get("expires_at")?,
        ended_at: row.get("ended_at")?,
        auth_time: row.get("auth_time")?,
        amr: words(row.get("amr")?),
        provider_amr: words(row.get("provider_amr")?),
        ip: row.get::<Option<&str>>("ip")?.and_then(|ip| ip.parse().ok()),
        user_agent: row.get("user_agent")?,
        oldest: row.get("oldest")?,
        idle: row.get("idle")?,
    })
}
