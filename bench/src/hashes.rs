//! The limits of a login, from the programs beside this one.

use crate::Outcome;
use std::process::Command;
use std::time::Duration;

/// authd's own code.
pub const OWN: &str = "authd-bench-hashes";
/// The C reference, built for this processor.
pub const REFERENCE: &str = "authd-bench-reference";

/// Hashes a second on all cores.
pub fn rate(program: &str, length: Duration) -> Outcome<f64> {
    let program = std::env::current_exe()?.with_file_name(program);
    let output = Command::new(program).arg(length.as_secs().to_string()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().parse().map_err(|_| format!("{said}{}", String::from_utf8_lossy(&output.stderr)).into())
}
