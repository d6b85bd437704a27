//! Signing in by a mail alone: the browser that asks keeps a secret in a cookie, and signs in with the link
//! that comes, or with the code beside it. Opened elsewhere the link shows the code, and signs nobody in;
//! opening it spends nothing.

use super::destination::Destination;
use super::form::Fields;
use super::proof;
use super::route::PageRoute;
use super::sign_in::{self, SEND_MAGIC_LINK};
use super::stop::Stop;
use super::visit::Visit;
use crate::domain::email::{Email, InvalidEmail};
use crate::domain::secret::Secret;
use crate::error::{Error, Refusal};
use crate::transport::message::Response;
use crate::usecase::app::rate_limit::Budget;
use crate::usecase::signin::magic_link::{self, Mailed, Opened};
use crate::web::page_cookies::{self, PageCookie};
use crate::web::status;
use minijinja::context;

const SIGN_IN: &str = "/auth/sign-in";
const CODE: &str = "/auth/magic-link-code";
/// Where the link in the mail leads.
pub const LINK: &str = "/auth/magic-link";

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_anyone(SEND_MAGIC_LINK)
        .post(send)
        .turned_away(sign_in::turned_away)
        .limit(Budget::Mail)
        .form_on(SIGN_IN),
    PageRoute::for_anyone(CODE).get(ask).post(submit).turned_away(turned_away).limit(Budget::Login),
];

/// The longest way on that the cookie holds, in bytes: browsers keep 4,096 of a cookie.
const WAY_ON_MAX: usize = 3_000;

/// What a browser that waits for its mail keeps.
struct Asked {
    request: Secret<String>,
    remember: bool,
    /// Where it goes once it is signed in.
    destination: Destination,
}

impl Asked {
    /// That of the visitor's browser. `None`: it has asked for none, or too long ago.
    fn of(visit: &Visit<'_>) -> Result<Option<Self>, Stop> {
        let Some(cookie) = visit.cookie(PageCookie::MagicLink)? else {
            return Ok(None);
        };
        let (secret, way_on) = cookie.split_once('?').unwrap_or((cookie, ""));
        let (request, remember) = page_cookies::read_ticket(secret);
        let destination = Destination::of_query(visit, way_on)?;
        Ok(Some(Self { request: Secret::new(request.to_owned()), remember, destination }))
    }

    fn keep(&self, visit: &mut Visit<'_>) {
        // Encoded as a form is, it holds nothing that a cookie can't.
        let way_on = self.destination.carried_by("");
        let way_on = if way_on.len() > WAY_ON_MAX { "" } else { &way_on };
        let request = page_cookies::ticket(&self.request, self.remember);
        visit.set_cookie(PageCookie::MagicLink, &format!("{request}{way_on}"));
    }
}

/// Has the mail sent to the address on the sign-in page.
fn send(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    const FIELDS: Fields = Fields { required: &["email"], optional: &["password", "remember"], lists: &[] };
    magic_link::require_enabled(visit.app)?;
    let form = visit.form(FIELDS)?;
    let destination = Destination::of(visit)?;
    let Ok(email) = Email::parse(form.text("email")) else {
        let refusal = Refusal::invalid("email", "invalid", InvalidEmail::MESSAGE);
        return Ok(sign_in::complain_from_the_front(visit, &destination, &form, &refusal));
    };
    let request = magic_link::request(visit.app, &visit.caller, &email)?;
    Asked { request, remember: form.has("remember"), destination }.keep(visit);
    Ok(visit.see_other(CODE))
}

/// The page that says where to look, with a field for the code.
fn ask(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    magic_link::require_enabled(visit.app)?;
    match Asked::of(visit)? {
        Some(asked) if visit.me.is_none() => Ok(show(visit, &asked, 200, "")),
        Some(asked) => Ok(visit.see_other(asked.destination.url())),
        None => Ok(visit.see_other(SIGN_IN)),
    }
}

