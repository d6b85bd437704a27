//! The worker that sends mail. A server that hangs makes it wait, and nobody else.

use super::delivery::{Delivery, mailer};
use crate::error::Fault;
use crate::ports::Mailer;
use crate::usecase::app::App;
use crate::usecase::app::worker::{FirstRound, Schedule, Worker};
use std::sync::Arc;
use std::time::Duration;

/// Unasked, too: another process may have queued something, or an attempt may be due again. The end of the
/// daemon waits a second for the mail that is under way; one that takes longer keeps its claim, and is sent
/// after that.
const SCHEDULE: Schedule = Schedule {
    name: "mail",
    first: FirstRound::AtOnce,
    every: Duration::from_secs(5),
    patience: Some(Duration::from_secs(1)),
};

/// Starts sending as the configuration says. `None`: mail stays in the outbox.
///
/// # Errors
/// [`Fault::Config`] when mail could not be sent like that; [`Fault::Internal`] when the app has such a
/// worker already, or no thread can be had.
pub fn start(app: &Arc<App>) -> Result<Option<Worker>, Fault> {
    mailer(&app.config)?.map(|mailer| start_with(app, Arc::new(mailer))).transpose()
}

/// Starts sending by a given way out.
///
/// # Errors
/// As [`start`].
pub fn start_with(app: &Arc<App>, mailer: Arc<dyn Mailer>) -> Result<Worker, Fault> {
    let sends = Arc::clone(app);
    Worker::start(SCHEDULE, &app.mail_wakeup, move |rounds| {
        let mut delivery = Delivery::new(&sends, &*mailer);
        rounds.run(|_| {
            while !rounds.is_stopping() && delivery.deliver_next()?.is_some() {}
            Ok(())
        });
    })
}
