//! What other services lean on: forward auth, and what this server says of itself to OAuth clients.

use crate::api::answer::{CACHEABLE, json};
use crate::api::call::Call;
use crate::api::route::{Access, Content, ResponseSpec, Route, TableInfo, any_of, nothing};
use crate::api::schema::admin as schema;
use crate::api::wire::{Field, Kind, Presence};
use crate::api::{bodies, metadata};
use crate::domain::name::Name;
use crate::domain::role::RoleName;
use crate::error::Error;
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::app::rate_limit::Budget;
use crate::usecase::gate::judge::Asked;
use crate::usecase::session::forward_auth;
use crate::usecase::session::forward_auth::Demands;
use crate::usecase::session::{introspect, tokens};
use crate::views;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Which application it is about, and what else the caller must hold.
const DEMANDS: &[Field] = &[
    Field {
        name: "app",
        kind: Kind::AppName,
        presence: Presence::Optional,
        about: "The application that it is about, by its name. Left out, the host in a trusted proxy's \
            `X-Forwarded-Host` says so, where an application stands there.",
    },
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

const METADATA: &[ResponseSpec] = &[ResponseSpec {
    status: 200,
    about: "Authorization server metadata (RFC 8414 §3.2).",
    content: Content::Document,
}];

/// What is encoded of ASCII: what a header can't carry, the sign of the encoding itself, and the plus that
/// some decoders take for a space. A name of plain letters stays as it is.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%').add(b'+');

pub static SERVICES: &[Route] = &[
    Route::any("/api/auth/verify", "verify", Access::User, verify)
        .summary("Forward auth: whether a request may pass, by any method, and whose it is (`Remote-*`)")
        .lane(Lane::Short)
        // A proxy asks for every request of everybody's; how many those may be is the proxy's to say.
        .unlimited()
        .query(DEMANDS)
        .answers(&[nothing(
            200,
            "Let it pass. `Remote-User` is the id, `Remote-Email` the address if it is verified, `Remote-Name` the name in \
             percent-encoded UTF-8, `Remote-Groups` the roles, separated by commas.",
        )])
        .problems(&[(403, "forbidden")]),
    Route::post("/api/auth/introspect", "introspect", Access::Service, introspect)
        .summary("Whether a token is good, and what it says (RFC 7662)")
        .lane(Lane::Short)
        .limit(Budget::Token)
        .body(&bodies::TOKEN)
        .answers(&[any_of(
            200,
            "What there is to say of it; of one that is not good, nothing.",
            schema::INTROSPECTION,
        )]),
    Route::post("/api/auth/revoke", "revoke", Access::Holder, revoke)
        .summary("End what a token belongs to (RFC 7009): a session, or one access token")
        .limit(Budget::Token)
        .body(&bodies::TOKEN)
        .answers(&[nothing(
            200,
            "The token counts no more, or never did. A user's own tokens alone; services need `sessions:revoke`.",
        )]),
    Route::of_table("/.well-known/oauth-authorization-server", "metadata", metadata)
        .summary("What this server offers, for clients of OAuth")
        .lane(Lane::Short)
        .answers(METADATA),
    Route::of_table("/.well-known/oauth-authorization-server/api/auth", "metadata_of_base", metadata)
        .summary("The same, where clients look that were given the base of this API")
        .lane(Lane::Short)
        .answers(METADATA),
];

/// All four headers are always there, if empty: a proxy that copies them leaves none of the client's own.
fn verify(app: &App, mut call: Call) -> Result<Response, Error> {
    let demands =
        Demands { roles: call.fields.roles("role"), permissions: call.fields.permissions("permission") };
    let by_name = call.fields.optional_app_name("app").map(Asked::ByName);
    let by_host = || call.asked_host.take().map_or(Asked::Nothing, Asked::ByHost);
    let asked = by_name.unwrap_or_else(by_host);
    let me = &forward_auth::verify(app, &call.caller, &asked, &demands)?.account;
    // Of an address that nobody has shown to be theirs, an application would make its owner.
    let email = me.email_verified_at.map_or_else(String::new, |_| me.email.to_string());
    let groups: Vec<_> = me.roles.iter().map(RoleName::as_str).collect();
    Ok(Response::empty(200)
        .header("remote-user", me.id.to_string())
        .header("remote-email", email)
        .header("remote-name", encoded(&me.name))
        .header("remote-groups", groups.join(",")))
}

fn encoded(name: &Name) -> String {
    utf8_percent_encode(name.as_str(), ENCODED).to_string()
}

fn introspect(app: &App, mut call: Call) -> Result<Response, Error> {
    let found = introspect::introspect(app, &call.caller, &call.fields.token("token"))?;
    Ok(json(200, &views::introspection(found.as_ref(), &app.config.tokens.issuer)))
}

fn revoke(app: &App, mut call: Call) -> Result<Response, Error> {
    tokens::revoke_shown(app, &call.caller, &call.fields.token("token"))?;
    Ok(Response::empty(200))
}

fn metadata(app: &App, table: TableInfo) -> Result<Response, Error> {
    Ok(json(200, &metadata::document(&app.config, table.has_path)).header("cache-control", CACHEABLE))
}
