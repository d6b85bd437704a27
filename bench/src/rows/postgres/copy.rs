//! `authctl db migrate-to`: a file to the server, and back.

use super::progress;
use crate::Outcome;
use crate::cluster::Cluster;
use crate::daemon::{Place, config};
use crate::options::Options;
use crate::seed::Size;
use crate::table::{Row, Sample, Target};
use rusqlite::Connection;
use std::path::Path;
use std::time::Instant;

/// Rows a second.
const TARGET: f64 = 20_000.0;

const DATABASE: &str = "moved";

pub fn measure(options: &Options, cluster: &Cluster) -> Outcome<[Row; 2]> {
    let size = options.large;
    let row = |way: &str| {
        let what = format!("`authctl db migrate-to` {way}, {} users", size.users);
        Row::new(what, "rows/s", Target::AtLeast(TARGET))
    };
    let (mut there, mut back) = (row("from a file to the server"), row("from the server to a file"));
    for run in 1..=options.runs {
        progress(&format!("moving a database of {} users, {run} of {}", size.users, options.runs));
        let place = Place::copied(&options.authd, &options.folder, "postgres-copy", size)?;
        let rows = rows(&place.database())?;
        cluster.create(DATABASE)?;
        there.samples.push(moved(&place, &cluster.url(DATABASE), rows)?);
        place.configure(&config(&cluster.url(DATABASE)))?;
        let file = place.folder.join("back.db");
        back.samples.push(moved(&place, &file.to_string_lossy(), rows)?);
        cluster.remove(DATABASE)?;
        there.note = Some(composition(size, rows));
    }
    Ok([there, back])
}

/// How fast the place's database moves to another, from the process's start to its end.
fn moved(place: &Place, target: &str, rows: u64) -> Outcome<Sample> {
    let begun = Instant::now();
    place.run(&["db", "migrate-to", target, "--yes"])?;
    Ok(Sample { ours: rows as f64 / begun.elapsed().as_secs_f64(), limit: 1.0, generator: 0.0 })
}

fn composition(size: Size, rows: u64) -> String {
    let Size { users, sessions, audit_lines } = size;
    format!(
        "{rows} rows: {users} users, {sessions} sessions, {audit_lines} audit lines, and what belongs to them"
    )
}

/// How many rows a file has in all its tables.
fn rows(database: &Path) -> Outcome<u64> {
    let connection = Connection::open(database)?;
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    let mut tables = connection.prepare(sql)?;
    let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let count = |table: &String| {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
    };
    Ok(u64::try_from(tables.iter().map(count).sum::<Result<i64, _>>()?)?)
}
