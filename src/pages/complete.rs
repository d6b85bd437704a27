//! The address of somebody whose provider states none: asked for here, and confirmed by mail.

use super::form::Fields;
use super::route::PageRoute;
use super::stop::Stop;
use super::visit::Visit;
use crate::domain::email::{Email, InvalidEmail};
use crate::error::{Error, Refusal};
use crate::transport::message::Response;
use crate::usecase::app::rate_limit::Budget;
use crate::usecase::federation::complete;
use crate::web::page_cookies::PageCookie;
use crate::web::status;
use minijinja::context;

const COMPLETE: &str = "/auth/complete";
const SIGN_IN: &str = "/auth/sign-in";

pub const ROUTES: &[PageRoute] =
    &[PageRoute::for_anyone(COMPLETE).get(open).post(submit).limit(Budget::Mail)];

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    if sealed(visit).is_none_or(|sealed| !complete::is_open(visit.app, sealed)) {
        return Ok(visit.see_other(SIGN_IN));
    }
    Ok(show(visit, 200, "", ""))
}

fn show(visit: &mut Visit<'_>, status: u16, email: &str, error: &str) -> Response {
    let page = context! { title => visit.text("complete.title"), email, error };
    visit.page(status, "complete.html", page)
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(Fields::all(&["email"]))?;
    let Some(sealed) = sealed(visit) else {
        return Ok(visit.see_other(SIGN_IN));
    };
    let done = Email::parse(form.text("email"))
        .map_err(|_| Error::from(Refusal::invalid("email", "invalid", InvalidEmail::MESSAGE)))
        .and_then(|email| complete::complete(visit.app, &visit.caller, sealed, &email));
    match done {
        Ok(()) => {
            visit.clear_cookie(PageCookie::Handover);
            Ok(visit.done(SIGN_IN, "register_sent"))
        }
        Err(Error::Refused(Refusal::StateMismatch)) => {
            visit.clear_cookie(PageCookie::Handover);
            Ok(visit.see_other(format!("{SIGN_IN}?error=state_mismatch")))
        }
        Err(Error::Refused(refusal @ (Refusal::Invalid(_) | Refusal::LinkRequired))) => {
            let error = visit.explain(&refusal);
            Ok(show(visit, status::of_refusal(&refusal), form.text("email"), &error))
        }
        Err(error) => Err(error.into()),
    }
}

fn sealed<'a>(visit: &Visit<'a>) -> Option<&'a str> {
    visit.cookie(PageCookie::Handover).ok().flatten()
}