fn show(visit: &mut Visit<'_>, asked: &Asked, status: u16, error: &str) -> Response {
    visit.let_forms_lead_to(asked.destination.foreign_origin());
    let page = context! {
        title => visit.text("magic_link.title"),
        text => visit.text("magic_link.text"),
        code => "",
        action => CODE,
        back => asked.destination.carried_by(SIGN_IN),
        error,
    };
    visit.page(status, "magic_link.html", page)
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(Fields::all(&["code"]))?;
    let Some(asked) = Asked::of(visit)? else {
        let destination = Destination::of(visit)?;
        return Ok(sign_in::complain_from_the_front(visit, &destination, &form, &Refusal::InvalidTicket));
    };
    visit.replace_sessions()?;
    let refusal = match confirm(visit, &asked, &Mailed::Code(proof::code(&form))) {
        Ok(response) => return Ok(response),
        Err(Error::Refused(refusal)) => refusal,
        Err(error) => return Err(error.into()),
    };
    match &refusal {
        Refusal::InvalidLink if magic_link::is_waiting(visit.app, asked.request.expose())? => {
            let text = visit.text("magic_link.wrong");
            Ok(show(visit, &asked, 401, text))
        }
        Refusal::InvalidLink => {
            visit.clear_cookie(PageCookie::MagicLink);
            let refusal = Refusal::InvalidTicket;
            Ok(sign_in::complain_from_the_front(visit, &asked.destination, &form, &refusal))
        }
        Refusal::TooManyAttempts { .. } => Ok(show_too_many(visit, &asked, &refusal)),
        _ => Err(refusal.into()),
    }
}

fn show_too_many(visit: &mut Visit<'_>, asked: &Asked, refusal: &Refusal) -> Response {
    let text = visit.explain(refusal);
    let response = show(visit, asked, status::of_refusal(refusal), &text);
    visit.and_retry_after(response, refusal)
}

fn turned_away(visit: &mut Visit<'_>, refusal: &Refusal) -> Result<Response, Stop> {
    visit.form(Fields::all(&["code"]))?;
    match Asked::of(visit)? {
        Some(asked) => Ok(show_too_many(visit, &asked, refusal)),
        None => Err(refusal.clone().into()),
    }
}

/// Signs in with what came in the mail. Sessions that the browser has already are to be replaced.
fn confirm(visit: &mut Visit<'_>, asked: &Asked, mailed: &Mailed) -> Result<Response, Error> {
    let confirmed = magic_link::confirm(visit.app, &visit.caller, asked.request.expose(), mailed)?;
    visit.clear_cookie(PageCookie::MagicLink);
    if confirmed.password_voided {
        visit.set_cookie(PageCookie::Notice, "password_voided");
    }
    Ok(sign_in::go_on(visit, confirmed.logged_in, asked.remember, &asked.destination))
}

/// The page behind the link: its button signs in where it was asked for; elsewhere there is the code.
pub fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    magic_link::require_enabled(visit.app)?;
    match visit.link_token() {
        Some(token) => look_at(visit, &token),
        None => Ok(visit.message(400, "incomplete_link", None)),
    }
}

fn look_at(visit: &mut Visit<'_>, token: &Secret<String>) -> Result<Response, Stop> {
    let asked = Asked::of(visit)?;
    let request = asked.as_ref().map(|asked| asked.request.expose().as_str());
    match magic_link::peek(visit.app, token.expose(), request)? {
        Some(Opened::Here(account)) => {
            let to = asked.as_ref().and_then(|asked| asked.destination.foreign_origin());
            visit.let_forms_lead_to(to);
            let page = context! {
                title => visit.text("sign_in.password_title"),
                text => visit.text("magic_link.here"),
                button_text => visit.text("sign_in.button"),
                action => LINK,
                token => token.expose().as_str(),
                account => account.as_str(),
                registrant => (),
                current_password => false,
                min_length => (),
                complaint => "",
            };
            Ok(visit.page(200, "link.html", page))
        }
        Some(Opened::Elsewhere(code)) => {
            let (first, second) = code.expose().split_at_checked(4).unwrap_or_default();
            let page = context! {
                title => visit.text("field.code"),
                text => visit.text("magic_link.elsewhere"),
                code => format!("{first} {second}"),
                error => "",
            };
            Ok(visit.page(200, "magic_link.html", page))
        }
        None => Ok(dead(visit)),
    }
}

fn dead(visit: &mut Visit<'_>) -> Response {
    let text = visit.text("magic_link.dead").to_owned();
    visit.message(400, "dead_link", Some(text))
}

/// What the button of the link's page does. In another browser than the one that asked it shows the code.
pub fn press(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    magic_link::require_enabled(visit.app)?;
    let form = visit.form_of_link(Fields::all(&["token"]))?;
    let token = form.secret("token");
    let Some(asked) = Asked::of(visit)? else {
        return look_at(visit, &token);
    };
    visit.replace_sessions()?;
    match confirm(visit, &asked, &Mailed::Token(token.clone())) {
        Err(Error::Refused(Refusal::InvalidLink)) => look_at(visit, &token),
        result => Ok(result?),
    }
}
