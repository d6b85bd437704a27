//! `/auth/admin/sessions`: everybody's sessions, or somebody's, newest first.

use super::frame::{self, ROWS, Tab, further};
use super::inputs::{Mistakes, typed};
use crate::error::{Error, Refusal};
use crate::pages::account::device;
use crate::pages::form::Fields;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::reference::UserRef;
use crate::usecase::session::list::{self, SessionOfUser, Which};
use crate::usecase::session::tokens;
use crate::usecase::session::tokens::Target;
use minijinja::{Value, context};

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_holders("/auth/admin/sessions", "sessions:read").get(show),
    PageRoute::for_holders("/auth/admin/sessions/{id}/end", "sessions:revoke")
        .post(end)
        .form_on("/auth/admin/sessions"),
];

/// A page of sessions for a template, and the cursor of the next.
///
/// # Errors
/// As the use-case.
pub fn of(
    visit: &Visit<'_>,
    user: Option<&UserRef>,
    limit: u32,
    after: Option<&str>,
) -> Result<(Vec<Value>, Option<String>), Error> {
    let page = list::page(visit.app, &visit.caller, user, Which::Alive, limit, after)?;
    Ok((page.items.iter().map(|session| row(visit, session)).collect(), page.next))
}

fn row(visit: &Visit<'_>, of: &SessionOfUser) -> Value {
    let session = &of.session;
    context! {
        id => session.id.to_string(),
        user => session.user.to_string(),
        email => of.email.as_str(),
        device => device::in_words(visit, session.user_agent.as_deref()),
        network => session.ip.map(|ip| ip.to_string()).unwrap_or_default(),
        created => visit.time(session.created_at),
        last_used => visit.time(session.last_used_at),
        current => visit.me.as_ref().is_some_and(|me| me.session == session.id),
    }
}

fn show(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let user = visit.query("user").unwrap_or_default().trim().to_owned();
    let after = visit.query("after");
    let mut mistakes = Mistakes::default();
    let found = match find(visit, &user, after.as_deref()) {
        Err(Error::Refused(Refusal::NotFound { .. })) => {
            mistakes.beside("user", visit.text("admin_invalid.user"));
            (Vec::new(), None)
        }
        found => found?,
    };
    let (sessions, next) = found;
    let filters = [("user", user.as_str())];
    let page = context! {
        title => visit.text("admin_sessions.title"),
        sessions,
        typed => typed(&filters),
        errors => mistakes.beside_fields(),
        is_filtered => !user.is_empty(),
        first => after.is_some(),
        next => further("/auth/admin/sessions", &filters, "after", next.as_deref()),
    };
    Ok(frame::page(visit, Tab::Sessions, mistakes.status(), "admin_sessions.html", page))
}

fn find(visit: &Visit<'_>, user: &str, after: Option<&str>) -> Result<(Vec<Value>, Option<String>), Error> {
    let user = if user.is_empty() { None } else { Some(UserRef::parse(user)?) };
    of(visit, user.as_ref(), ROWS, after)
}

/// Ends one. The form says on whose page it stood, if on one.
fn end(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(Fields { optional: &["user"], ..Fields::all(&[]) })?;
    tokens::revoke(visit.app, &visit.caller, &Target::Session(visit.parameter(0).to_owned()))?;
    let user = UserRef::parse(form.text("user")).ok().filter(|_| visit.may("users:read"));
    let to = match user {
        Some(UserRef::Id(user)) => format!("/auth/admin/users/{user}"),
        _ if visit.may("sessions:read") => "/auth/admin/sessions".to_owned(),
        _ => "/auth/admin/".to_owned(),
    };
    Ok(visit.done(to, "admin_session_ended"))
}
