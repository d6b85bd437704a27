//! Signing in: address and password, then, on the same page, what else is due: a second factor, or a password
//! that must be changed. Signing out.
//!
//! A sign-in that is half done is a ticket in a cookie, so that no page holds it and a reload repeats
//! nothing.

use super::destination::Destination;
use super::form::{Fields, Form};
use super::gate;
use super::passkeys;
use super::proof;
use super::providers::{confirm_before, error_of_provider, refusal_of_provider, way_in};
use super::route::PageRoute;
use super::stop::Stop;
use super::visit::Visit;
use crate::domain::email::Email;
use crate::domain::password::Password;
use crate::domain::secret::Secret;
use crate::error::{Error, Refusal};
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::account::required_change;
use crate::usecase::federation::providers;
use crate::usecase::signin::factor::Factor;
use crate::usecase::signin::login::{
    self, Credentials, LoggedIn, PASSWORD_TICKET_PREFIX, Started, TICKET_PREFIX,
};
use crate::usecase::signin::passkey;
use crate::usecase::signin::second_factor;
use crate::web::page_cookies::{self, PageCookie};
use crate::web::parameter::with_parameter;
use crate::web::{session_cookie, status};
use minijinja::{Value, context};

const SIGN_IN: &str = "/auth/sign-in";

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_anyone("/auth/").get(home),
    PageRoute::for_anyone(SIGN_IN)
        .get(open)
        .post(submit)
        .turned_away(turned_away)
        .checks_credentials()
        .opens_in(Lane::Write),
];

fn home(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    Ok(visit.see_other(if visit.me.is_some() { "/auth/account" } else { SIGN_IN }))
}

/// What is due of a sign-in that is half done.
#[derive(Debug)]
struct HalfDone {
    ticket: Secret<String>,
    step: Step,
    remember: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Code,
    NewPassword,
}

impl HalfDone {
    /// That of the visitor's browser. `None`: it has none.
    fn of(visit: &Visit<'_>) -> Option<Self> {
        let cookie = visit.cookie(PageCookie::Ticket).ok().flatten()?;
        let (ticket, remember) = page_cookies::read_ticket(cookie);
        let step = if ticket.starts_with(TICKET_PREFIX) {
            Step::Code
        } else if ticket.starts_with(PASSWORD_TICKET_PREFIX) {
            Step::NewPassword
        } else {
            return None;
        };
        Some(Self { ticket: Secret::new(ticket.to_owned()), step, remember })
    }
}

/// What a page takes besides a password, or after it.
struct Ways {
    /// Whether the code of an app is asked for.
    app_code: bool,
    /// For the template. `None`: no passkey can be used.
    passkey: Option<Value>,
}

impl Ways {
    /// Where it can't be said what there is, it is a code: whatever is wrong shows when it is sent.
    fn of(visit: &Visit<'_>, half_done: Option<&HalfDone>) -> Self {
        let Some(half_done) = half_done else {
            return Self { app_code: false, passkey: passkeys::alone(visit).unwrap_or_default() };
        };
        let ticket = half_done.ticket.expose();
        let methods = second_factor::methods(visit.app, ticket).unwrap_or_default();
        Self {
            app_code: methods.is_none_or(|methods| methods.totp),
            passkey: passkeys::factor_of_ticket(visit, ticket).unwrap_or_default(),
        }
    }

    const fn are_none(&self) -> bool {
        !self.app_code && self.passkey.is_none()
    }
}

/// A page that comes back with what is wrong.
#[derive(Debug, Default)]
struct Complaint {
    status: u16,
    text: String,
    /// The address that was typed.
    email: String,
    /// Whether the box was ticked.
    remember: bool,
    /// Whether the address waits to be confirmed, so that a new mail may help.
    unconfirmed: bool,
    /// Whether it is about a passkey, and not about what was typed.
    by_passkey: bool,
}

/// Where the form leads that has a mail sent to sign in with.
pub(super) const SEND_MAGIC_LINK: &str = "/auth/send-magic-link";

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let destination = Destination::of(visit)?;
    // Somebody who proves once more who they are may be signed in, and asked for the second step.
    let half_done = HalfDone::of(visit);
    if visit.me.is_some() && half_done.is_none() {
        // Something went wrong on the way to prove once more who it is, before a page.
        if let (Destination::OwnPage(page), Some(refusal)) = (&destination, refusal_of_provider(visit)) {
            return Ok(visit.see_other(confirm_before(page, &refusal)));
        }
        return match &destination {
            Destination::App(app) => gate::go_on(visit, app),
            destination => Ok(visit.see_other(destination.url())),
        };
    }
    if half_done.is_some() && visit.query("again").is_some() {
        visit.clear_cookie(PageCookie::Ticket);
        return Ok(visit.see_other(destination.carried_by(SIGN_IN)));
    }
    let page = show(visit, half_done.as_ref(), &destination, None);
    let is_dead = visit.me.is_none() && visit.has_session_cookie();
    Ok(if is_dead { session_cookie::clear(page) } else { page })
}

