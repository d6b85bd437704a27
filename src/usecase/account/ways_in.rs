//! What signs in to an account without anything else, so that nobody takes their last way in away.

use crate::domain::id::IdentityId;
use crate::domain::identity::{Identity, ProviderName};
use crate::domain::passkey::Passkey;
use crate::domain::user::User;
use crate::error::Fault;
use crate::store::tables::{identities, users};
use crate::store::tx::Query;
use crate::usecase::app::App;
use crate::usecase::signin::methods::UsablePasskeys;

/// What the configuration lets sign in.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct WaysIn {
    providers: Vec<ProviderName>,
    passkeys: UsablePasskeys,
}

impl WaysIn {
    pub(in crate::usecase) fn of(app: &App) -> Self {
        let providers = app.config.oauth.iter().map(|provider| provider.name.clone()).collect();
        Self { providers, passkeys: UsablePasskeys::of(&app.config) }
    }

    /// Whether anything signs in besides this identity.
    pub(in crate::usecase) fn are_there_without_identity(
        &self,
        query: &impl Query,
        user: &User,
        identity: &Identity,
    ) -> Result<bool, Fault> {
        Ok(self.count(query, user, Some(identity.id))? > 0)
    }

    /// Whether anything signs in besides this passkey.
    pub(in crate::usecase) fn are_there_without_passkey(
        &self,
        query: &impl Query,
        user: &User,
        passkey: &Passkey,
    ) -> Result<bool, Fault> {
        Ok(self.count(query, user, None)? > usize::from(self.passkeys.takes(passkey)))
    }

    /// Counts the password, each identity but `besides` whose provider is configured still, and each passkey
    /// that can be used.
    fn count(&self, query: &impl Query, user: &User, besides: Option<IdentityId>) -> Result<usize, Fault> {
        let password = users::find_password_hash(query, user.id)?.is_some();
        let linked = identities::list_of(query, user.id)?;
        let linked =
            linked.iter().filter(|one| Some(one.id) != besides && self.providers.contains(&one.provider));
        Ok(usize::from(password) + linked.count() + self.passkeys.count(query, user)?)
    }
}
