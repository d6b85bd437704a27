//! Accounts: registration, addresses, passwords, one's own data.

use crate::api::answer::{ended, json, started};
use crate::api::call::Call;
use crate::api::route::{self, Access, PAGE, Route, any_of, nothing};
use crate::api::{bodies, schema};
use crate::error::Error;
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::account::register::{Registered, Registration};
use crate::usecase::account::{email, me, password, register, required_change};
use crate::usecase::app::App;
use crate::usecase::app::rate_limit::Budget;
use crate::views;

pub static ACCOUNTS: &[Route] = &[
    Route::post("/api/auth/register", "register", Access::Public, register)
        .summary("Register: an account comes of it once its address is verified")
        .lane(Lane::Hash)
        .limit(Budget::Register)
        .body(&bodies::REGISTRATION)
        .answers(&[
            route::json(
                202,
                "A mail is on its way, whether or not the address is taken.",
                &schema::VERIFICATION_SENT,
            ),
            route::json(201, "The account, where addresses are not verified.", &schema::USER),
        ])
        .problems(&[(403, "registration_closed"), (409, "email_taken"), (422, "weak_password")]),
    Route::post(
        "/api/auth/email/verify/request",
        "request_email_verification",
        Access::Public,
        request_email_verification,
    )
    .summary("Send a new verification link")
    .limit(Budget::Mail)
    .body(&bodies::ADDRESS)
    .answers(&[nothing(202, "A mail is on its way, if the account needs one.")]),
    Route::post(
        "/api/auth/email/verify/confirm",
        "confirm_email_verification",
        Access::Public,
        confirm_email_verification,
    )
    .summary("Verify an address with the link's token; a registration becomes an account by it")
    .limit(Budget::Login)
    .body(&bodies::CONFIRMATION)
    .answers(&[route::json(200, "The account, its address verified.", &schema::USER)])
    .problems(&[
        (400, "invalid_token"),
        (401, "invalid_credentials"),
        (403, "registration_closed"),
        (409, "email_taken"),
        (422, "password_required"),
        (429, "too_many_attempts"),
    ]),
    Route::post("/api/auth/email/change/request", "request_email_change", Access::User, request_email_change)
        .summary("Change the caller's address: send a link to the new one")
        .fresh()
        .limit(Budget::Mail)
        .body(&bodies::NEW_ADDRESS)
        .answers(&[nothing(
            202,
            "A link is on its way to the new address, unless it is taken; a notice to the old one.",
        )]),
    Route::post(
        "/api/auth/email/change/confirm",
        "confirm_email_change",
        Access::Public,
        confirm_email_change,
    )
    .summary("Change an address with the link's token")
    .limit(Budget::Login)
    .body(&bodies::LINK)
    .answers(&[route::json(
        200,
        "The account with its new address; other sessions have ended.",
        &schema::USER,
    )])
    .problems(&[(400, "invalid_token"), (409, "email_taken")]),
    Route::post(
        "/api/auth/password/reset/request",
        "request_password_reset",
        Access::Public,
        request_password_reset,
    )
    .summary("Send a link to set a new password")
    .limit(Budget::Mail)
    .body(&bodies::ADDRESS)
    .answers(&[nothing(202, "A mail is on its way, if there is such an account.")]),
    Route::post(
        "/api/auth/password/reset/confirm",
        "confirm_password_reset",
        Access::Public,
        confirm_password_reset,
    )
    .summary("Set a new password with the link's token")
    .lane(Lane::Hash)
    .limit(Budget::Login)
    .body(&bodies::NEW_PASSWORD)
    .answers(&[nothing(204, "The password is set; every session of the user has ended.")])
    .problems(&[(400, "invalid_token"), (422, "weak_password")]),
    Route::post("/api/auth/password/change", "change_password", Access::User, change_password)
        .summary("Change the caller's password")
        .lane(Lane::Hash)
        .limit(Budget::Login)
        .body(&bodies::PASSWORD_CHANGE)
        .answers(&[any_of(
            200,
            "New tokens for this session; all others have ended.",
            schema::SESSION_TOKENS,
        )])
        .problems(&[
            (401, "invalid_code"),
            (403, "invalid_credentials"),
            (422, "weak_password"),
            (429, "too_many_attempts"),
        ]),
    Route::post(
        "/api/auth/password/change/required",
        "change_required_password",
        Access::Public,
        change_required_password,
    )
    .summary("Set the password that stays, and finish the login that asked for it")
    .lane(Lane::Hash)
    .limit(Budget::Login)
    .body(&bodies::REQUIRED_CHANGE)
    .answers(&[any_of(200, "A new session.", schema::SESSION_TOKENS)])
    .problems(&[(400, "invalid_token"), (403, "account_disabled"), (422, "weak_password")]),
    Route::get("/api/auth/me", "show_me", Access::User, show)
        .summary("The caller's account")
        .lane(Lane::Short)
        .answers(&[route::json(200, "The account.", &schema::USER)]),
    Route::patch("/api/auth/me", "change_me", Access::User, change)
        .summary("Change the caller's account")
        .body(&bodies::PROFILE)
        .answers(&[route::json(200, "The account as it is now.", &schema::USER)]),
    Route::post("/api/auth/me/delete", "delete_me", Access::User, delete)
        .summary("Delete the caller's account")
        .fresh()
        .lane(Lane::Hash)
        .limit(Budget::Login)
        .body(&bodies::PASSWORD)
        .answers(&[nothing(204, "The account is gone; the audit log keeps its id.")])
        .problems(&[(403, "invalid_credentials"), (409, "last_admin"), (429, "too_many_attempts")]),
    Route::get("/api/auth/me/events", "list_my_events", Access::User, events)
        .summary("The caller's own security events, newest first")
        .query(PAGE)
        .answers(&[route::json(200, "A page of events.", &schema::EVENTS)])
        .problems(&[(400, "invalid_cursor")]),
];

