//! Registering, a new link for an address that waits to be confirmed, and a link for a forgotten password.
//! The pages say the same whether or not there is such an account.

use super::destination::Destination;
use super::form::{Fields, Form};
use super::proof;
use super::route::PageRoute;
use super::stop::Stop;
use super::visit::Visit;
use crate::config::Registration as Mode;
use crate::domain::caller::Caller;
use crate::domain::email::{Email, InvalidEmail};
use crate::domain::name::Name;
use crate::error::{Error, FieldError, Refusal};
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::account::register::{Registered, Registration};
use crate::usecase::account::{email, password, register};
use crate::usecase::app::App;
use crate::usecase::app::rate_limit::Budget;
use crate::web::status;
use minijinja::context;

const SIGN_IN: &str = "/auth/sign-in";
const REGISTER: &str = "/auth/register";
const FORGOT: &str = "/auth/forgot-password";
const CONFIRMATION: &str = "/auth/send-confirmation";

pub const ROUTES: &[PageRoute] = &[
    PageRoute {
        lane: Lane::Hash,
        ..PageRoute::for_anyone(REGISTER)
            .get(open)
            .post(submit)
            .turned_away(turned_away)
            .limit(Budget::Register)
    },
    PageRoute::for_anyone(FORGOT)
        .get(|visit| Ok(ask(visit, &RESET, "", None)))
        .post(|visit| send(visit, &RESET))
        .turned_away(|visit, refusal| ask_again(visit, &RESET, refusal))
        .limit(Budget::Mail),
    PageRoute::for_anyone(CONFIRMATION)
        .get(|visit| Ok(ask(visit, &CONFIRM, "", None)))
        .post(|visit| send(visit, &CONFIRM))
        .turned_away(|visit, refusal| ask_again(visit, &CONFIRM, refusal))
        .limit(Budget::Mail),
];

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let destination = Destination::of(visit)?;
    if visit.me.is_some() {
        return Ok(visit.see_other(destination.url()));
    }
    if visit.app.config.registration == Mode::Closed {
        return Err(Refusal::RegistrationClosed.into());
    }
    Ok(show(visit, &destination, 200, None, &[]))
}