fn show(
    visit: &mut Visit<'_>,
    half_done: Option<&HalfDone>,
    destination: &Destination,
    complaint: Option<Complaint>,
) -> Response {
    let step = match half_done.map(|half_done| half_done.step) {
        None => "password",
        Some(Step::Code) => "code",
        Some(Step::NewPassword) => "new_password",
    };
    let status = complaint.as_ref().map_or(200, |complaint| complaint.status);
    let Complaint { text, email, remember, unconfirmed, by_passkey, .. } = complaint.unwrap_or_default();
    let action = destination.carried_by(SIGN_IN);
    let ways = Ways::of(visit, half_done);
    visit.let_forms_lead_to(destination.foreign_origin());
    let page = context! {
        title => visit.text(&format!("sign_in.{step}_title")),
        providers => ways_in(visit, destination),
        step,
        again => with_parameter(&action, "again", "1"),
        register => destination.carried_by("/auth/register"),
        app_host => destination.app_host(),
        email,
        remember,
        unconfirmed => unconfirmed || refusal_of_provider(visit) == Some(Refusal::EmailNotVerified),
        provider_error => text.is_empty().then(|| error_of_provider(visit)).flatten(),
        error => text,
        by_passkey,
        app_code => ways.app_code,
        recovery => visit.query("recovery").is_some() || (half_done.is_some() && ways.are_none()),
        has_other_way => !ways.are_none(),
        passkey => ways.passkey,
        recovery_link => with_parameter(&action, "recovery", "1"),
        min_length => visit.app.config.password.min_length,
        magic_link => visit.app.config.magic_link.enabled.then(|| destination.carried_by(SEND_MAGIC_LINK)),
        action,
    };
    visit.page(status, "sign_in.html", page)
}

const FIELDS: Fields = Fields {
    required: &[],
    optional: &[
        "email",
        "password",
        "remember",
        "code",
        "recovery_code",
        "new_password",
        "new_password_again",
        "alone",
        "ceremony",
        "credential",
    ],
    lists: &[],
};

/// Whether a form begins a sign-in, whatever another window has half done.
fn begins(form: &Form) -> bool {
    form.has("password") || form.has("alone")
}

/// The page again, where its form was sent too often.
pub(super) fn turned_away(visit: &mut Visit<'_>, refusal: &Refusal) -> Result<Response, Stop> {
    let form = visit.form(FIELDS)?;
    let destination = Destination::of(visit)?;
    let half_done = if begins(&form) { None } else { HalfDone::of(visit) };
    Ok(complain(visit, half_done, &destination, &form, refusal))
}

/// The providers that somebody can sign in with, each with where that begins.
fn ways_in(visit: &Visit<'_>, destination: &Destination) -> Vec<Value> {
    let all = providers::list(visit.app).iter();
    all.map(|provider| way_in(provider, |path| destination.carried_by(path))).collect()
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(FIELDS)?;
    let destination = Destination::of(visit)?;
    visit.replace_sessions()?;
    let half_done = if begins(&form) { None } else { HalfDone::of(visit) };
    let submitted = match &half_done {
        None if form.has("alone") => with_passkey(visit, &form),
        // The browser has dropped the ticket together with its time.
        None if !form.has("password") => Err(Refusal::InvalidTicket.into()),
        None => with_password(visit, &form),
        Some(half_done) => match half_done.step {
            Step::Code => with_code(visit, half_done, &form),
            Step::NewPassword => with_new_password(visit, half_done, &form),
        },
    };
    match submitted {
        Ok(Next::SignedIn(started, remember)) => Ok(signed_in(visit, *started, remember, &destination)),
        Ok(Next::Step(ticket, remember)) => Ok(half_done_with(visit, &ticket, remember, &destination)),
        Ok(Next::NotTheSame) => {
            let text = visit.text("password.not_the_same").to_owned();
            let complaint = Complaint { status: 422, text, ..Complaint::default() };
            Ok(show(visit, half_done.as_ref(), &destination, Some(complaint)))
        }
        Err(Error::Refused(refusal)) => Ok(complain(visit, half_done, &destination, &form, &refusal)),
        Err(error) => Err(error.into()),
    }
}

/// What comes of a step.
enum Next {
    SignedIn(Box<Started>, bool),
    /// Another step is due, with this ticket.
    Step(Secret<String>, bool),
    /// The two passwords are not the same.
    NotTheSame,
}

impl Next {
    fn of(logged_in: LoggedIn, remember: bool) -> Self {
        match logged_in {
            LoggedIn::Started(started) => Self::SignedIn(started, remember),
            LoggedIn::SecondStep(ticket, _) | LoggedIn::PasswordChange(ticket) => {
                Self::Step(ticket, remember)
            }
        }
    }
}

fn with_password(visit: &mut Visit<'_>, form: &Form) -> Result<Next, Error> {
    // What can be no address or password belongs to nobody; the API says as much.
    let wrong = || Error::from(Refusal::InvalidCredentials);
    let email = Email::parse(form.text("email")).map_err(|_| wrong())?;
    let password = Password::new(form.secret("password").expose()).map_err(|_| wrong())?;
    let logged_in = login::login(visit.app, &visit.caller, &Credentials { email, password })?;
    Ok(Next::of(logged_in, form.has("remember")))
}

