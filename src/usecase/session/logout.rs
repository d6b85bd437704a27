//! Ending one's own sessions.

use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::error::{Decision, Error};
use crate::store::tables::sessions;
use crate::usecase::app::App;
use crate::usecase::{require_any_user, require_user};

/// Ends the caller's session.
///
/// # Errors
/// `unauthenticated`; the store's.
pub fn logout(app: &App, caller: &Caller) -> Result<(), Error> {
    let me = require_any_user(caller)?.clone();
    app.store.write(caller, move |tx| {
        if sessions::end(tx, me.session)? {
            tx.audit(&Event::LoggedOut, (me.account.id, me.session))?;
        }
        Ok(Decision::Grant(()))
    })
}

/// Ends every session of the caller but this one; gives how many. Where there is none, nothing has happened.
///
/// # Errors
/// `unauthenticated`; the store's.
pub fn elsewhere(app: &App, caller: &Caller) -> Result<u64, Error> {
    let me = require_user(caller)?.clone();
    app.store.write(caller, move |tx| {
        let sessions = sessions::end_of_user(tx, me.account.id, Some(me.session))?;
        if sessions > 0 {
            tx.audit(&Event::LoggedOutElsewhere { sessions }, (me.account.id, me.session))?;
        }
        Ok(Decision::Grant(sessions))
    })
}

/// Ends every session of the caller, this one too.
///
/// # Errors
/// `unauthenticated`; the store's.
pub fn everywhere(app: &App, caller: &Caller) -> Result<(), Error> {
    let me = require_user(caller)?.clone();
    app.store.write(caller, move |tx| {
        let sessions = sessions::end_of_user(tx, me.account.id, None)?;
        tx.audit(&Event::LoggedOutEverywhere { sessions }, (me.account.id, me.session))?;
        Ok(Decision::Grant(()))
    })
}
