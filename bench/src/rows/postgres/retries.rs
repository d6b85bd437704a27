//! How many transactions run again since another one was in their way.

use super::{CLIENTS, progress};
use crate::Outcome;
use crate::client::Client;
use crate::cluster::Cluster;
use crate::daemon::{config, free_address};
use crate::options::Options;
use crate::seed::Size;
use crate::table::{Row, Sample, Target};
use crate::wrk::{Aim, Load};
use crate::{load, people};

const COUNTER: &str = "authd_store_retries_total";

/// How many rotations a client makes between two logins.
const ROTATIONS: u64 = 4;

pub fn measure(options: &Options, cluster: &Cluster) -> Outcome<[Row; 3]> {
    let place = cluster.place(options, "retries")?;
    let metrics = free_address()?.to_string();
    let config = config(&cluster.url("retries"));
    place.configure(&format!("{config}\n[metrics]\nlisten = \"{metrics}\"\n"))?;
    let daemon = place.serve()?;
    let mut sessions = people::log_in(&daemon.address, &people::some(Size::SMALL.users, CLIENTS, 0))?;
    let everybody = people::some(Size::SMALL.users, usize::MAX, 0);
    let logins: Vec<String> = everybody.iter().copied().map(people::login).collect();
    let aim = Aim { address: &daemon.address, connections: CLIENTS, length: options.length };
    let row = |what: &str, most| {
        Row::new(format!("retries a refresh, {CLIENTS} sessions{what}"), "%", Target::AtMost(most))
    };
    let (mut distinct, mut mixed) = (row("", 1.0), row(", a login to 4 refreshes", 5.0));
    let mut first = row(", a first login from its network to 4 refreshes", 5.0);
    let (mut of_distinct, mut of_mixed, mut of_first) = ([0; 2], [0; 2], [0; 2]);
    // A first login from a network changes more, and queues a mail. It can be measured once.
    progress("retries, first logins");
    let before = retries(&metrics)?;
    let load = load::mixed(aim, &mut sessions, ROTATIONS, &logins)?;
    note(&mut first, &mut of_first, load, [retries(&metrics)? - before, refreshes(load)]);
    people::log_in(&daemon.address, &everybody)?;
    for run in 1..=options.runs {
        progress(&format!("retries, {run} of {}", options.runs));
        let before = retries(&metrics)?;
        let load = load::refresh(aim, &mut sessions)?;
        let between = retries(&metrics)?;
        note(&mut distinct, &mut of_distinct, load, [between - before, load.answers]);
        let load = load::mixed(aim, &mut sessions, ROTATIONS, &logins)?;
        note(&mut mixed, &mut of_mixed, load, [retries(&metrics)? - between, refreshes(load)]);
    }
    let all = [(&mut distinct, of_distinct), (&mut mixed, of_mixed), (&mut first, of_first)];
    for (row, [retries, refreshes]) in all {
        row.note = Some(format!("{retries} retries, {refreshes} refreshes"));
    }
    Ok([distinct, mixed, first])
}

/// How many of a mixed load's answers were to refreshes.
fn refreshes(load: Load) -> u64 {
    load.answers * ROTATIONS / (ROTATIONS + 1)
}

/// Adds a run's sample, and its numbers to those of all runs.
fn note(row: &mut Row, all: &mut [u64; 2], load: Load, [retries, refreshes]: [u64; 2]) {
    let ours = 100.0 * retries as f64 / refreshes as f64;
    row.samples.push(Sample { ours, limit: 1.0, generator: load.generator });
    *all = [all[0] + retries, all[1] + refreshes];
}

/// How many there were since the daemon's start.
fn retries(address: &str) -> Outcome<u64> {
    let mut client = Client::connect(address)?;
    let answer = client.ask(b"GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n")?;
    count(&String::from_utf8_lossy(answer.body)).ok_or_else(|| format!("no {COUNTER} in the metrics").into())
}

fn count(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(COUNTER)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_found_among_others() {
        let text = "# TYPE authd_store_retries counter\nauthd_store_retries_total 12\nauthd_users 3\n";
        assert_eq!(count(text), Some(12));
        assert_eq!(count("authd_users 3\n"), None);
    }
}
