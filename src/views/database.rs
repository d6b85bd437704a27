//! What the commands that look after the database file show.

use super::text::{Named, Text};
use crate::config::Database;
use crate::usecase::app::App;
use crate::usecase::app::migrate;
use crate::usecase::operator::{backup, database, restore};
use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Display;

/// A database that is there now, and what of it is new.
#[derive(Serialize, JsonSchema, Debug)]
pub struct CreatedDatabase<'a> {
    database: Text<&'a Database>,
    key_file: Text<Display<'a>>,
    created: Created,
}

/// What was not there before.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Created {
    database: bool,
    key_file: bool,
    signing_key: bool,
}

/// Shows what opening the database made.
#[must_use]
pub fn created_database(app: &App) -> CreatedDatabase<'_> {
    CreatedDatabase {
        database: Text(&app.config.database),
        key_file: Text(app.config.key_file.display()),
        created: Created {
            database: app.created.database,
            key_file: app.created.key_file,
            signing_key: app.created.signing_key,
        },
    }
}

/// The database's file, and what is in it.
#[derive(Serialize, JsonSchema, Debug)]
pub struct DatabaseStatus<'a> {
    database: Text<Display<'a>>,
    key_file: Text<Display<'a>>,
    schema_version: i64,
    /// What this binary works with.
    schema_current: i64,
    sqlite_version: &'static str,
    database_bytes: u64,
    /// Of the write-ahead log.
    wal_bytes: u64,
    page_size: i64,
    free_pages: i64,
    /// By table.
    rows: Named<'a, &'static str, i64>,
}

/// Shows the database's file.
#[must_use]
pub fn database_status(status: &database::Status) -> DatabaseStatus<'_> {
    DatabaseStatus {
        database: Text(status.database.display()),
        key_file: Text(status.key_file.display()),
        schema_version: status.file.schema_version,
        schema_current: status.file.schema_current,
        sqlite_version: status.file.sqlite_version,
        database_bytes: status.database_bytes,
        wal_bytes: status.wal_bytes,
        page_size: status.file.page_size,
        free_pages: status.file.free_pages,
        rows: Named(&status.rows),
    }
}

/// What `db check` found.
#[derive(Serialize, JsonSchema, Debug)]
pub struct DatabaseCheck<'a> {
    ok: bool,
    problems: &'a [String],
}

/// Shows what `db check` found.
#[must_use]
pub const fn database_check(problems: &[String]) -> DatabaseCheck<'_> {
    DatabaseCheck { ok: problems.is_empty(), problems }
}

/// What `db prune` deleted of one table.
#[derive(Serialize, JsonSchema, Debug)]
pub struct PrunedTable {
    table: &'static str,
    rows: u64,
}

/// Shows what `db prune` deleted of one table.
#[must_use]
pub const fn pruned_table(table: &'static str, rows: u64) -> PrunedTable {
    PrunedTable { table, rows }
}

/// A step of a migration.
#[derive(Serialize, JsonSchema, Debug)]
pub struct MigrationStep {
    from: i64,
    to: i64,
    /// What it brings, in a few words.
    brings: &'static str,
}

/// Shows a step of a migration.
#[must_use]
pub const fn migration_step(step: &migrate::MigrationStep) -> MigrationStep {
    MigrationStep { from: step.from, to: step.to, brings: step.brings }
}

/// A backup that was made.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Backup<'a> {
    file: Text<Display<'a>>,
    /// Where the MAC of its content is, which a restore asks for.
    mac_file: Text<Display<'a>>,
    bytes: u64,
    schema_version: i64,
    /// The newest line of the audit log.
    audit_head: AuditHead,
}

/// A line of the audit log, by number and hash.
#[derive(Serialize, JsonSchema, Debug)]
pub struct AuditHead {
    seq: i64,
    /// In hexadecimal digits.
    hash: String,
}

/// Shows a backup that was made.
#[must_use]
pub fn backup(backup: &backup::Backup) -> Backup<'_> {
    Backup {
        file: Text(backup.file.display()),
        mac_file: Text(backup.mac_file.display()),
        bytes: backup.bytes,
        schema_version: backup.schema_version,
        audit_head: AuditHead { seq: backup.head.seq, hash: HEXLOWER.encode(&backup.head.hash) },
    }
}

/// What a restore came to.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Restored<'a> {
    database: Text<Display<'a>>,
    /// Whether the MAC of the backup has proven that authd wrote it.
    verified: bool,
    /// Where the database is that was replaced. Null: there was none.
    kept: Option<Text<Display<'a>>>,
    /// The newest line of the audit log that stands in the backup.
    audit_seq: i64,
    /// The steps that brought the backup's schema up.
    migrated: Vec<MigrationStep>,
    sessions_ended: u64,
    links_voided: u64,
    /// Logins that waited for their second step.
    tickets_voided: u64,
    /// Mails that were queued.
    mails_failed: u64,
    /// Null: there was nothing to compare with; all API keys, recovery codes and passkeys came back, and no
    /// signing key.
    withheld: Option<Withheld>,
    /// The signing key that was made. Null: one of the backup's signs.
    new_signing_key: Option<&'a str>,
}

/// How many that were revoked, spent or deleted since the backup didn't come back with it.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Withheld {
    api_keys: u64,
    recovery_codes: u64,
    passkeys: u64,
    signing_keys: u64,
    /// Accounts whose password alone signs in since their passkeys are withheld.
    accounts_without_second_factor: u64,
}

/// Shows what a restore came to.
#[must_use]
pub fn restored(restored: &restore::Restored) -> Restored<'_> {
    Restored {
        database: Text(restored.database.display()),
        verified: restored.trust == restore::Trust::Proven,
        kept: restored.kept.as_ref().map(|kept| Text(kept.display())),
        audit_seq: restored.line,
        migrated: restored.steps.iter().map(migration_step).collect(),
        sessions_ended: restored.ended.sessions,
        links_voided: restored.ended.links,
        tickets_voided: restored.ended.tickets,
        mails_failed: restored.ended.mails,
        withheld: restored.withheld.map(|withheld| Withheld {
            api_keys: withheld.api_keys,
            recovery_codes: withheld.recovery_codes,
            passkeys: withheld.passkeys,
            signing_keys: withheld.signing_keys,
            accounts_without_second_factor: withheld.accounts_without_factor,
        }),
        new_signing_key: restored.new_signing_key.as_deref(),
    }
}
