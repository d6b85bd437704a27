//! Recovery codes: shown once, after they were made; how many are left; new ones.

use super::mistake;
use super::mistake::Mistake;
use super::two_factor::lead_to_codes;
use super::{RECOVERY_CODES, TWO_FACTOR};
use crate::error::{Error, Refusal};
use crate::pages::form::Fields;
use crate::pages::passkeys;
use crate::pages::proof;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::two_factor;
use crate::web::session_cookie;
use minijinja::context;

pub const ROUTES: &[PageRoute] =
    &[PageRoute::for_signed_in(RECOVERY_CODES).get(open).post(submit).checks_credentials()];

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let Some(handed) = visit.handed_once(RECOVERY_CODES) else {
        visit.require_fresh()?;
        return show(visit, None);
    };
    let codes: Vec<_> = handed.expose().lines().map(str::to_owned).collect();
    let page = context! {
        title => visit.text("recovery_codes.new_title"),
        email => visit.signed_in()?.account.email.as_str(),
        // Groups of letters and digits: nothing in them that a URL would have to escape.
        file => codes.join("%0A"),
        codes,
    };
    Ok(visit.page(200, "recovery_codes_once.html", page))
}

fn show(visit: &mut Visit<'_>, mistake: Option<&Mistake>) -> Result<Response, Stop> {
    let factor = two_factor::status(visit.app, &visit.caller)?;
    let account = &visit.signed_in()?.account;
    if !account.has_two_factor() {
        return Ok(visit.see_other(TWO_FACTOR));
    }
    let page = context! {
        title => visit.text("recovery_codes.title"),
        left => factor.recovery_codes_left,
        app_code => account.totp_at.is_some(),
        passkey => passkeys::own_factor(visit)?,
    };
    Ok(mistake::show(visit, mistake, "recovery_codes.html", page))
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    const FIELDS: Fields =
        Fields { required: &[], optional: &["code", "recovery_code", "ceremony", "credential"], lists: &[] };
    let form = visit.form(FIELDS)?;
    let new = proof::factor(&form)
        .ok_or(Error::from(Refusal::InvalidCode))
        .and_then(|factor| two_factor::new_recovery_codes_by(visit.app, &visit.caller, &factor));
    match new {
        Ok(new) => {
            let response = lead_to_codes(visit, &new.codes, "recovery_codes_replaced");
            Ok(new.cookie.iter().fold(response, session_cookie::set))
        }
        Err(Error::Refused(refusal)) => {
            let mistake = Mistake::of_factor(visit, refusal, &form)?;
            show(visit, Some(&mistake))
        }
        Err(error) => Err(error.into()),
    }
}
