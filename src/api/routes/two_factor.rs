//! One's own second factor.

use crate::api::handlers::two_factor;
use crate::api::route::Handler::Now;
use crate::api::route::{Access, Method, Route, json, nothing};
use crate::api::{bodies, schema};
use crate::transport::Lane;
use crate::usecase::app::rate_limit::Budget;

pub static TWO_FACTOR: &[Route] = &[
    Route {
        method: Method::Get,
        path: "/api/auth/2fa",
        id: "show_two_factor",
        summary: "Whether the second factor is on",
        access: Access::User,
        lane: Lane::Short,
        limit: Some(Budget::Default),
        query: &[],
        request: None,
        answers: &[json(200, "How it stands.", &schema::TWO_FACTOR)],
        problems: &[],
        handler: Now(two_factor::show),
    },
    Route {
        method: Method::Post,
        path: "/api/auth/2fa/setup",
        id: "set_up_two_factor",
        summary: "Hand out a secret for an authenticator app",
        access: Access::User,
        lane: Lane::Write,
        limit: Some(Budget::Default),
        query: &[],
        request: None,
        answers: &[json(
            200,
            "The secret, in three forms. Nothing is on until a code for it comes back.",
            &schema::TWO_FACTOR_SETUP,
        )],
        problems: &[(403, "fresh_login_required"), (409, "already_enabled")],
        handler: Now(two_factor::set_up),
    },
    Route {
        method: Method::Post,
        path: "/api/auth/2fa/enable",
        id: "enable_two_factor",
        summary: "Turn the second factor on",
        access: Access::User,
        lane: Lane::Write,
        limit: Some(Budget::Login),
        query: &[],
        request: Some(&bodies::CODE),
        answers: &[json(200, "Recovery codes, shown this once; other sessions have ended.", &schema::RECOVERY_CODES)],
        problems: &[(401, "invalid_code"), (403, "fresh_login_required"), (409, "already_enabled")],
        handler: Now(two_factor::enable),
    },
    Route {
        method: Method::Post,
        path: "/api/auth/2fa/disable",
        id: "disable_two_factor",
        summary: "Turn the second factor off",
        access: Access::User,
        lane: Lane::Hash,
        limit: Some(Budget::Login),
        query: &[],
        request: Some(&bodies::DISABLE_TWO_FACTOR),
        answers: &[nothing(204, "It is off; other sessions have ended.")],
        problems: &[
            (401, "invalid_code"),
            (403, "fresh_login_required"),
            (403, "invalid_credentials"),
            (429, "too_many_attempts"),
        ],
        handler: Now(two_factor::disable),
    },
    Route {
        method: Method::Post,
        path: "/api/auth/2fa/recovery-codes",
        id: "replace_recovery_codes",
        summary: "Make new recovery codes; the old ones die",
        access: Access::User,
        lane: Lane::Write,
        limit: Some(Budget::Login),
        query: &[],
        request: Some(&bodies::CODE),
        answers: &[json(200, "Ten new ones, shown this once.", &schema::RECOVERY_CODES)],
        problems: &[(401, "invalid_code"), (403, "fresh_login_required")],
        handler: Now(two_factor::replace_recovery_codes),
    },
];
