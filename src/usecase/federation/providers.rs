//! Providers of identities, as they are configured.

use crate::config::Provider;
use crate::domain::identity::ProviderName;
use crate::error::Refusal;
use crate::oidc::issuer::ExpectedIssuer;
use crate::oidc::kinds;
use crate::usecase::app::App;

/// All of them, in the order of their names.
#[must_use]
pub fn list(app: &App) -> &[Provider] {
    &app.config.oauth
}

/// Finds one by its name.
///
/// # Errors
/// `not_found`.
pub fn find<'a>(app: &'a App, name: &str) -> Result<&'a Provider, Refusal> {
    let found = app.config.oauth.iter().find(|provider| provider.name.as_str() == name);
    found.ok_or_else(|| Refusal::not_found("provider", name))
}

/// The issuer of the identities of a provider.
///
/// # Errors
/// `validation_failed` for one whose identities come from several: Microsoft's `common` and `organizations`.
pub fn issuer(provider: &Provider) -> Result<String, Refusal> {
    match kinds::of(provider.kind).discovery(provider).1 {
        ExpectedIssuer::Exactly(issuer) => Ok(issuer),
        ExpectedIssuer::AnyTenant(_) | ExpectedIssuer::AnyOrganization(_) => {
            let message =
                "the issuer depends on each person's directory; they must link the identity themselves";
            Err(Refusal::invalid("provider", "invalid", message))
        }
    }
}

/// What people call it; one that is not configured any more goes by its name.
#[must_use]
pub fn display_name(app: &App, name: &ProviderName) -> String {
    find(app, name.as_str()).map_or_else(|_| name.to_string(), |provider| provider.display_name.clone())
}
