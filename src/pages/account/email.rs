//! Another address for the account: it counts once the link that goes there is opened.

use super::mistake;
use super::mistake::Mistake;
use crate::domain::email::{Email, InvalidEmail};
use crate::error::{Error, FieldError, Refusal};
use crate::pages::form::Fields;
use crate::pages::return_to::ACCOUNT;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::email;
use crate::usecase::app::rate_limit::Budget;
use minijinja::context;

pub const ROUTES: &[PageRoute] =
    &[PageRoute::for_signed_in("/auth/account/email").get(open).post(submit).limit(Budget::Mail)];

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    visit.require_fresh()?;
    show(visit, "", None)
}

fn show(visit: &mut Visit<'_>, typed: &str, mistake: Option<&Mistake>) -> Result<Response, Stop> {
    let current = visit.signed_in()?.account.email.to_string();
    let page = context! { title => visit.text("account_email.title"), current, email => typed };
    Ok(mistake::show(visit, mistake, "account_email.html", page))
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(Fields::all(&["email"]))?;
    let new = Email::parse(form.text("email")).map_err(|_| {
        Error::from(Refusal::Invalid(vec![FieldError::new("email", "invalid", InvalidEmail::MESSAGE)]))
    });
    match new.and_then(|new| email::request_change(visit.app, &visit.caller, &new)) {
        Ok(()) => Ok(visit.done(ACCOUNT, "email_change_sent")),
        Err(Error::Refused(refusal)) => {
            let mistake = Mistake::of(visit, refusal)?;
            show(visit, form.text("email"), Some(&mistake))
        }
        Err(error) => Err(error.into()),
    }
}
