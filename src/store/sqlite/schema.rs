//! Making the schema in an empty file, and bringing an older one up.

use super::connection::Connection;
use super::fault::check_stop;
use super::fault::fault;
use super::objects;
use super::version::{APPLICATION_ID, check_version, version_of};
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::ports::progress::{Progress, Unit};
use crate::store::audit::chain::{Chain, End};
use crate::store::audit::head::sealed_anew;
use crate::store::driver::Driver;
use crate::store::tables::meta;
use crate::store::tx::{Reader, Tx};
use crate::store::version::VERSION;

pub(super) const SCHEMA: &str = include_str!("../../../schema.sql");

/// What SQL alone can't do of a step.
type Rest = fn(&Connection, &Chain) -> Result<(), Fault>;

/// The step to each version from the one before it.
const MIGRATIONS: [(i64, &str, Rest); 7] = [
    (2, include_str!("migrations/0002_accounts.sql"), |_, _| Ok(())),
    (3, include_str!("migrations/0003_operator.sql"), seal_head),
    (4, include_str!("migrations/0004_scale.sql"), |_, _| Ok(())),
    (5, include_str!("migrations/0005_hardening.sql"), |_, _| Ok(())),
    (6, include_str!("migrations/0006_federation.sql"), |_, _| Ok(())),
    (7, include_str!("migrations/0007_provider_proof.sql"), |_, _| Ok(())),
    (8, include_str!("migrations/0008_passkeys.sql"), |_, _| Ok(())),
];

/// Makes the schema in an empty file. `false`: something stands in it already.
pub(in crate::store) fn create(connection: &Connection, chain: &Chain) -> Result<bool, Fault> {
    in_transaction(connection, |connection| {
        let objects: i64 = connection
            .driver
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(fault)?;
        if objects > 0 {
            return Ok(false);
        }
        connection.driver.execute_batch(SCHEMA).map_err(fault)?;
        seal_head(connection, chain)?;
        connection.driver.pragma_update(None, "application_id", APPLICATION_ID).map_err(fault)?;
        connection.driver.pragma_update(None, "user_version", VERSION).map_err(fault)?;
        Ok(true)
    })
}

/// Makes a whole database in an empty file that nobody else knows yet, with what `fill` writes.
pub(in crate::store) fn make(
    connection: Connection,
    chain: &Chain,
    now: Timestamp,
    caller: &Caller,
    fill: impl FnOnce(&mut Tx<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    create(&connection, chain)?;
    in_transaction(&connection, |connection| {
        fill(&mut Tx::new(Driver::Sqlite(connection), now, caller, chain))
    })?;
    connection.close_with_log()
}

/// Checks that the file's schema is what this binary makes, and nothing was added.
///
/// # Errors
/// [`Fault::CheckFailed`], which names what differs.
pub(in crate::store) fn check_objects(connection: &Connection) -> Result<(), Fault> {
    objects::check(connection, SCHEMA)
}

/// One step of a migration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MigrationStep {
    pub from: i64,
    pub to: i64,
    /// What it brings, in a few words.
    pub brings: &'static str,
}

/// Lists the steps from a version to [`VERSION`], in their order.
#[must_use]
pub fn steps_from(version: i64) -> Vec<MigrationStep> {
    let missing = MIGRATIONS.into_iter().filter(|(to, _, _)| *to > version);
    missing.map(|(to, sql, _)| MigrationStep { from: to - 1, to, brings: brings(sql) }).collect()
}

/// The first line of a step's file is a comment: `-- From schema 1 to 2: what it brings.`
fn brings(sql: &'static str) -> &'static str {
    let line = sql.lines().next().unwrap_or_default();
    line.split_once(": ").map_or(line, |(_, brings)| brings).trim_end_matches('.')
}

/// Brings an older schema up to [`VERSION`], each step in a transaction of its own: killed at any point, or
/// stopped, it goes on from there the next time. The last step brings the line of the audit log, and a look
/// at the whole schema; up to then nothing in the file that reacts to changes is let run.
///
/// # Errors
/// [`Fault::Storage`] when the file is not authd's, or a newer authd's; [`Fault::CheckFailed`] when it comes
/// to another schema than authd's; [`Fault::Stopped`], after which the steps that were taken stay.
pub(in crate::store) fn migrate(
    connection: &Connection,
    now: Timestamp,
    caller: &Caller,
    chain: &Chain,
    progress: &Progress,
) -> Result<Vec<MigrationStep>, Fault> {
    let begun_at = version_of(connection)?;
    progress.begin("bringing the schema up", Unit::Things("steps"), Some(steps_from(begun_at).len() as u64));
    connection.still_triggers()?;
    for (version, step, rest) in MIGRATIONS {
        in_transaction(connection, |connection| {
            if version_of(connection)? >= version {
                return Ok(());
            }
            check_stop(progress)?;
            connection.driver.execute_batch(step).map_err(fault)?;
            rest(connection, chain)?;
            connection.driver.pragma_update(None, "user_version", version).map_err(fault)?;
            if version == VERSION {
                check_objects(connection)?;
                let event = Event::DatabaseMigrated { from: begun_at, to: VERSION };
                Tx::new(Driver::Sqlite(connection), now, caller, chain).audit(&event, Subject::default())?;
            }
            progress.add(1);
            Ok(())
        })?;
    }
    check_version(connection)?;
    Ok(steps_from(begun_at))
}

/// Seals the head of a log that has none, or one from before heads were sealed.
fn seal_head(connection: &Connection, chain: &Chain) -> Result<(), Fault> {
    let sealed = sealed_anew(&Reader::new(Driver::Sqlite(connection)), chain)?;
    meta::put(Driver::Sqlite(connection), End::Head.key(), &sealed)
}

fn in_transaction<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    connection.driver.execute_batch("BEGIN IMMEDIATE").map_err(fault)?;
    let outcome = work(connection);
    let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
    connection.driver.execute_batch(end).map_err(fault)?;
    outcome
}
