//! The rows, in the order of the table; a file each, or for a few that share what they need.

mod refresh;
mod tokens;

use crate::Outcome;
use crate::machine;
use crate::options::Options;
use crate::table::{Row, markdown};
use std::fmt::Write;
use std::fs;

/// What `--rows` takes.
pub const NAMES: [&str; 3] = ["me", "verify", "refresh"];

/// Measures what was asked for and prints it.
pub fn measure(options: &Options) -> Outcome<()> {
    fs::create_dir_all(&options.folder)?;
    let facts = machine::facts(&options.folder)?;
    let mut rows = Vec::new();
    tokens::measure(options, &mut rows)?;
    if options.wants("refresh") {
        rows.push(refresh::measure(options)?);
    }
    let report = report(options, &facts, &rows);
    println!("{report}");
    if let Some(path) = &options.out {
        fs::write(path, format!("{report}\n"))?;
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
    text + &markdown(rows)
}

/// Tells a person who waits.
fn progress(what: &str) {
    eprintln!("-- {what}");
}
