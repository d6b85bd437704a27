//! The limits of a daemon whose database is on a PostgreSQL server: the SQL of a refresh, and of a token
//! check, on as many connections as authd has for it, without HTTP, tokens or HMACs.
//!
//! Statements, their order, the level of isolation and what goes out in one message are authd's
//! (src/store/postgres/session.rs). Each connection is a thread's, which takes one of its share of the
//! sessions after the other and waits for nobody. Nothing seals the audit log's inbox: the sealer is a
//! part of what authd costs.

use crate::Outcome;
use crate::load::together;
use crate::session::Session;
use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement};

/// How many connections write and how many read where `postgres.connections` is its default of 16: half of
/// them, eight at most; and the rest but for the sealer's.
const WRITERS: usize = 8;
const READERS: usize = 7;

const BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL lock_timeout = '5s'; \
    SET LOCAL idle_in_transaction_session_timeout = '10s'";
const FIND_SESSION: &str = "SELECT s.id, s.user_id, s.generation, s.created_at, s.last_used_at, s.expires_at, s.ended_at, \
    CASE WHEN s.amr <> '' THEN s.auth_time END AS auth_time, s.amr, s.provider_amr, s.ip, s.user_agent, s.oldest, \
    s.idle, s.salt FROM sessions s WHERE s.id = $1";
/// The columns of a user `u`.
const USER: &str = "u.id, u.email, u.email_verified_at, u.name, \
    (SELECT enabled_at FROM totp WHERE user_id = u.id) AS totp_at, \
    (SELECT count(*) FROM passkeys WHERE user_id = u.id) AS passkeys, u.disabled_at, \
    (SELECT max(until) FROM (SELECT max(locked_until) AS until FROM pair_failures WHERE account = u.email_key \
     AND locked_until IS NOT NULL \
     UNION ALL SELECT locked_until FROM account_failures WHERE account = u.email_key) AS locks) AS locked_until, \
    u.created_at, u.last_login_at, \
    (SELECT string_agg(role, ',') FROM user_roles WHERE user_id = u.id) AS roles, \
    (SELECT string_agg(permission, ',') FROM user_roles JOIN role_permissions USING (role) WHERE user_id = u.id) \
     AS permissions";
const FIND_KEY: &str =
    "SELECT kid, token_ttl FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, kid LIMIT 1";
const ROTATE: &str = "UPDATE sessions SET generation = generation + 1, last_used_at = $3 \
    WHERE id = $1 AND generation = $2 AND ended_at IS NULL";
/// What decides whether a token counts, behind the columns of its user.
const TOKEN_STATUS: &str = "s.last_used_at, s.expires_at, s.ended_at, s.idle, \
    CASE WHEN s.amr <> '' THEN s.auth_time END AS auth_time, s.oldest, \
    EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = $2) \
    OR EXISTS (SELECT 1 FROM meta WHERE key = 'revocations_pruned_to' AND value >= $4) AS token_is_revoked, \
    EXISTS (SELECT 1 FROM signing_keys WHERE kid = $3 AND (retired_at IS NULL OR keep_until > $5)) AS key_counts \
    FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1";
/// Ids are drawn for many lines at once.
const DRAW: &str = "SELECT nextval('audit_inbox_id') AS id FROM generate_series(1, 32)";
const LEAVE: &str = "INSERT INTO audit_inbox (id, at, event, actor, user_id, session_id, ip, request_id, details, mac) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// Rotations a second of the newest sessions of a database that no daemon serves.
pub fn refreshes(url: &str, sessions: usize, length: Duration) -> Outcome<f64> {
    rate::<Refresh>(url, WRITERS, sessions, length)
}

/// Token checks a second of the newest sessions of a database.
pub fn checks(url: &str, sessions: usize, length: Duration) -> Outcome<f64> {
    rate::<Check>(url, READERS, sessions, length)
}

/// What a connection does with one session after the other.
trait Turn: Sized + Send {
    async fn prepare(client: &Client) -> Result<Self, Error>;
    async fn take(&mut self, client: &Client, session: &[u8]) -> Outcome<()>;
}

/// Turns a second on all connections.
fn rate<T: Turn>(url: &str, connections: usize, sessions: usize, length: Duration) -> Outcome<f64> {
    let sql = format!("SELECT id FROM sessions WHERE ended_at IS NULL ORDER BY id DESC LIMIT {sessions}");
    let found: Vec<Vec<u8>> = Session::connect(url)?.column(&sql)?;
    if found.len() < sessions {
        return Err("too few sessions in the database".into());
    }
    let mut prepared = Vec::new();
    for share in found.chunks(sessions.div_ceil(connections)) {
        let session = Session::connect(url)?;
        let turn = session.runtime.block_on(T::prepare(&session.client))?;
        prepared.push((session, turn, share));
    }
    let begun = Instant::now();
    let work = prepared.into_iter().map(|(session, mut turn, share)| {
        move || -> Outcome<usize> {
            session.runtime.block_on(async {
                let mut done = 0;
                while begun.elapsed() < length {
                    turn.take(&session.client, &share[done % share.len()]).await?;
                    done += 1;
                }
                Ok(done)
            })
        }
    });
    let done: usize = together(work.collect())?.into_iter().sum();
    Ok(done as f64 / begun.elapsed().as_secs_f64())
}

