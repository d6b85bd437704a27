//! Making the database be as a file says: users, roles, permissions and API keys.
//!
//! `file` says what is wanted, `plan` what has to change for it; here the plan is carried out, all of it in
//! one transaction, by the same steps that the single commands take.

mod file;
mod plan;

pub use file::{Wanted, parse};
pub use plan::{Action, Change, NotListed};

use crate::domain::caller::Caller;
use crate::domain::id::UserId;
use crate::domain::link::LinkKind;
use crate::domain::role::RoleName;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::page::Page;
use crate::store::tables::users::{Filter, NewUser};
use crate::store::tables::{api_keys, roles, users};
use crate::store::tx::{Query, Tx};
use crate::usecase::account::admin;
use crate::usecase::account::edit;
use crate::usecase::account::reference::{UserRef, find_under};
use crate::usecase::account::roles::{self as role, Changes, PermissionChange};
use crate::usecase::app::App;
use crate::usecase::keys::api_keys::{self as api_key, ApiKeyRef, NewApiKey};
use crate::usecase::mail::compose;
use crate::usecase::mail::compose::LinkMail;
use crate::usecase::{require, require_own};
use plan::{Edits, Found, plan as compare};

/// A change that was made. `secret`: a new key's, or the link for a new user; shown this once.
#[derive(Clone, Debug)]
pub struct Done {
    pub change: Change,
    pub secret: Option<Secret<String>>,
}

/// What has to change for the database to be as the file says; nothing changes yet.
///
/// # Errors
/// `forbidden` without `users:write`, `roles:write` and `keys:write`; `not_found` for a role that is neither
/// there nor in the file; `built_in_role` where the file takes a permission from `admin`.
pub fn plan(
    app: &App,
    caller: &Caller,
    wanted: &Wanted,
    not_listed: NotListed,
) -> Result<Vec<Change>, Error> {
    allowed(caller)?;
    Ok(app.store.read(|query| plan_in(query, wanted, not_listed))??)
}

/// Whether the plan is carried out, or only tried and undone, so that what would be refused is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApplyMode {
    Do,
    Rehearse,
}

/// Makes the changes of a plan: all of them, or none.
///
/// # Errors
/// As [`plan()`]; `last_admin`; `forbidden` where more is handed out than the caller holds;
/// `validation_failed` for one that lives under a second; [`Fault::StorageUnavailable`] when the database has
/// changed since the plan was made.
pub fn apply(
    app: &App,
    caller: &Caller,
    wanted: &Wanted,
    not_listed: NotListed,
    plan: Vec<Change>,
    mode: ApplyMode,
) -> Result<Vec<Done>, Error> {
    allowed(caller)?;
    let of_roles = wanted.roles.iter().flatten().map(|role| &role.permissions);
    let of_keys = wanted.api_keys.iter().flatten().map(|key| &key.permissions);
    for handed_out in of_roles.chain(of_keys) {
        require_own(caller, handed_out.as_deref().unwrap_or_default())?;
    }
    let (steps, secrets): (Vec<PreparedChange>, Vec<_>) =
        plan.iter().map(|change| PreparedChange::prepare(app, change)).unzip();
    let (giver, wanted, planned) = (caller.clone(), wanted.clone(), plan.clone());
    app.store.write(caller, move |tx| {
        match plan_in(tx, &wanted, not_listed)? {
            Ok(now) if now == planned => {}
            Ok(_) => {
                let text =
                    "the database has changed since the plan was made, and nothing was done; run this again";
                return Err(Fault::StorageUnavailable(text.into()));
            }
            Err(refusal) => return Ok(Decision::Refuse(refusal)),
        }
        // A refusal commits what was done before it, so it must come before anything is.
        let mut refused = None;
        tx.dry_run(|tx| {
            refused = run(&steps, &giver, tx)?;
            Ok(())
        })?;
        if refused.is_none() && mode == ApplyMode::Do {
            refused = run(&steps, &giver, tx)?;
        }
        Ok(refused.take().map_or(Decision::Grant(()), Decision::Refuse))
    })?;
    let secrets = secrets.into_iter().map(|secret| secret.filter(|_| mode == ApplyMode::Do));
    Ok(plan.into_iter().zip(secrets).map(|(change, secret)| Done { change, secret }).collect())
}

fn allowed(caller: &Caller) -> Result<(), Refusal> {
    ["users:write", "roles:write", "keys:write"]
        .into_iter()
        .try_for_each(|permission| require(caller, permission))
}

fn plan_in(
    query: &impl Query,
    wanted: &Wanted,
    not_listed: NotListed,
) -> Result<Result<Vec<Change>, Refusal>, Fault> {
    Ok(compare(&read(query, wanted, not_listed)?, wanted, not_listed))
}

