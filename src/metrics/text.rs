//! The figures as text: their names, their units, and what each is about. The only file that names the
//! crate of the format.
//!
//! The crate writes OpenMetrics, where a counter's family goes without the `_total` of its samples. Version
//! 0.0.4 of the older format, which more programs read, wants one name for both, so counters are written
//! by the crate as gauges are, under their whole name, and declared as what they are.

use crate::counters::Distribution;
use crate::transport::pressure::Pressure;
use crate::usecase::app::request_counts::Target;
use crate::usecase::operator::figures::{Counted, Figures};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Names and values, in the order shown.
type Labels = Vec<(&'static str, String)>;

/// How many of the counted units make one of the name's: spans are counted in microseconds.
const SECONDS: f64 = 1e6;
const ONES: f64 = 1.0;

/// Statuses that are authd's own fault.
const FAILURES: [u16; 2] = [500, 503];

/// Writes all figures down.
pub fn write(figures: Figures, pressure: Arc<Pressure>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Exposition { figures, pressure }));
    let mut text = String::new();
    encode_registry(&mut text, &registry).expect("a String takes any text");
    text
}

#[derive(Debug)]
struct Exposition {
    figures: Figures,
    pressure: Arc<Pressure>,
}

impl Collector for Exposition {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Writer(encoder);
        self.process(&mut out)?;
        self.requests(&mut out)?;
        self.server(&mut out)?;
        self.people(&mut out)?;
        self.hashing(&mut out)?;
        self.database(&mut out)?;
        counts(&self.figures.counted, &mut out)
    }
}

impl Exposition {
    fn process(&self, out: &mut Writer<'_>) -> fmt::Result {
        let Figures { started_at, resident_bytes, open_descriptors, .. } = &self.figures;
        let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        out.gauges("authd_build_info", "Which authd this is; always 1", [(version, 1_u64)])?;
        let help = "When the process was started, in seconds since 1970";
        out.gauge(
            "authd_process_start_time_seconds",
            help,
            u64::try_from(started_at.as_secs()).unwrap_or(0),
        )?;
        if let Some(bytes) = resident_bytes {
            out.gauge(
                "authd_process_resident_memory_bytes",
                "Memory of the process that is really there",
                *bytes,
            )?;
        }
        if let Some(open) = open_descriptors {
            out.gauge("authd_process_open_fds", "Files and sockets that the process has open", *open)?;
        }
        Ok(())
    }

    fn requests(&self, out: &mut Writer<'_>) -> fmt::Result {
        // What has been asked for and has never failed is there with a zero: who watches can see a rise, but
        // not a first appearance.
        let asked = self.figures.spans.iter().map(|(target, _)| *target);
        let none_failed = asked.flat_map(|target| FAILURES.map(|status| ((target, status), 0)));
        let answers: BTreeMap<_, _> = none_failed.chain(self.figures.answers.iter().copied()).collect();
        let answers = answers.into_iter().map(|((target, status), count)| {
            let mut labels = labels_of(target);
            labels.push(("status", status.to_string()));
            (labels, count)
        });
        let help =
            "Requests answered, by the route's template; all paths without a route are the route unknown";
        out.counters("authd_http_requests_total", help, answers)?;
        let spans = self.figures.spans.iter().map(|(target, spans)| (labels_of(*target), spans.clone()));
        let help = "How long answers took, from the whole request to the whole answer, the wait for a thread included";
        out.histograms("authd_http_request_duration_seconds", help, SECONDS, spans)
    }

    fn server(&self, out: &mut Writer<'_>) -> fmt::Result {
        let Pressure { connections, turned_away, .. } = &*self.pressure;
        let lanes = self.pressure.lanes().map(|(name, counters)| (vec![("lane", name.to_owned())], counters));
        out.gauge("authd_http_connections", "Connections open now", connections.read())?;
        let help = "Connections that found all places taken";
        out.counter("authd_http_connections_refused_total", help, turned_away.read())?;
        let waiting = lanes.iter().map(|(lane, counters)| (lane.clone(), counters.waiting.read()));
        let help = "Requests that wait for a thread of their lane: hash for those that hash a password, outbound for those that ask another server, read, write";
        out.gauges("authd_lane_waiting", help, waiting)?;
        let refused = lanes.iter().map(|(lane, counters)| (lane.clone(), counters.refused.read()));
        out.counters(
            "authd_lane_refused_total",
            "Requests that found their lane's queue full: answered 503",
            refused,
        )?;
        let waits = lanes.iter().map(|(lane, counters)| (lane.clone(), counters.waits.read()));
        out.histograms("authd_lane_wait_seconds", "How long requests waited for a thread", SECONDS, waits)
    }

