//! Budgets of networks that all daemons of a database on a server share, by the generic cell rate
//! algorithm: of each one number is kept, the time at which it is whole again. A file has one daemon, which
//! keeps them in memory alone.

use crate::error::Fault;
use crate::store::tx::{Query, Tx, params};

/// A budget at a moment; times in microseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spending {
    pub now: i64,
    /// How much later one request makes it whole.
    pub step: i64,
    /// How far ahead it may be spent.
    pub whole: i64,
}

/// Spends one request, if there is room for it: one statement, so that of two daemons' last requests one is
/// refused. Gives when the budget is whole again; `None`: it is spent.
pub fn spend(
    query: &impl Query,
    budget: &str,
    scope: &str,
    spending: Spending,
) -> Result<Option<i64>, Fault> {
    let sql = "INSERT INTO rate_budgets (budget, scope, until) VALUES (?1, ?2, ?3 + ?4) \
        ON CONFLICT (budget, scope) DO UPDATE SET until = \
            CASE WHEN rate_budgets.until > ?3 THEN rate_budgets.until ELSE ?3 END + ?4 \
        WHERE CASE WHEN rate_budgets.until > ?3 THEN rate_budgets.until ELSE ?3 END + ?4 <= ?3 + ?5 \
        RETURNING until";
    let Spending { now, step, whole } = spending;
    query.opt(sql, params![budget, scope, now, step, whole], |row| row.get("until"))
}

/// Finds when a budget is whole again. `None`: it is.
pub fn find(query: &impl Query, budget: &str, scope: &str) -> Result<Option<i64>, Fault> {
    let sql = "SELECT until FROM rate_budgets WHERE budget = ?1 AND scope = ?2";
    query.opt(sql, params![budget, scope], |row| row.get("until"))
}

/// Deletes those that are whole again by the time `now`, in microseconds since 1970.
pub fn delete_whole(tx: &mut Tx<'_>, now: i64) -> Result<usize, Fault> {
    tx.execute("DELETE FROM rate_budgets WHERE until <= ?1", params![now])
}
