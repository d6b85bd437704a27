//! What the daemon keeps resident: idle, after a flood of logins, with many idle connections.

use super::progress;
use crate::Outcome;
use crate::client::{Client, get};
use crate::daemon::Place;
use crate::options::Options;
use crate::people;
use crate::seed::Size;
use crate::table::{Row, Sample, Target};
use crate::wrk::{self, Aim};
use std::thread;
use std::time::Duration;

const FLOOD: usize = 64;
const CONNECTIONS: usize = 1_000;
/// How long after its first answer the daemon counts as idle.
const REST: Duration = Duration::from_secs(5);

pub fn measure(options: &Options, rows: &mut Vec<Row>) -> Outcome<()> {
    let place = Place::fresh(&options.authd, &options.folder, "memory")?;
    // A minute where nothing else is asked for.
    let length = options.length * 6;
    let row = |what: String, most| Row::new(format!("resident memory, {what}"), "MB", Target::AtMost(most));
    let mut idle = row("idle".to_owned(), 12.0);
    let flood = format!("after {} s of login flood, {FLOOD} connections", length.as_secs());
    let mut flooded = row(flood, 70.0);
    let mut connected = row(format!("with {CONNECTIONS} idle connections"), 40.0);
    let logins: Vec<String> =
        people::some(Size::SMALL.users, usize::MAX, 0).into_iter().map(people::login).collect();
    for run in 1..=options.runs {
        progress(&format!("resident memory, {run} of {}", options.runs));
        let daemon = place.serve()?;
        thread::sleep(REST);
        let sample = |bytes: f64, generator| Sample { ours: bytes / 1e6, limit: 1.0, generator };
        idle.samples.push(sample(daemon.resident()?, 0.0));
        let aim = Aim { address: &daemon.address, connections: FLOOD, length };
        let load = wrk::load(&place.folder, aim, &logins)?;
        if load.failures > 0 {
            flooded.void = Some(format!("{} logins failed", load.failures));
        }
        flooded.samples.push(sample(daemon.resident()?, load.generator));
        let tokens = people::log_in(&daemon.address, &people::some(Size::SMALL.users, 1, run))?;
        drop(daemon);
        // A start that hashes nothing, so that this row is of connections alone.
        let daemon = place.serve()?;
        let request = get("/api/auth/me", &tokens[0].access);
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut client = Client::connect(&daemon.address)?;
            if client.ask(request.as_bytes())?.status != 200 {
                connected.void = Some("a request failed".to_owned());
            }
            clients.push(client);
        }
        thread::sleep(REST);
        connected.samples.push(sample(daemon.resident()?, 0.0));
    }
    connected.note = Some("one `/me` on each of them before, and no login since the start".to_owned());
    rows.extend([idle, flooded, connected]);
    Ok(())
}
