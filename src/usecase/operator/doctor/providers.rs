//! Asking the providers of the configuration, as `authctl provider test` does, and finding what is left of
//! those that it doesn't name. What is wrong with one is a warning: it may be their trouble, or this machine
//! may have no way to them now, and nobody else's sign-in hangs on it.

use super::Finding;
use crate::config::Provider;
use crate::domain::caller::Caller;
use crate::domain::identity::ProviderName;
use crate::error::Fault;
use crate::store::tables::identities::{self, ProviderCount};
use crate::store::tx::Query;
use crate::usecase::app::App;
use crate::usecase::federation::examine::examine;
use crate::usecase::federation::providers::{find, list};
use std::thread;

/// A finding for each, in the order of their names. All are asked at once, so that it takes ten seconds
/// however many there are that don't answer.
pub(super) fn look(app: &App, caller: &Caller) -> Vec<Finding> {
    thread::scope(|scope| {
        let asked: Vec<_> = list(app)
            .iter()
            .map(|provider| (&provider.name, scope.spawn(move || finding(app, caller, provider))))
            .collect();
        let found = asked.into_iter().map(|(name, asking)| {
            asking.join().unwrap_or_else(|_| Finding::warn(check(name), "it can't be looked at"))
        });
        found.collect()
    })
}

fn finding(app: &App, caller: &Caller, provider: &Provider) -> Finding {
    let name = &provider.name;
    let checks = match examine(app, caller, name.as_str()) {
        Ok(checks) => checks,
        Err(error) => return Finding::warn(check(name), error.to_string()),
    };
    let bad: Vec<String> = checks
        .iter()
        .filter(|check| !check.is_good)
        .map(|check| format!("{}: {}", check.name, check.says))
        .collect();
    if bad.is_empty() {
        return Finding::ok(check(name), format!("all of `authctl provider test {name}` is good"));
    }
    Finding::warn(check(name), format!("{}; see `authctl provider test {name}`", bad.join("; ")))
}

/// Finds the providers that the configuration doesn't name and whose identities are linked still: a finding
/// for each, in the order of their names.
pub(super) fn look_for_removed(app: &App) -> Vec<Finding> {
    let found = app.store.read(|query| {
        let counts = identities::count_by_provider(query)?;
        let removed = counts.into_iter().filter(|count| find(app, count.provider.as_str()).is_err());
        removed.map(|count| what_is_left(query, &count)).collect()
    });
    found.unwrap_or_else(|fault| vec![Finding::warn("identities", fault.to_string())])
}

/// Unlinking is done one by one, so that the first is there to be copied: by ids, in which no shell finds
/// anything to do.
fn what_is_left(query: &impl Query, count: &ProviderCount) -> Result<Finding, Fault> {
    let ProviderCount { provider, identities, granted_roles, first } = count;
    let linked = match identities {
        1 => "1 identity of it is".to_owned(),
        several => format!("{several} identities of it are"),
    };
    let kept = match granted_roles {
        1 => "1 role that it granted stays".to_owned(),
        several => format!("{several} roles that it granted stay"),
    };
    let user =
        identities::find(query, *first)?.map_or_else(|| "USER".to_owned(), |first| first.user.to_string());
    let says = format!(
        "the configuration has no such provider, but {linked} still linked, and {kept}; \
         add `[oauth.{provider}]` again, or unlink each, first `authctl identity unlink {user} {first}`"
    );
    Ok(Finding::warn(check(provider), says))
}

/// As the configuration names it.
fn check(provider: &ProviderName) -> String {
    format!("oauth.{provider}")
}
