//! Whether somebody may use an application, and why. A proxy's question and an operator's are judged by the
//! same rule.

use super::apps::missing;
use crate::domain::access::SignedIn;
use crate::domain::application::{AppName, Application, AskedHost, Judgement};
use crate::domain::caller::Caller;
use crate::domain::user::User;
use crate::error::{Error, Fault, Refusal};
use crate::store::tables::apps;
use crate::usecase::account::reference::{UserRef, find_in};
use crate::usecase::app::App;
use crate::usecase::require;
use crate::usecase::signin::required_factor;

/// Which application a proxy asks about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// By its name, in the question.
    ByName(AppName),
    /// By the host that a trusted proxy was asked for; there may be none.
    ByHost(AskedHost),
    /// None: it is enough to be signed in.
    Nothing,
}

/// The application that a proxy asks about. `None`: none, and whoever is signed in may pass.
///
/// # Errors
/// `validation_failed` for a name that no application has, so that one which is gone lets nobody in, and for
/// a host at another port than the application's there: a client writes the port that it likes; the store's.
pub fn asked_about(app: &App, asked: &Asked) -> Result<Option<Application>, Error> {
    let refuse = |code, message| Refusal::invalid("app", code, message);
    match asked {
        Asked::Nothing => Ok(None),
        Asked::ByHost(asked) => {
            let (found, stands_there) = app.store.read_snapshot(|query| {
                let found = apps::find_by_origin(query, &asked.origins)?;
                let stands_there = found.is_none() && apps::has_host(query, &asked.host)?;
                Ok((found, stands_there))
            })?;
            if stands_there {
                let message =
                    "an application stands at this host, at another port; name the one that is meant";
                return Err(refuse("ambiguous", message).into());
            }
            Ok(found)
        }
        Asked::ByName(name) => {
            let found = app.store.read_snapshot(|query| apps::find(query, name))?;
            let unknown = || refuse("unknown", "there is no application of this name");
            Ok(Some(found.ok_or_else(unknown)?))
        }
    }
}

/// As [`asked_about`], where an application that isn't there is nothing to refuse.
///
/// # Errors
/// The store's.
pub fn find(app: &App, asked: &Asked) -> Result<Option<Application>, Error> {
    match asked_about(app, asked) {
        Err(Error::Refused(_)) => Ok(None),
        found => found,
    }
}

/// Refuses somebody who may not use an application.
///
/// # Errors
/// `forbidden`.
pub fn check(application: &Application, me: &SignedIn) -> Result<(), Refusal> {
    if application.judge(&me.account, me.standing).allows() {
        Ok(())
    } else {
        Err(Refusal::AppNotAllowed { app: application.name.to_string() })
    }
}

/// Why a user may use an application, or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explained {
    pub application: Application,
    pub user: User,
    pub judgement: Judgement,
}

/// Judges as [`check`] does, and tells each step.
///
/// # Errors
/// `forbidden` without `apps:read` and `users:read`; `not_found` for the application or the user; the
/// store's.
pub fn explain(app: &App, caller: &Caller, name: &AppName, of: &UserRef) -> Result<Explained, Error> {
    require(caller, "apps:read")?;
    require(caller, "users:read")?;
    let found = app
        .store
        .read(|query| -> Result<_, Fault> { Ok((apps::find(query, name)?, find_in(query, of)?)) })?;
    let application = found.0.ok_or_else(|| missing(name))?;
    let user = found.1.ok_or_else(|| of.missing())?;
    let judgement = application.judge(&user, required_factor::standing(&app.config, &user));
    Ok(Explained { application, user, judgement })
}
