//! The client's secret, read from its file when it is used: a new one counts without a restart.

use crate::config::Provider;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::oidc::client_secret;
use crate::oidc::fault::ProviderFault;
use crate::oidc::kinds;
use crate::oidc::kinds::kind::SecretForm;
use std::fs;

/// Reads the secret, or makes one with the key in the file. `None`: the client is a public one.
///
/// # Errors
/// [`ProviderFault::Secret`].
pub(super) fn read(provider: &Provider, now: Timestamp) -> Result<Option<Secret<String>>, ProviderFault> {
    let Some(path) = &provider.client_secret_file else { return Ok(None) };
    let text = fs::read_to_string(path).map(Secret::new).map_err(|error| ProviderFault::Secret {
        why: format!("oauth.{}.client_secret_file {} can't be read: {error}", provider.name, path.display()),
    })?;
    match kinds::of(provider.kind).secret {
        SecretForm::Line => client_secret::from_file(&text),
        SecretForm::AppleKey => client_secret::of_apple(&text, provider, now),
    }
    .map(Some)
}
