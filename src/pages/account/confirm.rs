//! Proving once more who one is, where a page wants a fresh login; then on to that page.

use super::mistake;
use super::mistake::Mistake;
use crate::error::{Error, Refusal};
use crate::pages::form::{Fields, Form};
use crate::pages::proof;
use crate::pages::return_to::{ACCOUNT, own_page};
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::session::browser::SessionCookie;
use crate::usecase::session::reauthenticate::reauthenticate;
use crate::web::session_cookie;
use form_urlencoded::Serializer;
use minijinja::context;

const CONFIRM: &str = "/auth/confirm";

pub const ROUTES: &[PageRoute] =
    &[PageRoute::for_signed_in(CONFIRM).get(open).post(submit).checks_credentials().before_second_factor()];

/// The page to go on to: one of authd's own, and no other.
fn destination(visit: &Visit<'_>) -> String {
    let wish = visit.query("return_to").unwrap_or_default();
    own_page(&wish).unwrap_or_else(|| ACCOUNT.to_owned())
}

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    match visit.require_fresh() {
        Ok(()) => Ok(visit.see_other(destination(visit))),
        Err(stop) if stop == Refusal::FreshLoginRequired.into() => show(visit, None),
        Err(stop) => Err(stop),
    }
}

fn show(visit: &mut Visit<'_>, mistake: Option<&Mistake>) -> Result<Response, Stop> {
    let query = Serializer::new(String::new()).append_pair("return_to", &destination(visit)).finish();
    let account = &visit.signed_in()?.account;
    let page = context! {
        title => visit.text("confirm.title"),
        action => format!("{CONFIRM}?{query}"),
        email => account.email.as_str(),
        two_factor => account.two_factor_at.is_some(),
    };
    Ok(mistake::show(visit, mistake, "confirm.html", page))
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    const FIELDS: Fields =
        Fields { required: &["password"], optional: &["code", "recovery_code"], lists: &[] };
    let form = visit.form(FIELDS)?;
    match confirm(visit, &form) {
        Ok(cookie) => {
            let response = visit.see_other(destination(visit));
            Ok(cookie.iter().fold(response, session_cookie::set))
        }
        Err(Error::Refused(refusal)) => {
            let mistake = Mistake::of(visit, refusal)?;
            show(visit, Some(&mistake))
        }
        Err(error) => Err(error.into()),
    }
}

fn confirm(visit: &Visit<'_>, form: &Form) -> Result<Option<SessionCookie>, Error> {
    let (password, factor) = (proof::password(form)?, proof::factor(form));
    reauthenticate(visit.app, &visit.caller, &password, factor.as_ref())
}
