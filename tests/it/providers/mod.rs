//! The client of identity providers, against stand-ins for them over real sockets.

mod breaks;
mod caching;
mod inspection;
mod kinds;
mod outbound;
pub mod signer;
pub mod stand_in;

use crate::world::World;
use authd::config::Provider;
use authd::domain::identity::Claimed;
use authd::domain::secret::Secret;
use authd::oidc::authorization::AuthorizationRequest;
use authd::oidc::fault::ProviderFault;
use authd::usecase::federation::provider::{Awaited, Callback, authorization_url, claimed};
use stand_in::{Returned, StandIn};

pub const STATE: &str = "state-of-this-sign-in";
pub const NONCE: &str = "nonce-of-this-sign-in";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const REDIRECT_URI: &str = "https://auth.example.com/api/auth/oauth/acme/callback";

/// A world and a provider.
pub struct Stage {
    pub world: World,
    pub stand_in: StandIn,
    pub provider: Provider,
}

impl Stage {
    pub fn new(kind: authd::config::ProviderKind) -> Self {
        let world = World::new();
        let stand_in = StandIn::start(kind, world.clock.clone());
        let provider = stand_in.provider(&world.folder);
        Self { world, stand_in, provider }
    }

    pub fn url(&self) -> Result<String, ProviderFault> {
        let verifier = Secret::new(VERIFIER.to_owned());
        let ask = AuthorizationRequest {
            state: STATE,
            nonce: NONCE,
            verifier: &verifier,
            redirect_uri: REDIRECT_URI,
            fresh: false,
        };
        authorization_url(&self.world.app, &self.provider, &ask)
    }

    /// A person goes there, says yes, and is sent back.
    pub fn returned(&self) -> Result<Returned, ProviderFault> {
        Ok(self.stand_in.approve(&self.url()?))
    }

    pub fn claimed(&self, returned: &Returned) -> Result<Claimed, ProviderFault> {
        let verifier = Secret::new(VERIFIER.to_owned());
        let awaited =
            Awaited { nonce: NONCE, verifier: &verifier, redirect_uri: REDIRECT_URI, asked_again_at: None };
        let field = |name: &str| returned.fields.get(name).map(String::as_str);
        let callback = Callback { code: field("code").unwrap(), iss: field("iss"), user: field("user") };
        claimed(&self.world.app, &self.provider, &callback, &awaited)
    }

    pub fn sign_in(&self) -> Result<Claimed, ProviderFault> {
        self.claimed(&self.returned()?)
    }
}