/// Reads what the file is about: of users only those that it names, unless the others are to be removed.
fn read(query: &impl Query, wanted: &Wanted, not_listed: NotListed) -> Result<Found, Fault> {
    let mut state = Found::default();
    state.roles.extend(roles::list(query)?.into_iter().map(|role| (role.name.clone(), role)));
    state.api_keys.extend(api_keys::list(query)?.into_iter().map(|key| (key.name.clone(), key)));
    if not_listed == NotListed::Remove && wanted.users.is_some() {
        let everybody = Page { limit: u32::MAX, after: None };
        let now = Timestamp::from_millis(0); // asked by the filter for locked ones alone
        let all = users::list(query, &Filter::default(), now, everybody)?.items;
        state.users.extend(all.into_iter().map(|user| (user.email.key(), user)));
    } else {
        for named in wanted.users.iter().flatten() {
            state
                .users
                .extend(users::find_by_email(query, &named.email)?.map(|user| (user.email.key(), user)));
        }
    }
    Ok(state)
}

/// Takes the steps in their order; gives the first refusal.
fn run(steps: &[PreparedChange], giver: &Caller, tx: &mut Tx<'_>) -> Result<Option<Refusal>, Fault> {
    for step in steps {
        if let Decision::Refuse(refusal) = step.run(giver, tx)? {
            return Ok(Some(refusal));
        }
    }
    Ok(None)
}

/// A change with what must be drawn or written before the transaction.
enum PreparedChange {
    AddUser { row: NewUser, roles: Vec<RoleName>, link: Option<Box<LinkMail>> },
    AddKey(api_key::Draft),
    Plain(Change),
}

impl PreparedChange {
    /// The step, and the secret that it makes.
    fn prepare(app: &App, change: &Change) -> (Self, Option<Secret<String>>) {
        match change {
            Change::AddUser(new) => {
                let row = NewUser {
                    id: UserId::new(app.now(), app.id_entropy()),
                    email: new.email.clone(),
                    email_verified_at: new.verified.then(|| app.now()),
                    name: new.name.clone(),
                    password_hash: None,
                };
                // A link would do nothing for whoever is disabled.
                let invited = (!new.disabled).then(|| compose::compose(app, LinkKind::Invitation));
                let (link, url) = invited.unzip();
                (Self::AddUser { row, roles: new.roles.clone(), link: link.map(Box::new) }, url)
            }
            Change::AddKey { name, permissions, ttl } => {
                let new = NewApiKey { name: name.clone(), permissions: permissions.clone(), ttl: *ttl };
                let (draft, secret) = api_key::Draft::new(app, &new);
                (Self::AddKey(draft), Some(secret))
            }
            other => (Self::Plain(other.clone()), None),
        }
    }

    fn run(&self, giver: &Caller, tx: &mut Tx<'_>) -> Result<Decision<()>, Fault> {
        match self {
            Self::AddUser { row, roles, link } => {
                match admin::insert(tx, giver, row, roles, link.as_deref())? {
                    Decision::Grant(user) if link.is_none() => admin::disable_in(tx, &user),
                    added => Ok(added.map(drop)),
                }
            }
            Self::AddKey(draft) => Ok(draft.add_in(tx)?.map(drop)),
            Self::Plain(change) => plain(tx, giver, change),
        }
    }
}

fn plain(tx: &mut Tx<'_>, giver: &Caller, change: &Change) -> Result<Decision<()>, Fault> {
    Ok(match change {
        Change::AddRole(new) => role::add_in(tx, new)?.map(drop),
        Change::EditRole { to, .. } => {
            let changes = Changes {
                description: Some(to.description.clone()),
                permissions: PermissionChange::Replace(to.permissions.clone()),
            };
            role::edit_in(tx, giver, &to.name, &changes)?.map(drop)
        }
        Change::RemoveRole(name) => role::delete_in(tx, giver, name)?.map(drop),
        Change::EditUser { id, edits, .. } => match find_under(tx, giver, &UserRef::Id(*id))? {
            Decision::Grant(user) => edit_user(tx, giver, &user, edits)?,
            Decision::Refuse(refusal) => Decision::Refuse(refusal),
        },
        Change::RemoveUser { id, .. } => admin::delete_in(tx, giver, &UserRef::Id(*id))?.map(drop),
        Change::EditKey { name, to, .. } => {
            let change = api_key::Change { permissions: Some(to.clone()), expires_at: None };
            api_key::edit_in(tx, giver, name, &change)?.map(drop)
        }
        Change::RemoveKey(name) => api_key::revoke_in(tx, giver, &ApiKeyRef::Name(name.clone()))?.map(drop),
        Change::AddUser(_) | Change::AddKey { .. } => unreachable!("these are steps of their own"),
    })
}

fn edit_user(tx: &mut Tx<'_>, giver: &Caller, user: &User, edits: &Edits) -> Result<Decision<()>, Fault> {
    if let Some(name) = &edits.name {
        edit::rename_in(tx, user, name)?;
    }
    if edits.verify {
        edit::verify_in(tx, user)?;
    }
    // What is given comes first: whoever becomes an admin may be the next to last.
    for decision in [
        role::assign_in(tx, giver, user, &edits.assign)?,
        match edits.disabled {
            Some(true) => admin::disable_in(tx, user)?,
            Some(false) => admin::enable_in(tx, user)?,
            None => Decision::Grant(()),
        },
        role::unassign_in(tx, user, &edits.unassign)?,
    ] {
        if let Decision::Refuse(refusal) = decision {
            return Ok(Decision::Refuse(refusal));
        }
    }
    Ok(Decision::Grant(()))
}
