//! `/auth/admin/registrations`: those that wait for the link in their mail, which may never have come.

use super::frame::{self, Question, ROWS, Tab, ask, further};
use super::inputs::Mistakes;
use super::user::path_of;
use crate::domain::id::RegistrationId;
use crate::domain::registration::Registration;
use crate::pages::account::device;
use crate::pages::form::Fields;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::registrations::{self, RegistrationRef};
use minijinja::{Value, context};

const LIST: &str = "/auth/admin/registrations";

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_holders(LIST, "users:read").get(list),
    PageRoute::for_holders("/auth/admin/registrations/{registration}/confirm", "users:write")
        .get(|visit| {
            visit.require_fresh()?;
            question(visit, "admin_confirm_registration", None)
        })
        .post(confirm),
    PageRoute::for_holders("/auth/admin/registrations/{registration}/delete", "users:write")
        .get(|visit| question(visit, "admin_delete_registration", None))
        .post(delete),
];

fn list(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let after = visit.query("after");
    let found = registrations::list(visit.app, &visit.caller, ROWS, after.as_deref())?;
    let page = context! {
        title => visit.text("admin_registrations.title"),
        registrations => found.items.iter().map(|one| row(visit, one)).collect::<Vec<_>>(),
        first => after.is_some(),
        next => further(LIST, &[], "after", found.next.as_deref()),
    };
    Ok(frame::page(visit, Tab::Users, 200, "admin_registrations.html", page))
}

fn row(visit: &Visit<'_>, one: &Registration) -> Value {
    context! {
        path => format!("{LIST}/{}", one.id),
        email => one.email.as_str(),
        name => one.name.as_str(),
        device => device::in_words(visit, one.user_agent.as_deref()),
        network => one.ip.as_deref().unwrap_or_default(),
        created => visit.time(one.created_at),
        expires => visit.time(one.expires_at),
        contested => one.password_required,
    }
}

fn named(visit: &Visit<'_>) -> Result<RegistrationRef, Stop> {
    RegistrationId::parse(visit.parameter(0)).map(RegistrationRef::Id).ok_or(Stop::NotFound)
}

fn question(
    visit: &mut Visit<'_>,
    section: &'static str,
    complaint: Option<String>,
) -> Result<Response, Stop> {
    let found = registrations::find(visit.app, &visit.caller, &named(visit)?)?;
    let one = found.first().ok_or(Stop::NotFound)?;
    let question = Question {
        tab: Tab::Users,
        section,
        about: one.email.to_string(),
        back: LIST.into(),
        warning: one.password_required.then_some("admin_registrations.contested"),
    };
    Ok(ask(visit, &question, complaint))
}

fn confirm(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let of = named(visit)?;
    visit.form(Fields::all(&[]))?;
    match registrations::confirm(visit.app, &visit.caller, &of) {
        Ok(user) => {
            let to = if visit.may("users:read") { path_of(&user) } else { "/auth/admin/".into() };
            Ok(visit.done(to, "user_added"))
        }
        Err(error) => {
            let complaint = Mistakes::of(visit, error)?.into_text();
            question(visit, "admin_confirm_registration", Some(complaint))
        }
    }
}

fn delete(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let of = named(visit)?;
    visit.form(Fields::all(&[]))?;
    registrations::delete(visit.app, &visit.caller, &of)?;
    let to = if visit.may("users:read") { LIST } else { "/auth/admin/" };
    Ok(visit.done(to, "registration_deleted"))
}
