//! The account at a glance: how everything stands, with the way to change it.

use super::activity;
use crate::pages::passkeys::are_offered;
use crate::pages::return_to::ACCOUNT;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::{me, two_factor};
use crate::usecase::federation::{identities, providers};
use crate::usecase::session::list;
use minijinja::context;

pub const ROUTES: &[PageRoute] = &[PageRoute::for_signed_in(ACCOUNT).get(open)];

/// How many of the newest events it shows.
const EVENTS: u32 = 3;

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let account = visit.signed_in()?.account.clone();
    let factor = two_factor::status(visit.app, &visit.caller)?;
    let sessions = list::list_own(visit.app, &visit.caller)?.len();
    let events = me::events(visit.app, &visit.caller, EVENTS, None)?;
    let page = context! {
        title => visit.text("account.title"),
        account => context! {
            name => account.name.as_str(),
            email => account.email.as_str(),
            is_verified => account.email_verified_at.is_some(),
            created => visit.time(account.created_at),
            passkeys => account.passkeys,
        },
        passkeys => (are_offered(visit) || account.passkeys > 0).then_some(account.passkeys),
        two_factor => context! {
            is_on => account.has_two_factor(),
            since => factor.enabled_at.map(|at| visit.time(at)),
            recovery_codes_left => factor.recovery_codes_left,
        },
        has_password => me::has_password(visit.app, &visit.caller)?,
        identities => identities_in_short(visit)?,
        sessions,
        events => activity::rows(visit, &events.items),
    };
    Ok(visit.page(200, "account.html", page))
}

/// What people call the providers of the identities that sign in. `None`: there are neither providers nor
/// identities, and nothing to say.
fn identities_in_short(visit: &Visit<'_>) -> Result<Option<String>, Stop> {
    let linked = identities::list_own(visit.app, &visit.caller)?;
    if linked.is_empty() && providers::list(visit.app).is_empty() {
        return Ok(None);
    }
    let names = linked.iter().map(|identity| providers::display_name(visit.app, &identity.provider));
    Ok(Some(names.collect::<Vec<_>>().join(", ")))
}
