//! Deletes expired rows: for an operator at once, in the daemon little by little. No response depends on
//! them: a session that is not there is refused like one that has ended, and the lockout forgets by its own
//! rule.

use super::unclaimed;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::lockout;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Fault};
use crate::ports::progress::{Progress, Unit};
use crate::store::tables::prune::{Cursor, Family, Page};
use crate::store::tables::{duties, rate_budgets};
use crate::usecase::app::App;
use crate::usecase::app::wakeup::Wakeup;
use crate::usecase::app::worker::{FirstRound, Schedule, Worker};
use crate::usecase::require;
use std::sync::Arc;
use std::time::Duration;

/// How long sessions that have ended, and mails that were sent or given up, can still be listed.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// A wish for a link that nobody could work off for so long is not answered any more.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// How long a registration that waits no more still tells that somebody has registered the address with
/// another password.
const CONTESTED: Duration = Duration::from_secs(7 * 24 * 3600);

const SCHEDULE: Schedule =
    Schedule { name: "pruner", first: FirstRound::Later, every: Duration::from_secs(5 * 60), patience: None };

/// The most pages that a round looks at, and how long it waits after each, so that nobody waits for it.
const PAGES: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(20);

/// Deletes all that is over; gives how many rows went from which table.
///
/// # Errors
/// `forbidden` for anybody but an operator; [`Fault::Stopped`] when somebody asked for that, and the store's,
/// after which what went before is gone.
pub fn prune(app: &App, caller: &Caller, progress: &Progress) -> Result<Vec<(&'static str, u64)>, Error> {
    require(caller, "database:write")?;
    progress.begin("deleting", Unit::Things("rows"), None);
    let mut counts = Vec::new();
    for family in Family::ALL {
        let (mut rows, mut cursor) = (0, Some(Cursor::default()));
        while let Some(from) = cursor.take_if(|_| !progress.is_stopped()) {
            let step = step(app, caller, family, from)?;
            progress.add(step.rows);
            rows += step.rows;
            cursor = step.next;
        }
        counts.push((family.name(), rows));
    }
    if !progress.is_stopped() {
        counts.push(("users", unclaimed::delete_due(app, caller, || !progress.is_stopped())?));
    }
    let rows: u64 = counts.iter().map(|(_, rows)| rows).sum();
    if rows > 0 {
        app.store.write(caller, move |tx| {
            tx.audit(&Event::DatabasePruned { rows }, Subject::default())?;
            Ok(Decision::Grant(()))
        })?;
    }
    match (progress.is_stopped(), rows) {
        (false, _) => Ok(counts),
        (true, 0) => Err(Fault::Stopped("nothing was changed; run it again".into()).into()),
        (true, rows) => {
            Err(Fault::Stopped(format!("{rows} rows were deleted; run it again to go on")).into())
        }
    }
}

struct DeletedRows {
    rows: u64,
    /// `None`: the table's end was reached.
    next: Option<Cursor>,
}

/// Looks at one page, and writes only where something on it is over.
fn step(app: &App, caller: &Caller, family: Family, from: Cursor) -> Result<DeletedRows, Error> {
    let before = over_before(app, family);
    let page = app.store.read(|query| Page::find(query, family, from, before))?;
    let mut rows = 0;
    if page.has_any {
        let page = page.clone();
        rows = app.store.write(caller, move |tx| Ok(Decision::Grant(page.prune(tx, before)?)))?;
    }
    Ok(DeletedRows { rows: u64::try_from(rows).unwrap_or(u64::MAX), next: page.next() })
}

/// What was over by then goes now.
fn over_before(app: &App, family: Family) -> Timestamp {
    let kept = match family {
        Family::RevokedTokens
        | Family::Links
        | Family::MagicRequests
        | Family::Tickets
        | Family::AppCodes
        | Family::OauthAttempts
        | Family::SpentCeremonies
        | Family::OauthCodes => Duration::ZERO,
        Family::Registrations => CONTESTED,
        Family::LinkRequests => STALE,
        Family::PairFailures | Family::AccountFailures => lockout::MEMORY,
        Family::KnownNetworks => app.config.lockout.known_network,
        Family::Sessions | Family::Mails => KEPT,
    };
    app.now().minus(kept)
}

/// A walk over all tables that can rest at any page.
#[derive(Debug, Default)]
pub struct Walk {
    family: usize,
    cursor: Cursor,
}

impl Walk {
    /// Looks at up to `pages` pages from where the walk rests; `rest` is asked after each whether to go on.
    /// Gives how many rows went.
    ///
    /// # Errors
    /// The store's; the walk then begins there the next time.
    pub fn go(&mut self, app: &App, pages: usize, mut rest: impl FnMut() -> bool) -> Result<u64, Error> {
        let mut rows = 0;
        for _ in 0..pages {
            let Some(family) = Family::ALL.get(self.family) else {
                rows += unclaimed::delete_due(app, &Caller::system(), &mut rest)?;
                *self = Self::default();
                break;
            };
            let step = step(app, &Caller::system(), *family, self.cursor.clone())?;
            rows += step.rows;
            self.family += usize::from(step.next.is_none());
            self.cursor = step.next.unwrap_or_default();
            if !rest() {
                break;
            }
        }
        Ok(rows)
    }
}

/// Takes the duty for a round, of which one of several daemons is enough. `false`: another one has it.
fn begin_round(app: &App) -> Result<bool, Error> {
    if !app.store.is_shared() {
        return Ok(true);
    }
    let (id, now) = (app.process_id, app.now());
    app.store.write(&Caller::system(), move |tx| {
        let is_ours = duties::take(tx, SCHEDULE.name, &id, now.plus(SCHEDULE.every))?;
        if is_ours {
            rate_budgets::delete_whole(tx, now.as_millis().saturating_mul(1_000))?;
        }
        Ok(Decision::Grant(is_ours))
    })
}

/// Starts the worker that prunes. It ends after the page that it is at.
///
/// # Errors
/// [`Fault::Internal`] when the machine has no thread to give.
pub fn start(app: &Arc<App>) -> Result<Worker, Fault> {
    let app = Arc::clone(app);
    Worker::start(SCHEDULE, &Wakeup::new(), move |rounds| {
        let mut walk = Walk::default();
        rounds.run(|_| {
            if rounds.is_stopping() {
                return Ok(());
            }
            if !begin_round(&app)? {
                return Ok(());
            }
            let rows = walk.go(&app, PAGES, || {
                rounds.wait(PAUSE);
                !rounds.is_stopping()
            })?;
            if rows > 0 {
                tracing::debug!(rows, "deleted what was over");
            }
            Ok(())
        });
    })
}
