//! Applications: made, listed, changed and deleted.

use crate::config::Config;
use crate::domain::application::{Allow, AppName, AppOrigin, Application};
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::cursor;
use crate::domain::role::RoleName;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::page::Paged;
use crate::store::tables::{apps, roles};
use crate::store::tx::{Query, Tx};
use crate::usecase::app::App;
use crate::usecase::paging::by_name;
use crate::usecase::reauthenticate::require_fresh_if_user;
use crate::usecase::require;

/// A page of the applications, by name: `limit` of them (at least 1), after the `next` of the page before.
///
/// # Errors
/// `forbidden` without `apps:read`; `invalid_cursor`; `validation_failed` for a limit of 0; the store's.
pub fn page(
    app: &App,
    caller: &Caller,
    limit: u32,
    after: Option<&str>,
) -> Result<Paged<Application, String>, Error> {
    require(caller, "apps:read")?;
    by_name(cursor::List::Apps, limit, after, |page| app.store.read(|query| apps::list_page(query, &page)))
}

/// One application.
///
/// # Errors
/// `forbidden` without `apps:read`; `not_found`; the store's.
pub fn find(app: &App, caller: &Caller, name: &AppName) -> Result<Application, Error> {
    require(caller, "apps:read")?;
    let found = app.store.read(|query| apps::find(query, name))?;
    Ok(found.ok_or_else(|| missing(name))?)
}

pub(super) fn missing(name: &AppName) -> Refusal {
    Refusal::not_found("application", name.as_str())
}

/// An application that is about to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewApp {
    pub name: AppName,
    pub origin: AppOrigin,
    pub allow: Allow,
}

/// Makes the gate know an application.
///
/// # Errors
/// `forbidden` without `apps:write`; `validation_failed` for authd's own address; `fresh_login_required` for
/// a user; `already_exists` for its name; `conflict` where another application has its origin; `not_found`
/// for a role; the store's.
pub fn add(app: &App, caller: &Caller, new: &NewApp) -> Result<Application, Error> {
    require(caller, "apps:write")?;
    if is_own(&app.config, &new.origin) {
        return Err(own_address("url", "").into());
    }
    let (fresh, new) = (require_fresh_if_user(app, caller)?, new.clone());
    fresh.write(app, caller, move |tx| add_in(tx, &new))
}

pub(in crate::usecase) fn add_in(tx: &mut Tx<'_>, new: &NewApp) -> Result<Decision<Application>, Fault> {
    if apps::find(tx, &new.name)?.is_some() {
        let name = new.name.to_string();
        return Ok(Decision::Refuse(Refusal::AlreadyExists { what: "application", name }));
    }
    let (name, origin, allow) = (new.name.clone(), new.origin.clone(), new.allow.clone());
    let added = Application { name, origin, allow, created_at: tx.now() };
    if let Some(refusal) = impossible(tx, &added)? {
        return Ok(Decision::Refuse(refusal));
    }
    apps::insert(tx, &added)?;
    let (app, url, rule) = told(&added);
    tx.audit(&Event::AppCreated { app, url, rule }, Subject::default())?;
    Ok(Decision::Grant(added))
}

/// What to change of an application. `None`: leave it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub origin: Option<AppOrigin>,
    /// In the place of the whole rule.
    pub allow: Option<Allow>,
}

/// An application as it is now, and whether anything about it was different before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edited {
    pub app: Application,
    pub changed: bool,
}

/// Changes an application; its rule counts for the next request of everybody. What stays the same leaves no
/// trace.
///
/// # Errors
/// `forbidden` without `apps:write`; `validation_failed` for authd's own address; `fresh_login_required` for
/// a user; `not_found` for the application or a role; `conflict` where another application has the origin;
/// the store's.
pub fn edit(app: &App, caller: &Caller, name: &AppName, changes: &Changes) -> Result<Edited, Error> {
    require(caller, "apps:write")?;
    if changes.origin.as_ref().is_some_and(|origin| is_own(&app.config, origin)) {
        return Err(own_address("url", "").into());
    }
    let (name, changes) = (name.clone(), changes.clone());
    require_fresh_if_user(app, caller)?.write(app, caller, move |tx| edit_in(tx, &name, &changes))
}

