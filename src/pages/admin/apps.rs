//! `/auth/admin/apps`: the applications behind the gate, who may use each, and why somebody may or not.

use super::frame::{self, Question, ROWS, Tab, ask, further, texts};
use super::inputs::{Mistakes, typed};
use super::user_roles::{self, Ticked};
use crate::domain::application::{Allow, AppName, AppOrigin, Application, Demand, Finding};
use crate::error::{Error, Refusal};
use crate::pages::form::{Fields, Form};
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::reference::UserRef;
use crate::usecase::gate::apps::{self, Changes, NewApp};
use crate::usecase::gate::judge;
use minijinja::{Value, context};

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_holders("/auth/admin/apps", "apps:read").get(list),
    PageRoute::for_holders("/auth/admin/add-app", "apps:write").get(open_new).post(add),
    PageRoute::for_holders("/auth/admin/apps/{app}", "apps:read").get(show),
    PageRoute::for_holders("/auth/admin/apps/{app}/edit", "apps:write").get(open_edit).post(save),
    PageRoute::for_holders("/auth/admin/apps/{app}/delete", "apps:write")
        .get(|visit| {
            visit.require_fresh()?;
            question(visit)
        })
        .post(delete),
];

/// The field that says who may, and its values.
const ALLOW: &str = "allow";
const EVERYONE: &str = "everyone";
const ROLES: &str = "roles";

fn path_of(name: &AppName) -> String {
    format!("/auth/admin/apps/{name}")
}

fn named(visit: &Visit<'_>) -> Result<AppName, Stop> {
    AppName::parse(visit.parameter(0)).map_err(|_| Stop::NotFound)
}

fn view(visit: &Visit<'_>, app: &Application) -> Value {
    let (everyone, roles) = match &app.allow {
        Allow::Everyone => (true, Vec::new()),
        Allow::Roles(roles) => (false, texts(roles)),
    };
    context! {
        path => path_of(&app.name),
        name => app.name.as_str(),
        url => app.origin.as_str(),
        everyone,
        roles,
        created => visit.time(app.created_at),
    }
}

fn list(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let after = visit.query("after");
    let found = apps::page(visit.app, &visit.caller, ROWS, after.as_deref())?;
    let page = context! {
        title => visit.text("admin_apps.title"),
        apps => found.items.iter().map(|app| view(visit, app)).collect::<Vec<_>>(),
        first => after.is_some(),
        next => further("/auth/admin/apps", &[], "after", found.next.as_deref()),
    };
    Ok(frame::page(visit, Tab::Apps, 200, "admin_apps.html", page))
}

/// With the judgement of the user in the query, if there is one.
fn show(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let name = named(visit)?;
    let app = apps::find(visit.app, &visit.caller, &name)?;
    let user = visit.query("user").unwrap_or_default().trim().to_owned();
    let mut mistakes = Mistakes::default();
    let explained = match explain(visit, &name, &user) {
        Err(Error::Refused(Refusal::NotFound { .. })) => {
            mistakes.beside("user", visit.text("admin_invalid.user"));
            None
        }
        explained => explained?,
    };
    let page = context! {
        title => app.name.as_str(),
        app => view(visit, &app),
        typed => typed(&[("user", &user)]),
        errors => mistakes.beside_fields(),
        explained,
    };
    Ok(frame::page(visit, Tab::Apps, mistakes.status(), "admin_app.html", page))
}

/// `None`: nobody is asked about.
fn explain(visit: &Visit<'_>, name: &AppName, user: &str) -> Result<Option<Value>, Error> {
    if user.is_empty() {
        return Ok(None);
    }
    let explained = judge::explain(visit.app, &visit.caller, name, &UserRef::parse(user)?)?;
    let judgement = explained.judgement;
    Ok(Some(context! {
        email => explained.user.email.as_str(),
        allowed => judgement.allows(),
        steps => judgement.0.iter().map(|finding| step(visit, finding)).collect::<Vec<_>>(),
    }))
}

fn step(visit: &Visit<'_>, finding: &Finding) -> Value {
    let roles = match &finding.demand {
        Demand::OneOf(roles) => texts(roles),
        Demand::Enabled | Demand::SecondFactor | Demand::SignedIn => Vec::new(),
    };
    let text = visit.text(&format!("admin_app_demand.{}", finding.demand.name()));
    context! { text, roles, met => finding.met }
}

/// The form for a new application, or for one that there is (`of`).
fn show_form(
    visit: &mut Visit<'_>,
    of: Option<&AppName>,
    typed: &Value,
    ticked: &Ticked,
    mistakes: &Mistakes,
) -> Result<Response, Stop> {
    let title = if of.is_some() { "admin_edit_app.title" } else { "admin_add_app.title" };
    let page = context! {
        title => visit.text(title),
        app => of.map(AppName::as_str),
        back => of.map_or("/auth/admin/apps".to_owned(), path_of),
        typed,
        roles => user_roles::boxes(visit, ticked)?,
        errors => mistakes.beside_fields(),
        complaint => mistakes.above(),
    };
    Ok(frame::page(visit, Tab::Apps, mistakes.status(), "admin_edit_app.html", page))
}

