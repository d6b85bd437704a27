//! Applications on other hosts: a browser begins at the application's host, signs in here, and comes back
//! with a code for which it gets a cookie of that host. The paths below `/.authd/` are there at the
//! applications' hosts, where their proxies lead them to authd.
//!
//! `start` (state) → `/auth/sign-in` (who, and may they?) → `callback` (code and state for a cookie) → the
//! page.

use super::destination::{AppDestination, Destination};
use super::route::PageRoute;
use super::sign_out::end_session;
use super::stop::Stop;
use super::visit::Visit;
use crate::domain::access::Actor;
use crate::domain::application::Application;
use crate::domain::return_path;
use crate::error::{Error, Refusal};
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::gate::enter;
use crate::usecase::gate::judge::{self, Asked};
use crate::usecase::require_user;
use crate::usecase::session::browser;
use crate::web::app_cookies;
use form_urlencoded::{Serializer, byte_serialize};
use minijinja::context;

const SIGN_OUT: &str = "/.authd/sign-out";

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_app("/.authd/start").get(start),
    PageRoute::for_app("/.authd/callback").get(callback).opens_in(Lane::Write),
    PageRoute::for_app(SIGN_OUT).get(ask_to_sign_out).post(sign_out),
];

/// The application at whose host the visitor is, by the word of a proxy that is trusted.
fn here(visit: &mut Visit<'_>) -> Result<Application, Stop> {
    let asked = visit.forwarded_host()?.map_or(Asked::Nothing, Asked::ByHost);
    let found = judge::find(visit.app, &asked)?.ok_or(Stop::NotFound)?;
    visit.stands_at(found.origin.as_str());
    Ok(found)
}

/// Sends the browser to the sign-in page, with a state of its own to come back with. One that has a state
/// keeps it, so that two windows don't spoil each other's sign-in.
fn start(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let application = here(visit)?;
    let wish = visit.query("return_to").unwrap_or_default();
    let return_to = return_path::parse(&wish).unwrap_or("/").to_owned();
    let kept =
        app_cookies::state(visit.headers())?.and_then(|state| Some((state, enter::hash_of_state(state)?)));
    let (state, hash) = match kept {
        Some((state, hash)) => (state.to_owned(), hash),
        None => {
            let (state, hash) = enter::new_state(visit.app);
            (state.expose().clone(), hash)
        }
    };
    let destination = AppDestination { application, state: Some(hash), return_to };
    let response = visit.see_other(destination.sign_in(&visit.app.config.public_url));
    // A browser's first step is a redirect like any other here, but it follows a question of its proxy.
    Ok(app_cookies::set_state(Response { status: 302, ..response }, &state))
}

/// Goes on to an application, with a code, for whoever is signed in and may use it.
pub fn go_on(visit: &mut Visit<'_>, to: &AppDestination) -> Result<Response, Stop> {
    if !visit.is_navigation() {
        return Ok(visit.message(400, "odd_request", None));
    }
    let AppDestination { application, state, return_to } = to;
    let origin = &application.origin;
    let another_account = Destination::App(to.clone()).carried_by("/auth/sign-out");
    let Some(state) = state else {
        if judge::check(application, require_user(&visit.caller)?).is_err() {
            return Ok(not_allowed(visit, application, &another_account));
        }
        let path: String = byte_serialize(return_to.as_bytes()).collect();
        return Ok(visit.see_other(format!("{origin}/.authd/start?return_to={path}")));
    };
    match enter::issue_code(visit.app, &visit.caller, application, *state, return_to) {
        Ok(code) => Ok(visit.see_other(format!("{origin}/.authd/callback?code={}", code.expose()))),
        Err(Error::Refused(Refusal::AppNotAllowed { .. })) => {
            Ok(not_allowed(visit, application, &another_account))
        }
        Err(error) => Err(error.into()),
    }
}

