//! The accounts elsewhere that sign in to this one: linking another, and unlinking one.

use super::mistake;
use super::mistake::Mistake;
use crate::domain::identity::Identity;
use crate::error::{Error, Refusal};
use crate::pages::form::Fields;
use crate::pages::providers::{error_of_provider, lead_on};
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::federation::attempt::GoesOn;
use crate::usecase::federation::begin::{self, Wish};
use crate::usecase::federation::{identities, providers};
use crate::web::page_cookies::PageCookie;
use minijinja::{Value, context};

const IDENTITIES: &str = "/auth/account/identities";

pub const ROUTES: &[PageRoute] =
    &[PageRoute::for_signed_in(IDENTITIES).get(open).post(submit).lane(Lane::Outbound)];

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let error = error_of_provider(visit);
    show(visit, None, error)
}

fn show(
    visit: &mut Visit<'_>,
    mistake: Option<&Mistake>,
    provider_error: Option<String>,
) -> Result<Response, Stop> {
    let linked = identities::list_own(visit.app, &visit.caller)?;
    let others = providers::list(visit.app)
        .iter()
        .filter(|provider| linked.iter().all(|identity| identity.provider != provider.name));
    let others: Vec<_> = others
        .map(|provider| context! { name => provider.name.as_str(), text => provider.display_name.as_str() })
        .collect();
    let page = context! {
        title => visit.text("identities.title"),
        linked => linked.iter().map(|identity| row(visit, identity)).collect::<Vec<_>>(),
        others,
        provider_error,
    };
    Ok(mistake::show(visit, mistake, "identities.html", page))
}

fn row(visit: &Visit<'_>, identity: &Identity) -> Value {
    context! {
        id => identity.id.to_string(),
        provider => providers::display_name(visit.app, &identity.provider),
        email => identity.email.as_deref().unwrap_or(&identity.key.subject),
        linked => visit.time(identity.linked_at),
        used => identity.last_used_at.map(|at| visit.time(at)),
    }
}

fn submit(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let form = visit.form(Fields { required: &[], optional: &["provider", "identity"], lists: &[] })?;
    visit.require_fresh()?;
    let done = if form.has("provider") {
        link(visit, form.text("provider"))
    } else {
        unlink(visit, form.text("identity"))
    };
    match done {
        Err(Error::Refused(refusal)) => {
            let mistake = Mistake::of(visit, refusal)?;
            show(visit, Some(&mistake), None)
        }
        done => Ok(done?),
    }
}

fn link(visit: &mut Visit<'_>, name: &str) -> Result<Response, Error> {
    let provider = providers::find(visit.app, name)?;
    let kept = visit.cookie(PageCookie::Provider).ok().flatten();
    let goes_on = GoesOn::Linked { redirect_to: None };
    let wish = Wish { provider, goes_on, again: false, browser: kept };
    let begun = begin::link(visit.app, &visit.caller, wish)?;
    visit.set_cookie(PageCookie::Provider, begun.browser.expose());
    Ok(lead_on(visit, &provider.display_name, &begun.url))
}

fn unlink(visit: &mut Visit<'_>, id: &str) -> Result<Response, Error> {
    match identities::unlink_own(visit.app, &visit.caller, id) {
        // It is gone, whoever was faster; of somebody else's nothing is said.
        Ok(()) | Err(Error::Refused(Refusal::NotFound { .. })) => {
            Ok(visit.done(IDENTITIES, "identity_unlinked"))
        }
        Err(error) => Err(error),
    }
}
