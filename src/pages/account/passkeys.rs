//! One's own passkeys: adding one, which takes a script, naming and removing them, which don't.

use super::PASSKEYS;
use super::mistake;
use super::mistake::Mistake;
use super::two_factor::lead_to_codes;
use crate::domain::access::Standing;
use crate::domain::name::Name;
use crate::domain::passkey::Passkey;
use crate::error::{Error, FieldError, Refusal};
use crate::pages::form::{Fields, Form};
use crate::pages::passkeys::{are_offered, button};
use crate::pages::proof;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::{passkey_registration, passkeys};
use crate::usecase::signin::passkey::ceremony::require_enabled;
use crate::web::session_cookie;
use minijinja::{Value, context};

pub const ROUTES: &[PageRoute] =
    &[PageRoute::for_signed_in(PASSKEYS).get(open).post(submit).before_second_factor()];

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    show(visit, None)
}

fn show(visit: &mut Visit<'_>, mistake: Option<&Mistake>) -> Result<Response, Stop> {
    let all = passkeys::list_own(visit.app, &visit.caller)?;
    let me = visit.signed_in()?;
    let (is_due, is_verified) =
        (me.standing == Standing::SecondFactorDue, me.account.email_verified_at.is_some());
    let adding = adding(visit)?;
    let page = context! {
        title => visit.text("passkeys.title"),
        all => all.iter().map(|passkey| row(visit, passkey)).collect::<Vec<_>>(),
        offered => are_offered(visit),
        is_due,
        is_verified,
        ..adding
    };
    Ok(mistake::show(visit, mistake, "passkeys.html", page))
}

/// What stands in the way of adding one, or the ceremony (`passkey`).
fn adding(visit: &Visit<'_>) -> Result<Value, Error> {
    let (passkey, why_not) = match passkey_registration::start(visit.app, &visit.caller) {
        Ok(begun) => (Some(context! { makes => true, ..button(&begun) }), None),
        Err(Error::Refused(
            refusal @ (Refusal::FreshLoginRequired | Refusal::Conflict { .. } | Refusal::EmailNotVerified),
        )) => (None, Some(refusal)),
        Err(error) => return Err(error),
    };
    Ok(context! {
        passkey,
        is_stale => matches!(why_not, Some(Refusal::FreshLoginRequired)),
        is_full => matches!(why_not, Some(Refusal::Conflict { .. })),
    })
}

fn row(visit: &Visit<'_>, passkey: &Passkey) -> Value {
    let here = &visit.app.config.passkeys.rp_id;
    context! {
        id => passkey.id.to_string(),
        name => passkey.name.as_str(),
        added => visit.time(passkey.created_at),
        used => passkey.last_used_at.map(|at| visit.time(at)),
        backed_up => passkey.backed_up,
        elsewhere => (passkey.rp_id != *here).then_some(passkey.rp_id.as_str()),
    }
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    const FIELDS: Fields = Fields {
        required: &["action"],
        optional: &["passkey", "name", "ceremony", "credential"],
        lists: &[],
    };
    require_enabled(visit.app)?;
    let form = visit.form(FIELDS)?;
    let done = match form.text("action") {
        "add" => add(visit, &form),
        "rename" => rename(visit, &form),
        "remove" => remove(visit, &form),
        _ => return Ok(visit.see_other(PASSKEYS)),
    };
    match done {
        Err(Error::Refused(refusal)) => {
            let mistake = match why_not_added(&refusal) {
                Some((status, key)) => Mistake::said(visit, status, key),
                None => Mistake::of(visit, refusal)?,
            };
            show(visit, Some(&mistake))
        }
        done => Ok(done?),
    }
}

/// What it is to a person that a passkey was not added. `None`: it is something else.
fn why_not_added(refusal: &Refusal) -> Option<(u16, &'static str)> {
    match refusal {
        Refusal::Invalid(fields) if fields.iter().all(|field| field.field != "name") => {
            Some((422, "passkeys.not_taken"))
        }
        Refusal::InvalidLink => Some((401, "passkeys.too_late")),
        Refusal::AlreadyExists { .. } => Some((409, "passkeys.known")),
        Refusal::Conflict { .. } => Some((409, "passkeys.too_many")),
        _ => None,
    }
}

fn name(form: &Form) -> Result<Name, Refusal> {
    let name = Name::parse(form.text("name"));
    name.map_err(|error| Refusal::Invalid(vec![FieldError::new("name", error.code(), error.message())]))
}

fn add(visit: &mut Visit<'_>, form: &Form) -> Result<Response, Error> {
    let name = name(form)?;
    // Without a script nothing comes with the form.
    let shown = proof::passkey(form).ok_or(Refusal::InvalidLink)?;
    let (ceremony, credential) = (&shown.ceremony, &shown.credential);
    let added = passkey_registration::finish(visit.app, &visit.caller, ceremony, credential, &name)?;
    let response = match &added.recovery_codes {
        Some(codes) => lead_to_codes(visit, codes, "passkey_added"),
        None => visit.done(PASSKEYS, "passkey_added"),
    };
    Ok(added.cookie.iter().fold(response, session_cookie::set))
}

fn rename(visit: &mut Visit<'_>, form: &Form) -> Result<Response, Error> {
    match passkeys::rename_own(visit.app, &visit.caller, form.text("passkey"), &name(form)?) {
        // It is gone; of somebody else's nothing is said.
        Err(Error::Refused(Refusal::NotFound { .. })) => Ok(visit.see_other(PASSKEYS)),
        renamed => renamed.map(|_| visit.done(PASSKEYS, "passkey_renamed")),
    }
}

fn remove(visit: &mut Visit<'_>, form: &Form) -> Result<Response, Error> {
    match passkeys::delete_own(visit.app, &visit.caller, form.text("passkey")) {
        // It is gone, whoever was faster; of somebody else's nothing is said.
        Ok(()) | Err(Error::Refused(Refusal::NotFound { .. })) => Ok(visit.done(PASSKEYS, "passkey_removed")),
        Err(error) => Err(error),
    }
}
