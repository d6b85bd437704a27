//! What the daemon keeps resident: idle, after pages were opened, after a flood of logins, with many idle
//! connections.

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

/// The pages that strangers open, one that isn't there among them.
const PAGES: [&str; 4] = ["/auth/sign-in", "/auth/register", "/auth/forgot-password", "/auth/nowhere"];
const LANGUAGES: [&str; 5] = ["en", "de", "es", "fr", "zh-Hans"];
/// How often each is opened, so that every thread that answers has had it.
const OPENED: usize = 20;

fn open_pages(address: &str) -> Outcome<()> {
    let mut client = Client::connect(address)?;
    for _ in 0..OPENED {
        for page in PAGES {
            for language in LANGUAGES {
                let request = format!("GET {page}?lang={language} HTTP/1.1\r\nHost: bench\r\n\r\n");
                let status = client.ask(request.as_bytes())?.status;
                if status != 200 && status != 404 {
                    return Err(format!("{page} in {language}: {status}").into());
                }
            }
        }
    }
    Ok(())
}

pub fn measure(options: &Options, rows: &mut Vec<Row>) -> Outcome<()> {
    let place = Place::fresh(&options.authd, &options.folder, "memory")?;
    // A minute where nothing else is asked for.
    let length = options.length * 6;
    let row = |what: String, most| Row::new(format!("resident memory, {what}"), "MB", Target::AtMost(most));
    let mut idle = row("idle".to_owned(), 12.0);
    let mut opened =
        Row::new("private memory that strangers' pages add, in all languages", "MB", Target::AtMost(1.0));
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
        let private = daemon.private()?;
        open_pages(&daemon.address)?;
        opened.samples.push(sample(daemon.private()? - private, 0.0));
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
    rows.extend([idle, opened, flooded, connected]);
    Ok(())
}
