//! Writes when each browser's session was used last: what keeps it from ending as an unused one. What a crash
//! loses is some minutes of it.

use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault};
use crate::store::tables::sessions;
use crate::usecase::app::App;
use crate::usecase::app::session_uses::longest_wait;
use crate::usecase::app::wakeup::Wakeup;
use crate::usecase::app::worker::{FirstRound, Schedule, Worker};
use std::sync::Arc;
use std::time::Duration;

pub use crate::usecase::app::session_uses::Take;

/// How many rows one transaction writes, so that others don't wait long for their turn.
const ROWS_MAX: usize = 1_000;

/// The worker's schedule. Where sessions live unused for a short time, its rounds are as short, so that what
/// is due is written before a session would end.
fn schedule(app: &App) -> Schedule {
    let shortest = app.config.tokens.refresh_idle.min(app.config.tokens.two_factor_idle);
    let every = Duration::from_secs(60).min(longest_wait(shortest));
    Schedule { name: "session uses", first: FirstRound::Later, every, patience: None }
}

/// Writes what was noted. Nothing was: nothing is written.
///
/// # Errors
/// The store's; what was noted waits for the next time.
pub fn write(app: &App, which: Take) -> Result<(), Error> {
    let uses = app.session_uses.take(which, app.now());
    let mut written = Ok(());
    for some in uses.chunks(ROWS_MAX) {
        let rows = some.to_vec();
        let one = app.store.write(&Caller::system(), move |tx| {
            for (session, noted) in &rows {
                sessions::save_use(tx, *session, noted.last_at)?;
            }
            Ok(Decision::Grant(()))
        });
        if one.is_err() {
            for (session, noted) in some {
                app.session_uses.add(*session, *noted);
            }
        }
        written = written.and(one);
    }
    written
}

/// Starts the worker that writes them. Its last round writes all.
///
/// # Errors
/// [`Fault::Internal`] when the machine has no thread to give.
pub fn start(app: &Arc<App>) -> Result<Worker, Fault> {
    let app = Arc::clone(app);
    Worker::start(schedule(&app), &Wakeup::new(), move |rounds| {
        rounds.run(|_| write(&app, if rounds.is_stopping() { Take::All } else { Take::Due }));
    })
}
