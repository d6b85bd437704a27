//! What a handler gets to know of a request.

use super::wire::Fields;
use crate::domain::application::{AppName, AskedHost};
use crate::domain::caller::Caller;
use crate::domain::id::UserId;
use crate::domain::role::RoleName;
use crate::error::Refusal;
use crate::usecase::account::reference::UserRef;
use crate::web::token_transport::TokenTransport;

/// A request that was let in, read and authenticated.
#[derive(Debug)]
pub struct Call {
    pub caller: Caller,
    pub fields: Fields,
    /// How the answer's tokens go.
    pub token_transport: TokenTransport,
    /// The host that a trusted proxy asks about. `None`: it is no such question, or names none.
    pub asked_host: Option<AskedHost>,
    /// What a browser has kept that was sent to a provider of identities. `None`: it has kept nothing, or the
    /// route is none for browsers.
    pub provider_cookie: Option<String>,
    parameters: Vec<(&'static str, String)>,
}

impl Call {
    /// `parameters`: the segments that stand for the braces of the route's path, by their names.
    #[must_use]
    pub const fn new(
        caller: Caller,
        fields: Fields,
        token_transport: TokenTransport,
        parameters: Vec<(&'static str, String)>,
    ) -> Self {
        Self { caller, fields, token_transport, asked_host: None, provider_cookie: None, parameters }
    }

    /// The segment that stands for `{name}` in the path, as it was sent. Empty if the route has none.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// The user that the path names, by id alone.
    ///
    /// # Errors
    /// `not_found` for what is no id.
    pub fn user(&self) -> Result<UserRef, Refusal> {
        let id = self.parameter("id");
        UserId::parse(id).map(UserRef::Id).ok_or_else(|| Refusal::not_found("user", id))
    }

    /// The application that the path names.
    ///
    /// # Errors
    /// `not_found` for what is no application's name.
    pub fn app(&self) -> Result<AppName, Refusal> {
        let name = self.parameter("app");
        AppName::parse(name).map_err(|_| Refusal::not_found("application", name))
    }

    /// The role that the path names.
    ///
    /// # Errors
    /// `not_found` for what is no role's name.
    pub fn role(&self) -> Result<RoleName, Refusal> {
        let name = self.parameter("role");
        RoleName::parse(name).map_err(|_| Refusal::not_found("role", name))
    }
}