pub(in crate::usecase) fn edit_in(
    tx: &mut Tx<'_>,
    name: &AppName,
    changes: &Changes,
) -> Result<Decision<Edited>, Fault> {
    let Some(before) = apps::find(tx, name)? else {
        return Ok(Decision::Refuse(missing(name)));
    };
    let changes = changes.clone();
    let after = Application {
        origin: changes.origin.unwrap_or_else(|| before.origin.clone()),
        allow: changes.allow.unwrap_or_else(|| before.allow.clone()),
        ..before.clone()
    };
    if after == before {
        return Ok(Decision::Grant(Edited { app: before, changed: false }));
    }
    if let Some(refusal) = impossible(tx, &after)? {
        return Ok(Decision::Refuse(refusal));
    }
    apps::save(tx, &after)?;
    let (app, url, rule) = told(&after);
    tx.audit(&Event::AppEdited { app, url, rule }, Subject::default())?;
    Ok(Decision::Grant(Edited { app: after, changed: true }))
}

/// Deletes an application, for the next request of everybody; gives it as it was.
///
/// # Errors
/// `forbidden` without `apps:write`; `fresh_login_required` for a user; `not_found`; the store's.
pub fn delete(app: &App, caller: &Caller, name: &AppName) -> Result<Application, Error> {
    require(caller, "apps:write")?;
    let name = name.clone();
    require_fresh_if_user(app, caller)?.write(app, caller, move |tx| delete_in(tx, &name))
}

pub(in crate::usecase) fn delete_in(tx: &mut Tx<'_>, name: &AppName) -> Result<Decision<Application>, Fault> {
    let Some(deleted) = apps::find(tx, name)? else {
        return Ok(Decision::Refuse(missing(name)));
    };
    apps::delete(tx, name)?;
    tx.audit(&Event::AppDeleted { app: name.to_string() }, Subject::default())?;
    Ok(Decision::Grant(deleted))
}

/// Whether authd itself stands there: the cookie of an application and those of authd's pages must not share
/// a host.
pub(in crate::usecase) fn is_own(config: &Config, origin: &AppOrigin) -> bool {
    AppOrigin::parse(&config.public_url).is_ok_and(|own| own.by_any_scheme().contains(origin))
}

/// Says that authd itself stands at an application's address, which `field` gives; `place` begins the
/// sentence.
pub(in crate::usecase) fn own_address(field: impl Into<String>, place: &str) -> Refusal {
    let message =
        format!("{place}authd itself stands there (public_url); an application has an origin of its own");
    Refusal::invalid(field, "invalid", message)
}

/// Why an application can't be like this: a role that isn't there, or another application at its place.
/// `None`: it can.
fn impossible(query: &impl Query, app: &Application) -> Result<Option<Refusal>, Fault> {
    if let Allow::Roles(wanted) = &app.allow {
        for role in wanted {
            if roles::find(query, role)?.is_none() {
                return Ok(Some(Refusal::not_found("role", role.as_str())));
            }
        }
    }
    let there = apps::find_by_origin(query, &app.origin.by_any_scheme())?;
    Ok(there.filter(|other| other.name != app.name).map(|other| Refusal::Conflict {
        reason: format!(
            "the application {} stands at {}; name another url, or change that one",
            other.name, other.origin
        ),
    }))
}

/// As the audit log tells of it: name, origin, rule.
fn told(app: &Application) -> (String, String, String) {
    let rule = match &app.allow {
        Allow::Everyone => "everyone".to_owned(),
        Allow::Roles(roles) => roles.iter().map(RoleName::as_str).collect::<Vec<_>>().join(" "),
    };
    (app.name.to_string(), app.origin.to_string(), rule)
}
