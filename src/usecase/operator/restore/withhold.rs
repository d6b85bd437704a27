//! What the database that is replaced still held good: keys and codes that were revoked or spent since the
//! backup must not come back with it, nor passkeys that were deleted, or count as if they had been used less.

use crate::domain::id::{ApiKeyId, PasskeyId, UserId};
use crate::error::Fault;
use crate::store::tables::{api_keys, keys, passkeys, second_factor};
use crate::store::tx::{Query, Tx};
use std::collections::{HashMap, HashSet};

#[derive(Clone, Debug)]
pub(super) struct StillValid {
    api_keys: HashSet<ApiKeyId>,
    recovery_codes: HashSet<(UserId, [u8; 32])>,
    /// Each with its counter.
    passkeys: HashMap<PasskeyId, u32>,
    /// The names of the keys that sign.
    signing_keys: HashSet<String>,
}

/// How many don't come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Withheld {
    pub api_keys: u64,
    pub recovery_codes: u64,
    pub passkeys: u64,
    pub signing_keys: u64,
    /// How many accounts have no second factor since their passkeys are withheld.
    pub accounts_without_factor: u64,
}

impl StillValid {
    /// Reads what counts in the database that is about to be replaced.
    ///
    /// # Errors
    /// The store's: then nobody knows.
    pub(super) fn read(query: &impl Query) -> Result<Self, Fault> {
        let signing = keys::list(query)?.into_iter().filter(|key| key.retired_at.is_none());
        let counters = passkeys::list_counters(query)?.into_iter();
        Ok(Self {
            api_keys: api_keys::list(query)?.into_iter().map(|key| key.id).collect(),
            recovery_codes: second_factor::list_recovery_codes(query)?.into_iter().collect(),
            passkeys: counters.map(|(id, _, count)| (id, count)).collect(),
            signing_keys: signing.map(|key| key.kid).collect(),
        })
    }

    /// Takes what is good no more out of the restored database.
    pub(super) fn delete_the_rest(&self, tx: &mut Tx<'_>) -> Result<Withheld, Fault> {
        let mut withheld = Withheld::default();
        for key in api_keys::list(tx)?.iter().filter(|key| !self.api_keys.contains(&key.id)) {
            api_keys::delete(tx, key.id)?;
            withheld.api_keys += 1;
        }
        for (user, hash) in second_factor::list_recovery_codes(tx)? {
            if !self.recovery_codes.contains(&(user, hash)) {
                second_factor::delete_recovery_code(tx, user, &hash)?;
                withheld.recovery_codes += 1;
            }
        }
        (withheld.passkeys, withheld.accounts_without_factor) = self.delete_passkeys(tx)?;
        withheld.signing_keys = delete_signing_keys(tx, |kid| self.signing_keys.contains(kid))?;
        Ok(withheld)
    }

    /// Takes the passkeys out that are there no more, with the recovery codes of an account that is left
    /// without a factor; gives how many, and how many such accounts there are. The others go on counting
    /// where they had come to, so that a copy shows.
    fn delete_passkeys(&self, tx: &mut Tx<'_>) -> Result<(u64, u64), Fault> {
        let (mut deleted, mut without) = (0, 0);
        for (id, user, restored) in passkeys::list_counters(tx)? {
            match self.passkeys.get(&id) {
                Some(count) if *count > restored => passkeys::save_counter(tx, id, *count)?,
                Some(_) => {}
                None => {
                    passkeys::delete(tx, id)?;
                    without += u64::from(second_factor::delete_codes_without_factor(tx, user)?);
                    deleted += 1;
                }
            }
        }
        Ok((deleted, without))
    }
}

/// Takes the signing keys out that don't live on; gives how many.
pub(super) fn delete_signing_keys(tx: &mut Tx<'_>, lives_on: impl Fn(&str) -> bool) -> Result<u64, Fault> {
    let mut deleted = 0;
    for key in keys::list(tx)?.iter().filter(|key| !lives_on(&key.kid)) {
        keys::delete(tx, &key.kid)?;
        deleted += 1;
    }
    Ok(deleted)
}
