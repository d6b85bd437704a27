//! How much one network may ask, in memory: a budget for each kind of request, spent before anything
//! else is done for it. The faces of one daemon share the budgets; a restart begins them anew, and
//! what must outlive one is the lockout's.
//!
//! The generic cell rate algorithm: of each network one number is kept, the time at which its budget
//! is whole again. A request moves it on by `window / events`, and is refused while it lies more than
//! the window ahead.

use super::App;
use crate::config::{Config, Rate};
use crate::domain::network::Network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What a request is counted against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Budget {
    /// Whatever checks a credential, together.
    Login,
    Register,
    /// Whatever sends mail to whom one likes, together.
    Mail,
    /// Tokens for tokens.
    Token,
    /// All the rest.
    Default,
}

impl Budget {
    /// Its name in the configuration, which clients are told, too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Register => "register",
            Self::Mail => "mail",
            Self::Token => "token",
            Self::Default => "default",
        }
    }

    const fn rate(self, config: &Config) -> Rate {
        match self {
            Self::Login => config.rate_limit.login,
            Self::Register => config.rate_limit.register,
            Self::Mail => config.rate_limit.mail,
            Self::Token => config.rate_limit.token,
            Self::Default => config.rate_limit.default,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RateDecision {
    Admitted,
    /// The budget is spent; after `retry_after` one more request is admitted.
    Refused {
        retry_after: Duration,
    },
}

/// Whether a request is admitted, and what is left of the budget after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BudgetState {
    pub budget: Budget,
    pub rate: Rate,
    pub decision: RateDecision,
    /// How many requests would be admitted now.
    pub remaining: u32,
    /// How long until the budget is whole again.
    pub reset: Duration,
}

/// Spends one request of the budget of the network that `ip` belongs to. `None`: limits are off.
#[must_use]
pub fn spend(app: &App, budget: Budget, ip: Option<IpAddr>) -> Option<BudgetState> {
    let config = &app.config;
    config
        .rate_limit
        .enabled
        .then(|| app.rate_limits.spend(budget, budget.rate(config), Network::of(ip), app.elapsed()))
}

/// The state of all budgets: a table each, so that many requests of one kind can't crowd out what is
/// known of another.
#[derive(Debug, Default)]
pub struct RateLimits {
    tables: [Mutex<Table>; 5],
}

impl RateLimits {
    /// As [`spend`], at the time `now` of a clock that only goes forward.
    pub fn spend(&self, budget: Budget, rate: Rate, network: Network, now: Duration) -> BudgetState {
        // A table is sound at every step: one that a panic left behind holds at worst one request less.
        let mut table = self.tables[budget as usize].lock().unwrap_or_else(PoisonError::into_inner);
        table.spend(budget, rate, network, nanos(now))
    }
}

/// Networks that a table remembers: some 2 MB at most.
const NETWORKS_MAX: usize = 65_536;

/// When each network's budget is whole again, in nanoseconds. One that isn't listed has it whole.
#[derive(Debug, Default)]
struct Table(HashMap<Network, u64>);

impl Table {
    fn spend(&mut self, budget: Budget, rate: Rate, network: Network, now: u64) -> BudgetState {
        let step = nanos(rate.window).div_ceil(u64::from(rate.events.max(1)));
        let whole = step.saturating_mul(rate.events.into());
        let until = self.0.get(&network).copied().unwrap_or(0).max(now);
        let after = until.saturating_add(step);
        let spent = |decision, until: u64| {
            let remaining = now.saturating_add(whole).saturating_sub(until) / step.max(1);
            let remaining = u32::try_from(remaining).unwrap_or(u32::MAX);
            BudgetState { budget, rate, decision, remaining, reset: Duration::from_nanos(until - now) }
        };
        match after.checked_sub(now.saturating_add(whole)) {
            None | Some(0) => {
                self.make_room(now);
                self.0.insert(network, after);
                spent(RateDecision::Admitted, after)
            }
            Some(wait) => spent(RateDecision::Refused { retry_after: Duration::from_nanos(wait) }, until),
        }
    }

    /// Keeps the table within its bound. Those go that are whole again, and if that isn't enough those
    /// that soon will be: the ones of which least is known. A quarter goes at once, so that a flood of
    /// networks pays for a look through the table only now and then.
    fn make_room(&mut self, now: u64) {
        if self.0.len() < NETWORKS_MAX {
            return;
        }
        self.0.retain(|_, until| *until > now);
        let surplus = self.0.len().saturating_sub(NETWORKS_MAX / 4 * 3);
        if surplus > 0 {
            let mut all: Vec<_> = self.0.iter().map(|(network, until)| (*until, *network)).collect();
            all.select_nth_unstable_by_key(surplus - 1, |(until, _)| *until);
            for (_, network) in &all[..surplus] {
                self.0.remove(network);
            }
        }
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const RATE: Rate = Rate { events: 3, window: Duration::from_secs(60) };

    fn admitted(limits: &RateLimits, host: u32, now: Duration) -> bool {
        let network = Network::V4(Ipv4Addr::from(host));
        limits.spend(Budget::Login, RATE, network, now).decision == RateDecision::Admitted
    }

    #[test]
    fn a_flood_of_networks_is_bounded_and_does_not_free_the_one_that_spent_most() {
        let limits = RateLimits::default();
        let at = |millis: u64| Duration::from_millis(millis);
        assert!((0..3).all(|_| admitted(&limits, 0, at(0))));
        assert!(!admitted(&limits, 0, at(0)));
        for host in 1..200_000 {
            assert!(admitted(&limits, host, at(1)));
        }
        assert!(limits.tables[0].lock().unwrap().0.len() <= NETWORKS_MAX);
        assert!(!admitted(&limits, 0, at(2)));
    }
}
