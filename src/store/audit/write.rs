//! Writing the audit log, in the same transaction as the change that a line tells of. With one writer a line
//! gets its number and its hash at once; where several write, it is left in the inbox, to be sealed.

use super::chain::{Chain, End};
use super::entry::Entry;
use super::head::head;
use super::inbox;
use crate::domain::audit::{Event, EventClass, Mark, Subject};
use crate::error::Fault;
use crate::store::driver::Driver;
use crate::store::tx::source::Source;
use crate::store::tx::{Reader, Tx, params};
use crate::store::value::rows;

impl Tx<'_> {
    /// Writes a line of the audit log.
    pub fn audit(&mut self, event: &Event, subject: impl Into<Subject>) -> Result<(), Fault> {
        let entry = Entry::new(self.now(), self.caller(), event, &subject.into());
        match self.driver() {
            Driver::Sqlite(_) => {
                let last = sealed_head(self.driver(), self.chain())?;
                append(self.driver(), self.chain(), &last, &[entry])?;
            }
            Driver::Postgres(_) => self.gather(entry),
        }
        self.note(event.class(), event.times());
        Ok(())
    }

    /// Ends the work of the transaction, which is about to be committed. Gives what happened in here, and how
    /// often.
    pub(in crate::store) fn close(mut self) -> Result<Vec<(EventClass, u64)>, Fault> {
        let entries = self.take_gathered(0);
        if let Driver::Postgres(session) = self.driver() {
            inbox::leave(session, self.chain(), &entries)?;
        }
        Ok(self.into_happened())
    }

    /// Writes what was gathered after the first `kept` lines, and forgets it: for work that is about to be
    /// undone, so that it costs the same as if it counted.
    pub(in crate::store) fn leave_behind(&mut self, kept: usize) -> Result<(), Fault> {
        let entries = self.take_gathered(kept);
        match self.driver() {
            Driver::Postgres(session) => inbox::leave(session, self.chain(), &entries),
            Driver::Sqlite(_) => Ok(()),
        }
    }
}

/// The newest line. A line after a head that somebody else made would make that head good.
pub(super) fn sealed_head(driver: Driver<'_>, chain: &Chain) -> Result<Mark, Fault> {
    head(&Reader::new(driver), chain)?.map_err(|flaw| {
        Fault::Storage(format!("{flaw}; run `authctl audit verify`, and restore the last backup"))
    })
}

/// How many lines go into one statement.
const TOGETHER: [usize; 3] = [128, 16, 1];

/// Writes lines behind the line `last`, in their order. Gives the newest.
pub(super) fn append(
    driver: Driver<'_>,
    chain: &Chain,
    last: &Mark,
    entries: &[Entry],
) -> Result<Mark, Fault> {
    let mut last = last.clone();
    let mut rest = entries;
    while !rest.is_empty() {
        let count = TOGETHER.into_iter().find(|count| *count <= rest.len()).unwrap_or(1);
        let (these, others) = rest.split_at(count);
        last = append_together(driver, chain, last, these)?;
        rest = others;
    }
    let (key, sealed) = (End::Head.key(), chain.seal(End::Head, &last));
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    driver.execute(sql, params![key, sealed])?;
    Ok(last)
}

fn append_together(
    driver: Driver<'_>,
    chain: &Chain,
    mut last: Mark,
    entries: &[Entry],
) -> Result<Mark, Fault> {
    let mut hashes = Vec::with_capacity(entries.len());
    let first = last.seq + 1;
    for entry in entries {
        last.seq += 1;
        last.hash = chain.hash(&last.hash, &entry.fields(last.seq)).to_vec();
        hashes.push(last.hash.clone());
    }
    let numbers: Vec<i64> = (first..=last.seq).collect();
    let mut values = Vec::with_capacity(10 * entries.len());
    for ((seq, entry), hash) in numbers.iter().zip(entries).zip(&hashes) {
        values.extend(params![*seq]);
        values.extend(entry.values());
        values.extend(params![*hash]);
    }
    let sql = "INSERT INTO audit (seq, at, event, actor, user_id, session_id, ip, request_id, details, hash) VALUES ";
    driver.execute(&format!("{sql}{}", rows(entries.len(), 10)), &values)?;
    Ok(last)
}
