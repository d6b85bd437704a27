//! The page behind a link that an operator has made for somebody who has lost everything: a new password, and
//! then a second factor, or none for now.

use super::account::RECOVERED;
use super::destination::Destination;
use super::form::Fields;
use super::passkeys::are_offered;
use super::proof;
use super::route::PageRoute;
use super::sign_in;
use super::stop::Stop;
use super::visit::Visit;
use crate::domain::access::Standing;
use crate::domain::secret::Secret;
use crate::error::{Error, Refusal};
use crate::transport::message::Response;
use crate::usecase::account::recover;
use crate::web::session_cookie;
use minijinja::context;

/// Where the link leads.
pub const LINK: &str = "/auth/recover";

pub const ROUTES: &[PageRoute] =
    &[PageRoute::for_signed_in(RECOVERED).get(show_what_is_next).before_second_factor()];

/// The page behind the link. Spends nothing.
pub fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    match visit.link_token() {
        Some(token) => ask(visit, &token, None),
        None => Ok(visit.message(400, "incomplete_link", None)),
    }
}

fn ask(visit: &mut Visit<'_>, token: &Secret<String>, complaint: Option<String>) -> Result<Response, Stop> {
    let Some(account) = recover::peek(visit.app, token.expose())? else {
        return Ok(dead(visit));
    };
    let page = context! {
        title => visit.text("recover.title"),
        text => visit.text("recover.text"),
        button_text => visit.text("recover.button"),
        action => LINK,
        token => token.expose().as_str(),
        account => account.as_str(),
        registrant => (),
        current_password => false,
        min_length => visit.app.config.password.min_length,
        complaint => complaint.as_deref().unwrap_or_default(),
    };
    Ok(visit.page(if complaint.is_some() { 422 } else { 200 }, "link.html", page))
}

fn dead(visit: &mut Visit<'_>) -> Response {
    let text = visit.text("recover.dead").to_owned();
    visit.message(400, "dead_link", Some(text))
}

/// What the button of that page does: its owner is signed in, with a new password and nothing else.
pub fn press(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form_of_link(Fields::all(&["token", "new_password", "new_password_again"]))?;
    let token = form.secret("token");
    if form.secret("new_password") != form.secret("new_password_again") {
        let complaint = visit.text("password.not_the_same").to_owned();
        return ask(visit, &token, Some(complaint));
    }
    visit.replace_sessions()?;
    let new = proof::new_password(&form, "new_password").map_err(Error::from);
    match new.and_then(|new| recover::recover(visit.app, &visit.caller, token.expose(), &new)) {
        Ok(started) if visit.app.config.pages.enabled => {
            Ok(sign_in::signed_in(visit, started, false, &Destination::OwnPage(RECOVERED.to_owned())))
        }
        Ok(started) => {
            let cookie = started.session_cookie(visit.app, false);
            Ok(session_cookie::set(visit.message(200, "recover_done", None), &cookie))
        }
        Err(Error::Refused(Refusal::InvalidLink)) => Ok(dead(visit)),
        Err(Error::Refused(refusal @ Refusal::WeakPassword { .. })) => {
            let complaint = visit.explain(&refusal);
            ask(visit, &token, Some(complaint))
        }
        Err(error) => Err(error.into()),
    }
}

fn show_what_is_next(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let page = context! {
        title => visit.text("recover_done.title"),
        offered => are_offered(visit),
        is_due => visit.signed_in()?.standing == Standing::SecondFactorDue,
    };
    Ok(visit.page(200, "recovered.html", page))
}
