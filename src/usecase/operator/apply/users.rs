//! Users, by their addresses. New ones are invited. Roles are given; taken only where what isn't listed goes.

use super::change::{Action, Change, Detail, Prepared, Revelation, State, Step, difference, texts};
use super::fields::{Entry, Located};
use super::kind::{Difference, Fate, Kind, Look, NotListed, Spared};
use super::roles::{Mention, WantedRole, read_name, unknown_roles};
use crate::domain::caller::Caller;
use crate::domain::email::{Email, InvalidEmail};
use crate::domain::id::UserId;
use crate::domain::link::LinkKind;
use crate::domain::name::Name;
use crate::domain::role::RoleName;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::{Decision, Fault};
use crate::store::page::Page;
use crate::store::tables::users;
use crate::store::tables::users::{Filter, NewUser};
use crate::store::tx::Tx;
use crate::usecase::account::reference::{UserRef, find_under};
use crate::usecase::account::{admin, edit, roles as role};
use crate::usecase::app::App;
use crate::usecase::mail::compose;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A user as the file wants them. `None`: not said, and left alone.
#[derive(Debug)]
pub(super) struct WantedUser {
    email: Email,
    name: Option<Name>,
    roles: Option<Vec<Located<RoleName>>>,
    /// `false`: as it is. What was verified stays so.
    verified: bool,
    disabled: Option<bool>,
}

/// What becomes different about a user.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Edits {
    name: Option<Name>,
    verify: bool,
    disabled: Option<bool>,
    assign: Vec<RoleName>,
    unassign: Vec<RoleName>,
}

impl Kind for WantedUser {
    const SECTION: &'static str = "users";
    const WORD: &'static str = "user";
    const NOUNS: [&'static str; 2] = ["user", "users"];
    const KEY: &'static str = "email";
    const HOLDS: &'static str = "roles";
    const PERMISSION: &'static str = "users:write";

    fn read(entry: &mut Entry<'_>) -> Option<Self> {
        let email = entry
            .required(Self::KEY, |text| Email::parse(text).map_err(|_| ("invalid", InvalidEmail::MESSAGE)));
        let name =
            entry.text("name", |text| Name::parse(text).map_err(|error| (error.code(), error.message())));
        let roles = entry.texts("roles", read_name);
        let verified = entry.flag("verified").unwrap_or_default();
        let disabled = entry.flag("disabled");
        Some(Self { email: email?, name, roles, verified, disabled })
    }

    fn name(&self) -> String {
        self.email.key()
    }

    fn compare(wanted: &[Self], look: &Look<'_>) -> Result<Decision<Difference>, Fault> {
        if let Some(refusal) = unknown_roles(wanted.iter().flat_map(Self::mentions), look)? {
            return Ok(Decision::Refuse(refusal));
        }
        let standing = standing(wanted, look)?;
        let mut found = Difference::default();
        let mut kept_roles = 0;
        for user in wanted {
            let Some(before) = standing.get(&user.email.key()) else {
                found.made.push(user.addition());
                continue;
            };
            let mut edits = user.edits(before);
            if look.not_listed == NotListed::Keep {
                kept_roles += std::mem::take(&mut edits.unassign).len();
            }
            if edits != Edits::default() {
                found.made.push(change(before, &edits));
            }
        }
        // What is given comes before what is taken, so that a new admin can follow on the last one.
        found.made.sort_by_key(comes_late);
        match look.not_listed {
            NotListed::Remove => {
                let named: BTreeSet<String> = wanted.iter().map(Kind::name).collect();
                let gone = standing.iter().filter(|(key, _)| !named.contains(*key));
                found.gone.extend(gone.map(|(_, user)| removal(user)));
            }
            NotListed::Keep => {
                found.spared.extend(Spared::of(kept_roles, WantedRole::NOUNS, Fate::TakenFromUsers));
                let others = users::count(look.query)?
                    .saturating_sub(u64::try_from(standing.len()).unwrap_or(u64::MAX));
                found.spared.extend(Spared::of(
                    usize::try_from(others).unwrap_or(usize::MAX),
                    Self::NOUNS,
                    Fate::Removed,
                ));
            }
        }
        Ok(Decision::Grant(found))
    }
}

/// Whether it takes something from somebody who is there, which an admin may have to get first.
fn comes_late(change: &Change) -> bool {
    change.takes || (change.action == Action::Change && change.details.contains(&disabled()))
}

fn disabled() -> Detail {
    Detail::Says("disabled".into())
}

/// Those whom the file names, by their addresses as they are compared; everybody, where others are removed.
fn standing(wanted: &[WantedUser], look: &Look<'_>) -> Result<BTreeMap<String, User>, Fault> {
    let mut standing = BTreeMap::new();
    if look.not_listed == NotListed::Remove {
        let everybody = Page { limit: u32::MAX, after: None };
        let now = Timestamp::from_millis(0); // asked by the filter for locked ones alone
        let all = users::list(look.query, &Filter::default(), now, everybody)?.items;
        standing.extend(all.into_iter().map(|user| (user.email.key(), user)));
    } else {
        for named in wanted {
            let found = users::find_by_email(look.query, &named.email)?;
            standing.extend(found.map(|user| (user.email.key(), user)));
        }
    }
    Ok(standing)
}

impl WantedUser {
    fn mentions(&self) -> impl Iterator<Item = Mention<'_>> {
        self.roles.iter().flatten().map(|role| Mention { role, noun: Self::NOUNS[0], name: &self.email })
    }

