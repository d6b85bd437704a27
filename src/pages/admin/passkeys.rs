//! `/auth/admin/users/{id}/passkeys`: taking a passkey from an account; `/auth/admin/users/{id}` lists them.

use super::actions::back_to;
use super::user::named;
use crate::pages::form::Fields;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::passkeys;

pub const ROUTES: &[PageRoute] = &[PageRoute::for_holders("/auth/admin/users/{id}/passkeys", "users:write")
    .post(remove)
    .form_on("/auth/admin/users/{id}")];

fn remove(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let of = named(visit)?;
    let form = visit.form(Fields::all(&["passkey"]))?;
    passkeys::delete(visit.app, &visit.caller, &of, form.text("passkey"))?;
    Ok(visit.done(back_to(visit), "admin_passkey_removed"))
}
