//! `/auth/admin/`: leads to what there is to look after.

use super::frame::Tab;
use crate::error::Refusal;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;

pub const ROUTES: &[PageRoute] = &[PageRoute::for_signed_in("/auth/admin/").get(open)];

/// To the first tab that whoever asks may see.
fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    match Tab::first_for(&visit.caller.actor) {
        Some(tab) => Ok(visit.see_other(tab.path())),
        None => Err(Refusal::Forbidden { permission: Tab::Users.permission().into() }.into()),
    }
}
