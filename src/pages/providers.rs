//! Signing in with providers of identities, as pages offer it.

use super::visit::Visit;
use crate::config::Provider;
use crate::error::Refusal;
use crate::transport::message::Response;
use form_urlencoded::Serializer;
use minijinja::{Value, context};

/// What can go wrong on the way to a provider and back, as the address of the page that it ends on says.
const ERRORS: [Refusal; 11] = [
    Refusal::ProviderFailed,
    Refusal::ProviderRefused,
    Refusal::StateMismatch,
    Refusal::LinkRequired,
    Refusal::IdentityInUse,
    Refusal::EmailNotVerified,
    Refusal::EmailRequired,
    Refusal::DomainNotAllowed,
    Refusal::RegistrationClosed,
    Refusal::AccountDisabled,
    Refusal::InvalidToken,
];

/// What went wrong, in words. `None`: nothing, or nothing that is known.
#[must_use]
pub fn error_of_provider(visit: &Visit<'_>) -> Option<String> {
    refusal_of_provider(visit).map(|refusal| visit.explain(&refusal))
}

/// What went wrong. `None`: nothing, or nothing that is known.
#[must_use]
pub fn refusal_of_provider(visit: &Visit<'_>) -> Option<Refusal> {
    let code = visit.query("error")?;
    ERRORS.iter().find(|refusal| refusal.code() == code).cloned()
}

/// The page on which whoever is signed in proves once more who they are, saying what went wrong with that.
#[must_use]
pub fn confirm_before(page: &str, refusal: &Refusal) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("return_to", page).append_pair("error", refusal.code());
    format!("/auth/confirm?{}", query.finish())
}

/// A link that begins a sign-in with a provider, which `address` makes of its path.
#[must_use]
pub fn way_in(provider: &Provider, address: impl FnOnce(&str) -> String) -> Value {
    context! { name => provider.display_name.as_str(), url => address(&provider.start_path()) }
}

/// Leads on to a provider after a form. Browsers hold `form-action` against the redirects of a form, wherever
/// they lead, so it is a page that leads on.
#[must_use]
pub fn lead_on(visit: &mut Visit<'_>, name: &str, url: &str) -> Response {
    let page = context! { title => visit.language.text_with("identities.on_to", &[("provider", name)]), url };
    visit.page(200, "lead_on.html", page)
}
