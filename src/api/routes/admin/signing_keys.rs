//! `/admin/signing-keys`: the keys that sign and verify tokens, without their private halves.

use super::PAGE_AFTER;
use crate::api::answer::page;
use crate::api::call::Call;
use crate::api::route::{self, Access, Route};
use crate::api::schema::admin as schema;
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::keys::signing_keys;
use crate::views;

pub static SIGNING_KEYS: &[Route] = &[Route::get(
    "/api/auth/admin/signing-keys",
    "admin_list_signing_keys",
    Access::Permission("keys:write"),
    list,
)
.summary("All signing keys, oldest first, those whose time is over too")
.query(PAGE_AFTER)
.answers(&[route::json(200, "A page of keys, without their private halves.", &schema::SIGNING_KEYS)])
.problems(&[(400, "invalid_cursor")])];

fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let (limit, after) = (call.fields.limit("limit"), call.fields.cursor("after"));
    let keys = signing_keys::page(app, &call.caller, limit, after.as_deref())?;
    let now = app.now();
    Ok(page(&keys, |key| views::signing_key(key, now)))
}
