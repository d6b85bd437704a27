//! Failed logins as the lockout counts them, and the networks that an account is known from.

use crate::domain::id::UserId;
use crate::domain::lockout::{Account, Familiarity, MEMORY, Pair};
use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::store::page::ALL_ROWS;
use crate::store::tx::{Query, Tx, params};

/// How many networks' failures are kept of one account, and to how many they are brought down once there are
/// more: far above what locks it for every network that it isn't known from.
const MOST_PAIRS: u32 = 1_000;
const KEPT_PAIRS: u32 = 900;

/// Finds the failures of `account` (an address as it is compared) from one network, as far as they are
/// remembered.
pub fn find_pair(query: &impl Query, account: &str, network: Network, now: Timestamp) -> Result<Pair, Fault> {
    let sql = "SELECT failures, locks, locked_until FROM pair_failures \
        WHERE account = ?1 AND network = ?2 AND (last_at > ?3 OR coalesce(locked_until, 0) > ?3)";
    let found = query.opt(sql, params![account, network.to_string(), now.minus(MEMORY)], |row| {
        Ok(Pair {
            failures: row.get("failures")?,
            locks: row.get("locks")?,
            locked_until: row.get("locked_until")?,
        })
    })?;
    Ok(found.unwrap_or_default())
}

/// Finds the failures of `account` from anywhere, as far as they are remembered.
pub fn find_account(query: &impl Query, account: &str, now: Timestamp) -> Result<Account, Fault> {
    let sql = "SELECT failures, locked_until FROM account_failures \
        WHERE account = ?1 AND (last_at > ?2 OR coalesce(locked_until, 0) > ?2)";
    let found = query.opt(sql, params![account, now.minus(MEMORY)], |row| {
        Ok(Account { failures: row.get("failures")?, locked_until: row.get("locked_until")? })
    })?;
    Ok(found.unwrap_or_default())
}

/// Saves the failures of `account` from one network, with the time of the last: now. Of too many networks
/// those go whose lock, or else whose last failure, is the longest past.
pub fn save_pair(tx: &mut Tx<'_>, account: &str, network: Network, pair: &Pair) -> Result<(), Fault> {
    let now = tx.now();
    let sql = "INSERT INTO pair_failures (account, network, failures, locks, locked_until, last_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (account, network) DO UPDATE SET failures = excluded.failures, \
        locks = excluded.locks, locked_until = excluded.locked_until, last_at = excluded.last_at";
    let network = network.to_string();
    tx.execute(sql, params![account, network, pair.failures, pair.locks, pair.locked_until, now])?;
    let sql = "DELETE FROM pair_failures WHERE account = ?1 \
        AND (SELECT count(*) FROM pair_failures WHERE account = ?1) > ?2 \
        AND network IN (SELECT network FROM pair_failures WHERE account = ?1 \
        ORDER BY CASE WHEN locked_until > last_at THEN locked_until ELSE last_at END DESC, network \
        LIMIT ?4 OFFSET ?3)";
    tx.execute(sql, params![account, MOST_PAIRS, KEPT_PAIRS, ALL_ROWS]).map(drop)
}

/// Saves the failures of `account` from anywhere, with the time of the last: now.
pub fn save_account(tx: &mut Tx<'_>, account: &str, state: &Account) -> Result<(), Fault> {
    let now = tx.now();
    let sql = "INSERT INTO account_failures (account, failures, locked_until, last_at) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT (account) DO UPDATE SET failures = excluded.failures, locked_until = excluded.locked_until, \
        last_at = excluded.last_at";
    tx.execute(sql, params![account, state.failures, state.locked_until, now]).map(drop)
}

/// Clears the counters that a success from this network ends: its own and the account's.
pub fn clear_for(tx: &mut Tx<'_>, account: &str, network: Network) -> Result<(), Fault> {
    let network = network.to_string();
    tx.execute("DELETE FROM pair_failures WHERE account = ?1 AND network = ?2", params![account, network])?;
    tx.execute("DELETE FROM account_failures WHERE account = ?1", params![account]).map(drop)
}

/// Forgets every failure and lock of an account; gives how many locks still held.
pub fn clear_all(tx: &mut Tx<'_>, account: &str) -> Result<u32, Fault> {
    let now = tx.now();
    let sql = "SELECT (SELECT count(*) FROM pair_failures WHERE account = ?1 AND locked_until > ?2) + \
        (SELECT count(*) FROM account_failures WHERE account = ?1 AND locked_until > ?2) AS locks";
    let locks = tx.one(sql, params![account, now], |row| row.get("locks"))?;
    tx.execute("DELETE FROM pair_failures WHERE account = ?1", params![account])?;
    tx.execute("DELETE FROM account_failures WHERE account = ?1", params![account])?;
    Ok(locks)
}

/// Looks whether the user logged in from this network since a time.
pub fn familiarity(
    query: &impl Query,
    user: UserId,
    network: Network,
    since: Timestamp,
) -> Result<Familiarity, Fault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM known_networks \
        WHERE user_id = ?1 AND network = ?2 AND last_login_at > ?3) AS is_known";
    let known: bool = query.one(sql, params![user, network.to_string(), since], |row| row.get("is_known"))?;
    Ok(if known { Familiarity::Known } else { Familiarity::Unknown })
}

/// Looks whether the user has ever logged in from anywhere.
pub fn has_known_network(query: &impl Query, user: UserId) -> Result<bool, Fault> {
    query.one(
        "SELECT EXISTS (SELECT 1 FROM known_networks WHERE user_id = ?1) AS is_known",
        params![user],
        |row| row.get("is_known"),
    )
}

/// Notes that the user logged in from this network now.
pub fn save_known_network(tx: &mut Tx<'_>, user: UserId, network: Network) -> Result<(), Fault> {
    let now = tx.now();
    let sql = "INSERT INTO known_networks (user_id, network, last_login_at) VALUES (?1, ?2, ?3) \
        ON CONFLICT (user_id, network) DO UPDATE SET last_login_at = excluded.last_login_at";
    tx.execute(sql, params![user, network.to_string(), now]).map(drop)
}
