//! `/me` and `/verify` with a bearer, against a bare hyper server that gives the same bytes.

use super::progress;
use crate::Outcome;
use crate::bare_http::BareServer;
use crate::client::{Client, get};
use crate::daemon::Place;
use crate::options::Options;
use crate::people;
use crate::seed::Size;
use crate::table::{Row, Sample, Target};
use crate::wrk::{self, Aim};
use std::time::Duration;

const SESSIONS: usize = 64;
const CONNECTIONS: [usize; 2] = [32, 128];

pub fn measure(options: &Options, rows: &mut Vec<Row>) -> Outcome<()> {
    let paths = [("me", "/api/auth/me"), ("verify", "/api/auth/verify")];
    let paths: Vec<_> = paths.into_iter().filter(|(name, _)| options.wants(name)).collect();
    if paths.is_empty() {
        return Ok(());
    }
    let place = Place::fresh(&options.authd, &options.folder, "tokens")?;
    let daemon = place.serve()?;
    let tokens = people::log_in(&daemon.address, &people::some(Size::SMALL.users, SESSIONS, 0))?;
    for (name, path) in paths {
        let requests: Vec<String> = tokens.iter().map(|tokens| get(path, &tokens.access)).collect();
        let mut client = Client::connect(&daemon.address)?;
        let answer = client.ask(requests[0].as_bytes())?;
        let bare = BareServer::start(answer.head, answer.body)?;
        for connections in CONNECTIONS {
            let what = format!("`/{name}`, {connections} connections");
            progress(&what);
            let mut row = Row::new(what, "/s", Target::AtLeast(0.5));
            let load = |address: &str, length| {
                wrk::load(&place.folder, Aim { address, connections, length }, &requests)
            };
            for address in [&daemon.address, &bare.address] {
                load(address, Duration::from_secs(1))?;
            }
            for _ in 0..options.runs {
                let ours = load(&daemon.address, options.length)?;
                let limit = load(&bare.address, options.length)?;
                if ours.failures + limit.failures > 0 {
                    row.void =
                        Some(format!("{} answers failed, {} bare ones", ours.failures, limit.failures));
                }
                row.samples.push(Sample { ours: ours.rate, limit: limit.rate, generator: ours.generator });
            }
            rows.push(row);
        }
    }
    Ok(())
}
