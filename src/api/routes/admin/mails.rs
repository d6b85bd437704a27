//! `/admin/mails`: the outbox. What a mail says stays in it: a link there is for its reader alone.

use crate::api::answer::page;
use crate::api::call::Call;
use crate::api::route::{self, AFTER, Access, LIMIT, Route, nothing};
use crate::api::schema::admin as schema;
use crate::api::wire::{Field, Kind, Presence};
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::mail::{compose, delivery};
use crate::views;

const FILTER: &[Field] = &[
    Field {
        name: "state",
        kind: Kind::MailState,
        presence: Presence::Optional,
        about: "Only mails in this state.",
    },
    LIMIT,
    AFTER,
];

pub static MAILS: &[Route] = &[
    Route::get("/api/auth/admin/mails", "admin_list_mails", Access::Permission("users:read"), list)
        .summary("The outbox, newest first, without what the mails say")
        .query(FILTER)
        .answers(&[route::json(200, "A page of mails.", &schema::MAILS)])
        .problems(&[(400, "invalid_cursor")]),
    Route::post(
        "/api/auth/admin/mails/{id}/retry",
        "admin_retry_mail",
        Access::Permission("users:write"),
        retry,
    )
    .summary("Queue a mail once more that failed, or have one tried now that waits")
    .answers(&[nothing(204, "It is due at once, and given up after another day.")])
    .problems(&[(404, "not_found"), (409, "conflict")]),
];

fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let fields = &mut call.fields;
    let state = fields.optional_mail_state("state");
    let (limit, after) = (fields.limit("limit"), fields.cursor("after"));
    Ok(page(&compose::page(app, &call.caller, state, limit, after.as_deref())?, views::mail))
}

fn retry(app: &App, call: Call) -> Result<Response, Error> {
    delivery::retry(app, &call.caller, &[call.parameter("id").to_owned()])?;
    Ok(Response::empty(204))
}
