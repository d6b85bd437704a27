//! Spending budgets: those that this daemon keeps in memory, and then those that hold across all daemons of a
//! database on a server. Who is over it in memory is over it everywhere, so that a flood costs no question.

use super::App;
use super::rate_limit::{Budget, BudgetState, RateDecision, Scope};
use crate::config::Rate;
use crate::domain::network::Network;
use crate::error::Fault;
use crate::store::tables::rate_budgets::{self, Spending};
use std::net::IpAddr;
use std::time::Duration;

/// Those that protect accounts and addresses; the others protect the daemon itself.
const SHARED: [Budget; 3] = [Budget::Login, Budget::Register, Budget::Mail];

/// Spends one request of the budget of the network that `ip` belongs to. `None`: limits are off.
#[must_use]
pub fn spend(app: &App, budget: Budget, ip: Option<IpAddr>) -> Option<BudgetState> {
    let config = &app.config;
    if !config.rate_limit.enabled {
        return None;
    }
    let (rate, network) = (budget.rate(config), Network::of(ip));
    let state = app.rate_limits.spend(budget, rate, network, app.elapsed());
    Some(match state.decision {
        RateDecision::Refused { .. } => state,
        RateDecision::Admitted => {
            let scopes = Scope::of(network, rate).map(|(scope, rate)| (scope.to_string(), rate));
            spend_shared(app, state, scopes)
        }
    })
}

/// Spends what was admitted in memory of the shared budgets as well; gives the state that holds. Where the
/// database can't be asked, nothing can be changed either, and what memory says is enough.
fn spend_shared(
    app: &App,
    admitted: BudgetState,
    scopes: impl Iterator<Item = (String, Rate)>,
) -> BudgetState {
    if !app.store.is_shared() || !SHARED.contains(&admitted.budget) {
        return admitted;
    }
    for (scope, rate) in scopes {
        match spend_one(app, admitted.budget, &scope, rate) {
            Ok(None) => {}
            Ok(Some(refused)) => return refused,
            Err(fault) => {
                tracing::warn!(%fault, "a shared budget can't be asked");
                return admitted;
            }
        }
    }
    admitted
}

/// `None`: there was room.
fn spend_one(app: &App, budget: Budget, scope: &str, rate: Rate) -> Result<Option<BudgetState>, Fault> {
    let whole = micros(rate.window);
    let now = app.now().as_millis().saturating_mul(1_000);
    let step = (whole / i64::from(rate.events.max(1))).max(1);
    let spending = Spending { now, step, whole };
    app.store.read(|query| {
        if rate_budgets::spend(query, budget.name(), scope, spending)?.is_some() {
            return Ok(None);
        }
        let until = rate_budgets::find(query, budget.name(), scope)?.unwrap_or(now);
        let span = |micros: i64| Duration::from_micros(micros.max(0).unsigned_abs());
        Ok(Some(BudgetState {
            budget,
            rate,
            decision: RateDecision::Refused { retry_after: span(until + step - now - whole).max(span(1)) },
            remaining: 0,
            reset: span(until - now),
        }))
    })
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}
