//! A line to one provider: a turn among those who wait for it, ten seconds for all that is asked, and copies
//! of its documents.

use crate::config::Provider;
use crate::domain::secret::Secret;
use crate::oidc::discovery::{self, Metadata};
use crate::oidc::fault::{ProviderFault, Step, quoted};
use crate::oidc::jwks::KeySet;
use crate::oidc::kinds;
use crate::oidc::token_request::TokenRequest;
use crate::ports::http_client::{Authorization, HttpResponse, OutboundRequest, Reach};
use crate::usecase::app::App;
use crate::usecase::app::in_flight::Turn;
use crate::usecase::app::providers::ProviderState;
use std::sync::Arc;
use std::time::Duration;

/// For all that one sign-in asks of a provider.
const PATIENCE: Duration = Duration::from_secs(10);

/// See the module.
pub(super) struct Line<'a> {
    pub app: &'a App,
    pub provider: &'a Provider,
    state: &'a ProviderState,
    opened: Duration,
    _turn: Turn<'a>,
}

impl<'a> Line<'a> {
    /// Takes a turn.
    pub fn open(
        app: &'a App,
        provider: &'a Provider,
        state: &'a ProviderState,
    ) -> Result<Self, ProviderFault> {
        let turn = state.in_flight.turn(|| app.elapsed()).ok_or(ProviderFault::Busy)?;
        Ok(Self { app, provider, state, opened: app.elapsed(), _turn: turn })
    }

    /// The metadata, from the copy while it is fresh.
    pub fn metadata(&self) -> Result<Arc<Metadata>, ProviderFault> {
        let kind = kinds::of(self.provider.kind);
        match kind.fixed(self.provider) {
            Some(metadata) => Ok(Arc::new(metadata)),
            None => {
                self.state.metadata.get(|| self.app.elapsed(), || self.discover().map(|(found, _)| found))
            }
        }
    }

    /// Asks for the metadata, whatever copy there is; gives the answer as well.
    pub fn discover(&self) -> Result<(Metadata, HttpResponse), ProviderFault> {
        let (address, issuer) = kinds::of(self.provider.kind).discovery(self.provider);
        let answer = self.get(Step::Metadata, &address, None)?;
        if answer.status != 200 {
            return Err(ProviderFault::Status { step: Step::Metadata, code: answer.status });
        }
        Ok((discovery::parse(&answer.body, &issuer)?, answer))
    }

    /// The provider's keys, from the copy while it is fresh.
    pub fn keys(&self, metadata: &Metadata) -> Result<Arc<KeySet>, ProviderFault> {
        self.state.keys.get(|| self.app.elapsed(), || self.ask_for_keys(metadata))
    }

    /// Its keys after one was named that is not among `known`; they are `known` where it was asked for others
    /// within the last minute.
    pub fn newer_keys(&self, metadata: &Metadata, known: &Arc<KeySet>) -> Arc<KeySet> {
        self.state.keys.renew(|| self.app.elapsed(), known, || self.ask_for_keys(metadata))
    }

    /// Asks for the keys, whatever copy there is.
    pub fn ask_for_keys(&self, metadata: &Metadata) -> Result<KeySet, ProviderFault> {
        let address = metadata.jwks_uri.as_deref().unwrap_or_default();
        let answer = self.get(Step::Keys, address, None)?;
        if answer.status != 200 {
            return Err(ProviderFault::Status { step: Step::Keys, code: answer.status });
        }
        KeySet::parse(&answer.body)
    }

    /// Asks for a document, with an access token where it takes one.
    pub fn get(
        &self,
        step: Step,
        url: &str,
        token: Option<&Secret<String>>,
    ) -> Result<HttpResponse, ProviderFault> {
        self.send(step, url, None, token.cloned().map(Authorization::Bearer))
    }

    /// Asks the token endpoint.
    pub fn post(&self, request: TokenRequest) -> Result<HttpResponse, ProviderFault> {
        let basic = request.basic.map(|(user, password)| Authorization::Basic { user, password });
        self.send(Step::Token, &request.url, Some(request.form), basic)
    }

    fn send(
        &self,
        step: Step,
        url: &str,
        form: Option<Secret<String>>,
        authorization: Option<Authorization>,
    ) -> Result<HttpResponse, ProviderFault> {
        let no_answer = |why: String| ProviderFault::NoAnswer { step, why: quoted(&why) };
        let left = PATIENCE.saturating_sub(self.app.elapsed().saturating_sub(self.opened));
        if left.is_zero() {
            return Err(no_answer("the time for all that is asked is over".into()));
        }
        let reach = if self.provider.allow_private { Reach::Anywhere } else { Reach::Public };
        let request = OutboundRequest { url: url.to_owned(), form, authorization, reach, patience: left };
        self.app.ports().http.send(&request).map_err(|why| no_answer(why.to_string()))
    }
}
