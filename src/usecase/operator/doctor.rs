//! Looking at an installation as a whole: what is right, what will be trouble, and what to do about it.
//! Nothing is changed, and what can't be looked at is a finding, too.

mod outside;
mod providers;
mod server;

use super::{database, fleet};
use crate::config::{Config, Database, weak_settings};
use crate::domain::caller::Caller;
use crate::domain::mail::MailState;
use crate::error::{Error, Fault};
use crate::ports::progress::Progress;
use crate::store::audit::check;
use crate::store::audit::log;
use crate::store::audit::log::Filter;
use crate::store::sqlite::inspect;
use crate::store::tables::{daemons, mails};
use crate::usecase::account::admin;
use crate::usecase::app::mail_templates::MailTemplates;
use crate::usecase::app::{App, IfMissing, Ports};
use crate::usecase::app::{database_lock, files, unknown_proxy};
use crate::usecase::keys::current_key;
use crate::usecase::mail::delivery;
use crate::usecase::require;
use std::borrow::Cow;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// Below these, in bytes, the disk is a worry, and then a failure.
const ROOMY: u64 = 512 << 20;
const TIGHT: u64 = 32 << 20;

/// A clock this far behind the newest line of the log is wrong, and not only set back by a time server.
const DRIFT: Duration = Duration::from_secs(60);

/// A proxy that was not met for so long is thought to be gone.
const MET_LATELY: Duration = Duration::from_secs(24 * 3600);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FindingState {
    Ok,
    Warn,
    Fail,
}

impl FindingState {
    /// Gives the word that operators and scripts read for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What one check found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub check: Cow<'static, str>,
    pub state: FindingState,
    /// What is so; where it is not right, what to do about it, too.
    pub says: String,
}

impl Finding {
    /// Makes a finding that all is right; `says` tells what is so.
    pub fn ok(check: impl Into<Cow<'static, str>>, says: impl Into<String>) -> Self {
        Self { check: check.into(), state: FindingState::Ok, says: says.into() }
    }

    /// Makes a finding of what will be trouble; `says` tells what to do about it, too.
    pub fn warn(check: impl Into<Cow<'static, str>>, says: impl Into<String>) -> Self {
        Self { check: check.into(), state: FindingState::Warn, says: says.into() }
    }

    /// Makes a finding of what is wrong; `says` tells what to do about it, too.
    pub fn fail(check: &'static str, says: impl Into<String>) -> Self {
        Self { check: check.into(), state: FindingState::Fail, says: says.into() }
    }

    /// What could not be looked at is as bad as what is wrong.
    fn of(check: &'static str, found: Result<Self, Error>) -> Self {
        found.unwrap_or_else(|error| Self::fail(check, error.to_string()))
    }
}

/// Looks at everything; with a `url`, at the daemon behind it as well.
///
/// # Errors
/// `forbidden` for anybody but an operator. Whatever else goes wrong is a finding.
pub fn examine(
    config: &Config,
    ports: &Ports,
    caller: &Caller,
    url: Option<&str>,
) -> Result<Vec<Finding>, Error> {
    require(caller, "database:read")?;
    let mut findings =
        vec![Finding::of("texts", texts(config)), Finding::of("files", files_and_owners(config))];
    findings.extend(config.database.path().map(|database| Finding::of("disk", disk(database))));
    findings.extend([public_url(config), Finding::of("daemon", daemon(config))]);
    findings.extend(weak_settings(config).into_iter().map(|weak| Finding::warn(weak.key, weak.says)));
    let app = match App::open(config.clone(), ports.clone(), IfMissing::Refuse) {
        Ok(app) => app,
        Err(error) => {
            findings.push(Finding::fail("database", error.to_string()));
            findings.push(Finding::of("smtp", smtp(config)));
            findings.extend(url.map(|url| outside::reach(config, None, url)).unwrap_or_default());
            return Ok(findings);
        }
    };
    findings.push(Finding::of("database", database(&app, caller)));
    findings.extend(server::look(&app));
    findings.push(Finding::of("proxy", proxy(&app)));
    findings.push(Finding::of("audit_log", audit_log(&app)));
    findings.push(Finding::of("clock", clock(&app)));
    findings.push(Finding::of("signing_key", signing_key(&app)));
    findings.push(Finding::of("admin", admin(&app)));
    findings.push(Finding::of("outbox", queue(&app)));
    findings.push(Finding::of("smtp", smtp(config)));
    findings.extend(providers::look(&app, caller));
    findings.extend(providers::look_for_removed(&app));
    findings.extend(url.map(|url| outside::reach(config, Some(&app), url)).unwrap_or_default());
    Ok(findings)
}

