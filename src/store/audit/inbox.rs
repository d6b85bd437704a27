//! The inbox of the audit log, where several write: a change leaves its lines there in its own transaction,
//! each with a code under the chain's key, and a sealer numbers and chains them soon after. Were every change
//! to wait for the one before to have its number, all would wait in one row.
//!
//! Until it is sealed, who can write to the database can take a line away unseen. Nobody can put one in, bend
//! one, or bring back one that was sealed: the code is over the line's id, and which ids were sealed stands
//! sealed, too, together with the head that they led to.

use super::append::{append, sealed_head, unsound};
use super::chain::Chain;
use super::entry::Entry;
use super::head::opened;
use super::ids::SealedIds;
use crate::domain::audit::Mark;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::driver::Driver;
use crate::store::postgres::session::Session;
use crate::store::tables::meta;
use crate::store::tx::source::Source;
use crate::store::tx::{Query, Reader, Row, Tx, params};
use crate::store::value::{Value, rows};

/// The most lines that are sealed in one transaction.
const BATCH: i64 = 2_000;

/// How many lines go into one statement at most, which has ten parameters for each, and 65,535 in all.
const LEFT_TOGETHER: usize = 1_000;

const COLUMNS: &str = "id, at, event, actor, user_id, session_id, ip, request_id, details, mac";

/// What one round of sealing has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sealing {
    pub lines: u64,
    /// Lines that authd has not written, or that were sealed before. They stay where they are, marked.
    pub strange: u64,
    /// Whether more waited than one round takes.
    pub has_more: bool,
}

/// What becomes of the transaction once its lines are left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Then {
    GoesOn,
    /// It ends with the last of them.
    Commits,
}

/// Leaves lines, in the transaction that is under way. Where there are none, it goes on.
pub(super) fn leave(session: &Session, chain: &Chain, entries: &[Entry], then: Then) -> Result<(), Fault> {
    let mut chunks = entries.chunks(LEFT_TOGETHER).peekable();
    while let Some(entries) = chunks.next() {
        let is_last = chunks.peek().is_none();
        leave_together(session, chain, entries, if is_last { then } else { Then::GoesOn })?;
    }
    Ok(())
}

fn leave_together(session: &Session, chain: &Chain, entries: &[Entry], then: Then) -> Result<(), Fault> {
    let ids = session.line_ids(entries.len())?;
    let coded = ids.iter().zip(entries).map(|(id, entry)| chain.code_of_waiting(&entry.fields(*id)));
    let codes: Vec<[u8; 32]> = coded.collect();
    let each = entries.iter().zip(ids.iter().zip(&codes));
    let values: Vec<Value<'_>> = each.flat_map(|(entry, (id, code))| entry.row(id, code)).collect();
    let sql = format!("INSERT INTO audit_inbox ({COLUMNS}) VALUES {}", rows(entries.len(), 10));
    match then {
        Then::GoesOn => session.execute(&sql, &values).map(drop),
        Then::Commits => session.execute_last(&sql, &values),
    }
}

/// Seals what waits, in a transaction that begins with this and that the caller commits. Whoever else seals
/// waits at the head's row meanwhile.
pub(in crate::store) fn seal(session: &Session, chain: &Chain, now: Timestamp) -> Result<Sealing, Fault> {
    let driver = Driver::Postgres(session);
    let reader = Reader::new(driver);
    let locked = "SELECT value FROM meta WHERE key = 'audit_head' FOR UPDATE";
    let sealed: Option<Vec<u8>> = reader.opt(locked, &[], |row| row.get("value"))?;
    let head = opened(chain, sealed.as_deref()).map_err(|flaw| unsound(&flaw))?;
    let sql = format!(
        "DELETE FROM audit_inbox WHERE id IN (SELECT id FROM audit_inbox WHERE strange = 0 ORDER BY id LIMIT ?1) \
         RETURNING {COLUMNS}"
    );
    let waiting = in_order(reader.all(&sql, params![BATCH], Waiting::read)?);
    let has_more = i64::try_from(waiting.len()).unwrap_or(i64::MAX) >= BATCH;
    if waiting.is_empty() {
        return Ok(Sealing::default());
    }
    let mut sealed_ids = known_ids(&reader, chain, &head)?;
    let (mut lines, mut strange) = (Vec::new(), 0);
    for waiting in waiting {
        if waiting.is_good(chain, &mut sealed_ids, now) {
            lines.push(waiting.entry);
            continue;
        }
        strange += 1;
        let Waiting { id, entry, mac } = waiting;
        let sql = format!("INSERT INTO audit_inbox ({COLUMNS}) VALUES {}", rows(1, 10));
        driver.execute(&sql, &entry.row(&id, &mac))?;
        driver.execute("UPDATE audit_inbox SET strange = 1 WHERE id = ?1", params![id])?;
    }
    let newest = append(driver, chain, &head, &lines)?;
    save_ids(driver, chain, &newest, sealed_ids, now)?;
    Ok(Sealing { lines: lines.len() as u64, strange, has_more })
}

