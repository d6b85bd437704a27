//! Signing in with accounts at other servers.

use crate::api::answer::{json, logged_in};
use crate::api::call::Call;
use crate::api::route::{self, Access, Route, any_of, nothing};
use crate::api::wire::{Field, Kind, Presence};
use crate::api::{bodies, schema};
use crate::config::Provider;
use crate::error::{Error, Refusal};
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::app::rate_limit::Budget;
use crate::usecase::federation::arrive::{Arrival, Outcome, Returned, arrive};
use crate::usecase::federation::attempt::GoesOn;
use crate::usecase::federation::begin::{self, Begun, Wish};
use crate::usecase::federation::{exchange, identities, providers};
use crate::usecase::signin::login::LoggedIn;
use crate::views;
use crate::web::page_cookies::{self, PageCookie};
use crate::web::parameter::with_parameter;
use crate::web::session_cookie;
use form_urlencoded::Serializer;

const SIGN_IN: &str = "/auth/sign-in";
const IDENTITIES: &str = "/auth/account/identities";

const fn parameter(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, presence: Presence::Optional, about }
}

/// What the sign-in page is told and passes on, to where it leads in the end.
const PASSED_ON: [&str; 3] = ["app", "state", "return_to"];

/// The most of that, in bytes: a longer one leads to the account. Proxies bound a `Location`.
const PASSED_ON_MAX: usize = 3_000;

static START: &[Field] = &[
    parameter(
        "redirect_to",
        Kind::Token,
        "Where the browser goes on to with a code: an entry of redirects.allowed.",
    ),
    parameter(
        "code_challenge",
        Kind::Token,
        "With that: the SHA-256 of your own verifier, in base64url (S256).",
    ),
    parameter("app", Kind::Token, "For authd's own pages: the application that the sign-in page leads to."),
    parameter("state", Kind::Token, "For authd's own pages: what the browser has there."),
    parameter("return_to", Kind::Token, "For authd's own pages: the page that they lead to."),
    parameter("remember", Kind::Flag, "For authd's own pages: stay signed in when the browser is closed."),
    parameter("again", Kind::Flag, "The provider asks once more who it is."),
];

pub static FEDERATION: &[Route] = &[
    Route::get("/api/auth/oauth/providers", "list_providers", Access::Public, list)
        .summary("The providers that people can sign in with")
        .lane(Lane::Short)
        .answers(&[route::json(200, "The providers.", &schema::PROVIDERS)]),
    Route::get("/api/auth/oauth/{provider}/start", "start_sign_in", Access::Public, start)
        .summary(
            "Send a browser to a provider, to sign in; it comes back with a code, or signed in on the pages",
        )
        .lane(Lane::Outbound)
        .limit(Budget::Login)
        .for_browsers()
        .query(START)
        .answers(&[nothing(303, "To the provider.")])
        .problems(&[(404, "not_found"), (502, "provider_failed")]),
    Route::get("/api/auth/oauth/{provider}/callback", "finish_sign_in", Access::Public, callback)
        .summary("Where a provider sends a browser back to")
        .lane(Lane::Outbound)
        .limit(Budget::Login)
        .for_browsers()
        .query(bodies::CALLBACK.fields)
        .answers(&[nothing(303, "To the front end with `code` or `error`, or to the pages.")])
        .problems(&[(400, "state_mismatch"), (404, "not_found")]),
    Route::post("/api/auth/oauth/{provider}/callback", "finish_sign_in_by_form", Access::Public, posted)
        .summary("The same for providers that send a form (response_mode=form_post)")
        .lane(Lane::Short)
        .body(&bodies::CALLBACK)
        .answers(&[nothing(
            303,
            "To the same address, with what the form holds: a browser's cookies go there.",
        )])
        .problems(&[(404, "not_found")]),
    Route::post("/api/auth/oauth/exchange", "exchange_code", Access::Public, exchange_code)
        .summary("Get tokens for the code that a sign-in with a provider ended in")
        .limit(Budget::Login)
        .body(&bodies::CODE_EXCHANGE)
        .answers(&[any_of(200, "A new session, or the second step is due.", schema::FEDERATED)])
        .problems(&[(400, "invalid_token"), (403, "account_disabled")]),
    Route::post("/api/auth/oauth/{provider}/link", "link_identity", Access::User, link)
        .summary("Link an account at a provider to the caller's")
        .fresh()
        .lane(Lane::Outbound)
        .for_browsers()
        .body(&bodies::LINKING)
        .answers(&[route::json(200, "Where the browser goes.", &schema::LINK_BEGUN)])
        .problems(&[(404, "not_found"), (502, "provider_failed")]),
    Route::get("/api/auth/me/identities", "list_identities", Access::User, list_own)
        .summary("The accounts elsewhere that sign in to the caller's")
        .answers(&[route::json(200, "All of them.", &schema::IDENTITIES)]),
    Route::delete("/api/auth/me/identities/{id}", "unlink_identity", Access::User, unlink)
        .summary("Unlink one of them; the roles that it granted go")
        .fresh()
        .answers(&[nothing(204, "It signs in no more.")])
        .problems(&[(404, "not_found"), (409, "last_way_in")]),
];

