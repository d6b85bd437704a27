//! Which ids of the inbox were sealed, so that none is sealed twice. They come in an order that is nearly
//! theirs: all up to one are known but for some gaps, of transactions that are under way or came to nothing.

use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a gap is waited for. No transaction lives that long, and no session keeps ids for longer.
const WAITED_FOR: Duration = Duration::from_secs(600);

/// The most gaps that are remembered, the newest.
const GAPS_MAX: usize = 10_000;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct SealedIds {
    through: i64,
    gaps: Vec<Gap>,
}

/// Ids that were left out, from one to the other, and when that was seen, in milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Gap(i64, i64, i64);

impl SealedIds {
    /// All up to one.
    pub(super) const fn through(through: i64) -> Self {
        Self { through, gaps: Vec::new() }
    }

    /// Reads [`SealedIds::text`]. `None`: it is none.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("numbers are JSON")
    }

    /// Takes an id as sealed. `false`: it was before, or is too old to tell.
    pub(super) fn take(&mut self, id: i64, now: Timestamp) -> bool {
        if id > self.through {
            if id > self.through + 1 {
                self.gaps.push(Gap(self.through + 1, id - 1, now.as_millis()));
            }
            self.through = id;
            return true;
        }
        let Some(at) = self.gaps.iter().position(|Gap(from, to, _)| (*from..=*to).contains(&id)) else {
            return false;
        };
        let Gap(from, to, since) = self.gaps.swap_remove(at);
        let rest = [(from, id - 1), (id + 1, to)];
        self.gaps
            .extend(rest.into_iter().filter(|(from, to)| from <= to).map(|(from, to)| Gap(from, to, since)));
        true
    }

    /// Forgets the gaps that nobody fills any more.
    pub(super) fn forget(&mut self, now: Timestamp) {
        let oldest = now.minus(WAITED_FOR).as_millis();
        self.gaps.retain(|Gap(_, _, since)| *since > oldest);
        self.gaps.sort_unstable_by_key(|Gap(from, ..)| *from);
        self.gaps.drain(..self.gaps.len().saturating_sub(GAPS_MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    proptest! {
        #[test]
        fn an_id_is_taken_once_whatever_the_order(ids in prop::collection::vec(1..60_i64, 0..200)) {
            let (mut known, mut model) = (SealedIds::through(0), HashSet::new());
            for id in ids {
                prop_assert_eq!(known.take(id, at(0)), model.insert(id), "{}", id);
                known.forget(at(1));
                prop_assert_eq!(SealedIds::parse(known.text().as_bytes()), Some(known.clone()));
            }
        }
    }

    #[test]
    fn what_was_left_out_for_long_comes_no_more() {
        let mut known = SealedIds::through(0);
        assert!(known.take(3, at(0)));
        known.forget(at(599_999));
        assert!(known.clone().take(1, at(599_999)));
        known.forget(at(600_000));
        assert!(!known.take(1, at(600_000)) && known.take(4, at(600_000)));
    }
}
