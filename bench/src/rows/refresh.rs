//! `/refresh`, each client rotating its own token, against the same SQL alone.

use super::progress;
use crate::Outcome;
use crate::client::{Client, post};
use crate::daemon::Place;
use crate::options::Options;
use crate::seed::Size;
use crate::table::{Row, Sample, Target};
use crate::wrk::Aim;
use crate::{bare_sql, load, people};
use std::fs;

const CLIENTS: usize = 16;

pub fn measure(options: &Options) -> Outcome<Row> {
    let what = format!("`/refresh`, {CLIENTS} connections, `synchronous=FULL`");
    progress(&what);
    let place = Place::fresh(&options.authd, &options.folder, "refresh")?;
    let daemon = place.serve()?;
    let mut sessions = people::log_in(&daemon.address, &people::some(Size::SMALL.users, CLIENTS, 0))?;
    // One refresh, so that the log's newest line is one of a refresh: the bare loop writes such lines.
    let one = people::log_in(&daemon.address, &people::some(Size::SMALL.users, 1, 1))?;
    let body = format!(r#"{{"refresh_token":"{}"}}"#, one[0].refresh);
    Client::connect(&daemon.address)?.ask(post("/api/auth/refresh", &body).as_bytes())?;
    drop(daemon);
    let copy = place.folder.join("bare.db");
    fs::copy(place.database(), &copy)?;
    let daemon = place.serve()?;
    let aim = Aim { address: &daemon.address, connections: CLIENTS, length: options.length };
    let mut row = Row::new(what, "/s", Target::AtLeast(0.5));
    for _ in 0..options.runs {
        let ours = load::refresh(aim, &mut sessions)?;
        let limit = bare_sql::refreshes(&copy, CLIENTS, options.length)?;
        row.samples.push(Sample { ours: ours.rate, limit, generator: ours.generator });
    }
    let log = fs::metadata(place.folder.join("authd.db-wal"))?.len();
    row.note = Some(format!("the write-ahead log stands at {:.1} MB after it", log as f64 / 1e6));
    Ok(row)
}
