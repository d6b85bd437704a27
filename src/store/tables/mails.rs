//! The outbox: mail is a row of the transaction that caused it.

use crate::domain::email::Email;
use crate::domain::id::{MailId, UserId};
use crate::domain::mail::{Mail, MailBudget, MailKind, MailState};
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::page::{Page, Paged};
use crate::store::tx::{Query, Row, Tx, params};
use std::ops::RangeInclusive;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct NewMail {
    pub id: MailId,
    /// `None`: the address has no account yet.
    pub user: Option<UserId>,
    pub to: Email,
    pub kind: MailKind,
    pub subject: String,
    pub body_sealed: Vec<u8>,
    pub budget: MailBudget,
}

const COLUMNS: &str =
    "id, user_id, to_address, kind, subject, state, created_at, sent_at, attempts, last_error";

/// Which is due at `?1`, and nobody is sending, in the order of the index, so that no queue has to be sorted:
/// those that were never tried, then those that are tried again.
const DUE: [&str; 2] = [
    "SELECT id FROM mails WHERE state = 'queued' AND next_attempt_at IS NULL \
     AND (claimed_until IS NULL OR claimed_until <= ?1) ORDER BY id LIMIT 1",
    "SELECT id FROM mails WHERE state = 'queued' AND next_attempt_at <= ?1 \
     AND (claimed_until IS NULL OR claimed_until <= ?1) ORDER BY next_attempt_at, id LIMIT 1",
];

/// Queues a mail, due at once.
pub fn insert(tx: &mut Tx<'_>, mail: &NewMail) -> Result<(), Fault> {
    let now = tx.now();
    let sql = "INSERT INTO mails (id, user_id, to_address, to_key, kind, subject, body_sealed, state, created_at, attempts, \
        counts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'queued', ?8, 0, ?9)";
    let (to, key) = (mail.to.as_str(), mail.to.key());
    let (kind, counts) = (mail.kind.name(), mail.budget.number());
    tx.execute(sql, params![mail.id, mail.user, to, key, kind, mail.subject, mail.body_sealed, now, counts])
        .map(drop)
}

/// Looks whether an address was sent so many mails of a budget, or is to be, since a time.
pub fn has_had(
    query: &impl Query,
    to: &Email,
    budget: MailBudget,
    mails: u32,
    since: Timestamp,
) -> Result<bool, Fault> {
    let sql = "SELECT count(*) >= ?3 AS has_had FROM \
        (SELECT 1 FROM mails WHERE to_key = ?1 AND created_at > ?2 AND counts = ?4 LIMIT ?3) AS lately";
    query.one(sql, params![to.key(), since, mails, budget.number()], |row| row.get("has_had"))
}

/// The notices of one kind that an address has had since a time, at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notices {
    pub sent: u32,
    /// `None`: there was none.
    pub oldest: Option<Timestamp>,
}

/// Counts the notices of a kind that an address was sent, or is to be, since a time.
pub fn find_notices(
    query: &impl Query,
    to: &Email,
    kind: MailKind,
    since: Timestamp,
) -> Result<Notices, Fault> {
    let sql = "SELECT count(*) AS sent, min(created_at) AS oldest FROM mails \
        WHERE to_key = ?1 AND created_at > ?2 AND kind = ?3 AND held_back = 0";
    query.one(sql, params![to.key(), since, kind.name()], |row| {
        Ok(Notices { sent: row.get("sent")?, oldest: row.get("oldest")? })
    })
}

/// A notice that waits, and stands for others like it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeldBack {
    pub id: MailId,
    /// How many it stands for.
    pub held_back: u32,
}

/// Finds the notice of a kind to an address that waits until the hour is over. `None`: none does, or it is
/// being sent.
pub fn find_held_back(query: &impl Query, to: &Email, kind: MailKind) -> Result<Option<HeldBack>, Fault> {
    let sql = "SELECT id, held_back FROM mails WHERE to_key = ?1 AND kind = ?2 AND held_back > 0 \
        AND state = 'queued' AND attempts = 0 LIMIT 1";
    query.opt(sql, params![to.key(), kind.name()], |row| {
        Ok(HeldBack { id: row.get("id")?, held_back: row.get("held_back")? })
    })
}

