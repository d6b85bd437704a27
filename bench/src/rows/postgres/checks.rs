//! `/me` and `/verify` with a bearer, against the same read alone.

use super::{CLIENTS, progress};
use crate::Outcome;
use crate::client::get;
use crate::cluster::Cluster;
use crate::options::Options;
use crate::seed::Size;
use crate::table::{Row, Sample, Target};
use crate::wrk::{self, Aim};
use crate::{bare_pg, people};
use std::time::Duration;

const CONNECTIONS: [usize; 2] = [32, 128];

pub fn measure(options: &Options, cluster: &Cluster, rows: &mut Vec<Row>) -> Outcome<()> {
    let paths = [("me", "/api/auth/me"), ("verify", "/api/auth/verify")];
    let paths: Vec<_> = paths.into_iter().filter(|(name, _)| options.wants(name)).collect();
    if paths.is_empty() {
        return Ok(());
    }
    let place = cluster.place(options, "checks")?;
    let daemon = place.serve()?;
    let tokens = people::log_in(&daemon.address, &people::some(Size::SMALL.users, CLIENTS, 0))?;
    for (name, path) in paths {
        let requests: Vec<String> = tokens.iter().map(|tokens| get(path, &tokens.access)).collect();
        for connections in CONNECTIONS {
            let what = format!("`/{name}`, {connections} connections");
            progress(&what);
            let mut row = Row::new(what, "/s", Target::AtLeast(0.5));
            let load = |length| {
                wrk::load(&place.folder, Aim { address: &daemon.address, connections, length }, &requests)
            };
            load(Duration::from_secs(1))?;
            for _ in 0..options.runs {
                let ours = load(options.length)?;
                let limit = bare_pg::checks(&cluster.url("checks"), CLIENTS, options.length)?;
                if ours.failures > 0 {
                    row.void = Some(format!("{} answers failed", ours.failures));
                }
                row.samples.push(Sample { ours: ours.rate, limit, generator: ours.generator });
            }
            rows.push(row);
        }
    }
    Ok(())
}
