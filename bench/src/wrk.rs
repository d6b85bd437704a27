//! wrk as a load generator: one thread of it, with requests that are made before the clock runs.

use crate::Outcome;
use crate::machine::Watch;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What one load gave.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Answers of success, a second.
    pub rate: f64,
    /// How many these were.
    pub answers: u64,
    /// Answers of failure, and connections that broke.
    pub failures: u64,
    /// The generator's part of all cores.
    pub generator: f64,
}

/// Where requests go, how many at once, for how long.
#[derive(Clone, Copy, Debug)]
pub struct Aim<'a> {
    pub address: &'a str,
    pub connections: usize,
    pub length: Duration,
}

/// Requests as Lua writes them, taken in turn.
const SCRIPT: &str = r#"
local turn = 0
function request()
    turn = turn % #requests + 1
    return requests[turn]
end
function done(summary)
    local errors = summary.errors
    local broken = errors.connect + errors.read + errors.write + errors.timeout
    io.write(string.format("result %d %d %d %d\n", summary.requests, summary.duration, errors.status, broken))
end
"#;

/// Sends these requests by turns.
pub fn load(folder: &Path, aim: Aim<'_>, requests: &[String]) -> Outcome<Load> {
    let path = folder.join("load.lua");
    let listed: String = requests.iter().map(|request| format!("    {},\n", quoted(request))).collect();
    fs::write(&path, format!("requests = {{\n{listed}}}\n{SCRIPT}"))?;
    let watch = Watch::start();
    let mut command = Command::new("wrk");
    command.args([
        "-t1",
        "--timeout",
        "30s",
        &format!("-c{}", aim.connections),
        &format!("-d{}s", aim.length.as_secs()),
    ]);
    let output = command.arg("-s").arg(&path).arg(format!("http://{}/", aim.address)).output()?;
    let generator = watch.share();
    let said = String::from_utf8_lossy(&output.stdout);
    let Some(result) = said.lines().find_map(|line| line.strip_prefix("result ")) else {
        return Err(format!("wrk: {said}{}", String::from_utf8_lossy(&output.stderr)).into());
    };
    let figures: Vec<u64> = result.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [requests, micros, refused, broken] = figures[..] else {
        return Err("wrk printed too little".into());
    };
    let answers = requests - refused.min(requests);
    let rate = answers as f64 / Duration::from_micros(micros).as_secs_f64();
    Ok(Load { rate, answers, failures: refused + broken, generator })
}

/// A text as Lua reads it.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "\\r").replace('\n', "\\n");
    format!("\"{escaped}\"")
}