fn texts(config: &Config) -> Result<Finding, Error> {
    MailTemplates::read(config)?;
    crate::usecase::app::blocklist::read(config.password.blocklist_file.as_deref())?;
    Ok(Finding::ok("texts", "the mails' texts and the list of passwords can be read"))
}

fn files_and_owners(config: &Config) -> Result<Finding, Error> {
    let check = "files";
    files::check(config)?;
    let owner = |path: &Path| fs::metadata(path).map(|metadata| metadata.uid()).ok();
    let (database, key) = (config.database.path().and_then(owner), owner(&config.key_file));
    if let (Some(database), Some(key)) = (database, key)
        && database != key
    {
        return Ok(Finding::warn(
            check,
            format!(
                "the database belongs to {}, the key file to {}; give both to the user that runs the daemon",
                crate::ports::user_name(database),
                crate::ports::user_name(key)
            ),
        ));
    }
    Ok(match files::folder_warning(config) {
        Some(warning) => Finding::warn(check, warning),
        None => Finding::ok(check, "the database and the key file are their owner's alone"),
    })
}

fn disk(database: &Path) -> Result<Finding, Error> {
    let check = "disk";
    let folder = files::folder_of(database);
    let space = rustix::fs::statvfs(&folder).map_err(|error| {
        Fault::Internal(format!("the disk of {} can't be asked: {error}", folder.display()))
    })?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let says = format!("{} MiB are free in {}", free >> 20, folder.display());
    Ok(match free {
        free if free < TIGHT => Finding::fail(check, format!("{says}; make room before writes fail")),
        free if free < ROOMY => Finding::warn(check, format!("{says}; make room soon")),
        _ => Finding::ok(check, says),
    })
}

/// The configuration takes http for a loopback address alone.
fn public_url(config: &Config) -> Finding {
    let url = &config.public_url;
    if url.starts_with("https://") {
        return Finding::ok("public_url", url);
    }
    let says =
        format!("{url}: links in mail lead to this machine alone; set `public_url` before others use it");
    Finding::warn("public_url", says)
}

fn daemon(config: &Config) -> Result<Finding, Error> {
    let Some(database) = config.database.path() else {
        return fleet(config);
    };
    if !files::exists(database)? {
        return Ok(Finding::warn("daemon", "there is no database to serve; run `authd serve`"));
    }
    Ok(if database_lock::is_served(database)? {
        Finding::ok("daemon", "a daemon serves this database")
    } else {
        Finding::warn(
            "daemon",
            "no daemon serves this database; start one with `authd serve` or your service manager",
        )
    })
}

/// Who serves a database on a server.
fn fleet(config: &Config) -> Result<Finding, Error> {
    let app = App::open(config.clone(), Ports::real(), IfMissing::Refuse)?;
    let daemons = app.store.read(|query| daemons::list(query))?;
    let hosts: Vec<&str> = daemons.iter().map(|daemon| daemon.host.as_str()).collect();
    let off = daemons.iter().find(|daemon| daemon.skew.abs() > fleet::SKEW_TO_WARN_MS);
    Ok(match (hosts.len(), off) {
        (0, _) => Finding::warn(
            "daemon",
            "no daemon serves this database; start one with `authd serve` or your service manager",
        ),
        (_, Some(off)) => Finding::warn(
            "daemon",
            format!(
                "the clock of {} is {:.1} s {} the database server's; set both by NTP",
                off.host,
                Duration::from_millis(off.skew.unsigned_abs()).as_secs_f64(),
                if off.skew > 0 { "ahead of" } else { "behind" }
            ),
        ),
        (1, None) => Finding::ok("daemon", format!("a daemon on {} serves this database", hosts[0])),
        (count, None) => {
            Finding::ok("daemon", format!("{count} daemons serve this database: {}", hosts.join(", ")))
        }
    })
}