/// The transaction of a refresh.
struct Refresh {
    find_session: Statement,
    find_user: Statement,
    find_key: Statement,
    rotate: Statement,
    draw: Statement,
    leave: Statement,
    /// The texts of a line of the audit log as a refresh leaves it, in the order of their columns.
    line: Vec<Option<String>>,
    ids: VecDeque<i64>,
}

impl Turn for Refresh {
    async fn prepare(client: &Client) -> Result<Self, Error> {
        let line = "SELECT event, actor, user_id, session_id, ip, request_id, details FROM audit \
            WHERE event = 'TokenRefreshed' ORDER BY seq DESC LIMIT 1";
        let line = client.query_one(line, &[]).await?;
        Ok(Self {
            find_session: client.prepare(FIND_SESSION).await?,
            find_user: client.prepare(&format!("SELECT {USER} FROM users u WHERE u.id = $1")).await?,
            find_key: client.prepare(FIND_KEY).await?,
            rotate: client.prepare(ROTATE).await?,
            draw: client.prepare(DRAW).await?,
            leave: client.prepare(LEAVE).await?,
            line: (0..line.len()).map(|at| line.try_get(at)).collect::<Result<_, _>>()?,
            ids: VecDeque::new(),
        })
    }

    async fn take(&mut self, client: &Client, session: &[u8]) -> Outcome<()> {
        loop {
            match self.rotate(client, session).await {
                Ok(true) => return Ok(()),
                Ok(false) => return Err("a session was rotated by somebody else".into()),
                // Another one was in its way.
                Err(error) if error.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE) => {
                    client.batch_execute("ROLLBACK").await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Refresh {
    /// Whether the session was rotated.
    async fn rotate(&mut self, client: &Client, id: &[u8]) -> Result<bool, Error> {
        let now = now_ms();
        // In one message, and the beginning first.
        let find: [&(dyn ToSql + Sync); 1] = [&id];
        let (begun, session) = tokio::join!(biased;
            client.batch_execute(BEGIN),
            client.query_one(&self.find_session, &find));
        begun?;
        let session = session?;
        let (user, generation): (&[u8], i64) = (session.try_get(1)?, session.try_get(2)?);
        client.query_one(&self.find_user, &[&user]).await?;
        client.query_one(&self.find_key, &[]).await?;
        let rotated = client.execute(&self.rotate, &[&id, &generation, &now]).await?;
        let line_id = self.line_id(client).await?;
        let mac = [0_u8; 32];
        let mac = &mac[..];
        let mut row: Vec<&(dyn ToSql + Sync)> = vec![&line_id, &now];
        row.extend(self.line.iter().map(|text| text as &(dyn ToSql + Sync)));
        row.push(&mac);
        // In one message, too.
        let (left, ended) =
            tokio::join!(biased; client.execute(&self.leave, &row), client.batch_execute("COMMIT"));
        left?;
        ended?;
        Ok(rotated == 1)
    }

    async fn line_id(&mut self, client: &Client) -> Result<i64, Error> {
        loop {
            if let Some(id) = self.ids.pop_front() {
                return Ok(id);
            }
            for row in client.query(&self.draw, &[]).await? {
                self.ids.push_back(row.try_get(0)?);
            }
        }
    }
}

/// The one read of a token check.
struct Check {
    find: Statement,
    kid: String,
}

impl Turn for Check {
    async fn prepare(client: &Client) -> Result<Self, Error> {
        let kid = client.query_one(FIND_KEY, &[]).await?.try_get(0)?;
        Ok(Self { find: client.prepare(&format!("SELECT {USER}, {TOKEN_STATUS}")).await?, kid })
    }

    async fn take(&mut self, client: &Client, session: &[u8]) -> Outcome<()> {
        let now = now_ms();
        // A token that was not revoked by itself, and ends in a while.
        let (token, ends_at) = ([0xff_u8; 16], (now + 600_000).to_be_bytes());
        let (token, ends_at) = (&token[..], &ends_at[..]);
        client.query_one(&self.find, &[&session, &token, &self.kid, &ends_at, &now]).await?;
        Ok(())
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
