//! The second factor: setting it up with an authenticator app, turning it on with the app's code, turning it
//! off.

use super::mistake;
use super::mistake::Mistake;
use super::{RECOVERY_CODES, TWO_FACTOR};
use crate::domain::access::Standing;
use crate::domain::secret::Secret;
use crate::error::{Error, Refusal};
use crate::pages::form::{Fields, Form};
use crate::pages::passkeys;
use crate::pages::proof;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::qr::Qr;
use crate::usecase::account::{me, two_factor};
use crate::web::session_cookie;
use minijinja::{Value, context};

pub const ROUTES: &[PageRoute] = &[PageRoute::for_signed_in(TWO_FACTOR)
    .get(open)
    .post(submit)
    .checks_credentials()
    .before_second_factor()];

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    show(visit, None)
}

fn show(visit: &mut Visit<'_>, mistake: Option<&Mistake>) -> Result<Response, Stop> {
    let factor = two_factor::status(visit.app, &visit.caller)?;
    let me = visit.signed_in()?;
    let (is_due, is_verified) =
        (me.standing == Standing::SecondFactorDue, me.account.email_verified_at.is_some());
    let passkeys = me.account.passkeys;
    let setup = if factor.enabled_at.is_none() { handed_setup(visit)? } else { None };
    let page = context! {
        title => visit.text("two_factor.title"),
        since => factor.enabled_at.map(|at| visit.time(at)),
        has_password => me::has_password(visit.app, &visit.caller)?,
        recovery_codes_left => factor.recovery_codes_left,
        passkeys,
        passkeys_offered => passkeys::are_offered(visit),
        passkey => if factor.enabled_at.is_some() { passkeys::own_factor(visit)? } else { None },
        is_due,
        is_verified,
        setup,
    };
    Ok(mistake::show(visit, mistake, "two_factor.html", page))
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    const FIELDS: Fields = Fields {
        required: &["action"],
        optional: &["password", "code", "recovery_code", "ceremony", "credential"],
        lists: &[],
    };
    let form = visit.form(FIELDS)?;
    let done = match form.text("action") {
        "set-up" => set_up(visit),
        "turn-on" => turn_on(visit, &form),
        "turn-off" => turn_off(visit, &form),
        _ => return Ok(visit.see_other(TWO_FACTOR)),
    };
    match done {
        Err(Error::Refused(refusal)) => {
            let mistake = Mistake::of_factor(visit, refusal, &form)?;
            show(visit, Some(&mistake))
        }
        done => Ok(done?),
    }
}

fn set_up(visit: &mut Visit<'_>) -> Result<Response, Error> {
    let setup = two_factor::setup(visit.app, &visit.caller)?;
    let parts = [setup.secret.expose().as_str(), setup.otpauth_uri.expose()];
    visit.hand_over(TWO_FACTOR, &Secret::new(parts.join("\n")));
    Ok(visit.see_other(TWO_FACTOR))
}

/// The key that was handed out, in every form that an app takes. `None`: none was, to this session, of late.
fn handed_setup(visit: &Visit<'_>) -> Result<Option<Value>, Error> {
    let Some(handed) = visit.handed(TWO_FACTOR) else {
        return Ok(None);
    };
    let Some((key, uri)) = handed.expose().split_once('\n') else {
        return Ok(None);
    };
    let qr = Qr::of(&Secret::new(uri.to_owned()))?.svg();
    // In groups, as people read it off; apps take it with or without the spaces.
    let groups: Vec<_> = key.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    Ok(Some(context! { key => groups.join(" "), uri, qr => Value::from_safe_string(qr) }))
}

fn turn_on(visit: &mut Visit<'_>, form: &Form) -> Result<Response, Error> {
    let turned_on = two_factor::enable(visit.app, &visit.caller, &proof::code(form))?;
    let response = lead_to_codes(visit, &turned_on.codes, "two_factor_on");
    Ok(turned_on.cookie.iter().fold(response, session_cookie::set))
}

fn turn_off(visit: &mut Visit<'_>, form: &Form) -> Result<Response, Error> {
    let password = proof::password_if_any(form)?;
    let factor = proof::factor(form).ok_or(Refusal::InvalidCode)?;
    let cookie = two_factor::disable(visit.app, &visit.caller, password.as_ref(), &factor)?;
    let response = visit.done(TWO_FACTOR, "two_factor_off");
    Ok(cookie.iter().fold(response, session_cookie::set))
}

/// Leads on to the page that shows new recovery codes, once.
pub fn lead_to_codes(visit: &mut Visit<'_>, codes: &[Secret<String>], notice: &str) -> Response {
    let codes: Vec<_> = codes.iter().map(|code| code.expose().as_str()).collect();
    visit.hand_over(RECOVERY_CODES, &Secret::new(codes.join("\n")));
    visit.done(RECOVERY_CODES, notice)
}
