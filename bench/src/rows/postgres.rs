//! The rows of a daemon whose database is on a PostgreSQL server.

mod checks;
mod copy;
mod daemons;
mod distance;
mod refresh;
mod retries;

use super::progress;
use crate::Outcome;
use crate::cluster::Cluster;
use crate::options::Options;
use crate::table::Row;

/// How many clients refresh at once, each with a session of its own; and over how many sessions token checks
/// are spread.
const CLIENTS: usize = 64;

pub fn measure(options: &Options, cluster: &Cluster, rows: &mut Vec<Row>) -> Outcome<()> {
    if options.wants("refresh") {
        rows.push(refresh::measure(options, cluster)?);
    }
    checks::measure(options, cluster, rows)?;
    if options.wants("daemons") {
        rows.push(daemons::measure(options, cluster)?);
    }
    if options.wants("retries") {
        rows.extend(retries::measure(options, cluster)?);
    }
    if options.wants("distance") {
        rows.extend(distance::measure(options, cluster)?);
    }
    if options.wants("copy") {
        rows.extend(copy::measure(options, cluster)?);
    }
    Ok(())
}
