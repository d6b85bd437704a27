//! What is asked before something is done to users that can't be undone: about whom, and what it ends.
//! Whatever would be refused anyway is refused here, before anybody is asked.

use crate::cli::exit::Failure;
use crate::cli::words;
use crate::cli::words::counted;
use crate::cli::{Context, named};
use crate::domain::caller::Caller;
use crate::domain::user::User;
use crate::usecase::account::admin as accounts;
use crate::usecase::account::reference::UserRef;
use crate::usecase::app::App;
use crate::usecase::session::list;

/// Looks whether these users can be deleted; gives the question, and the users.
pub(super) fn deletion(
    context: &Context,
    app: &App,
    names: &[String],
) -> Result<(String, Vec<User>), Failure> {
    let caller = context.caller();
    let all: Vec<UserRef> =
        names.iter().map(|name| named::user(context, app, name)).collect::<Result<_, _>>()?;
    let users = accounts::deletable(app, caller, &all)?;
    let addresses: Vec<&str> = users.iter().map(|user| user.email.as_str()).collect();
    let who = match addresses.as_slice() {
        [one] => (*one).to_owned(),
        several => format!("{} ({})", counted(several.len() as u64, "user"), words::named(several)),
    };
    let ids: Vec<_> = users.iter().map(|user| user.id).collect();
    let sessions = match list::count_of(app, caller, &ids)? {
        0 => String::new(),
        some => format!(" and {}", counted(some, "session")),
    };
    Ok((format!("Delete {who} with all personal data{sessions}, for good?"), users))
}

/// What a new password for the user ends.
pub(super) fn new_password(app: &App, caller: &Caller, user: &User) -> Result<String, Failure> {
    let ends = match list::count_of(app, caller, &[user.id])? {
        0 => String::new(),
        some => format!(", which ends {}", counted(some, "session")),
    };
    Ok(format!("Set a new password for {}{ends}?", user.email))
}