/// Puts the lines that wait behind the log's newest in a copy of the database as it is at one moment: the
/// changes of which they tell are in it, and nobody will seal them there. Gives the newest that was sealed
/// before: the server may give those that follow to other numbers.
///
/// # Errors
/// [`Fault::CheckFailed`] where a line is none of authd's: a copy would have no trace of it.
pub fn seal_into_copy(from: &impl Query, to: &Tx<'_>) -> Result<Mark, Fault> {
    let (driver, chain) = (to.driver(), to.chain());
    let head = sealed_head(driver, chain)?;
    let mut sealed_ids = known_ids(from, chain, &head)?;
    let waiting = in_order(from.all(&format!("SELECT {COLUMNS} FROM audit_inbox"), &[], Waiting::read)?);
    let are_good = waiting.iter().all(|waiting| waiting.is_good(chain, &mut sealed_ids, to.now()));
    if count(from)?.1 > 0 || !are_good {
        return Err(Fault::CheckFailed(
            "lines of the audit log wait that are none of authd's, and no copy was made; run `authctl audit verify`"
                .into(),
        ));
    }
    let lines: Vec<Entry> = waiting.into_iter().map(|waiting| waiting.entry).collect();
    append(driver, chain, &head, &lines)?;
    Ok(head)
}

/// A line that waits.
struct Waiting {
    id: i64,
    entry: Entry,
    mac: Vec<u8>,
}

impl Waiting {
    fn read(row: &Row<'_>) -> Result<Self, Fault> {
        Ok(Self { id: row.get("id")?, entry: Entry::read(row)?, mac: row.get("mac")? })
    }

    /// Whether authd has written it, and it was not sealed before; from here on it was.
    fn is_good(&self, chain: &Chain, sealed: &mut SealedIds, now: Timestamp) -> bool {
        chain.is_code_of_waiting(&self.entry.fields(self.id), &self.mac) && sealed.take(self.id, now)
    }
}

/// Ids rise in each process as its lines come, and its time does, but for a clock that is set back.
fn in_order(mut waiting: Vec<Waiting>) -> Vec<Waiting> {
    waiting.sort_by_key(|waiting| (waiting.entry.at(), waiting.id));
    waiting
}

/// Whether nothing waits that a round of sealing would take.
pub(in crate::store) fn is_empty(query: &impl Query) -> Result<bool, Fault> {
    let sql =
        "SELECT count(*) AS lines FROM (SELECT 1 FROM audit_inbox WHERE strange = 0 LIMIT 1) AS waiting";
    query.one(sql, &[], |row| Ok(row.get::<i64>("lines")? == 0))
}

/// How many lines wait, and how many of them are strange.
pub fn count(query: &impl Query) -> Result<(u64, u64), Fault> {
    let sql =
        "SELECT count(*) AS lines, count(CASE WHEN strange <> 0 THEN 1 END) AS strange FROM audit_inbox";
    query.one(sql, &[], |row| Ok((row.get("lines")?, row.get("strange")?)))
}

/// The key in `meta` of what was sealed.
const SEALED_IDS: &str = "audit_sealed_ids";

fn known_ids(query: &impl Query, chain: &Chain, head: &Mark) -> Result<SealedIds, Fault> {
    let known = meta::find(query, SEALED_IDS)?;
    known.and_then(|known| chain.open_ids(head, &known).and_then(SealedIds::parse)).ok_or_else(|| {
        Fault::Storage(
            "which lines of the audit log were sealed can't be told; restore the last backup".into(),
        )
    })
}

fn save_ids(
    driver: Driver<'_>,
    chain: &Chain,
    head: &Mark,
    mut ids: SealedIds,
    now: Timestamp,
) -> Result<(), Fault> {
    ids.forget(now);
    let sealed = chain.seal_ids(head, ids.text().as_bytes());
    meta::put(driver, SEALED_IDS, &sealed)
}

/// Says of an inbox that is made with its database, or whose head was written by other means, that nothing of
/// it was sealed up to the id `through`.
pub(in crate::store) fn begin(
    driver: Driver<'_>,
    chain: &Chain,
    head: &Mark,
    through: i64,
) -> Result<(), Fault> {
    save_ids(driver, chain, head, SealedIds::through(through), Timestamp::from_millis(0))
}
