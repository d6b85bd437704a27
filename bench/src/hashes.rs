//! The limits of a login, from the program beside this one.

use crate::Outcome;
use std::process::Command;
use std::time::Duration;

/// Hashes a second on all cores, by `authd`'s own code or by the C `reference`.
pub fn rate(whose: &str, length: Duration) -> Outcome<f64> {
    let program = std::env::current_exe()?.with_file_name("authd-bench-hashes");
    let output = Command::new(program).args([whose, &length.as_secs().to_string()]).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().parse().map_err(|_| format!("{said}{}", String::from_utf8_lossy(&output.stderr)).into())
}
