//! What a shell may offer while an operator types: users, roles and registrations whose names begin as the
//! word does. It reads the database and nothing else: no key, no lock, no file that was not there before.

use crate::config::Config;
use crate::error::Fault;
use crate::store;
use crate::store::tables::{api_keys, registrations, roles, users};

/// More than a person reads; a query for them is short however many users there are.
const OFFERED_MAX: u32 = 100;

/// Addresses, in their order.
///
/// # Errors
/// What keeps the database from being read.
pub fn users(config: &Config, prefix: &str) -> Result<Vec<String>, Fault> {
    store::look(&config.database, |query| users::list_emails(query, prefix, OFFERED_MAX))
}

/// Finds the addresses that stand before and after one that nobody has, for who mistyped it: a slip in its
/// beginning is not found, as that would take a look at every account.
///
/// # Errors
/// As [`users()`].
pub fn users_around(config: &Config, email: &str) -> Result<Vec<String>, Fault> {
    store::look(&config.database, |query| users::list_emails_around(query, email, OFFERED_MAX))
}

/// Addresses for which registrations wait, in their order.
///
/// # Errors
/// As [`users()`].
pub fn registrations(config: &Config, prefix: &str) -> Result<Vec<String>, Fault> {
    store::look(&config.database, |query| registrations::list_emails(query, prefix, OFFERED_MAX))
}

/// Names of roles, in their order.
///
/// # Errors
/// As [`users()`].
pub fn roles(config: &Config, prefix: &str) -> Result<Vec<String>, Fault> {
    let all = store::look(&config.database, |query| roles::list(query))?;
    let names = all.into_iter().map(|role| role.name.to_string()).filter(|name| name.starts_with(prefix));
    Ok(names.take(OFFERED_MAX as usize).collect())
}

/// Names of API keys, in their order.
///
/// # Errors
/// As [`users()`].
pub fn api_keys(config: &Config, prefix: &str) -> Result<Vec<String>, Fault> {
    let all = store::look(&config.database, |query| api_keys::list(query))?;
    let names = all.into_iter().map(|key| key.name.to_string()).filter(|name| name.starts_with(prefix));
    Ok(names.take(OFFERED_MAX as usize).collect())
}
