//! The outbox: mail is a row of the transaction that caused it.

use super::tx::{Query, Row, RowResult, Tx, params};
use crate::domain::email::Email;
use crate::domain::id::{MailId, UserId};
use crate::domain::mail::{Mail, MailState};
use crate::domain::time::Timestamp;
use crate::error::Fault;

#[derive(Clone, Debug)]
pub struct NewMail {
    pub id: MailId,
    pub user: UserId,
    pub to: Email,
    pub kind: &'static str,
    pub subject: String,
    pub body_sealed: Vec<u8>,
}

const COLUMNS: &str = "id, user_id, to_address, kind, subject, state, created_at, sent_at, attempts, last_error";

/// # Errors
/// The driver's.
pub fn insert(tx: &mut Tx<'_>, mail: &NewMail) -> Result<(), Fault> {
    let now = tx.now();
    let sql = "INSERT INTO mails (id, user_id, to_address, to_key, kind, subject, body_sealed, state, created_at, attempts) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'queued', ?8, 0)";
    let (to, key) = (mail.to.as_str(), mail.to.key());
    tx.execute(sql, params![mail.id, mail.user, to, key, mail.kind, mail.subject, mail.body_sealed, now]).map(drop)
}

/// How many mails an address was sent, or is to be, since a time.
///
/// # Errors
/// The driver's.
pub fn count_since(query: &impl Query, to: &Email, since: Timestamp) -> Result<u32, Fault> {
    let sql = "SELECT count(*) FROM mails WHERE to_key = ?1 AND created_at > ?2";
    query.one(sql, params![to.key(), since], |row| row.get(0))
}

/// Newest first. `state` of `None`: all.
///
/// # Errors
/// The driver's.
pub fn list(query: &impl Query, state: Option<MailState>) -> Result<Vec<Mail>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM mails WHERE ?1 IS NULL OR state = ?1 ORDER BY id DESC");
    query.all(&sql, [state.map(MailState::name)], read)
}

/// A mail with its body.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub mail: Mail,
    /// `None`: wiped after it was sent.
    pub body_sealed: Option<Vec<u8>>,
}

/// # Errors
/// The driver's.
pub fn find(query: &impl Query, id: MailId) -> Result<Option<Sealed>, Fault> {
    query.opt(&format!("SELECT {COLUMNS}, body_sealed FROM mails WHERE id = ?1"), [id], |row| {
        Ok(Sealed { mail: read(row)?, body_sealed: row.get(10)? })
    })
}

fn read(row: &Row<'_>) -> RowResult<Mail> {
    let state: String = row.get(5)?;
    Ok(Mail {
        id: row.get(0)?,
        user: row.get(1)?,
        to: row.get(2)?,
        kind: row.get(3)?,
        subject: row.get(4)?,
        // The column's CHECK lets nothing else in.
        state: MailState::parse(&state).unwrap_or(MailState::Failed),
        created_at: row.get(6)?,
        sent_at: row.get(7)?,
        attempts: row.get(8)?,
        last_error: row.get(9)?,
    })
}
