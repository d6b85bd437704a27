//! A proxy on this machine that nobody told authd of: all its clients look like one, whose failed logins lock
//! everybody out. The log tells of it once an hour, and the database when, for the doctor.

use super::App;
use crate::domain::caller::Caller;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Fault};
use crate::store::tables::meta;
use crate::store::tx::Query;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Where the database keeps when one was met last: milliseconds in eight bytes, big endian.
const SEEN_AT: &str = "unknown_proxy_seen_at";

/// How long the log is quiet about it.
const PAUSE: Duration = Duration::from_secs(3600);

/// When the log told of one last, by a clock that only goes forward. `None`: never.
#[derive(Debug, Default)]
pub(in crate::usecase) struct UnknownProxy(Mutex<Option<Duration>>);

impl UnknownProxy {
    /// Whether the log is to tell of it now; then it is quiet for a while.
    fn is_due(&self, now: Duration) -> bool {
        let mut told_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told_at.is_none_or(|told_at| now.saturating_sub(told_at) >= PAUSE);
        if is_due {
            *told_at = Some(now);
        }
        is_due
    }
}

/// Notes that a request came from such a proxy. No thread waits for the database.
pub fn note(app: &App) {
    if !app.unknown_proxy.is_due(app.elapsed()) {
        return;
    }
    tracing::warn!(
        "a proxy on this machine sends X-Forwarded-For, and `proxy.trusted` is empty: all its clients count as one, \
         whose failed logins lock everybody out; set `proxy.trusted` to its address, such as 127.0.0.1/32"
    );
    drop(app.store.write_later(&Caller::system(), |tx| {
        let now = tx.now();
        meta::save(tx, SEEN_AT, &now.as_millis().to_be_bytes())?;
        Ok(Decision::Grant(()))
    }));
}

/// When one was met last, as far as the log told of it. `None`: never.
///
/// # Errors
/// The store's.
pub(in crate::usecase) fn seen_at(query: &impl Query) -> Result<Option<Timestamp>, Fault> {
    let bytes = meta::find(query, SEEN_AT)?.and_then(|bytes| bytes.try_into().ok());
    Ok(bytes.map(i64::from_be_bytes).map(Timestamp::from_millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_tells_of_it_once_an_hour() {
        let proxy = UnknownProxy::default();
        let due = [0, 1, 3_599, 3_600, 3_601, 7_200].map(|secs| proxy.is_due(Duration::from_secs(secs)));
        assert_eq!(due, [true, false, false, true, false, true]);
    }
}
