//! The limit of `/refresh`: its SQL with a group commit, without HTTP, tokens or HMACs.
//!
//! Sixteen clients hand jobs to one writer and wait for the commit. Statements, pragmas and the savepoint a
//! job are authd's; the database is a copy of its own.

use crate::Outcome;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const FIND_SESSION: &str = "SELECT s.id, s.user_id, s.generation, s.created_at, s.last_used_at, s.expires_at, \
    s.ended_at, s.auth_time, s.amr, s.ip, s.user_agent, s.salt, s.idle, s.oldest FROM sessions s WHERE s.id = ?1";
const FIND_KEY: &str =
    "SELECT kid, token_ttl FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, kid LIMIT 1";
const FIND_USER: &str = "SELECT u.id, u.email, u.email_verified_at, u.name, \
    (SELECT t.enabled_at FROM totp t WHERE t.user_id = u.id), u.disabled_at, \
    (SELECT max(until) FROM (SELECT max(p.locked_until) AS until FROM pair_failures p WHERE p.account = u.email_key \
     UNION ALL SELECT a.locked_until FROM account_failures a WHERE a.account = u.email_key)), \
    u.created_at, u.last_login_at, u.password_hash, \
    (SELECT string_agg(ur.role, ',') FROM user_roles ur WHERE ur.user_id = u.id), \
    (SELECT string_agg(rp.permission, ',') FROM user_roles ur JOIN role_permissions rp ON rp.role = ur.role \
     WHERE ur.user_id = u.id) FROM users u WHERE u.id = ?1";
const ROTATE: &str = "UPDATE sessions SET generation = generation + 1, last_used_at = ?3 \
    WHERE id = ?1 AND generation = ?2 AND ended_at IS NULL";
const FIND_HEAD: &str = "SELECT value FROM meta WHERE key = 'audit_head'";
const APPEND: &str = "INSERT INTO audit (seq, at, event, actor, user_id, session_id, ip, request_id, details, hash) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const SAVE_HEAD: &str = "INSERT INTO meta (key, value) VALUES ('audit_head', ?1) \
    ON CONFLICT (key) DO UPDATE SET value = excluded.value";

/// The most jobs in one commit, as in authd.
const BATCH: usize = 256;

/// A rotation that waits for its commit.
struct Job {
    session: Vec<u8>,
    answer: SyncSender<()>,
}

/// A line of the audit log as a refresh leaves it; the next are made like it.
#[derive(Clone)]
struct Line {
    texts: [Option<String>; 7],
}

/// Rotations a second of these sessions, a client each.
pub fn refreshes(database: &Path, clients: usize, length: Duration) -> Outcome<f64> {
    let connection = open(database)?;
    let sessions: Vec<Vec<u8>> = connection
        .prepare("SELECT id FROM sessions WHERE ended_at IS NULL ORDER BY id DESC LIMIT ?1")?
        .query_map([i64::try_from(clients)?], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if sessions.len() < clients {
        return Err("too few sessions in the copy".into());
    }
    let sql = "SELECT event, actor, user_id, session_id, ip, request_id, details FROM audit ORDER BY seq DESC LIMIT 1";
    let line = connection.query_row(sql, [], |row| {
        let text = |at| row.get::<_, Option<String>>(at);
        Ok(Line { texts: [text(0)?, text(1)?, text(2)?, text(3)?, text(4)?, text(5)?, text(6)?] })
    })?;
    let (jobs, receiver) = channel();
    let begun = Instant::now();
    thread::scope(|scope| {
        let writer = scope.spawn(move || write(&connection, &line, &receiver));
        let clients: Vec<_> = sessions
            .into_iter()
            .map(|session| {
                let jobs = jobs.clone();
                scope.spawn(move || client(&session, &jobs, begun + length))
            })
            .collect();
        drop(jobs);
        let mut done = 0;
        for client in clients {
            done += client.join().map_err(|_| "a client panicked")??;
        }
        let rate = done as f64 / begun.elapsed().as_secs_f64();
        writer.join().map_err(|_| "the writer panicked")??;
        Ok(rate)
    })
}

fn client(session: &[u8], jobs: &Sender<Job>, end: Instant) -> Outcome<u64> {
    let (answer, answered) = sync_channel(1);
    let mut done = 0;
    while Instant::now() < end {
        jobs.send(Job { session: session.to_vec(), answer: answer.clone() })?;
        answered.recv()?;
        done += 1;
    }
    Ok(done)
}

fn write(connection: &Connection, line: &Line, jobs: &Receiver<Job>) -> Outcome<()> {
    let execute = |sql: &str| connection.prepare_cached(sql)?.execute([]);
    while let Ok(first) = jobs.recv() {
        execute("BEGIN IMMEDIATE")?;
        let mut answers = Vec::new();
        for job in std::iter::once(first).chain(jobs.try_iter()).take(BATCH) {
            execute("SAVEPOINT job")?;
            rotate(connection, line, &job)?;
            execute("RELEASE job")?;
            answers.push(job.answer);
        }
        execute("COMMIT")?;
        for answer in answers {
            answer.send(())?;
        }
    }
    Ok(())
}

fn rotate(connection: &Connection, line: &Line, job: &Job) -> Outcome<()> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let (user, generation) = find_session(connection, &job.session)?;
    connection.prepare_cached(FIND_USER)?.query_row([user], all)?;
    connection.prepare_cached(FIND_KEY)?.query_row([], all)?;
    let rotated = connection.prepare_cached(ROTATE)?.execute(params![job.session, generation, now])?;
    if rotated != 1 {
        return Err("a session was rotated by somebody else".into());
    }
    let head: Vec<u8> = connection.prepare_cached(FIND_HEAD)?.query_row([], |row| row.get(0))?;
    let (number, _) = head.split_first_chunk::<8>().ok_or("no head of the audit log")?;
    let seq = i64::from_be_bytes(*number) + 1;
    let [event, actor, user, session, ip, request, details] = &line.texts;
    let hash = [0u8; 32];
    let row = params![seq, now, event, actor, user, session, ip, request, details, hash];
    connection.prepare_cached(APPEND)?.execute(row)?;
    let head = [&seq.to_be_bytes()[..], &head[8..]].concat();
    connection.prepare_cached(SAVE_HEAD)?.execute([head])?;
    Ok(())
}

fn find_session(connection: &Connection, id: &[u8]) -> Outcome<(Vec<u8>, i64)> {
    let mut statement = connection.prepare_cached(FIND_SESSION)?;
    let found = statement.query_row([id], |row| {
        all(row)?;
        Ok((row.get(1)?, row.get(2)?))
    });
    found.optional()?.ok_or_else(|| "a session is gone".into())
}

/// Every column is fetched, as whoever asks for it does.
fn all(row: &Row<'_>) -> rusqlite::Result<()> {
    let columns = row.as_ref().column_count();
    (0..columns).try_for_each(|at| row.get::<_, rusqlite::types::Value>(at).map(drop))
}

/// As authd opens it.
fn open(path: &Path) -> Outcome<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}
