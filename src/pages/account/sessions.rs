//! Where the account is signed in, with a button to end each session, and one for all others.

use super::device;
use crate::domain::session::Session;
use crate::error::{Error, Refusal};
use crate::pages::form::Fields;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::session::{list, logout};
use minijinja::{Value, context};

const SESSIONS: &str = "/auth/account/sessions";

pub const ROUTES: &[PageRoute] = &[PageRoute::for_signed_in(SESSIONS).get(open).post(submit)];

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let current = visit.signed_in()?.session;
    let sessions = list::list_own(visit.app, &visit.caller)?;
    let (own, others): (Vec<_>, Vec<_>) = sessions.iter().partition(|session| session.id == current);
    let page = context! {
        title => visit.text("sessions.title"),
        current => own.first().map(|session| row(visit, session)),
        others => others.into_iter().map(|session| row(visit, session)).collect::<Vec<_>>(),
    };
    Ok(visit.page(200, "sessions.html", page))
}

fn row(visit: &Visit<'_>, session: &Session) -> Value {
    context! {
        id => session.id.to_string(),
        device => device::in_words(visit, session.user_agent.as_deref()),
        network => session.ip.map(|ip| ip.to_string()).unwrap_or_default(),
        first => visit.time(session.created_at),
        last => visit.time(session.last_used_at),
    }
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(Fields { required: &[], optional: &["session", "others"], lists: &[] })?;
    if form.has("others") {
        logout::elsewhere(visit.app, &visit.caller)?;
        return Ok(visit.done(SESSIONS, "other_sessions_ended"));
    }
    let id = form.text("session");
    match list::end_own(visit.app, &visit.caller, id) {
        // It is over, whoever was faster; of somebody else's nothing is said.
        Ok(()) | Err(Error::Refused(Refusal::NotFound { .. })) => {}
        Err(error) => return Err(error.into()),
    }
    if visit.signed_in()?.session.to_string() == id {
        let response = visit.done("/auth/sign-in", "signed_out");
        return Ok(visit.forget_session(response));
    }
    Ok(visit.done(SESSIONS, "session_ended"))
}
