//! Other people's programs that some tests need: said loudly where they are not installed, and demanded
//! where `tests/run` has installed them.

use std::io::Write;

/// Set by `tests/run`.
const COMPLETE: &str = "TESTS_ARE_COMPLETE";

/// Says that a test doesn't run for want of `what`; fails where nothing may be missing.
pub fn missing(what: &str) {
    assert!(std::env::var_os(COMPLETE).is_none(), "{what} is not installed");
    // Past the test harness, which keeps to itself what a test that passes prints.
    let said = format!("NOT RUN: {what} is not installed; tests/run installs it\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap();
}
