//! An account as somebody names it, and what every change of one needs: finding it, and knowing whether it
//! may go.

use crate::domain::access::Actor;
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::{failures, users};
use crate::store::tx::{Query, Tx};
use crate::usecase::app::App;
use crate::usecase::reauthenticate::{FreshIfUser, require_fresh_if_user};
use crate::usecase::{require, require_over};
use std::fmt;

/// An account as it is named on a command line: by address or by id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UserRef {
    Id(UserId),
    Email(Email),
}

impl UserRef {
    /// Reads an address or an id.
    ///
    /// # Errors
    /// `not_found`: what is neither an address nor an id names nobody.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if let Some(id) = UserId::parse(text) {
            return Ok(Self::Id(id));
        }
        Email::parse(text).map(Self::Email).map_err(|_| Refusal::not_found("user", text))
    }

    pub(in crate::usecase) fn missing(&self) -> Refusal {
        Refusal::not_found("user", self.to_string())
    }
}

/// As it is named on a command line.
impl fmt::Display for UserRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Email(email) => email.fmt(f),
        }
    }
}

/// Refuses an address that mail from the internet doesn't reach, for an account made or changed over HTTP.
/// Operators are believed: their network may have such names.
///
/// # Errors
/// `validation_failed` for `field`.
pub(in crate::usecase) fn check_domain(
    caller: &Caller,
    field: &'static str,
    email: &Email,
) -> Result<(), Refusal> {
    let over_http = match caller.actor {
        Actor::Anonymous | Actor::User(_) | Actor::ApiKey(_) => true,
        Actor::Operator(_) | Actor::System => false,
    };
    if over_http && !email.has_public_domain() {
        let message = "an address at a domain of the internet, such as ann@example.com, is needed";
        return Err(Refusal::invalid(field, "invalid", message));
    }
    Ok(())
}

pub(in crate::usecase) fn find_in(query: &impl Query, of: &UserRef) -> Result<Option<User>, Fault> {
    match of {
        UserRef::Id(id) => users::find(query, *id),
        UserRef::Email(email) => users::find_by_email(query, email),
    }
}

/// Finds an account that the caller is about to change. Whoever changes another's account comes by it here.
///
/// Refuses with `not_found`, and with `forbidden` for an account that holds more of authd than the caller.
pub(in crate::usecase) fn find_under(
    tx: &Tx<'_>,
    caller: &Caller,
    of: &UserRef,
) -> Result<Decision<User>, Fault> {
    let Some(user) = find_in(tx, of)? else {
        return Ok(Decision::Refuse(of.missing()));
    };
    Ok(match require_over(caller, &user.permissions) {
        Ok(()) => Decision::Grant(user),
        Err(refusal) => Decision::Refuse(refusal),
    })
}

/// Takes everything personal out of the database.
pub(in crate::usecase) fn remove(tx: &mut Tx<'_>, user: &User) -> Result<(), Fault> {
    failures::clear_all(tx, &user.email.key())?;
    users::delete(tx, user.id)
}

/// Whether nobody would be left who may administer, were this user gone. Inside the transaction, so
/// that two admins can't be taken away at once.
pub(in crate::usecase) fn is_last_admin(tx: &Tx<'_>, user: &User) -> Result<bool, Fault> {
    let counts = user.is_admin() && user.disabled_at.is_none();
    Ok(counts && !users::has_enabled_admin(tx, Some(user.id))?)
}

/// Finds, changes, and gives the account as it stands then.
pub(in crate::usecase) fn change(
    app: &App,
    caller: &Caller,
    of: &UserRef,
    work: impl FnMut(&mut Tx<'_>, &User) -> Result<Decision<()>, Fault> + Send + 'static,
) -> Result<User, Error> {
    require(caller, "users:write")?;
    run(app, caller, FreshIfUser::NOT_ASKED, of, work).map(|(user, ())| user)
}

/// As [`change`], for what wants a fresh login of the user who does it: factors and roles. Gives what the
/// work came to, too.
pub(in crate::usecase) fn change_fresh<T: Send + 'static>(
    app: &App,
    caller: &Caller,
    of: &UserRef,
    work: impl FnMut(&mut Tx<'_>, &User) -> Result<Decision<T>, Fault> + Send + 'static,
) -> Result<(User, T), Error> {
    require(caller, "users:write")?;
    run(app, caller, require_fresh_if_user(app, caller)?, of, work)
}

fn run<T: Send + 'static>(
    app: &App,
    caller: &Caller,
    fresh: FreshIfUser,
    of: &UserRef,
    mut work: impl FnMut(&mut Tx<'_>, &User) -> Result<Decision<T>, Fault> + Send + 'static,
) -> Result<(User, T), Error> {
    let (changer, of) = (caller.clone(), of.clone());
    fresh.write(app, caller, move |tx| {
        let user = match find_under(tx, &changer, &of)? {
            Decision::Grant(user) => user,
            Decision::Refuse(refusal) => return Ok(Decision::Refuse(refusal)),
        };
        let done = match work(tx, &user)? {
            Decision::Grant(done) => done,
            Decision::Refuse(refusal) => return Ok(Decision::Refuse(refusal)),
        };
        let user = users::find(tx, user.id)?.ok_or_else(|| Fault::Internal("an account vanished".into()))?;
        Ok(Decision::Grant((user, done)))
    })
}
