//! Who asks, by what the row of the route takes for proof, and how their tokens travel.

use super::route::{Access, COOKIES, Route};
use super::wire::Fields;
use crate::domain::access::{Actor, Service};
use crate::domain::api_key;
use crate::error::{Error, Refusal};
use crate::transport::message::Headers;
use crate::usecase::app::App;
use crate::usecase::session::authenticate;
use crate::web::basic::{self, Basic, ClientCredentials};
use crate::web::csrf;
use crate::web::rejection::Rejection;
use crate::web::token_transport::{self, TokenTransport};

const REFRESH_TOKEN: &str = "refresh_token";

/// Finds who asks, and how they show it. `Authorization` wins over the cookies. `Bearer` needs no further
/// proof, since no browser adds it by itself to what another site's page sends; `Basic` needs it.
///
/// # Errors
/// [`Refusal::Unauthenticated`] where nothing is shown; [`Rejection::BadClient`]; what the use-case or the
/// checks of what browsers add say of what is.
pub fn actor(app: &App, route: &Route, headers: &Headers) -> Result<(Actor, TokenTransport), Rejection> {
    if route.access == Access::Browser {
        let (user, shown) = token_transport::user_by_session_cookie_of_own_page(app, headers)?;
        return Ok((Actor::User(user), shown));
    }
    if !route.access.takes_users() && !route.access.takes_services() {
        return Ok((Actor::Anonymous, TokenTransport::Body));
    }
    if let Some(token) = token_transport::bearer(headers)? {
        return Ok((bearer(app, route.access, token)?, TokenTransport::Body));
    }
    if route.access.takes_clients()
        && let Some(service) = client(app, headers)?
    {
        return Ok((Actor::ApiKey(service), TokenTransport::Body));
    }
    if !route.access.takes_users() {
        return Err(Refusal::Unauthenticated.into());
    }
    let (user, shown) = if route.method.is_safe() {
        token_transport::user_by_cookie(app, headers)?
    } else {
        token_transport::user_by_cookie_of_own_page(app, headers)?
    };
    Ok((Actor::User(user), shown))
}

/// Whose token it is that stands in `Authorization`. A user's is as good as none where services are asked
/// for, and a service's where users are.
fn bearer(app: &App, access: Access, token: &str) -> Result<Actor, Error> {
    if access.takes_services() && token.starts_with(api_key::PREFIX) {
        return authenticate::api_key(app, token).map(Actor::ApiKey);
    }
    if access.takes_users() {
        return authenticate::bearer(app, token).map(Actor::User);
    }
    Err(Refusal::InvalidToken.into())
}

/// Whose key it is that stands in `Authorization` as a client's secret. `None`: nothing came by Basic.
fn client(app: &App, headers: &Headers) -> Result<Option<Service>, Rejection> {
    let shown = basic::read(headers)?;
    if !matches!(shown, Basic::Absent) {
        csrf::check_site_of_client(headers, &app.config)?;
    }
    match shown {
        Basic::Absent => Ok(None),
        Basic::Unreadable => Err(Rejection::BadClient),
        Basic::Client(ClientCredentials { id, secret }) => {
            authenticate::client(app, &id, &secret).map(Some).map_err(|error| match error {
                Error::Refused(Refusal::InvalidToken) => Rejection::BadClient,
                other => other.into(),
            })
        }
    }
}

/// Says how the answer's tokens go: as the caller's came (`shown`), or as the body asks. A refresh token that
/// comes by cookie takes its place among the fields. Where cookies are set, no other site's page may ask: it
/// would log its visitor in to an account of its own.
///
/// # Errors
/// [`Rejection::CrossSite`]; `validation_failed` without a refresh token where one is asked for.
pub fn token_transport(
    app: &App,
    route: &Route,
    headers: &Headers,
    fields: &mut Fields,
    shown: TokenTransport,
) -> Result<TokenTransport, Rejection> {
    let wanted = fields.flag(COOKIES);
    if route.access == Access::Refresh && !fields.has(REFRESH_TOKEN) {
        let token = token_transport::refresh_cookie(app, headers)?;
        let missing = || Refusal::invalid(REFRESH_TOKEN, "missing", "send it, or the cookie");
        let refusal = || {
            if wanted { Refusal::InvalidToken } else { missing() }
        };
        fields.put_token(REFRESH_TOKEN, token.ok_or_else(refusal)?);
        return Ok(TokenTransport::Cookies);
    }
    if wanted {
        csrf::check_site(headers, &app.config)?;
        return Ok(TokenTransport::Cookies);
    }
    Ok(shown)
}
