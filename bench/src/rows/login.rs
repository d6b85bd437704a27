//! Logins, against how often the same machine hashes without a server: by authd's own code, and by the C
//! reference.

use super::progress;
use crate::Outcome;
use crate::daemon::Place;
use crate::options::Options;
use crate::seed::Size;
use crate::table::{Row, Sample, Target};
use crate::wrk::{self, Aim};
use crate::{hashes, people};

const CONNECTIONS: [usize; 2] = [8, 32];

pub fn measure(options: &Options, rows: &mut Vec<Row>) -> Outcome<()> {
    let place = Place::fresh(&options.authd, &options.folder, "login")?;
    let daemon = place.serve()?;
    // Each its own account, so that no two logins meet at one.
    let users = people::some(Size::SMALL.users, usize::MAX, 0);
    let requests: Vec<String> = users.into_iter().map(people::login).collect();
    let row = |connections: usize, limit: &str, least| {
        Row::new(format!("logins, {connections} connections, against {limit}"), "/s", Target::AtLeast(least))
    };
    let mut own = CONNECTIONS.map(|connections| row(connections, "the same code alone", 0.95));
    let mut reference = CONNECTIONS.map(|connections| row(connections, "the C reference", 0.85));
    for run in 1..=options.runs {
        progress(&format!("logins, {run} of {}", options.runs));
        let loads = CONNECTIONS.map(|connections| {
            let aim = Aim { address: &daemon.address, connections, length: options.length };
            wrk::load(&place.folder, aim, &requests)
        });
        let own_rate = hashes::rate(hashes::OWN, options.length)?;
        let reference_rate = hashes::rate(hashes::REFERENCE, options.length)?;
        for (at, load) in loads.into_iter().enumerate() {
            let load = load?;
            for (row, limit) in [(&mut own[at], own_rate), (&mut reference[at], reference_rate)] {
                row.samples.push(Sample { ours: load.rate, limit, generator: load.generator });
                if load.failures > 0 {
                    row.void = Some(format!("{} logins failed", load.failures));
                }
            }
        }
    }
    rows.extend(own.into_iter().chain(reference));
    Ok(())
}
