//! What the password hashes in the database cost, and how many accounts have each, as it was counted last.

use crate::domain::password::HashCost;
use std::sync::{PoisonError, RwLock};

/// Each cost with how many accounts have it. Empty: nothing was counted yet.
#[derive(Debug, Default)]
pub(in crate::usecase) struct HashCosts(RwLock<Vec<(HashCost, u64)>>);

impl HashCosts {
    /// Puts what was counted in the place of what is known.
    pub(in crate::usecase) fn replace(&self, mut counted: Vec<(HashCost, u64)>) {
        // In one order, cheap ones first: while accounts move from an old cost to a newer one, each point of
        // the whole moves that way once, as an account does.
        counted.sort_by_key(|(cost, _)| *cost);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = counted;
    }

    /// The cost at a point of the whole, which is as long as `u64` reaches: each has a stretch as long as its
    /// share of the accounts. `None`: nothing is known.
    pub(in crate::usecase) fn at(&self, point: u64) -> Option<HashCost> {
        let counted = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let accounts: u64 = counted.iter().map(|(_, accounts)| accounts).sum();
        let mut rank = (u128::from(point) * u128::from(accounts)) >> u64::BITS;
        for (cost, accounts) in counted.iter() {
            match rank.checked_sub(u128::from(*accounts)) {
                Some(rest) => rank = rest,
                None => return Some(*cost),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: HashCost = HashCost { memory_kib: 8, iterations: 1, parallelism: 1 };
    const DEAR: HashCost = HashCost { iterations: 2, ..CHEAP };

    #[test]
    fn each_cost_has_as_much_of_the_whole_as_it_has_accounts() {
        let costs = HashCosts::default();
        assert_eq!(costs.at(0), None);
        costs.replace(vec![(DEAR, 1), (CHEAP, 3)]);
        let quarter = 1 << 62;
        for (point, cost) in [(0, CHEAP), (3 * quarter - 1, CHEAP), (3 * quarter, DEAR), (u64::MAX, DEAR)] {
            assert_eq!(costs.at(point), Some(cost), "{point}");
        }
        costs.replace(vec![(CHEAP, 1), (DEAR, 3)]);
        assert_eq!([costs.at(quarter - 1), costs.at(quarter)], [Some(CHEAP), Some(DEAR)]);
    }
}
