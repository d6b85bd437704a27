//! Points in time as authd stores and shows them. Reading the clock is a port's business.

use std::fmt;
use std::time::Duration;

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(i64);

impl Timestamp {
    /// So many milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// So many seconds since the epoch.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded towards the past: what a JWT's `NumericDate` carries.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The point in time that is `span` later, or the last there is.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// The point in time that is `span` earlier, or the first there is.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// The span from `earlier` to `self`, zero where `earlier` is in fact later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let span = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(span).unwrap_or(0))
    }

    /// RFC 3339, UTC, always to the millisecond: nothing is lost, and every time is as long.
    #[must_use]
    pub fn exact(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map_or_else(|_| self.to_string(), |time| format!("{time:.3}"))
    }

    /// As a letter says it: `22 November 2026, 08:00 UTC`.
    #[must_use]
    pub fn in_words(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map_or_else(|_| self.to_string(), |at| at.strftime("%-d %B %Y, %H:%M UTC").to_string())
    }

    /// Reads RFC 3339 with any offset. `None` when the text is not a time.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let parsed: jiff::Timestamp = text.parse().ok()?;
        Some(Self(parsed.as_millisecond()))
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 3339, UTC, with a `Z`, whole seconds: `2026-11-22T08:00:00Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.as_secs()) {
            Ok(time) => write!(f, "{time}"),
            // Outside the years jiff knows: say so rather than lie.
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_whole_seconds_in_utc() {
        assert_eq!(Timestamp::from_millis(1_795_334_400_999).to_string(), "2026-11-22T08:00:00Z");
    }

    #[test]
    fn the_exact_form_keeps_the_milliseconds() {
        for millis in [1_795_334_400_999, 1_795_334_400_000, 0, -1] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(Timestamp::parse_rfc3339(&time.exact()), Some(time), "{}", time.exact());
        }
        assert_eq!(Timestamp::from_millis(1_795_334_400_120).exact(), "2026-11-22T08:00:00.120Z");
    }

    #[test]
    fn reads_any_offset() {
        let time = Timestamp::parse_rfc3339("2026-11-22T09:00:00+01:00");
        assert_eq!(time, Some(Timestamp::from_secs(1_795_334_400)));
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn a_span_backwards_is_zero() {
        let early = Timestamp::from_secs(1);
        assert_eq!(early.since(Timestamp::from_secs(2)), Duration::ZERO);
    }
}
