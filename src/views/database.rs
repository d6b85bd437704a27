//! What the commands that look after the database show.

use super::text::{Named, Text, Time};
use crate::config::Database;
use crate::usecase::app::App;
use crate::usecase::app::migrate;
use crate::usecase::operator::database::{PlaceStatus, VERSION};
use crate::usecase::operator::{backup, database, move_database, restore};
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

/// Where the database is, and what is in it.
#[derive(Serialize, JsonSchema, Debug)]
pub struct DatabaseStatus<'a> {
    database: Text<&'a Database>,
    key_file: Text<Display<'a>>,
    schema_version: i64,
    /// What this binary works with.
    schema_current: i64,
    /// Of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    sqlite_version: Option<&'static str>,
    /// Of a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_version: Option<&'a str>,
    database_bytes: u64,
    /// Of a file's write-ahead log.
    #[serde(skip_serializing_if = "Option::is_none")]
    wal_bytes: Option<u64>,
    /// Of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    page_size: Option<i64>,
    /// Of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    free_pages: Option<i64>,
    /// Those that serve a database on a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    daemons: Option<Vec<Daemon<'a>>>,
    /// Lines of the audit log that wait to be numbered, where several daemons may write.
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_unsealed: Option<u64>,
    /// By table.
    rows: Named<'a, &'static str, i64>,
}

/// A daemon that serves a database on a server.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Daemon<'a> {
    host: &'a str,
    version: &'a str,
    /// When it was heard of last, by the server's clock.
    seen_at: Time,
    /// How far its clock is ahead of the server's, in milliseconds.
    clock_ahead_ms: i64,
}

/// Shows where the database is, and what is in it.
#[must_use]
pub fn database_status(status: &database::Status) -> DatabaseStatus<'_> {
    let mut shown = DatabaseStatus {
        database: Text(&status.database),
        key_file: Text(status.key_file.display()),
        schema_version: VERSION,
        schema_current: VERSION,
        sqlite_version: None,
        server_version: None,
        database_bytes: 0,
        wal_bytes: None,
        page_size: None,
        free_pages: None,
        daemons: None,
        audit_unsealed: None,
        rows: Named(&status.rows),
    };
    match &status.place {
        PlaceStatus::File { file, database_bytes, wal_bytes } => {
            shown.schema_version = file.schema_version;
            shown.schema_current = file.schema_current;
            shown.sqlite_version = Some(file.sqlite_version);
            shown.database_bytes = *database_bytes;
            shown.wal_bytes = Some(*wal_bytes);
            shown.page_size = Some(file.page_size);
            shown.free_pages = Some(file.free_pages);
        }
        PlaceStatus::Server { server, daemons, unsealed } => {
            shown.schema_version = server.schema_version;
            shown.schema_current = server.schema_current;
            shown.server_version = Some(&server.server_version);
            shown.database_bytes = server.bytes;
            shown.daemons = Some(daemons.iter().map(daemon).collect());
            shown.audit_unsealed = Some(*unsealed);
        }
    }
    shown
}

fn daemon(daemon: &database::Daemon) -> Daemon<'_> {
    Daemon {
        host: &daemon.host,
        version: &daemon.version,
        seen_at: Time(daemon.seen_at),
        clock_ahead_ms: daemon.skew,
    }
}

/// A database that was moved.
#[derive(Serialize, JsonSchema, Debug)]
pub struct MovedDatabase<'a> {
    from: Text<&'a Database>,
    to: Text<&'a Database>,
    /// What the file is called now that was moved from. Null: it was on a server.
    kept: Option<Text<Display<'a>>>,
    tables: Vec<MovedTable<'a>>,
}

/// A table that was moved.
#[derive(Serialize, JsonSchema, Debug)]
pub struct MovedTable<'a> {
    table: &'a str,
    rows: u64,
    /// Over all rows in the order of their keys, in hexadecimal digits: the same on both sides.
    sha256: String,
}

/// Shows a database that was moved.
#[must_use]
pub fn moved_database(moved: &move_database::Moved) -> MovedDatabase<'_> {
    MovedDatabase {
        from: Text(&moved.from),
        to: Text(&moved.to),
        kept: moved.kept.as_ref().map(|kept| Text(kept.display())),
        tables: moved.tables.iter().map(moved_table).collect(),
    }
}

fn moved_table(digest: &move_database::TableDigest) -> MovedTable<'_> {
    MovedTable { table: &digest.table, rows: digest.rows, sha256: HEXLOWER.encode(&digest.sha256) }
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
    database: Text<&'a Database>,
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
        database: Text(&restored.database),
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