fn list(app: &App, _: Call) -> Result<Response, Error> {
    Ok(json(200, &views::sign_in_providers(providers::list(app))))
}

fn start(app: &App, mut call: Call) -> Result<Response, Error> {
    let provider = providers::find(app, call.parameter("provider"))?;
    let goes_on = wish(app, &mut call)?;
    let again = call.fields.flag("again");
    let browser = call.provider_cookie.as_deref();
    let wish = Wish { provider, goes_on: goes_on.clone(), again, browser };
    match begin::sign_in(app, &call.caller, wish) {
        Ok(begun) => Ok(keep(see_other(&begun.url), &begun)),
        // The browser is not left with a document for programs, where there is a page to go to.
        Err(Error::Refused(refusal @ Refusal::ProviderFailed)) => Ok(with_error(&goes_on, &refusal)),
        Err(error) => Err(error),
    }
}

/// Where a sign-in is to go on to.
fn wish(app: &App, call: &mut Call) -> Result<GoesOn, Refusal> {
    let text = |call: &mut Call, name| call.fields.optional_token(name).map(|text| text.expose().clone());
    let redirect_to = text(call, "redirect_to");
    let code_challenge = text(call, "code_challenge");
    match (redirect_to, code_challenge) {
        (Some(redirect_to), Some(code_challenge)) => Ok(GoesOn::FrontEnd { redirect_to, code_challenge }),
        (Some(_), None) => {
            let message =
                "with redirect_to the challenge of a verifier of your own is needed (S256, RFC 7636)";
            Err(Refusal::invalid("code_challenge", "missing", message))
        }
        (None, _) if app.config.pages.enabled => {
            let mut query = Serializer::new(String::new());
            for name in PASSED_ON {
                if let Some(value) = text(call, name) {
                    query.append_pair(name, &value);
                }
            }
            let query = Some(query.finish()).filter(|query| query.len() <= PASSED_ON_MAX).unwrap_or_default();
            Ok(GoesOn::Pages { query, remember: call.fields.flag("remember") })
        }
        (None, _) => Err(no_pages()),
    }
}

fn no_pages() -> Refusal {
    let message = "there are no pages here to come back to (pages.enabled); say where the browser goes on";
    Refusal::invalid("redirect_to", "missing", message)
}

fn callback(app: &App, mut call: Call) -> Result<Response, Error> {
    let provider = providers::find(app, call.parameter("provider"))?;
    let mut text = |name| call.fields.optional_token(name).map(|text| text.expose().clone());
    let (state, code) = (text("state").unwrap_or_default(), text("code"));
    let (iss, error, user) = (text("iss"), text("error"), text("user"));
    let returned = Returned {
        state: &state,
        code: code.as_deref(),
        error: error.as_deref(),
        iss: iss.as_deref(),
        user: user.as_deref(),
        browser: call.provider_cookie.as_deref(),
    };
    match arrive(app, &call.caller, provider, &returned) {
        Ok(arrival) => go_on(app, arrival),
        Err(Error::Refused(refusal @ Refusal::StateMismatch)) if app.config.pages.enabled => {
            Ok(with_error(&GoesOn::Pages { query: String::new(), remember: false }, &refusal))
        }
        Err(error) => Err(error),
    }
}

