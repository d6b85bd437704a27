//! `hash`: what password hashes cost.

use super::Context;
use super::exit::Failure;
use super::terminal::table::{Column, Table};
use crate::usecase::app::Ports;
use crate::usecase::operator::calibrate::{Calibration, LEAST, TARGET_DEFAULT, calibrate};
use crate::views;
use clap::{Args, Subcommand};
use std::time::Duration;

#[derive(Subcommand, Debug)]
pub enum Verb {
    Calibrate(Calibrate),
}

/// Measure argon2id on this machine, and recommend what to configure
///
/// Prints lines for the configuration: as much memory, and then iterations, as make one hash take about the
/// target, in at most a quarter of the machine's memory, and never less than the 19 MiB and two iterations
/// that OWASP demands. Run it while the machine has nothing else to do. Hashes of another cost stay good;
/// each is made anew at its user's next login where the cost has risen.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl hash calibrate
  authctl hash calibrate --target-ms 500 -o json")]
pub struct Calibrate {
    /// What one hash shall take, in milliseconds: 10 to 1000
    #[arg(long, value_name = "N", default_value_t = default_ms())]
    target_ms: u64,
}

fn default_ms() -> u64 {
    u64::try_from(TARGET_DEFAULT.as_millis()).unwrap_or(u64::MAX)
}

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// What the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Calibrate(calibrate) => calibrate.run(context),
        }
    }
}

impl Calibrate {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let target = Duration::from_millis(self.target_ms);
        let found = calibrate(&context.loaded()?.config, &Ports::real(), target)?;
        let terminal = context.terminal();
        if terminal.is_for_people() {
            terminal.text(&toml(&found))?;
        }
        terminal.note(&format!(
            "one hash takes {} ms here, so {} hashing threads get through about {} logins a second",
            found.takes.as_millis(),
            found.threads,
            found.logins_per_s()
        ));
        if found.takes > target.mul_f64(1.2) {
            let why = if found.cost == LEAST {
                "less cost would be no protection"
            } else {
                "the machine has other work, too; run it again when it rests"
            };
            terminal.note(&format!("that is more than the {} ms asked for: {why}", self.target_ms));
        }
        let columns = COLUMNS.map(Column::Text);
        let id =
            format!("m={},t={},p={}", found.cost.memory_kib, found.cost.iterations, found.cost.parallelism);
        terminal.changed(&Table::of_objects(&columns, [(id, views::calibration(&found))]))
    }
}

const COLUMNS: [&str; 7] = [
    "argon2_memory_kib",
    "argon2_iterations",
    "argon2_parallelism",
    "hash_ms",
    "least_hash_ms",
    "hash_threads",
    "logins_per_s",
];

fn toml(found: &Calibration) -> String {
    let cost = found.cost;
    format!(
        "[password]\nargon2_memory_kib = {}\nargon2_iterations = {}\nargon2_parallelism = {}\n",
        cost.memory_kib, cost.iterations, cost.parallelism
    )
}
