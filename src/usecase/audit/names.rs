//! The names by which people know whom lines of the log are about.

use crate::domain::audit::Line;
use crate::domain::caller::Caller;
use crate::domain::id::UserId;
use crate::error::Error;
use crate::store::tables::users;
use crate::usecase::app::App;
use crate::usecase::require;
use std::collections::{BTreeSet, HashMap};

/// Finds the addresses of the accounts that lines name, by id: whom they are about, and who acted. Whoever is
/// missing there has been deleted. As many reads as the accounts take pages, however long the log is.
///
/// # Errors
/// `forbidden` without `users:read`; the store's.
pub fn addresses(app: &App, caller: &Caller, lines: &[Line]) -> Result<HashMap<String, String>, Error> {
    require(caller, "users:read")?;
    let named = |line: &Line| {
        [line.user.as_deref(), line.actor.strip_prefix("user:")].map(|id| id.and_then(UserId::parse))
    };
    let ids: BTreeSet<UserId> = lines.iter().flat_map(named).flatten().collect();
    let ids: Vec<UserId> = ids.into_iter().collect();
    let mut found = HashMap::new();
    for some in ids.chunks(users::NAMED_MAX) {
        let emails = app.store.read(|query| users::list_emails_of(query, some))?;
        found.extend(emails.into_iter().map(|(id, email)| (id.to_string(), email)));
    }
    Ok(found)
}
