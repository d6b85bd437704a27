//! What the account calls its owner.

use super::mistake;
use super::mistake::Mistake;
use crate::domain::name::Name;
use crate::error::{Error, FieldError, Refusal};
use crate::pages::form::Fields;
use crate::pages::return_to::ACCOUNT;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::me;
use minijinja::context;

pub const ROUTES: &[PageRoute] = &[PageRoute::for_signed_in("/auth/account/name").get(open).post(submit)];

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let name = visit.signed_in()?.account.name.to_string();
    Ok(show(visit, &name, None))
}

fn show(visit: &mut Visit<'_>, name: &str, mistake: Option<&Mistake>) -> Response {
    let page = context! { title => visit.text("account_name.title"), name };
    mistake::show(visit, mistake, "account_name.html", page)
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(Fields::all(&["name"]))?;
    match save(visit, form.text("name")) {
        Ok(()) => Ok(visit.done(ACCOUNT, "name_changed")),
        Err(Error::Refused(refusal)) => {
            let mistake = Mistake::of(visit, refusal)?;
            Ok(show(visit, form.text("name"), Some(&mistake)))
        }
        Err(error) => Err(error.into()),
    }
}

fn save(visit: &Visit<'_>, name: &str) -> Result<(), Error> {
    let name = Name::parse(name)
        .map_err(|error| Refusal::Invalid(vec![FieldError::new("name", error.code(), error.message())]))?;
    me::change(visit.app, &visit.caller, &me::Change { name: Some(name) }).map(drop)
}
