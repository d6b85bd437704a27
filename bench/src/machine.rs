//! The machine that is measured on, and who used its processors.

use crate::Outcome;
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Linux counts a process's time in hundredths of a second, whatever the kernel's own tick.
const TICKS_PER_S: f64 = 100.0;

pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// CPU seconds of this process and of those of its children that have ended: the load generators.
pub fn own_cpu_s() -> f64 {
    stat()[11..15].iter().sum::<f64>() / TICKS_PER_S
}

/// The fields of this process's `stat` behind its name (proc(5)): the eleventh and those after it are times.
fn stat() -> Vec<f64> {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(") ").next().unwrap_or_default().split(' ');
    let mut fields: Vec<f64> = fields.map(|field| field.trim().parse().unwrap_or(0.0)).collect();
    fields.resize(fields.len().max(15), 0.0);
    fields
}

/// The part of all cores that the load generator took while something ran.
#[derive(Debug)]
pub struct Watch {
    cpu_s: f64,
    begun: Instant,
}

impl Watch {
    pub fn start() -> Self {
        Self { cpu_s: own_cpu_s(), begun: Instant::now() }
    }

    pub fn share(&self) -> f64 {
        (own_cpu_s() - self.cpu_s) / (cores() as f64 * self.begun.elapsed().as_secs_f64())
    }
}

/// One line a fact, for the head of the report.
pub fn facts() -> Vec<String> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':'))
            .map_or("unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    vec![
        format!("processor: {}, {} cores", field(&cpu, "model name"), cores()),
        format!("memory: {}", field(&memory, "MemTotal")),
        format!("kernel: Linux {}", read("/proc/sys/kernel/osrelease").trim()),
        format!("load average at the start: {}", read("/proc/loadavg").trim()),
    ]
}

/// Another, where the database is a file.
pub fn fact_of_sqlite(folder: &Path) -> Outcome<String> {
    let (version, rate) = (rusqlite::version(), syncs(folder)?);
    Ok(format!("SQLite {version}, one row a commit, `synchronous=FULL`: {rate:.0} commits/s"))
}

/// Commits a second of one connection alone, each of them on disk.
fn syncs(folder: &Path) -> Outcome<f64> {
    let path = folder.join("sync.db");
    let connection = Connection::open(&path)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS one (n INTEGER); DELETE FROM one; INSERT INTO one VALUES (0)",
    )?;
    let (begun, mut commits) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(1) {
        connection.execute("UPDATE one SET n = n + 1", [])?;
        commits += 1;
    }
    let rate = f64::from(commits) / begun.elapsed().as_secs_f64();
    drop(connection);
    fs::remove_file(path)?;
    Ok(rate)
}
