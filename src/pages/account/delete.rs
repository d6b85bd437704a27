//! Deleting one's own account.

use super::mistake;
use super::mistake::Mistake;
use crate::error::Error;
use crate::pages::form::Fields;
use crate::pages::proof;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::me;
use minijinja::context;

pub const ROUTES: &[PageRoute] =
    &[PageRoute::for_signed_in("/auth/account/delete").get(open).post(submit).checks_credentials()];

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    visit.require_fresh()?;
    show(visit, None)
}

fn show(visit: &mut Visit<'_>, mistake: Option<&Mistake>) -> Result<Response, Stop> {
    let email = visit.signed_in()?.account.email.to_string();
    let has_password = me::has_password(visit.app, &visit.caller)?;
    let page = context! { title => visit.text("account_delete.title"), email, has_password };
    Ok(mistake::show(visit, mistake, "account_delete.html", page))
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(Fields { required: &[], optional: &["password"], lists: &[] })?;
    let deleted = proof::password_if_any(&form)
        .map_err(Error::from)
        .and_then(|password| me::delete(visit.app, &visit.caller, password.as_ref()));
    match deleted {
        Ok(()) => {
            let response = visit.done("/auth/sign-in", "account_deleted");
            Ok(visit.forget_session(response))
        }
        Err(Error::Refused(refusal)) => {
            let mistake = Mistake::of(visit, refusal)?;
            show(visit, Some(&mistake))
        }
        Err(error) => Err(error.into()),
    }
}
