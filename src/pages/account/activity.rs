//! What has happened to the account, newest first.

use crate::domain::audit::Line;
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::me;
use form_urlencoded::byte_serialize;
use minijinja::{Value, context};

pub const ROUTES: &[PageRoute] = &[PageRoute::for_signed_in("/auth/account/activity").get(open)];

/// How many events a page shows.
const EVENTS: u32 = 50;

fn open(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let before = visit.query("before");
    let found = me::events(visit.app, &visit.caller, EVENTS, before.as_deref())?;
    let next = found.next.map(|next| byte_serialize(next.as_bytes()).collect::<String>());
    let page = context! {
        title => visit.text("activity.title"),
        events => rows(visit, &found.items),
        is_first => before.is_none(),
        next => next.unwrap_or_default(),
    };
    Ok(visit.page(200, "activity.html", page))
}

/// Events as a list shows them.
#[must_use]
pub fn rows(visit: &Visit<'_>, lines: &[Line]) -> Vec<Value> {
    lines.iter().map(|line| row(visit, line)).collect()
}

fn row(visit: &Visit<'_>, line: &Line) -> Value {
    let own = visit.me.as_ref().map(|me| format!("user:{}", me.account.id)).unwrap_or_default();
    context! {
        what => visit.language.text(&format!("event.{}", line.event)).unwrap_or(&line.event),
        at => visit.time(line.at),
        network => line.ip.as_deref().unwrap_or_default(),
        // Whoever logs in is nobody before.
        by_others => line.actor != own && line.actor != "anonymous",
    }
}
