//! How much one network may ask, in memory: a budget for each kind of request, spent before anything
//! else is done for it. The faces of one daemon share the budgets; a restart begins them anew, and
//! what must outlive one is the lockout's. What several daemons share is `spending`'s.
//!
//! An IPv6 /64 is no more than what one host may choose its addresses from, and whoever rents a /48 has
//! 65,536 of them. So the /56 and the /48 around it have budgets too, wider each, and a request is admitted
//! if all three have room for it.
//!
//! The generic cell rate algorithm: of each network one number is kept, the time at which its budget
//! is whole again. A request moves it on by `window / events`, and is refused while it lies more than
//! the window ahead.

use crate::config::{Config, Rate};
use crate::domain::network::Network;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::net::Ipv6Addr;
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

    pub(super) const fn rate(self, config: &Config) -> Rate {
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

/// Whether a request is admitted, and what is left of the budget after it: of that with the least room, where
/// it spends more than one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BudgetState {
    pub budget: Budget,
    /// Wider than configured where it is that of a /56 or a /48.
    pub rate: Rate,
    pub decision: RateDecision,
    /// How many requests would be admitted now.
    pub remaining: u32,
    /// How long until the budget is whole again.
    pub reset: Duration,
}

/// The state of all budgets: a table each, so that many requests of one kind can't crowd out what is
/// known of another.
#[derive(Debug, Default)]
pub struct RateLimits {
    tables: [Mutex<Table>; 5],
}

impl RateLimits {
    /// Spends one request of the budget of a network, at the time `now` of a clock that only goes forward.
    pub fn spend(&self, budget: Budget, rate: Rate, network: Network, now: Duration) -> BudgetState {
        // A table is sound at every step: one that a panic left behind holds at worst one request less.
        let mut table = self.tables[budget as usize].lock().unwrap_or_else(PoisonError::into_inner);
        table.spend(budget, rate, network, nanos(now))
    }
}

/// How many budgets of a /64 those around it are: a household often has a /56, a site a /48.
const WIDER: [(u8, u32); 2] = [(56, 4), (48, 16)];

/// Whose budget it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Scope {
    Network(Network),
    /// All that begin with these bits of an IPv6 address; the others are 0.
    Around {
        prefix: u64,
        bits: u8,
    },
}

impl Scope {
    /// A network and what lies around it, each with its rate.
    pub(super) fn of(network: Network, rate: Rate) -> impl Iterator<Item = (Self, Rate)> {
        let v6 = match network {
            Network::V6(prefix) => Some(prefix),
            Network::V4(_) | Network::Local => None,
        };
        let around = v6.into_iter().flat_map(move |prefix| {
            WIDER.iter().map(move |(bits, factor)| {
                let rest = 64 - u32::from(*bits);
                let scope = Self::Around { prefix: prefix >> rest << rest, bits: *bits };
                (scope, Rate { events: rate.events.saturating_mul(*factor), ..rate })
            })
        });
        std::iter::once((Self::Network(network), rate)).chain(around)
    }
}

/// `192.0.2.7`, `2001:db8:1:2::/64`, `2001:db8:1::/48`: stable, because a database keeps it.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Around { prefix, bits } => {
                write!(f, "{}/{bits}", Ipv6Addr::from(u128::from(*prefix) << 64))
            }
        }
    }
}

/// One budget at a moment. All times are in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Level {
    rate: Rate,
    now: u64,
    /// When it is whole again.
    until: u64,
}

impl Level {
    /// How much later a request makes it whole.
    fn step(self) -> u64 {
        nanos(self.rate.window).div_ceil(u64::from(self.rate.events.max(1))).max(1)
    }

    /// The time until which it may be spent ahead.
    fn end(self) -> u64 {
        self.now.saturating_add(self.step().saturating_mul(self.rate.events.into()))
    }

    /// How long until one more request is admitted. 0: at once.
    fn wait(self) -> u64 {
        self.until.saturating_add(self.step()).saturating_sub(self.end())
    }

    /// How many requests would be admitted now.
    fn remaining(self) -> u32 {
        u32::try_from(self.end().saturating_sub(self.until) / self.step()).unwrap_or(u32::MAX)
    }
}

/// Networks, and what lies around them, that a table remembers: some 3 MB at most.
const SCOPES_MAX: usize = 65_536;

/// When each budget is whole again, in nanoseconds. One that isn't listed is whole.
#[derive(Debug, Default)]
struct Table(HashMap<Scope, u64>);

impl Table {
    fn spend(&mut self, budget: Budget, rate: Rate, network: Network, now: u64) -> BudgetState {
        // Looked up once: the lock is held meanwhile.
        let mut levels = [None; 1 + WIDER.len()];
        for (slot, (scope, rate)) in levels.iter_mut().zip(Scope::of(network, rate)) {
            *slot = Some((scope, self.level(scope, rate, now)));
        }
        let wait = levels.iter().flatten().map(|(_, level)| level.wait()).max();
        let decision = match wait {
            None | Some(0) => {
                self.make_room(now);
                for (scope, level) in levels.iter_mut().flatten() {
                    level.until = level.until.saturating_add(level.step());
                    self.0.insert(*scope, level.until);
                }
                RateDecision::Admitted
            }
            Some(wait) => RateDecision::Refused { retry_after: Duration::from_nanos(wait) },
        };
        let levels = levels.into_iter().flatten().map(|(_, level)| level);
        // Of those with the same room, the first: the network's own.
        let tightest = levels.min_by_key(|level| (Reverse(level.wait()), level.remaining()));
        let tightest = tightest.unwrap_or(Level { rate, now, until: now });
        BudgetState {
            budget,
            rate: tightest.rate,
            decision,
            remaining: tightest.remaining(),
            reset: Duration::from_nanos(tightest.until - now),
        }
    }

    fn level(&self, scope: Scope, rate: Rate, now: u64) -> Level {
        Level { rate, now, until: self.0.get(&scope).copied().unwrap_or(0).max(now) }
    }

    /// Keeps the table within its bound. Those go that are whole again, and if that isn't enough those
    /// that soon will be: the ones of which least is known. A quarter goes at once, so that a flood of
    /// networks pays for a look through the table only now and then.
    fn make_room(&mut self, now: u64) {
        if self.0.len() + WIDER.len() < SCOPES_MAX {
            return;
        }
        self.0.retain(|_, until| *until > now);
        let surplus = self.0.len().saturating_sub(SCOPES_MAX / 4 * 3);
        if surplus > 0 {
            let mut all: Vec<_> = self.0.iter().map(|(scope, until)| (*until, *scope)).collect();
            all.select_nth_unstable_by_key(surplus - 1, |(until, _)| *until);
            for (_, scope) in &all[..surplus] {
                self.0.remove(scope);
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
        assert!(limits.tables[0].lock().unwrap().0.len() <= SCOPES_MAX);
        assert!(!admitted(&limits, 0, at(2)));
    }
}