fn database(app: &App, caller: &Caller) -> Result<Finding, Error> {
    let problems = match app.config.database {
        Database::File(_) => app.store.read(|query| inspect::quick_problems(query))?,
        Database::Server(_) => database::check(app, caller, &Progress::default())?,
    };
    if let Some(problem) = problems.first() {
        let says =
            format!("it is damaged ({problem}); stop the daemon, keep a copy, and restore the last backup");
        return Ok(Finding::fail("database", says));
    }
    let status = database::status(app, caller)?;
    let (version, bytes) = (status.place.schema_version(), status.place.bytes());
    let says = format!("whole, schema {version}, {} KiB; the key file opens it", bytes >> 10);
    Ok(Finding::ok("database", says))
}

/// The daemon has noted when it met one that it doesn't know.
fn proxy(app: &App) -> Result<Finding, Error> {
    let check = "proxy";
    if !app.config.proxy.trusted.is_empty() {
        return Ok(Finding::ok(check, "`proxy.trusted` names who may say on whose behalf a request comes"));
    }
    let seen_at = app.store.read(|query| unknown_proxy::seen_at(query))?;
    Ok(match seen_at.filter(|at| app.now() < at.plus(MET_LATELY)) {
        Some(at) => Finding::warn(
            check,
            format!(
                "a proxy on this machine sends X-Forwarded-For ({at}), and `proxy.trusted` is empty: all its clients \
                 count as one, whose failed logins lock everybody out; set it to the proxy's address, such as 127.0.0.1/32"
            ),
        ),
        None => Finding::ok(check, "no proxy was met that `proxy.trusted` doesn't name"),
    })
}

fn audit_log(app: &App) -> Result<Finding, Error> {
    Ok(match app.store.read_log(|query| check::end(query, app.store.chain()))? {
        Ok(newest) => Finding::ok("audit_log", format!("it ends with line {}, as it should", newest.seq)),
        Err(_) => Finding::fail("audit_log", "it doesn't end where it should; run `authctl audit verify`"),
    })
}

fn clock(app: &App) -> Result<Finding, Error> {
    let now = app.now();
    let newest = app.store.read_log(|query| {
        let numbers = log::span(query, log::ALL)?;
        log::list(query, &Filter::default(), *numbers.end()..=*numbers.end(), 1)
    })?;
    Ok(match newest.first().map(|line| line.at) {
        Some(at) if now.plus(DRIFT) < at => Finding::fail(
            "clock",
            format!("it shows {now}, and the newest line of the audit log is of {at}; set it"),
        ),
        _ => Finding::ok("clock", format!("it shows {now}, which is not before anything that was logged")),
    })
}

fn signing_key(app: &App) -> Result<Finding, Error> {
    let kid = current_key::current(app)?.key().kid.clone();
    Ok(Finding::ok("signing_key", format!("tokens are signed by {kid}")))
}

fn admin(app: &App) -> Result<Finding, Error> {
    Ok(if admin::has_admin(app)? {
        Finding::ok("admin", "somebody who is enabled has the role admin")
    } else {
        Finding::warn(
            "admin",
            "nobody who is enabled has the role admin; run `authctl user add you@example.com --verified --role admin`",
        )
    })
}

fn queue(app: &App) -> Result<Finding, Error> {
    let count = |state| app.store.read(|query| mails::count(query, state));
    let (queued, failed) = (count(MailState::Queued)?, count(MailState::Failed)?);
    let says = format!("{queued} mails are queued, {failed} failed");
    Ok(if failed > 0 {
        Finding::warn("outbox", format!("{says}; see `authctl mail list --state failed`"))
    } else {
        Finding::ok("outbox", says)
    })
}

fn smtp(config: &Config) -> Result<Finding, Error> {
    let server = format!("{}:{}", config.mail.smtp_host, config.mail.smtp_port);
    Ok(match delivery::greet(config)? {
        None => Finding::warn(
            "smtp",
            "mail stays in the outbox, where `authctl mail` reads it; set `mail.transport` to smtp to have it sent",
        ),
        Some(Ok(())) => {
            Finding::ok("smtp", format!("{server} answers; `authctl mail test ADDRESS` sends a mail"))
        }
        Some(Err(why)) => {
            Finding::fail("smtp", format!("{why}; check `mail.smtp_host` and what stands under it"))
        }
    })
}
