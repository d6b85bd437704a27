//! Asking the providers of the configuration, as `authctl provider test` does. What is wrong with one is a
//! warning: it may be their trouble, or this machine may have no way to them now, and nobody else's sign-in
//! hangs on it.

use super::Finding;
use crate::config::Provider;
use crate::domain::caller::Caller;
use crate::usecase::app::App;
use crate::usecase::federation::examine::examine;
use crate::usecase::federation::providers::list;
use std::thread;

/// A finding for each, in the order of their names. All are asked at once, so that it takes ten seconds
/// however many there are that don't answer.
pub(super) fn look(app: &App, caller: &Caller) -> Vec<Finding> {
    thread::scope(|scope| {
        let asked: Vec<_> = list(app)
            .iter()
            .map(|provider| (provider, scope.spawn(move || finding(app, caller, provider))))
            .collect();
        let found = asked.into_iter().map(|(provider, asking)| {
            asking.join().unwrap_or_else(|_| Finding::warn(check(provider), "it can't be looked at"))
        });
        found.collect()
    })
}

fn finding(app: &App, caller: &Caller, provider: &Provider) -> Finding {
    let name = &provider.name;
    let checks = match examine(app, caller, name.as_str()) {
        Ok(checks) => checks,
        Err(error) => return Finding::warn(check(provider), error.to_string()),
    };
    let bad: Vec<String> = checks
        .iter()
        .filter(|check| !check.is_good)
        .map(|check| format!("{}: {}", check.name, check.says))
        .collect();
    if bad.is_empty() {
        return Finding::ok(check(provider), format!("all of `authctl provider test {name}` is good"));
    }
    Finding::warn(check(provider), format!("{}; see `authctl provider test {name}`", bad.join("; ")))
}

/// As the configuration names it.
fn check(provider: &Provider) -> String {
    format!("oauth.{}", provider.name)
}
