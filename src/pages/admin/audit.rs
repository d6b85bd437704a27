//! `/auth/admin/audit`: the audit log, newest line first, filtered.

use super::activity;
use super::frame::{self, ROWS, Tab, further};
use super::inputs::{Mistakes, typed};
use crate::domain::audit::Event;
use crate::domain::time::Timestamp;
use crate::error::{Error, Refusal};
use crate::pages::route::PageRoute;
use crate::pages::stop::Stop;
use crate::pages::visit::Visit;
use crate::transport::message::Response;
use crate::usecase::account::reference::UserRef;
use crate::usecase::audit::read::Wanted;
use minijinja::context;

pub const ROUTES: &[PageRoute] = &[PageRoute::for_holders("/auth/admin/audit", "audit:read").get(list)];

fn list(visit: &mut Visit<'_>) -> Result<Response, Stop> {
    let asked = |name: &str| visit.query(name).unwrap_or_default().trim().to_owned();
    let [event, user, since, until] = ["event", "user", "since", "until"].map(asked);
    let before = visit.query("before");
    let mut mistakes = Mistakes::default();
    let wanted = Wanted {
        since: at(visit, "since", &since, &mut mistakes),
        until: at(visit, "until", &until, &mut mistakes),
        user: who(visit, &user, &mut mistakes),
        events: (!event.is_empty()).then(|| event.clone()).into_iter().collect(),
    };
    let (lines, next) = if mistakes.are_none() {
        match activity::lines(visit, &wanted, ROWS, before.as_deref()) {
            Err(Error::Refused(Refusal::NotFound { .. })) => {
                mistakes.beside("user", visit.text("admin_invalid.user"));
                (Vec::new(), None)
            }
            found => found?,
        }
    } else {
        (Vec::new(), None)
    };
    let filters = [
        ("event", event.as_str()),
        ("user", user.as_str()),
        ("since", since.as_str()),
        ("until", until.as_str()),
    ];
    let mut events = Event::NAMES;
    events.sort_unstable();
    let page = context! {
        title => visit.text("admin_audit.title"),
        lines,
        events => frame::words(events),
        typed => typed(&filters),
        errors => mistakes.beside_fields(),
        is_filtered => filters.iter().any(|(_, value)| !value.is_empty()),
        first => before.is_some(),
        next => further("/auth/admin/audit", &filters, "before", next.as_deref()),
    };
    Ok(frame::page(visit, Tab::Audit, mistakes.status(), "admin_audit.html", page))
}

fn who(visit: &Visit<'_>, text: &str, mistakes: &mut Mistakes) -> Option<UserRef> {
    if text.is_empty() {
        return None;
    }
    let user = UserRef::parse(text).ok();
    if user.is_none() {
        mistakes.beside("user", visit.text("admin_invalid.user"));
    }
    user
}

fn at(visit: &Visit<'_>, field: &'static str, text: &str, mistakes: &mut Mistakes) -> Option<Timestamp> {
    if text.is_empty() {
        return None;
    }
    let time = read_time(text);
    if time.is_none() {
        mistakes.beside(field, visit.text("admin_invalid.time"));
    }
    time
}

/// As a browser writes it (HTML §2.3.5.6, `2026-11-22T08:00`), which is UTC here, or with its own offset.
fn read_time(text: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_rfc3339(&format!("{text}Z")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browsers_time_is_utc() {
        let eight = Some(Timestamp::from_secs(1_795_334_400));
        for text in
            ["2026-11-22T08:00", "2026-11-22T08:00:00", "2026-11-22T08:00Z", "2026-11-22T09:00:00+01:00"]
        {
            assert_eq!(read_time(text), eight, "{text}");
        }
        for text in ["yesterday", "08:00", "2026-11-22T25:00"] {
            assert_eq!(read_time(text), None, "{text}");
        }
    }
}