    fn roles(&self) -> Vec<RoleName> {
        let mut roles: Vec<RoleName> = self.roles.iter().flatten().map(|role| role.value.clone()).collect();
        roles.sort();
        roles.dedup();
        roles
    }

    /// What is different, the roles that the file doesn't list included.
    fn edits(&self, user: &User) -> Edits {
        let roles = if self.roles.is_some() { self.roles() } else { user.roles.clone() };
        Edits {
            name: self.name.clone().filter(|name| *name != user.name),
            verify: self.verified && user.email_verified_at.is_none(),
            disabled: self.disabled.filter(|disabled| *disabled != user.disabled_at.is_some()),
            assign: roles.iter().filter(|role| !user.roles.contains(role)).cloned().collect(),
            unassign: user.roles.iter().filter(|role| !roles.contains(role)).cloned().collect(),
        }
    }

    fn addition(&self) -> Change {
        let (roles, disabled) = (self.roles(), self.disabled.unwrap_or_default());
        let mut details = difference(&[], &roles);
        details.extend(disabled.then(self::disabled));
        let name = self.name.clone().unwrap_or_default();
        let after = state(&name, &roles, self.verified, disabled);
        let (email, verified) = (self.email.clone(), self.verified);
        let step = Step::prepared(move |app| {
            let row = NewUser {
                id: UserId::new(app.now(), app.id_entropy()),
                email: email.clone(),
                email_verified_at: verified.then(|| app.now()),
                name: name.clone(),
                password_hash: None,
            };
            if disabled { add_disabled(row, roles.clone()) } else { invite(app, row, roles.clone()) }
        });
        Change { details, after: Some(after), ..WantedUser::change(Action::Add, &self.email, step) }
    }
}

fn invite(app: &App, row: NewUser, roles: Vec<RoleName>) -> Prepared {
    let (link, secret) = compose::compose(app, LinkKind::Invitation);
    let is = format!("link for {}, once, within 7 days", row.email);
    Prepared {
        work: Arc::new(move |giver, tx| Ok(admin::insert(tx, giver, &row, &roles, Some(&link))?.map(drop))),
        secret: Some(Revelation { secret, is }),
    }
}

/// A link would do nothing for whoever is disabled.
fn add_disabled(row: NewUser, roles: Vec<RoleName>) -> Prepared {
    Prepared {
        work: Arc::new(move |giver, tx| match admin::insert(tx, giver, &row, &roles, None)? {
            Decision::Grant(user) => admin::disable_in(tx, &user),
            Decision::Refuse(refusal) => Ok(Decision::Refuse(refusal)),
        }),
        secret: None,
    }
}

fn change(user: &User, edits: &Edits) -> Change {
    let state_word = edits.disabled.map(|disabled| if disabled { "disabled" } else { "enabled" });
    let words = [edits.name.is_some().then_some("name"), edits.verify.then_some("verified"), state_word];
    let mut details: Vec<Detail> =
        words.into_iter().flatten().map(|word| Detail::Says(word.to_owned())).collect();
    details.extend(edits.assign.iter().map(|role| Detail::Given(role.to_string())));
    details.extend(edits.unassign.iter().map(|role| Detail::Taken(role.to_string())));
    let mut roles = user.roles.clone();
    roles.retain(|role| !edits.unassign.contains(role));
    roles.extend(edits.assign.iter().cloned());
    roles.sort();
    let after = state(
        edits.name.as_ref().unwrap_or(&user.name),
        &roles,
        edits.verify || user.email_verified_at.is_some(),
        edits.disabled.unwrap_or(user.disabled_at.is_some()),
    );
    let (id, takes, edits) = (user.id, !edits.unassign.is_empty(), edits.clone());
    let step = Step::plain(move |giver, tx| match find_under(tx, giver, &UserRef::Id(id))? {
        Decision::Grant(user) => edit_user(tx, giver, &user, &edits),
        Decision::Refuse(refusal) => Ok(Decision::Refuse(refusal)),
    });
    let before = Some(state_of(user));
    let after = Some(with_id(user.id, after));
    Change { details, takes, before, after, ..WantedUser::change(Action::Change, &user.email, step) }
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
        role::assign_in(tx, giver, user, &edits.assign)?.map(drop),
        match edits.disabled {
            Some(true) => admin::disable_in(tx, user)?,
            Some(false) => admin::enable_in(tx, user)?,
            None => Decision::Grant(()),
        },
        role::unassign_in(tx, user, &edits.unassign)?.map(drop),
    ] {
        if let Decision::Refuse(refusal) = decision {
            return Ok(Decision::Refuse(refusal));
        }
    }
    Ok(Decision::Grant(()))
}

fn removal(user: &User) -> Change {
    let of = UserRef::Id(user.id);
    let step = Step::plain(move |giver, tx| Ok(admin::delete_in(tx, giver, &of)?.map(drop)));
    Change { before: Some(state_of(user)), ..WantedUser::change(Action::Remove, &user.email, step) }
}

fn state_of(user: &User) -> State {
    let (verified, disabled) = (user.email_verified_at.is_some(), user.disabled_at.is_some());
    with_id(user.id, state(&user.name, &user.roles, verified, disabled))
}

fn with_id(id: UserId, state: State) -> State {
    let id = ("id".to_owned(), id.to_string().into());
    std::iter::once(id).chain(state).collect()
}

fn state(name: &Name, roles: &[RoleName], verified: bool, disabled: bool) -> State {
    let members = [
        ("name", name.as_str().into()),
        ("roles", texts(roles)),
        ("verified", verified.into()),
        ("disabled", disabled.into()),
    ];
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}
