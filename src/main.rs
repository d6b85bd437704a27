//! The binary: called `authd` or `authctl`, it is the same command line.

#[cfg(target_os = "linux")]
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::process::ExitCode;

fn main() -> ExitCode {
    keep_memory_private();
    // Before any file is made: what authd writes is nobody else's to read.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    authd::cli::main(std::env::args_os())
}

/// Leaves no core file when the program dies, and lets no other process of the same user look into its
/// memory, where keys and passwords are. A system that doesn't know of the one or the other serves all the
/// same.
fn keep_memory_private() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