fn show(
    visit: &mut Visit<'_>,
    destination: &Destination,
    status: u16,
    typed: Option<&Form>,
    errors: &[(&'static str, String)],
) -> Response {
    let error = |field: &str| {
        errors.iter().find(|(of, _)| *of == field).map(|(_, text)| text.clone()).unwrap_or_default()
    };
    let text = |field: &str| typed.map_or("", |form| form.text(field)).to_owned();
    let page = context! {
        title => visit.text("register.title"),
        action => destination.carried_by(REGISTER),
        sign_in => destination.carried_by(SIGN_IN),
        name => text("name"),
        email => text("email"),
        name_error => error("name"),
        email_error => error("email"),
        password_error => error("password"),
        error => error(FORM),
        min_length => visit.app.config.password.min_length,
    };
    visit.page(status, "register.html", page)
}

const FIELDS: Fields = Fields { required: &["email", "password"], optional: &["name"], lists: &[] };

/// Stands for all fields, where an error is about none of them.
const FORM: &str = "";

fn turned_away(visit: &mut Visit<'_>, refusal: &Refusal) -> Result<Response, Stop> {
    let form = visit.form(FIELDS)?;
    let destination = Destination::of(visit)?;
    let errors = [(FORM, visit.explain(refusal))];
    let response = show(visit, &destination, status::of_refusal(refusal), Some(&form), &errors);
    Ok(visit.and_retry_after(response, refusal))
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(FIELDS)?;
    let destination = Destination::of(visit)?;
    let registered = read(&form).and_then(|new| register::register(visit.app, &visit.caller, &new));
    let refusal = match registered {
        Ok(Registered::Ready(_)) => {
            return Ok(visit.done(destination.carried_by(SIGN_IN), "registered"));
        }
        Ok(Registered::VerificationSent) => {
            return Ok(visit.done(destination.carried_by(SIGN_IN), "register_sent"));
        }
        Err(Error::Refused(refusal)) => refusal,
        Err(error) => return Err(error.into()),
    };
    let errors = match &refusal {
        Refusal::WeakPassword { .. } => vec![("password", visit.explain(&refusal))],
        Refusal::EmailTaken => vec![("email", visit.explain(&refusal))],
        Refusal::Invalid(fields) => fields.iter().map(|field| of_field(visit, field)).collect(),
        _ => return Err(refusal.into()),
    };
    Ok(show(visit, &destination, status::of_refusal(&refusal), Some(&form), &errors))
}

/// The field that an error is about, and what it says.
fn of_field(visit: &Visit<'_>, error: &FieldError) -> (&'static str, String) {
    let field = match error.field.as_str() {
        "name" => "name",
        "password" => "password",
        _ => "email",
    };
    (field, visit.explain(&Refusal::Invalid(vec![error.clone()])))
}

/// What was typed, or everything that is wrong with it.
fn read(form: &Form) -> Result<Registration, Error> {
    let email = Email::parse(form.text("email"));
    let name = Name::parse(form.text("name"));
    let mut wrong = Vec::new();
    if email.is_err() {
        wrong.push(FieldError::new("email", "invalid", InvalidEmail::MESSAGE));
    }
    if let Err(error) = &name {
        wrong.push(FieldError::new("name", error.code(), error.message()));
    }
    let password = proof::new_password(form, "password");
    match (email, name) {
        (Ok(email), Ok(name)) => Ok(Registration { email, name, password: password? }),
        _ => Err(Refusal::Invalid(wrong).into()),
    }
}

/// A page that has a link sent to an address.
struct LinkRequest {
    path: &'static str,
    /// Of its texts.
    section: &'static str,
    /// What the next page says. It doesn't name the address: whoever opens that page may be somebody else.
    notice: &'static str,
    send: fn(&App, &Caller, &Email) -> Result<(), Error>,
}

const RESET: LinkRequest = LinkRequest {
    path: FORGOT,
    section: "forgot_password",
    notice: "reset_sent",
    send: password::request_reset,
};

const CONFIRM: LinkRequest = LinkRequest {
    path: CONFIRMATION,
    section: "send_confirmation",
    notice: "confirmation_sent",
    send: email::request_verification,
};

/// `refusal`: why nothing was sent to what was typed.
fn ask(visit: &mut Visit<'_>, request: &LinkRequest, email: &str, refusal: Option<&Refusal>) -> Response {
    let text = |name: &str| visit.text(&format!("{}.{name}", request.section));
    let page = context! {
        title => text("title"),
        text => text("text"),
        send => text("button"),
        action => request.path,
        email,
        error => refusal.map(|refusal| visit.explain(refusal)).unwrap_or_default(),
    };
    visit.page(refusal.map_or(200, status::of_refusal), "link_request.html", page)
}

fn ask_again(visit: &mut Visit<'_>, request: &LinkRequest, refusal: &Refusal) -> Result<Response, Stop> {
    let form = visit.form(Fields::all(&["email"]))?;
    let response = ask(visit, request, form.text("email"), Some(refusal));
    Ok(visit.and_retry_after(response, refusal))
}

fn send(visit: &mut Visit<'_>, request: &LinkRequest) -> Result<Response, Stop> {
    let form = visit.form(Fields::all(&["email"]))?;
    let Ok(email) = Email::parse(form.text("email")) else {
        let refusal = Refusal::invalid("email", "invalid", InvalidEmail::MESSAGE);
        return Ok(ask(visit, request, form.text("email"), Some(&refusal)));
    };
    (request.send)(visit.app, &visit.caller, &email)?;
    Ok(visit.done(SIGN_IN, request.notice))
}
