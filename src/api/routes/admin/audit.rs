//! `/admin/audit`: the audit log.

use super::OF_USER;
use crate::api::answer::page;
use crate::api::call::Call;
use crate::api::route::{self, Access, BEFORE, LIMIT, Route};
use crate::api::schema::admin as schema;
use crate::api::wire::{Field, Kind, Presence};
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::audit::read;
use crate::usecase::audit::read::Wanted;
use crate::views;

const LINES: &[Field] = &[
    Field {
        name: "since",
        kind: Kind::Time,
        presence: Presence::Optional,
        about: "Only lines from then on.",
    },
    Field { name: "until", kind: Kind::Time, presence: Presence::Optional, about: "Only lines before then." },
    OF_USER,
    Field {
        name: "event",
        kind: Kind::Text,
        presence: Presence::Optional,
        about: "Only this event, such as `LoginFailed`.",
    },
    LIMIT,
    BEFORE,
];

pub static AUDIT: &[Route] =
    &[Route::get("/api/auth/admin/audit", "admin_list_audit", Access::Permission("audit:read"), list)
        .summary("The audit log, newest line first")
        .query(LINES)
        .answers(&[route::json(200, "A page of lines.", &schema::AUDIT)])
        .problems(&[(400, "invalid_cursor"), (404, "not_found")])];

fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let fields = &mut call.fields;
    let wanted = Wanted {
        since: fields.optional_time("since"),
        until: fields.optional_time("until"),
        user: fields.optional_user("user"),
        events: fields.optional_text("event").into_iter().collect(),
    };
    let (limit, before) = (fields.limit("limit"), fields.cursor("before"));
    Ok(page(&read::page(app, &call.caller, &wanted, limit, before.as_deref())?, views::audit_line))
}
