//! Whether a token check waits for logins: the 99th percentile of `/me` at a fixed rate, during a flood and
//! at rest.

use super::progress;
use crate::Outcome;
use crate::client::get;
use crate::daemon::Place;
use crate::load::{permille, steady};
use crate::machine::Watch;
use crate::options::Options;
use crate::people;
use crate::seed::Size;
use crate::table::{Row, Sample, Target, median};
use crate::wrk::{self, Aim};
use std::thread;
use std::time::Duration;

/// Requests a second.
const RATES: [u32; 2] = [200, 1_000];
/// How many requests may be under way at once.
const CLIENTS: usize = 16;
const FLOOD: usize = 64;

pub fn measure(options: &Options, rows: &mut Vec<Row>) -> Outcome<()> {
    let place = Place::fresh(&options.authd, &options.folder, "calm")?;
    let daemon = place.serve()?;
    let tokens = people::log_in(&daemon.address, &people::some(Size::SMALL.users, CLIENTS, 0))?;
    let requests: Vec<String> = tokens.iter().map(|tokens| get("/api/auth/me", &tokens.access)).collect();
    let logins: Vec<String> =
        people::some(Size::SMALL.users, usize::MAX, 0).into_iter().map(people::login).collect();
    let aim = Aim { address: &daemon.address, connections: CLIENTS, length: options.length };
    for rate in RATES {
        let what =
            format!("`/me` p99 at {rate}/s during a login flood of {FLOOD} connections, against at rest");
        progress(&what);
        let mut row = Row::new(what, "ms", Target::AtMost(5.0));
        let mut logins_per_s = Vec::new();
        for _ in 0..options.runs {
            let at_rest = steady(aim, rate, &requests)?;
            let watch = Watch::start();
            // A second before and after, so that all of what is measured is under the flood.
            let (flood, in_flood) = thread::scope(|scope| {
                let length = options.length + Duration::from_secs(2);
                let (folder, aim, logins) =
                    (&place.folder, Aim { connections: FLOOD, length, ..aim }, &logins);
                let flood = scope.spawn(move || wrk::load(folder, aim, logins));
                thread::sleep(Duration::from_secs(1));
                let in_flood = steady(aim, rate, &requests);
                (flood.join(), in_flood)
            });
            let flood = flood.map_err(|_| "the flood panicked")??;
            logins_per_s.push(flood.rate);
            let p99 = |took: &[Duration]| permille(took, 990).as_secs_f64() * 1e3;
            let (ours, limit) = (p99(&in_flood?), p99(&at_rest));
            row.samples.push(Sample { ours, limit, generator: watch.share() });
        }
        row.note = Some(format!("{:.0} logins/s meanwhile", median(logins_per_s)));
        rows.push(row);
    }
    Ok(())
}
