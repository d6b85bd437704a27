//! Signing out.

use super::destination::Destination;
use super::form::Fields;
use super::route::PageRoute;
use super::stop::Stop;
use super::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::session::logout;
use minijinja::context;

const SIGN_IN: &str = "/auth/sign-in";
const SIGN_OUT: &str = "/auth/sign-out";

pub const ROUTES: &[PageRoute] = &[PageRoute::for_anyone(SIGN_OUT).get(ask).post(submit)];

/// Asks by a button: a link that signs people out could be put on any page. Whoever came for another account
/// is led on to where they were about to go.
fn ask(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let destination = Destination::of(visit)?;
    if visit.me.is_none() {
        return Ok(visit.see_other(destination.carried_by(SIGN_IN)));
    }
    let page = context! { title => visit.text("sign_out.title"), action => destination.carried_by(SIGN_OUT) };
    Ok(visit.page(200, "sign_out.html", page))
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let destination = Destination::of(visit)?;
    end_session(visit)?;
    let response = visit.done(destination.carried_by(SIGN_IN), "signed_out");
    Ok(visit.forget_session(response))
}

/// Ends the session of whoever is signed in, by the form that was sent. Where it is over already, there is
/// nothing that another site's page could end.
///
/// # Errors
/// [`Stop::Form`] for another browser's form; the store's.
pub fn end_session(visit: &Visit<'_>) -> Result<(), Stop> {
    visit.check_form()?;
    if visit.me.is_some() {
        visit.form(Fields::default())?;
        logout::logout(visit.app, &visit.caller)?;
    }
    Ok(())
}