/// Queues a notice that waits until `due_at`, and stands for itself as yet.
pub fn insert_held_back(tx: &mut Tx<'_>, mail: &NewMail, due_at: Timestamp) -> Result<(), Fault> {
    insert(tx, mail)?;
    let sql = "UPDATE mails SET held_back = 1, next_attempt_at = ?2 WHERE id = ?1";
    tx.execute(sql, params![mail.id, due_at]).map(drop)
}

/// Saves what a notice that waits says now, and for how many it stands.
pub fn save_held_back(tx: &mut Tx<'_>, mail: &NewMail, held_back: u32) -> Result<(), Fault> {
    let sql = "UPDATE mails SET subject = ?2, body_sealed = ?3, held_back = ?4 WHERE id = ?1";
    tx.execute(sql, params![mail.id, mail.subject, mail.body_sealed, held_back]).map(drop)
}

/// Gives an account the mails that went to its address before there was an account, so that they go with it.
pub fn save_user(tx: &mut Tx<'_>, to: &Email, user: UserId) -> Result<(), Fault> {
    let sql = "UPDATE mails SET user_id = ?2 WHERE to_key = ?1 AND user_id IS NULL";
    tx.execute(sql, params![to.key(), user]).map(drop)
}

/// Lists mails, newest first, a page. `state` of `None`: all.
pub fn list_page(
    query: &impl Query,
    state: Option<MailState>,
    page: Page<MailId>,
) -> Result<Paged<Mail, MailId>, Fault> {
    // SQLite looks for no index over a condition behind NOT.
    let of = match state {
        None => "?1 IS NULL AND mails.id < ?2",
        // Nearly all were sent: looking at each, from the newest on, soon fills a page.
        Some(MailState::Sent) => "NOT (state <> ?1) AND mails.id < ?2",
        // These are few, and the index over the state holds them alone.
        Some(MailState::Queued | MailState::Failed) => "state = ?1 AND NOT (mails.id >= ?2)",
    };
    let sql = format!("SELECT {COLUMNS} FROM mails WHERE {of} ORDER BY mails.id DESC LIMIT ?3");
    // No id comes after this one.
    let before = page.after.unwrap_or(MailId::from_bytes([0xff; 16]));
    let listed = query.all(&sql, params![state.map(MailState::name), before, page.limit_and_one()], read)?;
    Ok(Paged::cut(listed, page.limit, |last| last.id))
}

/// Lists the newest mails of a span of ids, `most` at most.
pub fn list_within(query: &impl Query, ids: &RangeInclusive<MailId>, most: u32) -> Result<Vec<Mail>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM mails WHERE mails.id BETWEEN ?1 AND ?2 ORDER BY mails.id DESC LIMIT ?3"
    );
    query.all(&sql, params![ids.start(), ids.end(), most], read)
}

/// Counts the mails in a state.
pub fn count(query: &impl Query, state: MailState) -> Result<u64, Fault> {
    query.one("SELECT count(*) AS mails FROM mails WHERE state = ?1", params![state.name()], |row| {
        row.get("mails")
    })
}

/// A mail with its body.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub mail: Mail,
    /// `None`: wiped after it was sent.
    pub body_sealed: Option<Vec<u8>>,
}

/// Finds a mail by its id.
pub fn find(query: &impl Query, id: MailId) -> Result<Option<Sealed>, Fault> {
    query.opt(&format!("SELECT {COLUMNS}, body_sealed FROM mails WHERE id = ?1"), params![id], |row| {
        Ok(Sealed { mail: read(row)?, body_sealed: row.get("body_sealed")? })
    })
}

