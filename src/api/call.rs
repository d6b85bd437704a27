//! What a handler gets to know of a request.

use super::wire::Fields;
use crate::domain::caller::Caller;
use crate::web::token_transport::TokenTransport;

/// A request that was let in, read and authenticated.
#[derive(Debug)]
pub struct Call {
    pub caller: Caller,
    pub fields: Fields,
    /// How the answer's tokens go.
    pub token_transport: TokenTransport,
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
        Self { caller, fields, token_transport, parameters }
    }

    /// The segment that stands for `{name}` in the path, as it was sent. Empty if the route has none.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}
