//! What argon2id may cost on this machine: as much as a login can wait for, and never less than what OWASP
//! demands (Password Storage Cheat Sheet: 19 MiB, two iterations, one lane).

use crate::config::Config;
use crate::crypto::gate::Gate;
use crate::domain::password::{HashCost, Password};
use crate::error::{Error, Fault, Refusal};
use crate::usecase::app::Ports;
use std::thread::available_parallelism;
use std::time::Duration;

/// The least that is recommended, whatever the machine.
pub const LEAST: HashCost = HashCost { memory_kib: 19_456, iterations: 2, parallelism: 1 };

/// What a login may wait for its hash: far under the second that OWASP bounds it by.
pub const TARGET_DEFAULT: Duration = Duration::from_millis(250);

/// All hashing threads together take at most this part of the machine's memory.
const SHARE: u64 = 4;

/// Of so many hashes the one in the middle counts: the first finds its memory cold.
const RUNS: usize = 3;

/// How often a cost that proved too dear is brought down: memory that no cache holds is slower.
const CORRECTIONS: usize = 2;

/// How far over the target a cost may be.
const TOLERANCE: f64 = 1.1;

/// A measured recommendation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Calibration {
    pub cost: HashCost,
    /// How long one hash of that cost takes here.
    pub takes: Duration,
    /// How long the least that is allowed takes.
    pub least_takes: Duration,
    /// As `server.hash_threads` says.
    pub threads: usize,
}

impl Calibration {
    /// How many logins a second all threads together get through, on cores that have nothing else to do.
    #[must_use]
    pub fn logins_per_s(&self) -> u64 {
        let at_once = u128::try_from(self.threads.min(cores())).unwrap_or(1);
        u64::try_from(at_once * 1_000_000 / self.takes.as_micros().max(1)).unwrap_or(u64::MAX)
    }
}

/// Measures what takes about `target`: memory first, since that is what an attacker's hardware lacks, then
/// iterations.
///
/// # Errors
/// `validation_failed` for a target outside 10 ms to 1 s; the gate's.
pub fn calibrate(config: &Config, ports: &Ports, target: Duration) -> Result<Calibration, Error> {
    if !(Duration::from_millis(10)..=Duration::from_secs(1)).contains(&target) {
        return Err(
            Refusal::invalid("target-ms", "out_of_range", "10 to 1000 milliseconds are possible").into()
        );
    }
    let threads = config.server.hash_threads.unwrap_or_else(cores);
    let least_takes = measure(ports, LEAST)?;
    let most_memory_kib = most_memory_kib(threads);
    let (mut cost, mut takes) = (LEAST, least_takes);
    for _ in 0..=CORRECTIONS {
        let next = scaled(cost, takes, target, most_memory_kib);
        if next == cost {
            break;
        }
        (cost, takes) = (next, if next == LEAST { least_takes } else { measure(ports, next)? });
        if takes <= target.mul_f64(TOLERANCE) {
            break;
        }
    }
    Ok(Calibration { cost, takes, least_takes, threads })
}

/// What takes `target` where `cost` takes `takes`: time grows with memory times iterations, closely enough.
fn scaled(cost: HashCost, takes: Duration, target: Duration, most_memory_kib: u32) -> HashCost {
    let units = u128::from(cost.memory_kib) * u128::from(cost.iterations);
    let units = units * target.as_micros() / takes.as_micros().max(1);
    let memory = units / u128::from(LEAST.iterations);
    let memory = u32::try_from(memory).unwrap_or(u32::MAX).min(most_memory_kib);
    // Whole mebibytes read better.
    let memory_kib = (memory / 1024 * 1024).clamp(LEAST.memory_kib, HashCost::MAX.memory_kib);
    let iterations = u32::try_from(units / u128::from(memory_kib)).unwrap_or(u32::MAX);
    let iterations = iterations.clamp(LEAST.iterations, HashCost::MAX.iterations);
    HashCost { memory_kib, iterations, parallelism: LEAST.parallelism }
}

/// The middle of some runs, by the very code that logins use.
fn measure(ports: &Ports, cost: HashCost) -> Result<Duration, Fault> {
    let gate = Gate::new(1, 1, cost, std::sync::Arc::clone(&ports.clock))?;
    let password = Password::new("correct horse battery staple").expect("it is neither empty nor too long");
    let mut runs = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let begun = ports.clock.elapsed();
        gate.verify_nobody(cost, &password)?;
        runs.push(ports.clock.elapsed().saturating_sub(begun));
    }
    runs.sort_unstable();
    Ok(runs[RUNS / 2])
}

#[allow(clippy::useless_conversion, reason = "on other machines these are 32 bits wide")]
fn most_memory_kib(threads: usize) -> u32 {
    let info = rustix::system::sysinfo();
    let total_kib = u64::from(info.totalram) * u64::from(info.mem_unit) / 1024;
    let each = total_kib / SHARE / u64::try_from(threads.max(1)).unwrap_or(1);
    u32::try_from(each).unwrap_or(u32::MAX)
}

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn memory_grows_first_then_iterations_and_nothing_falls_below_the_least() {
        let cost = |memory_kib, iterations| HashCost { memory_kib, iterations, parallelism: 1 };
        assert_eq!(scaled(LEAST, MS(25), MS(250), 1 << 20), cost(194_560 / 1024 * 1024, 2));
        assert_eq!(scaled(LEAST, MS(25), MS(250), 65_536), cost(65_536, 5));
        assert_eq!(
            scaled(cost(65_536, 2), MS(500), MS(250), 1 << 20),
            cost(32_768, 2),
            "what proved too dear"
        );
        assert_eq!(scaled(LEAST, MS(400), MS(250), 1 << 20), LEAST, "a slow machine");
        assert_eq!(scaled(LEAST, MS(25), MS(250), 1_024), cost(19_456, 20), "one with little memory");
    }
}