/// Fails the mails that nobody is sending, and that have been queued for `give_up`; gives how many.
pub fn give_up_old(tx: &mut Tx<'_>, give_up: Duration) -> Result<usize, Fault> {
    let sql = "UPDATE mails SET state = 'failed', last_error = coalesce('given up after a day; ' || last_error, ?3) \
        WHERE state = 'queued' AND coalesce(retried_at, created_at) <= ?2 AND (claimed_until IS NULL OR claimed_until <= ?1)";
    let now = tx.now();
    tx.execute(sql, params![now, now.minus(give_up), "given up after a day, in which it could not be sent"])
}

/// Takes the mail that is due next, fresh ones before those that are tried again. It is the caller's
/// to send for the length of `lease`: nobody else is given it.
pub fn claim(tx: &mut Tx<'_>, lease: Duration) -> Result<Option<Sealed>, Fault> {
    let now = tx.now();
    let mut due = None;
    for sql in DUE {
        if due.is_none() {
            due = tx.opt(sql, params![now], |row| row.get::<MailId>("id"))?;
        }
    }
    let Some(id) = due else {
        return Ok(None);
    };
    let sql = "UPDATE mails SET claimed_until = ?2, attempts = attempts + 1 WHERE id = ?1";
    tx.execute(sql, params![id, now.plus(lease)])?;
    find(tx, id)
}

/// Saves that the next server took a mail, and wipes its text.
pub fn save_sent(tx: &mut Tx<'_>, id: MailId) -> Result<(), Fault> {
    let sql = "UPDATE mails SET state = 'sent', sent_at = ?2, body_sealed = NULL, last_error = NULL, \
        next_attempt_at = NULL, claimed_until = NULL WHERE id = ?1";
    let now = tx.now();
    tx.execute(sql, params![id, now]).map(drop)
}

/// Saves an attempt that failed, by the mail as it was claimed. `next` of `None`: there is no other one.
///
/// It changes nothing where the claim has run out and somebody else has taken the mail since.
pub fn save_failure(
    tx: &mut Tx<'_>,
    claimed: &Mail,
    error: &str,
    next: Option<Timestamp>,
) -> Result<(), Fault> {
    let state = if next.is_some() { MailState::Queued } else { MailState::Failed };
    let sql = "UPDATE mails SET state = ?3, last_error = ?4, next_attempt_at = ?5, claimed_until = NULL \
        WHERE id = ?1 AND attempts = ?2 AND state = 'queued'";
    tx.execute(sql, params![claimed.id, claimed.attempts, state.name(), error, next]).map(drop)
}

/// Queues a mail once more, due at once, with all of `give_up` before it. One that is being sent stays so.
/// `false`: it was due already, and is not given up as yet.
pub fn save_retried(tx: &mut Tx<'_>, id: MailId, give_up: Duration) -> Result<bool, Fault> {
    let sql = "UPDATE mails SET state = 'queued', next_attempt_at = NULL, retried_at = ?2 WHERE id = ?1 \
        AND NOT (state = 'queued' AND next_attempt_at IS NULL AND coalesce(retried_at, created_at) > ?3)";
    let now = tx.now();
    Ok(tx.execute(sql, params![id, now, now.minus(give_up)])? > 0)
}

/// Fails every mail that is queued; gives how many there were.
pub fn fail_queued(tx: &mut Tx<'_>, why: &str) -> Result<u64, Fault> {
    let sql = "UPDATE mails SET state = 'failed', last_error = ?1, next_attempt_at = NULL, claimed_until = NULL \
        WHERE state = 'queued'";
    let rows = tx.execute(sql, params![why])?;
    Ok(u64::try_from(rows).unwrap_or(u64::MAX))
}

fn read(row: &Row<'_>) -> Result<Mail, Fault> {
    Ok(Mail {
        id: row.get("id")?,
        user: row.get("user_id")?,
        to: row.get("to_address")?,
        kind: row.get("kind")?,
        subject: row.get("subject")?,
        // The column's CHECK lets nothing else in.
        state: MailState::parse(row.get("state")?).unwrap_or(MailState::Failed),
        created_at: row.get("created_at")?,
        sent_at: row.get("sent_at")?,
        attempts: row.get("attempts")?,
        last_error: row.get("last_error")?,
    })
}