    fn people(&self, out: &mut Writer<'_>) -> fmt::Result {
        let by = |label: &'static str, counts: &[(&'static str, u64)]| {
            counts.iter().map(|(name, count)| (vec![(label, (*name).to_owned())], *count)).collect::<Vec<_>>()
        };
        let help = "Attempts to prove who one is, by what they came to, as the audit log tells them";
        out.counters("authd_logins_total", help, by("outcome", &self.figures.logins))?;
        let help = "Accounts locked after too many failures: for one network, or for all that the account doesn't know";
        out.counters("authd_lockouts_total", help, by("scope", &self.figures.lockouts))?;
        let help = "Lines that this process wrote to the audit log";
        out.counters("authd_events_total", help, by("event", &self.figures.events))
    }

    fn hashing(&self, out: &mut Writer<'_>) -> fmt::Result {
        let hashing = &self.figures.hashing;
        out.gauge("authd_hash_waiting", "Passwords that wait for a hashing thread", hashing.waiting)?;
        let help = "Passwords that found the hashing threads' queue full: answered 503";
        out.counter("authd_hash_refused_total", help, hashing.refused)?;
        let help = "How long passwords waited for a hashing thread";
        out.histogram("authd_hash_wait_seconds", help, SECONDS, &hashing.waits)?;
        out.histogram(
            "authd_hash_duration_seconds",
            "How long hashing a password took",
            SECONDS,
            &hashing.spans,
        )
    }

    fn database(&self, out: &mut Writer<'_>) -> fmt::Result {
        let Figures { writing, file_bytes, .. } = &self.figures;
        out.counter("authd_commits_total", "Commits that are on disk", writing.commits)?;
        let help = "Transactions that could not be begun or committed: everything that waited for them was answered 503";
        out.counter("authd_commit_failures_total", help, writing.failures)?;
        out.histogram("authd_commit_jobs", "Changes that went to disk in one commit", ONES, &writing.jobs)?;
        let help = "How long commits took, from the beginning of the transaction until it was on disk";
        out.histogram("authd_commit_duration_seconds", help, SECONDS, &writing.spans)?;
        // The size of a database on a server is for that server's own monitoring.
        match file_bytes {
            Some([database, log]) => {
                out.gauge("authd_database_size_bytes", "Size of the database file", *database)?;
                out.gauge("authd_database_wal_size_bytes", "Size of the write-ahead log", *log)
            }
            None => {
                let help = "Transactions that were begun once more, since another one was in their way";
                out.counter("authd_store_retries_total", help, writing.retries)
            }
        }
    }
}

/// What only the database knows. Before it has answered for the first time, only that is told.
fn counts(counted: &Counted, out: &mut Writer<'_>) -> fmt::Result {
    let help = "Whether the database could be read when it was counted last";
    out.gauge("authd_database_up", help, u64::from(counted.answered))?;
    let Some(row_counts) = &counted.row_counts else {
        return Ok(());
    };
    let help = "How old the counts of users, sessions and mails are: a large database is counted more rarely";
    out.gauge("authd_database_counts_age_seconds", help, counted.age.as_secs_f64())?;
    out.gauge("authd_users", "Accounts", row_counts.users)?;
    let factors = [("totp", row_counts.with_totp), ("passkey", row_counts.with_passkey)];
    let factors = factors.into_iter().map(|(kind, count)| (vec![("kind", kind.to_owned())], count));
    out.gauges("authd_users_with_second_factor", "Accounts that have a second factor of this kind", factors)?;
    out.gauge("authd_sessions_alive", "Sessions that can be used or refreshed", row_counts.sessions_alive)?;
    let mails =
        row_counts.mails.iter().map(|(state, count)| (vec![("state", state.name().to_owned())], *count));
    out.gauges("authd_mails", "Mails in the outbox", mails)?;
    if let Some(waiting) = counted.mail_waiting {
        let help = "How long the mail has waited that has waited longest; 0 when none waits";
        out.gauge("authd_mail_waiting_seconds", help, waiting.as_secs_f64())?;
    }
    Ok(())
}

fn labels_of(target: Target) -> Labels {
    vec![("method", target.method.to_owned()), ("route", target.route.to_owned())]
}

/// Writes one family after the other.
struct Writer<'a>(DescriptorEncoder<'a>);

impl Writer<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
        self.gauges(name, help, [(Labels::new(), value)])
    }

    fn gauges<V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels, V)>,
    ) -> fmt::Result {
        self.numbers(name, help, MetricType::Gauge, values)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.counters(name, help, [(Labels::new(), value)])
    }

    fn counters(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels, u64)>,
    ) -> fmt::Result {
        self.numbers(name, help, MetricType::Counter, values)
    }

    fn numbers<V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        values: impl IntoIterator<Item = (Labels, V)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        for (labels, value) in values {
            if labels.is_empty() {
                family.encode_gauge(&value)?;
            } else {
                family.encode_family(&labels)?.encode_gauge(&value)?;
            }
        }
        Ok(())
    }

    fn histogram(&mut self, name: &str, help: &str, per_unit: f64, values: &Distribution) -> fmt::Result {
        self.histograms(name, help, per_unit, [(Labels::new(), values.clone())])
    }

    /// `per_unit`: how many of the counted units make one of the name's.
    fn histograms(
        &mut self,
        name: &str,
        help: &str,
        per_unit: f64,
        values: impl IntoIterator<Item = (Labels, Distribution)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, values) in values {
            let in_units = |value: u64| value_in(value, per_unit);
            let buckets: Vec<(f64, u64)> = values
                .buckets
                .iter()
                .map(|(bound, count)| (bound.map_or(f64::INFINITY, in_units), *count))
                .collect();
            let (sum, count) = (in_units(values.sum), values.count());
            if labels.is_empty() {
                family.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
            } else {
                family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
            }
        }
        Ok(())
    }
}

/// Exact up to 2^53 microseconds, which are 285 years.
#[allow(clippy::cast_precision_loss, reason = "as said above")]
fn value_in(value: u64, per_unit: f64) -> f64 {
    value as f64 / per_unit
}
