//! Proving once more who one is, where a page wants a fresh login; then on to that page.

use super::mistake;
use super::mistake::Mistake;
use crate::error::{Error, Refusal};
use crate::pages::form::{Fields, Form};
use crate::pages::passkeys;
use crate::pages::proof;
use crate::pages::providers::{error_of_provider, way_in};
use crate::pages::return_to::{ACCOUNT, own_page};
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::me;
use crate::usecase::federation::{identities, providers};
use crate::usecase::session::browser::SessionCookie;
use crate::usecase::session::reauthenticate::{reauthenticate, reauthenticate_by_passkey};
use crate::web::session_cookie;
use form_urlencoded::Serializer;
use minijinja::{Value, context};

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
    let ways = ways_in(visit, &query)?;
    let account = &visit.signed_in()?.account;
    let page = context! {
        has_password => me::has_password(visit.app, &visit.caller)?,
        ways,
        provider_error => error_of_provider(visit),
        title => visit.text("confirm.title"),
        action => format!("{CONFIRM}?{query}"),
        email => account.email.as_str(),
        two_factor => account.has_two_factor(),
        app_code => account.totp_at.is_some(),
        passkey => passkeys::alone_by_own(visit)?,
    };
    Ok(mistake::show(visit, mistake, "confirm.html", page))
}

/// The providers whose identities are linked: to come back from one is as good as a password. They ask once
/// more who it is, however long they have known them.
fn ways_in(visit: &Visit<'_>, query: &str) -> Result<Vec<Value>, Stop> {
    let linked = identities::list_own(visit.app, &visit.caller)?;
    let known = providers::list(visit.app)
        .iter()
        .filter(|provider| linked.iter().any(|identity| identity.provider == provider.name));
    Ok(known.map(|provider| way_in(provider, |path| format!("{path}?{query}&again=true"))).collect())
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    const FIELDS: Fields = Fields {
        required: &[],
        optional: &["password", "code", "recovery_code", "ceremony", "credential"],
        lists: &[],
    };
    let form = visit.form(FIELDS)?;
    match confirm(visit, &form) {
        Ok(cookie) => {
            let response = visit.see_other(destination(visit));
            Ok(cookie.iter().fold(response, session_cookie::set))
        }
        Err(Error::Refused(Refusal::WrongPassword)) if form.has("ceremony") => {
            let mistake = Mistake::said(visit, 401, "passkeys.refused");
            show(visit, Some(&mistake))
        }
        Err(Error::Refused(refusal)) => {
            let mistake = Mistake::of(visit, refusal)?;
            show(visit, Some(&mistake))
        }
        Err(error) => Err(error.into()),
    }
}

fn confirm(visit: &Visit<'_>, form: &Form) -> Result<Option<SessionCookie>, Error> {
    if let Some(shown) = proof::passkey(form) {
        return reauthenticate_by_passkey(visit.app, &visit.caller, &shown);
    }
    let (password, factor) = (proof::password(form)?, proof::factor(form));
    reauthenticate(visit.app, &visit.caller, Some(&password), factor.as_ref())
}
