//! Putting lines behind the newest one of the audit log, each chained to the one before.

use super::chain::{Chain, End};
use super::entry::Entry;
use super::head::head;
use crate::domain::audit::{ChainError, Mark};
use crate::error::Fault;
use crate::store::driver::Driver;
use crate::store::tables::meta;
use crate::store::tx::Reader;
use crate::store::value::{Value, rows};

/// The newest line. A line after a head that somebody else made would make that head good.
pub(super) fn sealed_head(driver: Driver<'_>, chain: &Chain) -> Result<Mark, Fault> {
    head(&Reader::new(driver), chain)?.map_err(|flaw| unsound(&flaw))
}

/// Nothing can follow where the log doesn't end as it should.
pub(super) fn unsound(flaw: &ChainError) -> Fault {
    Fault::Storage(format!("{flaw}; run `authctl audit verify`, and restore the last backup"))
}

/// How many lines go into one statement.
const TOGETHER: [usize; 3] = [128, 16, 1];

/// Writes a line behind the line `last`.
pub(super) fn append_one(driver: Driver<'_>, chain: &Chain, last: &Mark, entry: &Entry) -> Result<(), Fault> {
    let seq = last.seq + 1;
    let hash = chain.hash(&last.hash, &entry.fields(seq));
    let sql = "INSERT INTO audit (seq, at, event, actor, user_id, session_id, ip, request_id, details, hash) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    driver.execute(sql, &entry.row(&seq, &hash))?;
    save_head(driver, chain, &Mark { seq, hash: hash.to_vec() })
}

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
    save_head(driver, chain, &last)?;
    Ok(last)
}

fn append_together(
    driver: Driver<'_>,
    chain: &Chain,
    mut last: Mark,
    entries: &[Entry],
) -> Result<Mark, Fault> {
    let mut numbered = Vec::with_capacity(entries.len());
    for entry in entries {
        last.seq += 1;
        let hash = chain.hash(&last.hash, &entry.fields(last.seq));
        last.hash = hash.to_vec();
        numbered.push((last.seq, hash));
    }
    let each = entries.iter().zip(&numbered);
    let values: Vec<Value<'_>> = each.flat_map(|(entry, (seq, hash))| entry.row(seq, hash)).collect();
    let sql = "INSERT INTO audit (seq, at, event, actor, user_id, session_id, ip, request_id, details, hash) VALUES ";
    driver.execute(&format!("{sql}{}", rows(entries.len(), 10)), &values)?;
    Ok(last)
}

fn save_head(driver: Driver<'_>, chain: &Chain, newest: &Mark) -> Result<(), Fault> {
    meta::put(driver, End::Head.key(), &chain.seal(End::Head, newest))
}
