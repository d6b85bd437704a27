//! The binary: called `authd` or `authctl`, it is the same command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before any file is made: what authd writes is nobody else's to read.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    authd::cli::main(std::env::args_os())
}
