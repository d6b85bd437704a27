//! What other services lean on: forward auth, and what this server says of itself to OAuth clients.

use crate::api::bodies;
use crate::api::handlers::services;
use crate::api::route::Handler::Now;
use crate::api::route::{Access, Answer, Content, Method, Route, any_of, nothing};
use crate::api::schema::admin as schema;
use crate::api::wire::{Field, Kind, Presence};
use crate::transport::Lane;
use crate::usecase::app::rate_limit::Budget;

/// What the caller must hold.
const DEMANDS: &[Field] = &[
    Field {
        name: "role",
        kind: Kind::Role,
        presence: Presence::Repeated,
        about: "A role that the caller must have; of several, all.",
    },
    Field {
        name: "permission",
        kind: Kind::Permission,
        presence: Presence::Repeated,
        about: "A permission that the caller must hold; of several, all.",
    },
];

const METADATA: &[Answer] =
    &[Answer { status: 200, about: "Authorization server metadata (RFC 8414 §3.2).", content: Content::Document }];

pub static SERVICES: &[Route] = &[
    Route {
        method: Method::Any,
        path: "/api/auth/verify",
        id: "verify",
        summary: "Forward auth: whether a request may pass, by any method, and whose it is (`Remote-*`)",
        access: Access::User,
        lane: Lane::Short,
        // A proxy asks for every request of everybody's; how many those may be is the proxy's to say.
        limit: None,
        query: DEMANDS,
        request: None,
        answers: &[nothing(
            200,
            "Let it pass. `Remote-User` is the id, `Remote-Email` the address, `Remote-Name` the name in \
             percent-encoded UTF-8, `Remote-Groups` the roles, separated by commas.",
        )],
        problems: &[(403, "forbidden")],
        handler: Now(services::verify),
    },
    Route {
        method: Method::Post,
        path: "/api/auth/introspect",
        id: "introspect",
        summary: "Whether a token is good, and what it says (RFC 7662)",
        access: Access::Service,
        lane: Lane::Short,
        limit: Some(Budget::Token),
        query: &[],
        request: Some(&bodies::TOKEN),
        answers: &[any_of(200, "What there is to say of it; of one that is not good, nothing.", schema::INTROSPECTION)],
        problems: &[],
        handler: Now(services::introspect),
    },
    Route {
        method: Method::Post,
        path: "/api/auth/revoke",
        id: "revoke",
        summary: "End what a token belongs to (RFC 7009): a refresh token's session, or one access token",
        access: Access::Holder,
        lane: Lane::Write,
        limit: Some(Budget::Token),
        query: &[],
        request: Some(&bodies::TOKEN),
        answers: &[nothing(
            200,
            "The token counts no more, or never did. A user's own tokens alone; services need `sessions:revoke`.",
        )],
        problems: &[],
        handler: Now(services::revoke),
    },
    Route {
        method: Method::Get,
        path: "/.well-known/oauth-authorization-server",
        id: "metadata",
        summary: "What this server offers, for clients of OAuth",
        access: Access::Public,
        lane: Lane::Short,
        limit: Some(Budget::Default),
        query: &[],
        request: None,
        answers: METADATA,
        problems: &[],
        handler: Now(services::metadata),
    },
    Route {
        method: Method::Get,
        path: "/.well-known/oauth-authorization-server/api/auth",
        id: "metadata_of_base",
        summary: "The same, where clients look that were given the base of this API",
        access: Access::Public,
        lane: Lane::Short,
        limit: Some(Budget::Default),
        query: &[],
        request: None,
        answers: METADATA,
        problems: &[],
        handler: Now(services::metadata),
    },
];