/// What stands in the fields, as it was typed.
fn kept(form: &Form) -> Value {
    typed(&[("name", form.text("name")), ("url", form.text("url")), (ALLOW, form.text(ALLOW))])
}

/// `None`: something is wrong, which `mistakes` has.
fn read(
    visit: &Visit<'_>,
    form: &Form,
    ticked: &Ticked,
    mistakes: &mut Mistakes,
) -> Option<(AppOrigin, Allow)> {
    let origin = AppOrigin::parse(form.text("url")).ok();
    if origin.is_none() {
        mistakes.beside("url", visit.text("admin_invalid.url"));
    }
    let allow = match (form.text(ALLOW), ticked.roles()) {
        (EVERYONE, _) => Some(Allow::Everyone),
        (ROLES, roles) if !roles.is_empty() => Some(Allow::roles(roles)),
        _ => None,
    };
    if allow.is_none() {
        mistakes.beside(ALLOW, visit.text("admin_invalid.allow"));
    }
    Some((origin?, allow?))
}

/// What the use-case found wrong.
fn wrong(visit: &Visit<'_>, error: Error) -> Result<Mistakes, Stop> {
    let about_url = match error {
        Error::Refused(Refusal::Conflict { .. }) => "admin_invalid.url_taken",
        // What can be no address at all was found before.
        Error::Refused(Refusal::Invalid(_)) => "admin_invalid.url_own",
        error => return Mistakes::of(visit, error),
    };
    let mut mistakes = Mistakes::default();
    mistakes.beside("url", visit.text(about_url));
    Ok(mistakes)
}

fn open_new(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    visit.require_fresh()?;
    show_form(visit, None, &typed(&[(ALLOW, ROLES)]), &Ticked::default(), &Mistakes::default())
}

fn add(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(Fields {
        required: &["name", "url"],
        optional: &[ALLOW],
        lists: &[user_roles::TICKED],
    })?;
    let ticked = Ticked::of(&form);
    let mut mistakes = Mistakes::default();
    let name = AppName::parse(form.text("name")).ok();
    if name.is_none() {
        mistakes.beside("name", visit.text("admin_invalid.word"));
    }
    let place = read(visit, &form, &ticked, &mut mistakes);
    if let (Some(name), Some((origin, allow))) = (name, place) {
        match apps::add(visit.app, &visit.caller, &NewApp { name, origin, allow }) {
            Ok(app) => {
                let to = if visit.may("apps:read") { path_of(&app.name) } else { "/auth/admin/".into() };
                return Ok(visit.done(to, "app_added"));
            }
            Err(error) => mistakes = wrong(visit, error)?,
        }
    }
    show_form(visit, None, &kept(&form), &ticked, &mistakes)
}

fn open_edit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let app = apps::find(visit.app, &visit.caller, &named(visit)?)?;
    visit.require_fresh()?;
    let (allow, ticked) = match app.allow {
        Allow::Everyone => (EVERYONE, Ticked::default()),
        Allow::Roles(roles) => (ROLES, Ticked::these(roles)),
    };
    let now = typed(&[("url", app.origin.as_str()), (ALLOW, allow)]);
    show_form(visit, Some(&app.name), &now, &ticked, &Mistakes::default())
}

fn save(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let name = named(visit)?;
    let form = visit.form(Fields { required: &["url"], optional: &[ALLOW], lists: &[user_roles::TICKED] })?;
    let ticked = Ticked::of(&form);
    let mut mistakes = Mistakes::default();
    if let Some((origin, allow)) = read(visit, &form, &ticked, &mut mistakes) {
        let changes = Changes { origin: Some(origin), allow: Some(allow) };
        match apps::edit(visit.app, &visit.caller, &name, &changes) {
            Ok(_) => return Ok(visit.done(path_of(&name), "app_saved")),
            Err(error) => mistakes = wrong(visit, error)?,
        }
    }
    show_form(visit, Some(&name), &kept(&form), &ticked, &mistakes)
}

fn question(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let app = apps::find(visit.app, &visit.caller, &named(visit)?)?;
    let question = Question {
        tab: Tab::Apps,
        section: "admin_delete_app",
        about: app.name.to_string(),
        back: path_of(&app.name),
        warning: None,
    };
    Ok(ask(visit, &question, None))
}

fn delete(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let name = named(visit)?;
    visit.form(Fields::all(&[]))?;
    apps::delete(visit.app, &visit.caller, &name)?;
    Ok(visit.done("/auth/admin/apps", "app_deleted"))
}
