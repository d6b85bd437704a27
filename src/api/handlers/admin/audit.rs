//! `/admin/audit`.

use super::{cursor, page};
use crate::api::call::Call;
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::audit::read;
use crate::usecase::audit::read::Wanted;
use crate::views;

pub fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let fields = &mut call.fields;
    let wanted = Wanted {
        since: fields.optional_time("since"),
        until: fields.optional_time("until"),
        user: fields.optional_user("user"),
        event: fields.optional_text("event"),
    };
    let (limit, before) = (fields.limit("limit"), cursor(fields, "before"));
    Ok(page(&read::page(app, &call.caller, &wanted, limit, before.as_deref())?, views::audit_line))
}