fn go_on(app: &App, arrival: Arrival) -> Result<Response, Error> {
    let Arrival { goes_on, outcome } = arrival;
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(Error::Refused(refusal)) => return Ok(with_error(&goes_on, &refusal)),
        Err(error) => return Err(error),
    };
    Ok(match (outcome, goes_on) {
        (Outcome::Code(code), GoesOn::FrontEnd { redirect_to, .. }) => {
            see_other(&with_parameter(&redirect_to, "code", code.expose()))
        }
        (Outcome::Linked, GoesOn::Linked { redirect_to: Some(redirect_to) }) => see_other(&redirect_to),
        (Outcome::LoggedIn(logged_in), GoesOn::Pages { query, remember }) => {
            // What somebody else began in this browser is not theirs to finish.
            let response =
                see_other(&page(SIGN_IN, &query)).header("set-cookie", PageCookie::Handover.clear());
            match logged_in {
                LoggedIn::Started(started) => {
                    session_cookie::set(response, &started.session_cookie(app, remember))
                }
                LoggedIn::SecondStep(ticket, _) | LoggedIn::PasswordChange(ticket) => {
                    let cookie = PageCookie::Ticket.set(page_cookies::ticket(&ticket, remember));
                    response.header("set-cookie", cookie)
                }
            }
        }
        (Outcome::AddressDue(carried), _) => {
            see_other("/auth/complete").header("set-cookie", PageCookie::Handover.set(carried))
        }
        (Outcome::Linked, _) => {
            see_other(IDENTITIES).header("set-cookie", PageCookie::Notice.set("identity_linked"))
        }
        (Outcome::Code(_) | Outcome::LoggedIn(_), _) => see_other(SIGN_IN),
    })
}

/// What went wrong goes where the sign-in would have gone.
fn with_error(goes_on: &GoesOn, refusal: &Refusal) -> Response {
    let place = match goes_on {
        GoesOn::FrontEnd { redirect_to, .. } | GoesOn::Linked { redirect_to: Some(redirect_to) } => {
            redirect_to.clone()
        }
        GoesOn::Pages { query, .. } => page(SIGN_IN, query),
        GoesOn::Linked { redirect_to: None } => IDENTITIES.to_owned(),
    };
    see_other(&with_parameter(&place, "error", refusal.code()))
}

/// A browser that comes by a form of another site's brings no cookies: it is sent here once more, by GET.
fn posted(app: &App, mut call: Call) -> Result<Response, Error> {
    let provider = providers::find(app, call.parameter("provider"))?;
    let mut query = Serializer::new(String::new());
    for Field { name, .. } in bodies::CALLBACK.fields {
        if let Some(value) = call.fields.optional_token(name) {
            query.append_pair(name, value.expose());
        }
    }
    Ok(see_other(&page(&provider.callback_path(), &query.finish())))
}

fn exchange_code(app: &App, mut call: Call) -> Result<Response, Error> {
    let (code, verifier) = (call.fields.token("code"), call.fields.token("code_verifier"));
    let so_far = exchange::exchange(app, &call.caller, code.expose(), &verifier)?;
    logged_in(app, call.token_transport, so_far)
}

fn link(app: &App, mut call: Call) -> Result<Response, Error> {
    let provider: &Provider = providers::find(app, call.parameter("provider"))?;
    let redirect_to = call.fields.optional_token("redirect_to").map(|text| text.expose().clone());
    if redirect_to.is_none() && !app.config.pages.enabled {
        return Err(no_pages().into());
    }
    let browser = call.provider_cookie.as_deref();
    let wish = Wish { provider, goes_on: GoesOn::Linked { redirect_to }, again: false, browser };
    let begun = begin::link(app, &call.caller, wish)?;
    Ok(keep(json(200, &views::link_begun(&begun.url)), &begun))
}

fn list_own(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::own_identities(&identities::list_own(app, &call.caller)?)))
}

fn unlink(app: &App, call: Call) -> Result<Response, Error> {
    identities::unlink_own(app, &call.caller, call.parameter("id"))?;
    Ok(Response::empty(204))
}

/// Has the browser keep what it is known by when it is back.
fn keep(response: Response, begun: &Begun) -> Response {
    response.header("set-cookie", PageCookie::Provider.set(begun.browser.expose()))
}

fn see_other(location: &str) -> Response {
    Response::empty(303).header("location", location.to_owned())
}

fn page(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
