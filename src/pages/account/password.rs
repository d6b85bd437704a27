//! Another password for the account, and where password managers ask for that page.

use super::mistake;
use super::mistake::Mistake;
use crate::error::Error;
use crate::pages::form::{Fields, Form};
use crate::pages::passkeys;
use crate::pages::proof;
use crate::pages::return_to::ACCOUNT;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::{me, password};
use crate::usecase::session::browser::SessionCookie;
use crate::web::session_cookie;
use minijinja::context;

const PASSWORD: &str = "/auth/account/password";

pub const ROUTES: &[PageRoute] = &[
    PageRoute::for_signed_in(PASSWORD).get(open).post(submit).checks_credentials(),
    // A Well-Known URL for Changing Passwords, W3C.
    PageRoute::for_anyone("/.well-known/change-password").get(lead_here),
];

fn lead_here(_: &mut Visit<'_>) -> Result<Response, Stop> {
    Ok(Response::empty(302).header("location", PASSWORD))
}

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    show(visit, None)
}

fn show(visit: &mut Visit<'_>, mistake: Option<&Mistake>) -> Result<Response, Stop> {
    let account = &visit.signed_in()?.account;
    let page = context! {
        app_code => account.totp_at.is_some(),
        passkey => passkeys::own_factor(visit)?,
        title => visit.text("account_password.title"),
        has_password => me::has_password(visit.app, &visit.caller)?,
        email => account.email.as_str(),
        two_factor => account.has_two_factor(),
        min_length => visit.app.config.password.min_length,
    };
    Ok(mistake::show(visit, mistake, "account_password.html", page))
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    const FIELDS: Fields = Fields {
        required: &["password", "new_password", "new_password_again"],
        optional: &["code", "recovery_code", "ceremony", "credential"],
        lists: &[],
    };
    let form = visit.form(FIELDS)?;
    if form.secret("new_password") != form.secret("new_password_again") {
        let mistake = Mistake::not_the_same(visit);
        return show(visit, Some(&mistake));
    }
    match change(visit, &form) {
        Ok(cookie) => Ok(session_cookie::set(visit.done(ACCOUNT, "password_changed"), &cookie)),
        Err(Error::Refused(refusal)) => {
            let mistake = Mistake::of_factor(visit, refusal, &form)?;
            show(visit, Some(&mistake))
        }
        Err(error) => Err(error.into()),
    }
}

/// Changes it; the session goes on with the cookie that this gives.
fn change(visit: &Visit<'_>, form: &Form) -> Result<SessionCookie, Error> {
    let change = password::Change {
        current: proof::password(form)?,
        new: proof::new_password(form, "new_password")?,
        factor: proof::factor(form),
    };
    let remembered = visit.me.as_ref().is_some_and(|me| me.carrier.is_remembered());
    let started = password::change(visit.app, &visit.caller, &change)?;
    Ok(started.session_cookie(visit.app, remembered))
}
