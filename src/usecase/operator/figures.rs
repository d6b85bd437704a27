//! All that there is to watch, read out at one moment. What the process counts itself costs nothing to
//! read; what only the database knows is counted there, rarely.

use crate::config::MailTransport;
use crate::counters::Distribution;
use crate::crypto::gate::GateCounters;
use crate::domain::audit::{EventClass, LoginFailure};
use crate::domain::time::Timestamp;
use crate::ports::process;
use crate::store::WriterCounters;
use crate::store::tables::row_counts;
use crate::store::tables::row_counts::RowCounts;
use crate::store::tables::sessions::Alive;
use crate::usecase::app::App;
use crate::usecase::app::files;
use crate::usecase::app::request_counts::Target;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Figures {
    pub started_at: Timestamp,
    /// `None`, here and below: the system doesn't tell.
    pub resident_bytes: Option<u64>,
    pub open_descriptors: Option<u64>,
    pub answers: Vec<((Target, u16), u64)>,
    pub spans: Vec<(Target, Distribution)>,
    /// By outcome: every one that there can be.
    pub logins: Vec<(&'static str, u64)>,
    /// By whom the account was locked for.
    pub lockouts: Vec<(&'static str, u64)>,
    /// Lines of the audit log, by event.
    pub events: Vec<(&'static str, u64)>,
    pub hashing: Hashing,
    pub writing: Writing,
    /// The database file's, and its write-ahead log's. `None`: the database is on a server.
    pub file_bytes: Option<[u64; 2]>,
    pub counted: Counted,
}

#[derive(Clone, Debug)]
pub struct Hashing {
    pub waiting: u64,
    pub refused: u64,
    pub waits: Distribution,
    pub spans: Distribution,
}

#[derive(Clone, Debug)]
pub struct Writing {
    pub commits: u64,
    pub failures: u64,
    /// How often a transaction was begun once more, since another one was in its way.
    pub retries: u64,
    pub jobs: Distribution,
    pub spans: Distribution,
}

/// What the database said when it was asked last.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Whether it answered.
    pub answered: bool,
    /// `None`: it has never answered.
    pub row_counts: Option<RowCounts>,
    /// How long ago that was.
    pub age: Duration,
    /// How long the mail has waited that has waited longest. `None`: authd sends none itself, so that waiting
    /// is what mail does.
    pub mail_waiting: Option<Duration>,
}

/// Reads everything out.
#[must_use]
pub fn read(app: &App) -> Figures {
    let events: Vec<(EventClass, u64)> =
        app.store.events().read().into_iter().map(|(class, counter)| (class, counter.read())).collect();
    Figures {
        started_at: app.started_at,
        resident_bytes: process::resident_bytes(),
        open_descriptors: process::open_descriptors(),
        answers: app.request_counts.answers(),
        spans: app.request_counts.spans(),
        logins: logins(&events),
        lockouts: [EventClass::EVERYWHERE, EventClass::ONE_NETWORK]
            .map(|scope| (scope, sum(&events, "AccountLocked", Some(scope))))
            .into(),
        events: by_event(&events),
        hashing: hashing(app.gate.counters()),
        writing: writing(app.store.writer()),
        file_bytes: app.store.path().map(files::sizes),
        counted: counted(app),
    }
}

/// Those that failed by their reason. What never happened is a zero, so that the first time shows.
fn logins(events: &[(EventClass, u64)]) -> Vec<(&'static str, u64)> {
    let failures = LoginFailure::ALL.map(|why| (why.name(), sum(events, "LoginFailed", Some(why.name()))));
    let others = [
        ("succeeded", sum(events, "LoginSucceeded", None)),
        ("second_step_asked", sum(events, "SecondStepAsked", None)),
    ];
    others.into_iter().chain(failures).collect()
}

fn by_event(events: &[(EventClass, u64)]) -> Vec<(&'static str, u64)> {
    let mut sums = BTreeMap::new();
    for (class, count) in events {
        *sums.entry(class.event).or_insert(0) += count;
    }
    sums.into_iter().collect()
}

/// `variant` of `None`: whichever.
fn sum(events: &[(EventClass, u64)], event: &str, variant: Option<&str>) -> u64 {
    let matching =
        events.iter().filter(|(class, _)| class.event == event && variant.is_none_or(|v| v == class.variant));
    matching.map(|(_, count)| count).sum()
}

fn hashing(counters: &GateCounters) -> Hashing {
    Hashing {
        waiting: counters.waiting.read(),
        refused: counters.refused.read(),
        waits: counters.waits.read(),
        spans: counters.spans.read(),
    }
}

fn writing(counters: &WriterCounters) -> Writing {
    Writing {
        commits: counters.commits.read(),
        failures: counters.failures.read(),
        retries: counters.retries.read(),
        jobs: counters.jobs.read(),
        spans: counters.spans.read(),
    }
}

fn counted(app: &App) -> Counted {
    let alive = Alive { now: app.now(), idle: app.config.tokens.refresh_idle };
    let known =
        app.row_counts.read(|| app.elapsed(), || app.store.read(|query| row_counts::count(query, alive)));
    let oldest = known.row_counts.as_ref().and_then(|row_counts| row_counts.oldest_queued);
    let waiting = oldest.map_or(Duration::ZERO, |oldest| app.now().since(oldest));
    Counted {
        answered: known.answered,
        row_counts: known.row_counts,
        age: app.elapsed().saturating_sub(known.last),
        mail_waiting: (app.config.mail.transport == MailTransport::Smtp).then_some(waiting),
    }
}
