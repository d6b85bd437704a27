//! Taking all users out, in a form that `import` takes without loss.

use super::transfer_format::{Contents, Line};
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::id::UserId;
use crate::error::{Decision, Error};
use crate::store::tables::{transfer, users};
use crate::usecase::app::App;
use crate::usecase::require;

/// Users in one short read.
const PAGE: u32 = 500;

/// Where the next page begins. `None`: at the first user.
pub type After = Option<UserId>;

/// Begins an export: who takes users out leaves a line in the audit log before the first of them. Gives how
/// many there are.
///
/// # Errors
/// `forbidden` without `users:read`, or with credentials without `users:write`; the store's.
pub fn begin(app: &App, caller: &Caller, contents: Contents) -> Result<u64, Error> {
    require(caller, "users:read")?;
    let event = match contents {
        Contents::Profile => Event::UsersExported,
        Contents::WithCredentials => {
            require(caller, "users:write")?;
            Event::CredentialsExported
        }
    };
    app.store.write(caller, move |tx| {
        tx.audit(&event, Subject::default())?;
        Ok(Decision::Grant(()))
    })?;
    Ok(app.store.read(|query| users::count(query))?)
}

/// The next users, in the order in which they were made, and where to go on. `None`: these were the last.
///
/// # Errors
/// `forbidden` without `users:read`, or with credentials without `users:write`; the store's.
pub fn page(
    app: &App,
    caller: &Caller,
    contents: Contents,
    after: After,
) -> Result<(Vec<Line>, After), Error> {
    require(caller, "users:read")?;
    if contents == Contents::WithCredentials {
        require(caller, "users:write")?;
    }
    let users = app.store.read(|query| transfer::list(query, contents, after, PAGE))?;
    let next = users.last().filter(|_| users.len() == PAGE as usize).map(|user| user.id);
    let lines = users.into_iter().map(|user| Line::of(app, contents, user)).collect::<Result<_, _>>()?;
    Ok((lines, next))
}
