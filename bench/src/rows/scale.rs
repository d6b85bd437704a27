//! What a large database costs: the start, the rates beside those of a small one, and the operator's
//! commands.

use super::progress;
use crate::Outcome;
use crate::client::get;
use crate::daemon::Place;
use crate::options::Options;
use crate::seed::{Size, email};
use crate::table::{Row, Sample, Target};
use crate::wrk::{self, Aim, Load};
use crate::{load, people};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How often a start and a command is timed, whatever the number of runs is: they are short.
const TIMES: usize = 20;
const SESSIONS: usize = 256;

/// Makes or finds the large database.
pub fn large(options: &Options) -> Outcome<Place> {
    progress(&format!("a database of {} users", options.large.users));
    Place::kept(&options.authd, &options.folder, options.large)
}

pub fn starts(place: &Place, users: i64) -> Outcome<Row> {
    let what = format!("exec to the first 200, {users} users");
    progress(&what);
    let mut row = Row::new(what, "ms", Target::AtMost(60.0));
    for _ in 0..TIMES {
        row.samples.push(in_ms(place.serve()?.started_in));
    }
    row.note = Some(format!(
        "{TIMES} starts, its files in the system's cache; one client that asks without a pause"
    ));
    Ok(row)
}

/// Whole processes, from spawn to exit, beside no daemon.
pub fn commands(place: &Place, size: Size) -> Outcome<Vec<Row>> {
    let user = email(size.users / 2);
    let commands: [&[&str]; 3] = [
        &["user", "list", "--limit", "50"],
        &["token", "list", "--user", &user],
        &["audit", "tail", "-n", "50"],
    ];
    let mut rows = Vec::new();
    for arguments in commands {
        let what = format!("`authctl {}`, {} audit lines", arguments.join(" "), size.audit_lines);
        progress(&what);
        let mut row = Row::new(what, "ms", Target::AtMost(50.0));
        for time in 0..=TIMES {
            let begun = Instant::now();
            let mut command = place.command(arguments);
            let output = command.stdin(Stdio::null()).output()?;
            let took = begun.elapsed();
            if !output.status.success() {
                return Err(format!("{}: {}", row.what, String::from_utf8_lossy(&output.stderr)).into());
            }
            // The first finds its pages on the disk.
            if time > 0 {
                row.samples.push(in_ms(took));
            }
        }
        row.note = Some(format!("{TIMES} calls, after one that warmed the cache"));
        rows.push(row);
    }
    Ok(rows)
}

/// `login`, `/refresh` and `/me` on the large database, against the small one, by turns.
pub fn rates(options: &Options, large: &Place) -> Outcome<Vec<Row>> {
    let small = Place::fresh(&options.authd, &options.folder, "small")?;
    let sizes = [options.large, Size::SMALL];
    let places = [large, &small];
    let daemons = [large.serve()?, small.serve()?];
    let mut sessions = Vec::new();
    for (daemon, size) in daemons.iter().zip(sizes) {
        sessions.push(people::log_in(&daemon.address, &people::some(size.users, SESSIONS, 0))?);
    }
    let checks: Vec<Vec<String>> = sessions
        .iter()
        .map(|sessions| sessions.iter().map(|tokens| get("/api/auth/me", &tokens.access)).collect())
        .collect();
    let row = |what: &str| {
        let what = format!(
            "{what}, {} users and {} sessions, against 1000",
            options.large.users, options.large.sessions
        );
        Row::new(what, "/s", Target::AtLeast(0.85))
    };
    let mut rows =
        [row("logins, 32 connections"), row("`/refresh`, 16 connections"), row("`/me`, 32 connections")];
    for run in 1..=options.runs {
        progress(&format!("rates on a large and a small database, {run} of {}", options.runs));
        let aim = |at: usize, connections| Aim {
            address: &daemons[at].address,
            connections,
            length: options.length,
        };
        let mut loads: Vec<[Load; 3]> = Vec::new();
        for at in 0..2 {
            let users = people::some(sizes[at].users, 5_000, run);
            let logins: Vec<String> = users.into_iter().map(people::login).collect();
            loads.push([
                wrk::load(&places[at].folder, aim(at, 32), &logins)?,
                load::refresh(aim(at, 16), &mut sessions[at])?,
                wrk::load(&places[at].folder, aim(at, 32), &checks[at])?,
            ]);
        }
        for (at, row) in rows.iter_mut().enumerate() {
            let (ours, limit) = (loads[0][at], loads[1][at]);
            if ours.failures + limit.failures > 0 {
                row.void =
                    Some(format!("{} answers failed, {} on the small one", ours.failures, limit.failures));
            }
            row.samples.push(Sample { ours: ours.rate, limit: limit.rate, generator: ours.generator });
        }
    }
    Ok(rows.into())
}

fn in_ms(time: Duration) -> Sample {
    Sample { ours: time.as_secs_f64() * 1e3, limit: 1.0, generator: 0.0 }
}
