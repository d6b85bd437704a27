//! Passkeys: adding and looking after one's own, and signing in by them (WebAuthn Level 3).

use crate::api::answer::{CACHEABLE, json, renewed, started};
use crate::api::call::Call;
use crate::api::route::{self, Access, Route, any_of, nothing};
use crate::api::{bodies, schema};
use crate::error::{Error, Refusal};
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::account::{passkey_registration, passkeys, recover};
use crate::usecase::app::App;
use crate::usecase::app::rate_limit::Budget;
use crate::usecase::signin::passkey::ceremony::{Begun, require_enabled};
use crate::usecase::signin::passkey::login;
use crate::usecase::signin::second_factor;
use crate::views;
use serde::Serialize;

pub static PASSKEYS: &[Route] = &[
    Route::post("/api/auth/passkeys/register/start", "start_passkey_registration", Access::User, start)
        .summary("Begin to add a passkey; `passkeys.enabled` turns this off")
        .before_second_factor()
        .fresh()
        .answers(&[route::json(200, "What the browser is asked to make.", &schema::PASSKEY_CEREMONY)])
        .problems(&[(403, "email_not_verified"), (404, "not_found"), (409, "conflict")]),
    Route::post("/api/auth/passkeys/register/finish", "finish_passkey_registration", Access::User, finish)
        .summary("Add a passkey; the first second factor comes with recovery codes, and ends other sessions")
        .before_second_factor()
        .fresh()
        .body(&bodies::NEW_PASSKEY)
        .answers(&[route::json(201, "It signs in from now on.", &schema::PASSKEY_ADDED)])
        .problems(&[
            (400, "invalid_token"),
            (403, "email_not_verified"),
            (404, "not_found"),
            (409, "already_exists"),
            (409, "conflict"),
        ]),
    Route::get("/api/auth/passkeys", "list_passkeys", Access::User, list)
        .summary("The caller's passkeys")
        .before_second_factor()
        .answers(&[route::json(200, "All of them.", &schema::PASSKEYS)])
        .problems(&[(404, "not_found")]),
    Route::patch("/api/auth/passkeys/{id}", "rename_passkey", Access::User, rename)
        .summary("Give a passkey another name")
        .body(&bodies::PASSKEY_NAME)
        .answers(&[route::json(200, "As it is now.", &schema::PASSKEY)])
        .problems(&[(404, "not_found")]),
    Route::delete("/api/auth/passkeys/{id}", "remove_passkey", Access::User, delete)
        .summary("Remove a passkey; other sessions end")
        .fresh()
        .answers(&[nothing(204, "It signs in no more.")])
        .problems(&[(404, "not_found"), (409, "last_way_in")]),
    Route::post("/api/auth/passkeys/login/start", "start_passkey_login", Access::Public, start_login)
        .summary("Begin to sign in by a passkey alone")
        .lane(Lane::Short)
        .answers(&[route::json(200, "What the browser is asked to sign.", &schema::PASSKEY_CEREMONY)])
        .problems(&[(404, "not_found")]),
    Route::post("/api/auth/passkeys/login/finish", "finish_passkey_login", Access::Public, finish_login)
        .summary("Log in with a passkey, which is both factors in one")
        .limit(Budget::Login)
        .body(&bodies::PASSKEY_SIGN_IN)
        .answers(&[any_of(200, "A new session.", schema::SESSION_TOKENS)])
        .problems(&[
            (401, "invalid_credentials"),
            (403, "account_disabled"),
            (403, "email_not_verified"),
            (404, "not_found"),
        ]),
    Route::post("/api/auth/2fa/passkey/start", "start_passkey_second_step", Access::Public, start_second_step)
        .summary("Begin to finish a login with a passkey as the second factor")
        .limit(Budget::Login)
        .body(&bodies::TICKET)
        .answers(&[route::json(200, "For `/2fa/verify`.", &schema::PASSKEY_CEREMONY)])
        .problems(&[(401, "invalid_code"), (404, "not_found")]),
    Route::post("/api/auth/recover", "recover_account", Access::Public, recover_account)
        .summary("Get back in by an operator's link: a new password, and no factor, passkey or session from before")
        .lane(Lane::Hash)
        .limit(Budget::Login)
        .body(&bodies::RECOVERY)
        .answers(&[any_of(200, "A new session, in which a factor can be set up.", schema::SESSION_TOKENS)])
        .problems(&[(400, "invalid_token"), (422, "weak_password")]),
    Route::get("/.well-known/webauthn", "related_origins", Access::Public, related_origins)
        .summary("The origins besides authd's own whose pages may use its passkeys (WebAuthn Level 3 §5.11)")
        .lane(Lane::Short)
        .answers(&[route::json(200, "Those of passkeys.related_origins.", &schema::RELATED_ORIGINS)])
        .problems(&[(404, "not_found")]),
];

fn begun<T: Serialize>(begun: &Begun<T>) -> Response {
    let options = serde_json::to_value(&begun.options).expect("options are texts, numbers and lists");
    json(200, &views::passkey_ceremony(&begun.ceremony, options))
}

fn start(app: &App, call: Call) -> Result<Response, Error> {
    Ok(begun(&passkey_registration::start(app, &call.caller)?))
}

fn finish(app: &App, mut call: Call) -> Result<Response, Error> {
    let (ceremony, credential) = (call.fields.token("ceremony"), call.fields.object("credential"));
    let name = call.fields.optional_name("name").unwrap_or_default();
    let added = passkey_registration::finish(app, &call.caller, ceremony.expose(), &credential, &name)?;
    let body = views::passkey_added(&added.passkey, added.recovery_codes.as_deref());
    Ok(renewed(json(201, &body), added.cookie.as_ref()))
}

fn list(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::own_passkeys(&passkeys::list_own(app, &call.caller)?)))
}

fn rename(app: &App, mut call: Call) -> Result<Response, Error> {
    let name = call.fields.name("name");
    let renamed = passkeys::rename_own(app, &call.caller, call.parameter("id"), &name)?;
    Ok(json(200, &views::passkey(&renamed)))
}

fn delete(app: &App, call: Call) -> Result<Response, Error> {
    passkeys::delete_own(app, &call.caller, call.parameter("id"))?;
    Ok(Response::empty(204))
}

fn start_login(app: &App, _: Call) -> Result<Response, Error> {
    Ok(begun(&login::start(app)?))
}

fn finish_login(app: &App, mut call: Call) -> Result<Response, Error> {
    let shown = call.fields.passkey().ok_or(Refusal::InvalidCredentials)?;
    started(app, call.token_transport, login::finish(app, &call.caller, &shown)?)
}

fn start_second_step(app: &App, mut call: Call) -> Result<Response, Error> {
    let ticket = call.fields.token("ticket");
    Ok(begun(&second_factor::start_passkey(app, ticket.expose())?))
}

fn recover_account(app: &App, mut call: Call) -> Result<Response, Error> {
    let (token, password) = (call.fields.token("token"), call.fields.password("new_password"));
    started(app, call.token_transport, recover::recover(app, &call.caller, token.expose(), &password)?)
}

fn related_origins(app: &App, _: Call) -> Result<Response, Error> {
    require_enabled(app)?;
    let origins = &app.config.passkeys.related_origins;
    if origins.is_empty() {
        return Err(Refusal::not_found("route", "").into());
    }
    Ok(json(200, &views::related_origins(origins)).header("cache-control", CACHEABLE))
}
