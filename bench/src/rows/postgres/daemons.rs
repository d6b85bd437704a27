//! What a second daemon on the same server brings.

use super::{CLIENTS, progress};
use crate::Outcome;
use crate::cluster::Cluster;
use crate::daemon::config;
use crate::machine::cores;
use crate::options::Options;
use crate::seed::Size;
use crate::table::{Row, Sample, Target};
use crate::wrk::Aim;
use crate::{load, people};

pub fn measure(options: &Options, cluster: &Cluster) -> Outcome<Row> {
    let what = format!("`/refresh`, {CLIENTS} connections, of two daemons, against one");
    progress(&what);
    let place = cluster.place(options, "daemons")?;
    let second = place.beside("postgres-daemons-second", &config(&cluster.url("daemons")))?;
    let daemons = [place.serve()?, second.serve()?];
    let [one, other] = daemons.each_ref().map(|daemon| daemon.address.as_str());
    let mut sessions = people::log_in(one, &people::some(Size::SMALL.users, CLIENTS, 0))?;
    let aim = Aim { address: one, connections: CLIENTS, length: options.length };
    let mut row = Row::new(what, "/s", Target::AtLeast(1.6));
    for _ in 0..options.runs {
        let limit = load::refresh(aim, &mut sessions)?;
        let ours = load::refresh_at(&[one, other], aim, &mut sessions)?;
        row.samples.push(Sample { ours: ours.rate, limit: limit.rate, generator: ours.generator });
    }
    row.note = Some(format!(
        "{} cores, which both daemons, the server and the load share; the target is for a server that has cores of its own",
        cores()
    ));
    Ok(row)
}
