//! How many requests were answered, and how long that took. Of a path only the route's template is kept, so
//! that clients can't make up series.

use super::App;
use crate::counters::{Counter, Distribution, Family, Histogram};
use std::time::Duration;

/// The methods that are named; whatever else a client makes up is [`OTHER`].
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const OTHER: &str = "other";

/// Stands for every path that no route has.
const UNKNOWN: &str = "unknown";

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
pub struct RequestCounts {
    answers: Family<(Target, u16), Counter>,
    spans: Family<Target, Histogram>,
}

impl RequestCounts {
    pub(in crate::usecase) const fn new() -> Self {
        Self { answers: Family::new(Counter::default), spans: Family::new(Histogram::of_spans) }
    }

    /// How many answers there were, by what was asked for and by status.
    #[must_use]
    pub fn answers(&self) -> Vec<((Target, u16), u64)> {
        self.answers.read().into_iter().map(|(key, counter)| (key, counter.read())).collect()
    }

    /// How long they took.
    #[must_use]
    pub fn spans(&self) -> Vec<(Target, Distribution)> {
        self.spans.read().into_iter().map(|(target, histogram)| (target, histogram.read())).collect()
    }
}

/// Counts an answer. `outcome` is the number that `web/` tells answers apart by; `span` is how long it took
/// from the whole request on; `None` where the transport answered in a handler's stead, which says nothing of
/// how long the route takes.
pub fn count(app: &App, target: Target, outcome: u16, span: Option<Duration>) {
    app.request_counts.answers.of((target, outcome)).count();
    if let Some(span) = span {
        app.request_counts.spans.of(target).record_span(span);
    }
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
