//! What every request leaves behind: a count, a span, and a line in the log. Never what it said: of the
//! path only the route's template, no query, no header, no body.

use super::App;
use crate::counters::{Counter, Distribution, Family, Histogram};
use crate::domain::id::UserId;
use std::net::IpAddr;
use std::time::Duration;

/// The methods that are named; whatever else a client makes up is [`OTHER`].
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const OTHER: &str = "other";

/// Stands for every path that no route has.
const UNKNOWN: &str = "unknown";

/// Statuses that are authd's own fault.
const FAILURES: [u16; 2] = [500, 503];

/// What was asked for, as one of few: clients can't make up another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Target {
    pub method: &'static str,
    /// The route's template, such as `/api/auth/sessions/{id}`.
    pub route: &'static str,
}

impl Target {
    /// `route` of `None`: no route has that path.
    #[must_use]
    pub fn of(method: &str, route: Option<&'static str>) -> Self {
        let method = METHODS.into_iter().find(|known| *known == method).unwrap_or(OTHER);
        Self { method, route: route.unwrap_or(UNKNOWN) }
    }

    /// Where there was no sound request.
    #[must_use]
    pub const fn none() -> Self {
        Self { method: OTHER, route: UNKNOWN }
    }
}

/// All requests since the process began.
#[derive(Debug)]
pub struct Traffic {
    answers: Family<(Target, u16), Counter>,
    spans: Family<Target, Histogram>,
}

impl Traffic {
    pub(in crate::usecase) const fn new() -> Self {
        Self { answers: Family::new(Counter::default), spans: Family::new(Histogram::of_spans) }
    }

    /// How many answers there were, by what was asked for and by status. What has been asked for and has
    /// never failed is there with a zero: who watches can see a rise, but not a first appearance.
    #[must_use]
    pub fn answers(&self) -> Vec<((Target, u16), u64)> {
        for (target, _) in self.spans.read() {
            for status in FAILURES {
                let _ = self.answers.of((target, status));
            }
        }
        self.answers.read().into_iter().map(|(key, counter)| (key, counter.read())).collect()
    }

    /// How long they took.
    #[must_use]
    pub fn spans(&self) -> Vec<(Target, Distribution)> {
        self.spans.read().into_iter().map(|(target, histogram)| (target, histogram.read())).collect()
    }
}

/// A request on its way, and what has come to light of it.
#[derive(Debug)]
pub struct Passage {
    begun: Duration,
    /// Before it began: for a thread.
    waited: Duration,
    pub target: Target,
    pub request_id: String,
    pub ip: Option<IpAddr>,
    /// Who showed a good access token.
    pub user: Option<UserId>,
}

impl Passage {
    /// A request that a thread takes up now, after it `waited` for one.
    #[must_use]
    pub fn begin(app: &App, waited: Duration, request_id: String, ip: Option<IpAddr>) -> Self {
        Self { begun: app.elapsed(), waited, target: Target::none(), request_id, ip, user: None }
    }

    /// It is answered: counts it, and leaves its line. What went wrong with authd itself has a line of its
    /// own, with the same id.
    pub fn end(&self, app: &App, status: u16) {
        let span = self.waited + app.elapsed().saturating_sub(self.begun);
        app.traffic.answers.of((self.target, status)).count();
        app.traffic.spans.of(self.target).record_span(span);
        let Target { method, route } = self.target;
        let request_id = self.request_id.as_str();
        let ip = self.ip.map(tracing::field::display);
        let user = self.user.map(tracing::field::display);
        let duration_ms = f64::from(u32::try_from(span.as_micros()).unwrap_or(u32::MAX)) / 1000.0;
        match status {
            500.. => tracing::warn!(method, route, status, duration_ms, request_id, ip, user, "answered"),
            400.. => tracing::info!(method, route, status, duration_ms, request_id, ip, user, "answered"),
            _ => tracing::debug!(method, route, status, duration_ms, request_id, ip, user, "answered"),
        }
    }
}

/// A request that the transport answered in the handler's stead, for the reason that `why` names. There may
/// be many at once, and the thread that tells of them must not wait for whoever reads the log: so this is
/// for debugging, and the counts tell the rest.
pub fn turned_away(app: &App, target: Target, status: u16, request_id: &str, why: &dyn std::fmt::Debug) {
    app.traffic.answers.of((target, status)).count();
    let Target { method, route } = target;
    tracing::debug!(method, route, status, request_id, ?why, "refused");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_make_up_a_target() {
        assert_eq!(Target::of("GET", Some("/a")), Target { method: "GET", route: "/a" });
        assert_eq!(Target::of("get", None), Target::none());
        assert_eq!(Target::of("BREW", None), Target::none());
    }
}