fn register(app: &App, mut call: Call) -> Result<Response, Error> {
    let new = Registration {
        email: call.fields.email("email"),
        password: call.fields.password("password"),
        name: call.fields.optional_name("name").unwrap_or_default(),
    };
    Ok(match register::register(app, &call.caller, &new)? {
        Registered::VerificationSent => json(202, &views::verification_sent()),
        Registered::Ready(user) => json(201, &views::user(&user, app.now())),
    })
}

fn request_email_verification(app: &App, mut call: Call) -> Result<Response, Error> {
    email::request_verification(app, &call.caller, &call.fields.email("email"))?;
    Ok(Response::empty(202))
}

fn confirm_email_verification(app: &App, mut call: Call) -> Result<Response, Error> {
    let (token, password) = (call.fields.token("token"), call.fields.optional_password("password"));
    let user = email::confirm(app, &call.caller, token.expose(), password.as_ref())?;
    Ok(json(200, &views::user(&user, app.now())))
}

fn request_password_reset(app: &App, mut call: Call) -> Result<Response, Error> {
    password::request_reset(app, &call.caller, &call.fields.email("email"))?;
    Ok(Response::empty(202))
}

fn confirm_password_reset(app: &App, mut call: Call) -> Result<Response, Error> {
    let (token, new) = (call.fields.token("token"), call.fields.password("new_password"));
    password::reset(app, &call.caller, token.expose(), &new)?;
    Ok(Response::empty(204))
}

fn show(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::user(me::show(&call.caller)?, app.now())))
}

fn change(app: &App, mut call: Call) -> Result<Response, Error> {
    let change = me::Change { name: call.fields.optional_name("name") };
    Ok(json(200, &views::user(&me::change(app, &call.caller, &change)?, app.now())))
}

fn request_email_change(app: &App, mut call: Call) -> Result<Response, Error> {
    email::request_change(app, &call.caller, &call.fields.email("new_email"))?;
    Ok(Response::empty(202))
}

fn confirm_email_change(app: &App, mut call: Call) -> Result<Response, Error> {
    let user = email::confirm_change(app, &call.caller, call.fields.token("token").expose())?;
    Ok(json(200, &views::user(&user, app.now())))
}

fn change_password(app: &App, mut call: Call) -> Result<Response, Error> {
    let change = password::Change {
        current: call.fields.password("current_password"),
        new: call.fields.password("new_password"),
        factor: call.fields.factor(),
    };
    started(app, call.token_transport, password::change(app, &call.caller, &change)?)
}

fn change_required_password(app: &App, mut call: Call) -> Result<Response, Error> {
    let (ticket, new) = (call.fields.token("ticket"), call.fields.password("new_password"));
    let changed = required_change::change_required(app, &call.caller, ticket.expose(), &new)?;
    started(app, call.token_transport, changed)
}

fn delete(app: &App, mut call: Call) -> Result<Response, Error> {
    me::delete(app, &call.caller, call.fields.optional_password("password").as_ref())?;
    Ok(ended(app, call.token_transport))
}

fn events(app: &App, mut call: Call) -> Result<Response, Error> {
    let (limit, before) = (call.fields.limit("limit"), call.fields.optional_token("before"));
    let page = me::events(app, &call.caller, limit, before.as_ref().map(|before| before.expose().as_str()))?;
    Ok(json(200, &views::own_events(&page)))
}
