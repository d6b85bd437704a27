//! The rows, in the order of the table; a file each, or for a few that share what they need.

mod calm;
mod login;
mod memory;
mod postgres;
mod refresh;
mod scale;
mod tokens;

use crate::Outcome;
use crate::cluster::Cluster;
use crate::machine;
use crate::options::{Options, Store};
use crate::table::{Row, markdown};
use std::fmt::Write;
use std::fs;

/// Measures what was asked for and prints it.
pub fn measure(options: &Options) -> Outcome<()> {
    fs::create_dir_all(&options.folder)?;
    let mut facts = machine::facts();
    let (mut rows, mut text) = (Vec::new(), String::new());
    match options.store {
        Store::Sqlite => {
            facts.push(machine::fact_of_sqlite(&options.folder)?);
            on_sqlite(options, &mut rows)?;
            text.push_str(GROWTH);
        }
        Store::Postgres => {
            let cluster = Cluster::start(&options.programs, &options.folder)?;
            facts.push(cluster.fact()?);
            postgres::measure(options, &cluster, &mut rows)?;
        }
    }
    let report = report(options, &facts, &rows) + &text;
    println!("{report}");
    if let Some(path) = &options.out {
        fs::write(path, format!("{report}\n"))?;
    }
    Ok(())
}

fn on_sqlite(options: &Options, rows: &mut Vec<Row>) -> Outcome<()> {
    if options.wants("login") {
        login::measure(options, rows)?;
    }
    tokens::measure(options, rows)?;
    if options.wants("refresh") {
        rows.push(refresh::measure(options)?);
    }
    if options.wants("calm") {
        calm::measure(options, rows)?;
    }
    if options.wants("memory") {
        memory::measure(options, rows)?;
    }
    if ["start", "scale", "commands"].iter().any(|name| options.wants(name)) {
        let place = scale::large(options)?;
        if options.wants("start") {
            rows.push(scale::starts(&place, options.large.users)?);
        }
        if options.wants("scale") {
            rows.extend(scale::rates(options, &place)?);
        }
        if options.wants("commands") {
            rows.extend(scale::commands(&place, options.large)?);
        }
    }
    Ok(())
}

fn report(options: &Options, facts: &[String], rows: &[Row]) -> String {
    let (runs, seconds) = (options.runs, options.length.as_secs());
    let mut text = String::from("# A run of bench/run\n\n");
    for fact in facts {
        let _ = writeln!(text, "- {fact}");
    }
    let _ = writeln!(text, "- {runs} runs of {seconds} s each; medians, and the least and greatest ratio\n");
    text + &markdown(rows) + "\n"
}

/// The row that no run of minutes can show: what has ended is kept for 30 days.
const GROWTH: &str = "\
The database doesn't grow under a steady load: held by `tests/it/on_a_file/growth.rs`, with a clock that it moves, and the
audit log pruned as an operator's timer does.
";

/// Tells a person who waits.
fn progress(what: &str) {
    eprintln!("-- {what}");
}
