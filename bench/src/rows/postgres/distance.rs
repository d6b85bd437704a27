//! What a server far away costs: 1 ms a round trip against 0.05 ms, both through the same proxy.

use super::{CLIENTS, progress};
use crate::Outcome;
use crate::client::get;
use crate::cluster::{Cluster, url_through};
use crate::daemon::config;
use crate::options::Options;
use crate::proxy::Proxy;
use crate::seed::Size;
use crate::session::Session;
use crate::table::{Row, Sample, Target, median};
use crate::wrk::{self, Aim};
use crate::{load, people};
use std::time::{Duration, Instant};

/// A round trip to a server that is near and to one that is far, of which half is each way.
const NEAR: Duration = Duration::from_micros(50);
const FAR: Duration = Duration::from_millis(1);

/// How many clients check tokens at once.
const CHECKERS: usize = 32;

const DATABASE: &str = "distance";

pub fn measure(options: &Options, cluster: &Cluster) -> Outcome<[Row; 2]> {
    let place = cluster.place(options, DATABASE)?;
    let proxies = [Proxy::start(cluster.port, NEAR / 2)?, Proxy::start(cluster.port, FAR / 2)?];
    let [near, far] = [&proxies[0], &proxies[1]].map(|proxy| url_through(proxy.port, DATABASE));
    let trips = format!(
        "a round trip took {:.2} ms near and {:.2} ms far, at rest",
        round_trip_ms(&near)?,
        round_trip_ms(&far)?
    );
    let near = place.beside("postgres-near", &config(&near))?.serve()?;
    let far = place.beside("postgres-far", &config(&far))?.serve()?;
    // These rotate their tokens, and the others show theirs.
    let mut users = people::some(Size::SMALL.users, 2 * CLIENTS, 0);
    let checkers = people::log_in(&near.address, &users.split_off(CLIENTS))?;
    let mut sessions = people::log_in(&near.address, &users)?;
    let requests: Vec<String> = checkers.iter().map(|tokens| get("/api/auth/me", &tokens.access)).collect();
    let row = |what: String| {
        let what = format!("{what}, a server 1 ms away, against 0.05 ms");
        let mut row = Row::new(what, "/s", Target::AtLeast(0.5));
        row.note = Some(trips.clone());
        row
    };
    let mut rows =
        [row(format!("`/refresh`, {CLIENTS} connections")), row(format!("`/me`, {CHECKERS} connections"))];
    for run in 1..=options.runs {
        progress(&format!("a server that is far away, {run} of {}", options.runs));
        let aim = |address, connections| Aim { address, connections, length: options.length };
        let limit = load::refresh(aim(&near.address, CLIENTS), &mut sessions)?;
        let ours = load::refresh(aim(&far.address, CLIENTS), &mut sessions)?;
        rows[0].samples.push(Sample { ours: ours.rate, limit: limit.rate, generator: ours.generator });
        let limit = wrk::load(&place.folder, aim(&near.address, CHECKERS), &requests)?;
        let ours = wrk::load(&place.folder, aim(&far.address, CHECKERS), &requests)?;
        rows[1].samples.push(Sample { ours: ours.rate, limit: limit.rate, generator: ours.generator });
        if ours.failures + limit.failures > 0 {
            rows[1].void = Some(format!("{} answers failed, {} near", ours.failures, limit.failures));
        }
    }
    Ok(rows)
}

/// The median of many, of the smallest question.
fn round_trip_ms(url: &str) -> Outcome<f64> {
    let session = Session::connect(url)?;
    let mut took = Vec::new();
    for _ in 0..200 {
        let begun = Instant::now();
        session.run("SELECT 1")?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(took))
}
