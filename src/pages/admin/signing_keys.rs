//! `/auth/admin/signing-keys`: the keys that sign and verify tokens, and until when each does. They are
//! rotated and retired in a shell.

use super::frame::{self, ROWS, Tab, further};
use crate::domain::signing_key::{KeyState, SigningKey};
use crate::domain::time::Timestamp;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::keys::signing_keys;
use minijinja::{Value, context};

const LIST: &str = "/auth/admin/signing-keys";

pub const ROUTES: &[PageRoute] = &[PageRoute::for_holders(LIST, "keys:write").get(list)];

fn list(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let after = visit.query("after");
    let found = signing_keys::page(visit.app, &visit.caller, ROWS, after.as_deref())?;
    let now = visit.app.now();
    let page = context! {
        title => visit.text("admin_tabs.signing_keys"),
        keys => found.items.iter().map(|key| row(visit, key, now)).collect::<Vec<_>>(),
        first => after.is_some(),
        next => further(LIST, &[], "after", found.next.as_deref()),
    };
    Ok(frame::page(visit, Tab::SigningKeys, 200, "admin_signing_keys.html", page))
}

fn row(visit: &Visit<'_>, key: &SigningKey, now: Timestamp) -> Value {
    let (state, kind) = match key.state(now) {
        KeyState::Signing => ("signing", "good"),
        KeyState::Verifying => ("verifying", ""),
        KeyState::Expired => ("expired", "bad"),
    };
    context! {
        kid => key.kid.as_str(),
        algorithm => key.algorithm.name(),
        state => visit.text(&format!("admin_signing_keys.{state}")),
        kind,
        created => visit.time(key.created_at),
        until => visit.time(key.retired.map(|retired| retired.keep_until)),
    }
}
