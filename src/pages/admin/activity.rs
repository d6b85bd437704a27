//! Lines of the audit log as people read them: with addresses in the place of ids.

use crate::domain::audit::{EventTone, Line};
use crate::error::Error;
use crate::pages::visit::Visit;
use crate::usecase::audit::names;
use crate::usecase::audit::read;
use crate::usecase::audit::read::Wanted;
use minijinja::{Value, context};
use std::collections::HashMap;

/// A page of lines for a template, newest first, and the cursor of the next.
///
/// # Errors
/// As the use-case.
pub fn lines(
    visit: &Visit<'_>,
    wanted: &Wanted,
    limit: u32,
    before: Option<&str>,
) -> Result<(Vec<Value>, Option<String>), Error> {
    let page = read::page(visit.app, &visit.caller, wanted, limit, before)?;
    let addresses = if visit.may("users:read") {
        names::addresses(visit.app, &visit.caller, &page.items)?
    } else {
        HashMap::new()
    };
    Ok((page.items.iter().map(|line| row(visit, line, &addresses)).collect(), page.next))
}

fn row(visit: &Visit<'_>, line: &Line, addresses: &HashMap<String, String>) -> Value {
    let address = |id: &str| addresses.get(id).cloned();
    let actor = line.actor.strip_prefix("user:").and_then(address);
    let user = line.user.as_deref().map(|id| address(id).unwrap_or_else(|| id.to_owned()));
    let details: Vec<_> = line
        .details
        .iter()
        .map(|(name, value)| context! { name => name.as_str(), value => value.as_str() })
        .collect();
    context! {
        seq => line.seq,
        at => visit.time(line.at),
        event => line.event.as_str(),
        kind => match EventTone::of(&line.event) {
            Some(EventTone::Warning) => "warn",
            Some(EventTone::Ended) => "bad",
            Some(EventTone::Ordinary) | None => "",
        },
        actor => actor.unwrap_or_else(|| line.actor.clone()),
        user => user.unwrap_or_default(),
        // An account that is gone has an id, and no page.
        user_id => line.user.as_deref().filter(|id| addresses.contains_key(*id)).unwrap_or_default(),
        network => line.ip.as_deref().unwrap_or_default(),
        details,
    }
}
