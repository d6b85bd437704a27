//! After the cost of a hash was changed, an address without an account is answered in the time of some
//! account or other, as it would be if there were one: of the old cost or of the new.

use crate::daemon::Daemon;
use authd::ports::{Clock, SystemClock};
use authd::usecase::signin::hash_costs;
use serde_json::json;
use std::time::Duration;

/// Hashes of the old cost take more than twice as long on any machine, and those of the new one a hundredth.
const SLOW: Duration = Duration::from_millis(120);
const OLD: [(&str, &str); 2] =
    [("password.argon2_memory_kib", "49152"), ("password.argon2_iterations", "12")];
const NEW: [(&str, &str); 2] = [("password.argon2_memory_kib", "8"), ("password.argon2_iterations", "1")];

fn asked(daemon: &Daemon, email: &str) -> Duration {
    let body = json!({"email": email, "password": "not the password at all"}).to_string();
    let clock = SystemClock::new();
    let begun = clock.elapsed();
    assert_eq!(daemon.post("/api/auth/login", &body).status, 401, "{email}");
    clock.elapsed().saturating_sub(begun)
}

/// Whether even the quickest of some answers is slow: one may be late for another reason.
fn is_slow(daemon: &Daemon, email: &str) -> bool {
    (0..4).all(|_| asked(daemon, email) >= SLOW)
}

#[test]
fn an_unknown_address_takes_after_the_accounts_there_are() {
    let daemon = Daemon::with(&[&OLD[..], &[("lockout.pair_failures", "1000")]].concat());
    for user in 0..3 {
        daemon.world.add_user(&format!("old{user}@example.com"), &[]);
    }
    let daemon = daemon.restarted_with(&NEW);
    for user in 0..3 {
        daemon.world.add_user(&format!("new{user}@example.com"), &[]);
    }
    assert!(is_slow(&daemon, "old0@example.com") && !is_slow(&daemon, "new0@example.com"));
    let nobody = |number: u32| format!("nobody{number}@example.com");
    assert!(!(0..2).any(|number| is_slow(&daemon, &nobody(number))), "nothing was counted yet");

    hash_costs::count(&daemon.world.app, || true).unwrap();
    let slow: Vec<u32> = (0..8).filter(|number| is_slow(&daemon, &nobody(*number))).collect();
    assert!((1..=7).contains(&slow.len()), "some are, and some are not: {slow:?}");
    assert!(slow.iter().all(|number| asked(&daemon, &nobody(*number)) >= SLOW), "the same ones every time");
    let again = daemon.restarted_with(&[]);
    hash_costs::count(&again.world.app, || true).unwrap();
    assert!(slow.iter().all(|number| asked(&again, &nobody(*number)) >= SLOW), "after a restart, too");
}
