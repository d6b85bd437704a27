//! When the daemon began and ended, in the audit log: a gap between the two tells of a crash.

use super::fleet;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::error::{Decision, Error};
use crate::store::Gather;
use crate::usecase::app::App;

/// Writes that the daemon takes requests, at an address.
///
/// # Errors
/// The store's.
pub fn started(app: &App, address: &str) -> Result<(), Error> {
    write(app, Event::DaemonStarted { version: env!("CARGO_PKG_VERSION"), address: address.to_owned() })
}

/// Writes that it takes none any more, and that those under way were answered.
///
/// # Errors
/// The store's.
pub fn stopped(app: &App) -> Result<(), Error> {
    fleet::leave(app)?;
    write(app, Event::DaemonStopped)?;
    // Nobody may be left to do it.
    app.store.seal_log(Gather::Nothing)?;
    Ok(())
}

fn write(app: &App, event: Event) -> Result<(), Error> {
    app.store.write(&Caller::system(), move |tx| {
        tx.audit(&event, Subject::default())?;
        Ok(Decision::Grant(()))
    })
}
