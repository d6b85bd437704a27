//! One's own second factor.

use crate::api::answer::{json, renewed};
use crate::api::call::Call;
use crate::api::route::{self, Access, Route, nothing};
use crate::api::{bodies, schema};
use crate::error::{Error, Refusal};
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::account::two_factor;
use crate::usecase::account::two_factor::RecoveryCodes;
use crate::usecase::app::App;
use crate::usecase::app::rate_limit::Budget;
use crate::views;

pub static TWO_FACTOR: &[Route] = &[
    Route::get("/api/auth/2fa", "show_two_factor", Access::User, show)
        .summary("Whether the second factor is on")
        .before_second_factor()
        .lane(Lane::Short)
        .answers(&[route::json(200, "How it stands.", &schema::TWO_FACTOR)]),
    Route::post("/api/auth/2fa/setup", "set_up_two_factor", Access::User, set_up)
        .summary("Hand out a secret for an authenticator app")
        .before_second_factor()
        .fresh()
        .answers(&[route::json(
            200,
            "The secret, in three forms. Nothing is on until a code for it comes back.",
            &schema::TWO_FACTOR_SETUP,
        )])
        .problems(&[(403, "email_not_verified"), (409, "already_enabled")]),
    Route::post("/api/auth/2fa/enable", "enable_two_factor", Access::User, enable)
        .summary("Turn the second factor on")
        .before_second_factor()
        .fresh()
        .limit(Budget::Login)
        .body(&bodies::CODE)
        .answers(&[route::json(
            200,
            "Recovery codes, shown this once; other sessions have ended.",
            &schema::RECOVERY_CODES,
        )])
        .problems(&[(401, "invalid_code"), (403, "email_not_verified"), (409, "already_enabled")]),
    Route::post("/api/auth/2fa/disable", "disable_two_factor", Access::User, disable)
        .summary("Turn the second factor off")
        .fresh()
        .lane(Lane::Hash)
        .limit(Budget::Login)
        .body(&bodies::DISABLE_TWO_FACTOR)
        .answers(&[nothing(204, "It is off; other sessions have ended.")])
        .problems(&[(401, "invalid_code"), (403, "invalid_credentials"), (429, "too_many_attempts")]),
    Route::post(
        "/api/auth/2fa/recovery-codes",
        "replace_recovery_codes",
        Access::User,
        replace_recovery_codes,
    )
    .summary("Make new recovery codes; the old ones die")
    .fresh()
    .limit(Budget::Login)
    .body(&bodies::CODE)
    .answers(&[route::json(200, "Ten new ones, shown this once.", &schema::RECOVERY_CODES)])
    .problems(&[(401, "invalid_code"), (403, "fresh_login_required")]),
];

fn show(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::two_factor(&two_factor::status(app, &call.caller)?)))
}

fn set_up(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::two_factor_setup(&two_factor::setup(app, &call.caller)?)))
}

fn enable(app: &App, mut call: Call) -> Result<Response, Error> {
    let given = two_factor::enable(app, &call.caller, &call.fields.token("code"))?;
    Ok(recovery_codes(&given))
}

fn disable(app: &App, mut call: Call) -> Result<Response, Error> {
    let password = call.fields.optional_password("password");
    let factor = call.fields.factor().ok_or(Refusal::InvalidCode)?;
    let cookie = two_factor::disable(app, &call.caller, password.as_ref(), &factor)?;
    Ok(renewed(Response::empty(204), cookie.as_ref()))
}

fn replace_recovery_codes(app: &App, mut call: Call) -> Result<Response, Error> {
    let given = two_factor::new_recovery_codes(app, &call.caller, &call.fields.token("code"))?;
    Ok(recovery_codes(&given))
}

fn recovery_codes(given: &RecoveryCodes) -> Response {
    renewed(json(200, &views::recovery_codes(&given.codes)), given.cookie.as_ref())
}
