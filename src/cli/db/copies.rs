//! `db backup` and `db restore`: the whole database as one file.

use crate::cli::Context;
use crate::cli::arguments;
use crate::cli::exit::Failure;
use crate::cli::terminal::progress::Output;
use crate::cli::terminal::prompt::Consent;
use crate::cli::terminal::table::{Column, Table};
use crate::usecase::app::Ports;
use crate::usecase::operator::{backup, move_database, restore};
use crate::views;
use clap::Args;
use std::path::PathBuf;

/// Copy the whole database to a new file, while the daemon works
///
/// The copy is read whole before it gets its name: FILE is a sound backup, or not there at all. FILE.mac
/// beside it proves that nobody has changed it since: keep the two together. The key file is not in it.
/// Without the key file nobody opens the database again, and with both anybody does: keep a copy of the key
/// file, too, made once, in another place than the backups.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl db backup /var/backups/authd-$(date +%F).db
  authctl db backup nightly.db -o json")]
pub struct Backup {
    /// The file to make; one that is there already is never overwritten
    file: PathBuf,
}

/// Put a backup in the database's place
///
/// Stop the daemon first. FILE must be as `db backup` wrote it, which FILE.mac proves, and belong to the key
/// file that is there; its schema must be authd's own. Otherwise nothing is changed. The database that is
/// replaced stays beside the new one. The backup knows nothing of what was ended after it was taken, so
/// everybody's sessions end with it, and links that were sent, registrations and logins that wait are void.
/// Mails that were queued are kept as failed, as they may have been sent since. Codes of authenticator apps
/// count from the next minute on.
///
/// Withheld are the API keys, recovery codes, passkeys and signing keys that the replaced database holds good
/// no more: they were revoked, used, deleted or retired since. Where there is none, or none that can be read,
/// the API keys, passkeys and recovery codes all come back, and no signing key does. Where none signs, a new
/// one is made.
///
/// Everything else is as it was at the time of the backup: passwords, roles, users that were disabled or
/// deleted since. Look at them before you start the daemon.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl db restore nightly.db
  authctl db restore /var/backups/authd-2026-11-22.db --yes")]
pub struct Restore {
    /// A backup
    file: PathBuf,
    /// Take FILE without FILE.mac, whoever wrote it
    ///
    /// For what other programs have copied, the database that another restore has put away, and backups from
    /// before authd wrote the MAC. Whoever could write to FILE could have made themselves an admin in it.
    #[arg(long)]
    unverified: bool,
    /// Don't ask; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}

impl Backup {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let terminal = context.terminal();
        let (config, made) = terminal.long_work(Output::AtTheEnd, |work| {
            let config = context.loaded()?.config;
            let made =
                backup::backup(&config, &Ports::real(), context.caller(), &self.file, work.progress())?;
            Ok((config, made))
        })?;
        let columns = [
            Column::Text("file"),
            Column::Text("mac_file"),
            Column::Text("bytes"),
            Column::Text("schema_version"),
            Column::Text("audit_head"),
        ];
        let row = (made.file.display().to_string(), views::backup(&made));
        if terminal.draws() {
            // A border would break the head, which is there to be copied.
            terminal.show(&Table::of_objects(&columns[..4], [row]))?;
            terminal.text(&format!("head  {}\n", made.head))?;
        } else {
            terminal.show(&Table::of_objects(&columns, [row]))?;
        }
        terminal.note(&format!("{} proves what is in it; keep the two together", made.mac_file.display()));
        terminal.note(&format!(
            "the key file {} is not in it, and it can't be opened without; keep a copy of that, too, elsewhere",
            config.key_file.display()
        ));
        if !made.audited {
            terminal.note("warning: the audit log has no line of this backup, as it could not be written");
        }
        Ok(())
    }
}

/// End what must not come back, after the database was restored by other means
///
/// For PostgreSQL's own `pg_restore`, a server that was set back in time, or a copy that was put in a file's
/// place. Stop every daemon first. As after `db restore`, everybody's sessions end, links that were sent,
/// registrations and logins that wait are void, queued mails are kept as failed, and a new signing key is
/// made. API keys, passkeys and recovery codes are those of that time: revoke again what was revoked since.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl db restored
  authctl db restored --yes -o json")]
pub struct AfterRestore {
    /// Don't ask; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}

impl AfterRestore {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.loaded()?.config;
        Consent::from_flag(self.yes).obtain(&format!("Log everybody out of {}?", config.database))?;
        let restored = restore::restored(&config, &Ports::real(), context.caller())?;
        note_ended(context, &restored);
        show_restored(context, &restored)
    }
}

fn show_restored(context: &Context, restored: &restore::Restored) -> Result<(), Failure> {
    let columns = [Column::Text("database"), Column::Text("kept"), Column::Text("audit_seq")];
    let row = (restored.database.to_string(), views::restored(restored));
    context.terminal().changed(&Table::of_objects(&columns, [row]))
}

