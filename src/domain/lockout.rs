//! Lockout as two counters: of one account from one network, and of one account from anywhere.
//!
//! The first slows whoever guesses. The second, far higher, ends a guess spread over many networks,
//! and spares those that the owner has logged in from, so that strangers can't keep the owner out.
//! Both count the same for names that nobody has.

use super::time::Timestamp;
use std::time::Duration;

/// Failures are forgotten this long after the last of them, once the lock that they brought is as old: what
/// is counted of names that nobody has would pile up for ever.
pub const MEMORY: Duration = Duration::from_secs(30 * 24 * 3600);

/// How many failures are too many, and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    pub pair_failures: u32,
    /// The first lock; each further one is twice as long.
    pub pair_lock: Duration,
    pub pair_lock_max: Duration,
    pub account_failures: u32,
    pub account_lock: Duration,
}

/// Failures of one account from one network. The default is a clean slate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pair {
    /// Since the last success or lock.
    pub failures: u32,
    /// How often it was locked since the last success.
    pub locks: u32,
    /// `None`, or a time past: not locked.
    pub locked_until: Option<Timestamp>,
}

/// Failures of one account from anywhere. The default is a clean slate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// Since the last success or lock.
    pub failures: u32,
    /// `None`, or a time past: not locked.
    pub locked_until: Option<Timestamp>,
}

/// Whether the network of an attempt has seen a login of this account lately.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Familiarity {
    Known,
    Unknown,
}

impl Pair {
    /// The pair after one more failure.
    #[must_use]
    pub fn fail(self, now: Timestamp, rules: &Rules) -> Self {
        let failures = self.failures.saturating_add(1);
        if failures < rules.pair_failures {
            return Self { failures, ..self };
        }
        let doublings = self.locks.min(31);
        let lock = rules.pair_lock.saturating_mul(1 << doublings).min(rules.pair_lock_max);
        Self { failures: 0, locks: self.locks.saturating_add(1), locked_until: Some(now.plus(lock)) }
    }
}

impl Account {
    /// The account after one more failure.
    #[must_use]
    pub fn fail(self, now: Timestamp, rules: &Rules) -> Self {
        let failures = self.failures.saturating_add(1);
        if failures < rules.account_failures {
            return Self { failures, ..self };
        }
        Self { failures: 0, locked_until: Some(now.plus(rules.account_lock)) }
    }
}

/// Until when an attempt is refused unseen; `None`: it may be made. At the time itself it may.
#[must_use]
pub fn refused_until(
    pair: Pair,
    account: Account,
    familiarity: Familiarity,
    now: Timestamp,
) -> Option<Timestamp> {
    let account_lock = match familiarity {
        Familiarity::Known => None,
        Familiarity::Unknown => account.locked_until,
    };
    pair.locked_until.max(account_lock).filter(|until| now < *until)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        pair_failures: 5,
        pair_lock: Duration::from_secs(60),
        pair_lock_max: Duration::from_secs(3600),
        account_failures: 100,
        account_lock: Duration::from_secs(3600),
    };
    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    #[test]
    fn every_fifth_failure_locks_for_twice_as_long_up_to_an_hour() {
        let mut pair = Pair::default();
        for expected in [60, 120, 240, 480, 960, 1920, 3600, 3600] {
            for _ in 0..4 {
                pair = pair.fail(NOW, &RULES);
            }
            let before = pair.locks;
            pair = pair.fail(NOW, &RULES);
            assert_eq!(pair.locks, before + 1);
            assert_eq!(pair.locked_until, Some(NOW.plus(Duration::from_secs(expected))));
        }
    }

    #[test]
    fn a_lock_ends_to_the_millisecond() {
        let pair = Pair { locked_until: Some(NOW), ..Pair::default() };
        let refused_until = |now| refused_until(pair, Account::default(), Familiarity::Unknown, now);
        assert_eq!(refused_until(NOW.minus(Duration::from_millis(1))), Some(NOW));
        assert_eq!(refused_until(NOW), None);
    }

    #[test]
    fn a_known_network_is_spared_the_accounts_lock_but_not_its_own() {
        let until = NOW.plus(Duration::from_secs(10));
        let account = Account { failures: 0, locked_until: Some(until) };
        assert_eq!(refused_until(Pair::default(), account, Familiarity::Known, NOW), None);
        assert_eq!(refused_until(Pair::default(), account, Familiarity::Unknown, NOW), Some(until));
        let pair = Pair { locked_until: Some(until), ..Pair::default() };
        assert_eq!(refused_until(pair, Account::default(), Familiarity::Known, NOW), Some(until));
    }
}