/// Spends the code, in the browser that began.
fn callback(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let application = here(visit)?;
    if !visit.is_navigation() {
        return Ok(visit.message(400, "odd_request", None));
    }
    let code = visit.query("code").unwrap_or_default();
    let state = app_cookies::state(visit.headers())?.unwrap_or_default();
    match enter::spend_code(visit.app, &visit.caller, &application, &code, state) {
        Ok(entered) => Ok(app_cookies::enter(visit.see_other(entered.return_to.clone()), &entered)),
        Err(Error::Refused(Refusal::AppNotAllowed { .. })) => Ok(not_allowed(visit, &application, SIGN_OUT)),
        Err(Error::Refused(_)) => {
            let page =
                context! { title => visit.text("gate.again_title"), host => application.origin.host() };
            Ok(visit.page(400, "gate_again.html", page))
        }
        Err(error) => Err(error.into()),
    }
}

/// Says that whoever is signed in may not use an application, and offers another account, by way of
/// `sign_out`. At the application's host it says no more of them than they know there.
fn not_allowed(visit: &mut Visit<'_>, application: &Application, sign_out: &str) -> Response {
    let page = context! {
        title => visit.text("gate.not_allowed_title"),
        host => application.origin.host(),
        email => visit.me.as_ref().map(|me| me.account.email.to_string()).unwrap_or_default(),
        sign_out,
    };
    visit.page(403, "gate_not_allowed.html", page)
}

/// The page in the place of the gate's 403, for a person's browser. `None`: the question is about no
/// application, or came without its cookie.
pub fn refused_at_gate(visit: &mut Visit<'_>) -> Result<Option<Response>, Stop> {
    let Some(application) = visit.asked_application()? else {
        return Ok(None);
    };
    let Some(cookie) = app_cookies::session(visit.headers())? else {
        return Ok(None);
    };
    visit.me = browser::authenticate_at_app(visit.app, &application, cookie)?;
    visit.stands_at_page_of(application.origin.as_str());
    let wanted = Serializer::new(String::new()).append_pair("return_to", visit.forwarded_path()).finish();
    Ok(visit.me.is_some().then(|| not_allowed(visit, &application, &format!("{SIGN_OUT}?{wanted}"))))
}

/// Finds who is signed in at this host.
fn recognise(visit: &mut Visit<'_>, application: &Application) -> Result<(), Stop> {
    let cookie = app_cookies::session(visit.headers())?;
    visit.forms_belong_to(cookie.unwrap_or_default());
    visit.me = match cookie {
        Some(cookie) => browser::authenticate_at_app(visit.app, application, cookie)?,
        None => None,
    };
    if let Some(me) = &visit.me {
        visit.caller.actor = Actor::User(me.clone());
    }
    Ok(())
}

fn ask_to_sign_out(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let application = here(visit)?;
    recognise(visit, &application)?;
    if visit.me.is_none() {
        return Ok(visit.see_other(after_sign_out(visit, application)));
    }
    let public_url = visit.app.config.public_url.clone();
    visit.let_forms_lead_to(Some(&public_url));
    let query = visit.query("return_to").map(|wish| {
        let query = Serializer::new(String::new()).append_pair("return_to", &wish).finish();
        format!("?{query}")
    });
    let action = format!("{SIGN_OUT}{}", query.unwrap_or_default());
    let page = context! { title => visit.text("sign_out.title"), action };
    Ok(visit.page(200, "sign_out.html", page))
}

/// Ends the browser's session, and with it what it has at every application.
fn sign_out(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let application = here(visit)?;
    recognise(visit, &application)?;
    end_session(visit)?;
    Ok(app_cookies::leave(visit.see_other(after_sign_out(visit, application))))
}

/// The sign-in page, and from there the page of the application that was wanted with another account, if one
/// was.
fn after_sign_out(visit: &Visit<'_>, application: Application) -> String {
    let public_url = &visit.app.config.public_url;
    let wish = visit.query("return_to");
    match wish.as_deref().and_then(return_path::parse) {
        Some(path) => {
            let return_to = path.to_owned();
            AppDestination { application, state: None, return_to }.sign_in(public_url)
        }
        None => Destination::Account.carried_by(&format!("{public_url}/auth/sign-in")),
    }
}