/// Says what doesn't live on.
fn note_ended(context: &Context, restored: &restore::Restored) {
    let terminal = context.terminal();
    let ended = restored.ended;
    terminal.note(&format!(
        "ended {} sessions, voided {} links and {} logins, kept {} queued mails as failed",
        ended.sessions, ended.links, ended.tickets, ended.mails
    ));
    terminal.note(&match restored.withheld {
        Some(restore::Withheld { api_keys, recovery_codes, passkeys, signing_keys, .. }) => format!(
            "withheld {api_keys} API keys, {recovery_codes} recovery codes, {passkeys} passkeys and {signing_keys} \
             signing keys, which were good no more"
        ),
        None => "there was no database to compare with: API keys, passkeys and recovery codes are those of the \
                 backup, revoke again what was revoked since; its signing keys are all withheld"
            .into(),
    });
    match restored.withheld.map_or(0, |withheld| withheld.accounts_without_factor) {
        0 => {}
        left => terminal.note(&format!(
            "{} left without a second factor, so that the password alone signs in; `authctl user list --state \
             no-second-factor` lists them",
            if left == 1 { "1 account is".to_owned() } else { format!("{left} accounts are") }
        )),
    }
    if let Some(kid) = &restored.new_signing_key {
        terminal.note(&format!("{kid} signs from now on"));
    }
}

/// Move the whole database to another place
///
/// From a file to a PostgreSQL server, from a server to a file, or to another of either kind. Stop every
/// daemon first. There must be nothing at TARGET yet. All rows are copied at one moment, counted and
/// compared, and the audit log is proven where it arrived; only then does TARGET hold them. The key file
/// stays as it is: whoever is signed in stays so. Set `database` to TARGET before you start a daemon.
///
/// A file that was moved from keeps its content under another name; a database on a server keeps it, too,
/// and is opened no more.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl db migrate-to postgres://authd@db.example.com/authd
  authctl db migrate-to ./one-machine.db --yes")]
pub struct MigrateTo {
    /// A URL of PostgreSQL, or a file; the password for a server is in `postgres.password_file`
    target: PathBuf,
    /// Don't ask; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}

impl MigrateTo {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.loaded()?.config;
        let target = context.loaded_with("database", "TARGET", &self.target.display().to_string())?;
        let question = format!("Move {} to {}?", config.database, target.database);
        Consent::from_flag(self.yes).obtain(&question)?;
        let terminal = context.terminal();
        let moved = terminal.long_work(Output::AtTheEnd, |work| {
            let (ports, progress) = (Ports::real(), work.progress());
            Ok(move_database::move_to(&config, &target, &ports, context.caller(), progress)?)
        })?;
        let rows: u64 = moved.tables.iter().map(|table| table.rows).sum();
        let tables = moved.tables.len();
        terminal.note(&format!("moved {rows} rows of {tables} tables; each is the same on both sides"));
        if let Some(kept) = &moved.kept {
            terminal.note(&format!("the file is {} now; delete it when all is well", kept.display()));
        }
        terminal.note(&format!("set `database` to {} before you start a daemon", moved.to));
        if target.key_file != config.key_file {
            terminal.note(&format!("and `key_file` to {}, as it is now", config.key_file.display()));
        }
        let columns = [Column::Text("from"), Column::Text("to"), Column::Text("kept")];
        let row = (moved.to.to_string(), views::moved_database(&moved));
        terminal.changed(&Table::of_objects(&columns, [row]))
    }
}

impl Restore {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        // Before the question: nobody should agree to a file that isn't there.
        arguments::open(&self.file)?;
        let config = context.loaded()?.config;
        let trust = if self.unverified { restore::Trust::Given } else { restore::Trust::Proven };
        let source = restore::Source { file: self.file.clone(), trust };
        restore::look(&config, context.caller(), &source)?;
        let question =
            format!("Replace {} by {} and log everybody out?", config.database, self.file.display());
        Consent::from_flag(self.yes).obtain(&question)?;
        let terminal = context.terminal();
        let restored = terminal.long_work(Output::AtTheEnd, |work| {
            Ok(restore::restore(&config, &Ports::real(), context.caller(), &source, work.progress())?)
        })?;
        if self.unverified {
            terminal.note(&format!(
                "warning: nothing proves who wrote {}; look at users, roles and API keys",
                self.file.display()
            ));
        }
        terminal.note(&format!(
            "restored {} as it was at line {} of the audit log",
            self.file.display(),
            restored.line
        ));
        for step in &restored.steps {
            terminal.note(&format!("brought schema {} to {}: {}", step.from, step.to, step.brings));
        }
        note_ended(context, &restored);
        if let Some(kept) = &restored.kept {
            terminal.note(&format!("the database before is {}; delete it when all is well", kept.display()));
        }
        show_restored(context, &restored)
    }
}
