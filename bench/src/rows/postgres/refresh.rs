//! `/refresh`, each client rotating its own token, against the same transactions alone.

use super::{CLIENTS, progress};
use crate::Outcome;
use crate::cluster::Cluster;
use crate::options::Options;
use crate::seed::Size;
use crate::table::{Row, Sample, Target};
use crate::wrk::Aim;
use crate::{bare_pg, load, people};

pub fn measure(options: &Options, cluster: &Cluster) -> Outcome<Row> {
    let what = format!("`/refresh`, {CLIENTS} connections");
    progress(&what);
    let place = cluster.place(options, "refresh")?;
    let daemon = place.serve()?;
    let mut sessions = people::log_in(&daemon.address, &people::some(Size::SMALL.users, CLIENTS, 0))?;
    drop(daemon);
    // Of its own: a daemon would seal what the bare transactions leave in the audit log's inbox.
    cluster.copy("refresh", "bare")?;
    let daemon = place.serve()?;
    let aim = Aim { address: &daemon.address, connections: CLIENTS, length: options.length };
    let mut row = Row::new(what, "/s", Target::AtLeast(0.6));
    for _ in 0..options.runs {
        let ours = load::refresh(aim, &mut sessions)?;
        let limit = bare_pg::refreshes(&cluster.url("bare"), CLIENTS, options.length)?;
        row.samples.push(Sample { ours: ours.rate, limit, generator: ours.generator });
    }
    Ok(row)
}
