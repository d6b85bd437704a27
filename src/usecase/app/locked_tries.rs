//! Tries that a lock refused, counted in memory. Of each account the first stands in the audit log at once,
//! and those of the minute after it become one line with their number: who floods an account that is locked
//! causes no commits, and drowns nothing else in the log.

use crate::domain::audit::Subject;
use crate::domain::caller::Caller;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long tries are counted before they are told.
const COUNTED_FOR: Duration = Duration::from_secs(60);

/// How many accounts are counted apart, in a few MB. The tries at all others are one number.
const ACCOUNTS_MAX: usize = 4_096;

/// Whom the number stands under that all other accounts have together: no address is empty.
const OTHERS: &str = "";

/// One try, as its line tells of it.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct LockedTry {
    pub caller: Caller,
    /// Whose account it was for.
    pub subject: Subject,
    /// The address, where nobody has it.
    pub typed: Option<String>,
}

/// Tries that one line tells of.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct Tally {
    /// The address as it is compared.
    pub account: String,
    pub last: LockedTry,
    pub tries: u64,
}

/// Which of the counted tries to take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Take {
    /// Those whose minute is over.
    Due,
    All,
}

/// What is known of one account.
#[derive(Debug)]
struct Account {
    /// When its last line was written.
    told_at: Duration,
    /// Since then. `None`: none.
    untold: Option<(LockedTry, u64)>,
}

/// The tries of all accounts that no line tells of yet.
#[derive(Debug, Default)]
pub(in crate::usecase) struct LockedTries(Mutex<HashMap<String, Account>>);

impl LockedTries {
    /// Counts a try at an account (an address as it is compared), at the time `now` of a clock that only
    /// goes forward. `Some`: what is to be told at once, this try included.
    pub(in crate::usecase) fn count(&self, account: &str, last: LockedTry, now: Duration) -> Option<Tally> {
        let mut accounts = self.accounts();
        let is_other = accounts.len() >= ACCOUNTS_MAX && !accounts.contains_key(account);
        let (account, last) = if is_other { (OTHERS, last.of_nobody()) } else { (account, last) };
        let Some(known) = accounts.get_mut(account) else {
            accounts.insert(account.to_owned(), Account { told_at: now, untold: None });
            return Some(Tally { account: account.to_owned(), last, tries: 1 });
        };
        let tries = known.untold.take().map_or(0, |(_, tries)| tries).saturating_add(1);
        if now.saturating_sub(known.told_at) < COUNTED_FOR {
            known.untold = Some((last, tries));
            return None;
        }
        known.told_at = now;
        Some(Tally { account: account.to_owned(), last, tries })
    }

    /// Takes what was counted, to be told now, and forgets accounts that were left alone for a minute.
    pub(in crate::usecase) fn take(&self, which: Take, now: Duration) -> Vec<Tally> {
        let mut taken = Vec::new();
        self.accounts().retain(|account, known| {
            if which == Take::Due && now.saturating_sub(known.told_at) < COUNTED_FOR {
                return true;
            }
            let untold = known.untold.take();
            let told = untold.is_some();
            taken.extend(untold.map(|(last, tries)| Tally { account: account.clone(), last, tries }));
            known.told_at = now;
            told
        });
        taken
    }

    /// Puts back what could not be told.
    pub(in crate::usecase) fn put_back(&self, tally: Tally) {
        let Tally { account, last, tries } = tally;
        let mut accounts = self.accounts();
        let known = accounts.entry(account).or_insert(Account { told_at: Duration::ZERO, untold: None });
        let since = known.untold.take();
        let sum = since.as_ref().map_or(0, |(_, tries)| *tries).saturating_add(tries);
        known.untold = Some((since.map_or(last, |(last, _)| last), sum));
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<String, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LockedTry {
    fn of_nobody(self) -> Self {
        Self { subject: Subject::default(), typed: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(tries: &LockedTries, account: &str, secs: u64) -> Option<u64> {
        let typed = Some(account.to_owned());
        let one = LockedTry { caller: Caller::system(), subject: Subject::default(), typed };
        tries.count(account, one, Duration::from_secs(secs)).map(|tally| tally.tries)
    }

    #[test]
    fn accounts_beyond_the_bound_are_counted_together() {
        let tries = LockedTries::default();
        for account in 0..ACCOUNTS_MAX {
            assert_eq!(count(&tries, &account.to_string(), 0), Some(1));
        }
        assert_eq!(count(&tries, "one more", 0), Some(1));
        for account in 0..100_000 {
            assert_eq!(count(&tries, &format!("x{account}"), 1), None);
        }
        assert!(tries.accounts().len() <= ACCOUNTS_MAX + 1);
        let taken = tries.take(Take::Due, Duration::from_secs(60));
        let found: Vec<_> = taken.iter().map(|tally| (tally.last.typed.clone(), tally.tries)).collect();
        assert_eq!(found, [(None, 100_000)], "and whose they are is not told");
        assert_eq!(tries.accounts().len(), 1);
    }

    #[test]
    fn what_could_not_be_told_is_told_with_the_next() {
        let tries = LockedTries::default();
        count(&tries, "ann", 0);
        count(&tries, "ann", 1);
        let taken = tries.take(Take::All, Duration::from_secs(2)).pop().unwrap();
        count(&tries, "ann", 3);
        tries.put_back(taken);
        assert_eq!(count(&tries, "ann", 4), None);
        assert_eq!(count(&tries, "ann", 90), Some(4));
    }
}