fn with_passkey(visit: &mut Visit<'_>, form: &Form) -> Result<Next, Error> {
    let shown = proof::passkey(form).ok_or(Refusal::InvalidCredentials)?;
    let started = passkey::login::finish(visit.app, &visit.caller, &shown)?;
    Ok(Next::SignedIn(Box::new(started), form.has("remember")))
}

fn with_code(visit: &mut Visit<'_>, half_done: &HalfDone, form: &Form) -> Result<Next, Error> {
    let factor = if form.has("recovery_code") {
        Factor::RecoveryCode(Secret::new(form.text("recovery_code").to_owned()))
    } else if let Some(shown) = proof::passkey(form) {
        Factor::Passkey(Box::new(shown))
    } else {
        Factor::Code(proof::code(form))
    };
    let logged_in = second_factor::verify(visit.app, &visit.caller, half_done.ticket.expose(), &factor)?;
    Ok(Next::of(logged_in, half_done.remember))
}

fn with_new_password(visit: &mut Visit<'_>, half_done: &HalfDone, form: &Form) -> Result<Next, Error> {
    let (first, second) = (form.secret("new_password"), form.secret("new_password_again"));
    if first != second {
        return Ok(Next::NotTheSame);
    }
    let new = proof::new_password(form, "new_password")?;
    let started =
        required_change::change_required(visit.app, &visit.caller, half_done.ticket.expose(), &new)?;
    Ok(Next::SignedIn(Box::new(started), half_done.remember))
}

/// Goes on with somebody whose first factor was right, whichever it was.
pub(super) fn go_on(
    visit: &mut Visit<'_>,
    logged_in: LoggedIn,
    remember: bool,
    destination: &Destination,
) -> Response {
    match logged_in {
        LoggedIn::Started(started) => signed_in(visit, *started, remember, destination),
        LoggedIn::SecondStep(ticket, _) | LoggedIn::PasswordChange(ticket) => {
            half_done_with(visit, &ticket, remember, destination)
        }
    }
}

fn half_done_with(
    visit: &mut Visit<'_>,
    ticket: &Secret<String>,
    remember: bool,
    destination: &Destination,
) -> Response {
    visit.set_cookie(PageCookie::Ticket, &page_cookies::ticket(ticket, remember));
    visit.see_other(destination.carried_by(SIGN_IN))
}

/// The page again, with what is wrong, where nothing is half done.
pub(super) fn complain_from_the_front(
    visit: &mut Visit<'_>,
    destination: &Destination,
    form: &Form,
    refusal: &Refusal,
) -> Response {
    complain(visit, None, destination, form, refusal)
}

/// Goes on with somebody who has shown all that is asked for.
pub(super) fn signed_in(
    visit: &mut Visit<'_>,
    started: Started,
    remember: bool,
    destination: &Destination,
) -> Response {
    if visit.cookie(PageCookie::Ticket).is_ok_and(|ticket| ticket.is_some()) {
        visit.clear_cookie(PageCookie::Ticket);
    }
    visit.clear_cookie(PageCookie::Form);
    let cookie = started.session_cookie(visit.app, remember);
    session_cookie::set(visit.see_other(destination.url()), &cookie)
}

/// Whether another code may be tried. Where that can't be said, it is tried.
fn is_open(visit: &Visit<'_>, half_done: &HalfDone) -> bool {
    second_factor::methods(visit.app, half_done.ticket.expose()).map_or(true, |methods| methods.is_some())
}

/// The page again, with what is wrong. A ticket that is burnt or too old begins from the front.
fn complain(
    visit: &mut Visit<'_>,
    half_done: Option<HalfDone>,
    destination: &Destination,
    form: &Form,
    refusal: &Refusal,
) -> Response {
    let is_over = matches!(refusal, Refusal::InvalidTicket | Refusal::AccountDisabled)
        || (*refusal == Refusal::InvalidCode
            && half_done.as_ref().is_some_and(|half_done| !is_open(visit, half_done)));
    let by_passkey = form.has("ceremony");
    let (half_done, text) = if is_over && (half_done.is_some() || *refusal == Refusal::InvalidTicket) {
        visit.clear_cookie(PageCookie::Ticket);
        let text = match refusal {
            Refusal::AccountDisabled => visit.explain(refusal),
            _ => visit.text("sign_in.from_the_front").to_owned(),
        };
        (None, text)
    } else {
        let is_wrong = matches!(refusal, Refusal::InvalidCredentials | Refusal::InvalidCode);
        let text = if by_passkey && is_wrong {
            visit.text("passkeys.refused").to_owned()
        } else {
            visit.explain(refusal)
        };
        (half_done, text)
    };
    let complaint = Complaint {
        status: if *refusal == Refusal::InvalidTicket { 401 } else { status::of_refusal(refusal) },
        text,
        email: form.text("email").to_owned(),
        remember: form.has("remember"),
        unconfirmed: *refusal == Refusal::EmailNotVerified,
        by_passkey,
    };
    let response = show(visit, half_done.as_ref(), destination, Some(complaint));
    visit.and_retry_after(response, refusal)
}
