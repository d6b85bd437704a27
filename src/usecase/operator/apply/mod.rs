//! Making the database be as a file says.
//!
//! `file` reads the text, `fields` an entry of it; each kind of things (`kind`) has a file of its own that
//! reads its entries and compares them with the database, which gives `change`s. Here the kinds stand in
//! their table, and the plan is carried out, all of it in one transaction, by the same steps that the single
//! commands take.

mod api_keys;
mod apps;
mod change;
mod fields;
mod file;
mod kind;
mod roles;
mod users;

pub use change::{Action, Change, Detail, Revelation, State};
pub use kind::{Fate, NotListed, Spared, Wanted};

use crate::domain::caller::Caller;
use crate::domain::nearest::nearest;
use crate::error::{Decision, Error, Fault, FieldError, Refusal};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::{require, require_own};
use change::{Prepared, Work};
use kind::{KindRow, Look};
use std::sync::Arc;

/// The kinds in the order in which they are made; they are removed in the opposite one. A kind that names
/// things of another comes after it.
const KINDS: [KindRow; 4] = [
    KindRow::of::<roles::WantedRole>(),
    KindRow::of::<users::WantedUser>(),
    KindRow::of::<api_keys::WantedKey>(),
    KindRow::of::<apps::WantedApp>(),
];

/// Reads a file, TOML or JSON. A section or a field that isn't there is left as it is in the database.
///
/// # Errors
/// `validation_failed`: with the line where the text can't be read; with the field (`users[0].email`, counted
/// from 0), the line and whose it is where a value is wrong; all of them at once.
pub fn parse(text: &str) -> Result<Wanted, Refusal> {
    let members = file::read(text)?;
    let mut problems = Vec::new();
    let mut wanted = Wanted::default();
    for (name, node) in &members {
        if KINDS.iter().all(|kind| kind.section != name) {
            problems.push(unknown_section(name, node.line));
        }
    }
    for kind in &KINDS {
        let mut nodes = members.iter().filter(|(name, _)| name == kind.section).map(|(_, node)| node);
        if let Some(node) = nodes.next().filter(|node| node.value != file::Value::Nothing) {
            wanted.sections.push((kind.section, (kind.read)(node, &mut problems)));
        }
        problems.extend(nodes.map(|node| {
            let message = format!("line {}: stands in the file already; say it once", node.line);
            FieldError::new(kind.section, "repeated", message)
        }));
    }
    if problems.is_empty() { Ok(wanted) } else { Err(Refusal::Invalid(problems)) }
}

fn unknown_section(name: &str, line: usize) -> FieldError {
    let sections = || KINDS.iter().map(|kind| kind.section);
    let meant = nearest(name, sections()).map_or_else(
        || format!("only {}", sections().collect::<Vec<_>>().join(", ")),
        |meant| format!("did you mean {meant}?"),
    );
    let name: String = name.chars().take(64).collect();
    FieldError::new(name, "unknown", format!("line {line}: there is no such section; {meant}"))
}

/// What has to change, in the order in which it is done.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Plan {
    pub changes: Vec<Change>,
    /// What is left alone that [`NotListed::Remove`] would take.
    pub spared: Vec<Spared>,
}

/// A change that was made. `secret`: a new key, or the link for a new user; shown this once.
#[derive(Clone, Debug)]
pub struct Done {
    pub change: Change,
    pub secret: Option<Revelation>,
}

/// Finds out what has to change for the database to be as the file says; nothing changes yet.
///
/// # Errors
/// `forbidden` without `users:write`, `roles:write`, `keys:write` and `apps:write`; `not_found` for a role
/// that is neither there nor in the file, or that the file removes; `built_in_role` where the file takes a
/// permission from `admin`; `validation_failed` for a `ttl` by which a key would have ended already, and for
/// two applications with one url; `conflict` where another stands there that doesn't leave.
pub fn plan(app: &App, caller: &Caller, wanted: &Wanted, not_listed: NotListed) -> Result<Plan, Error> {
    allowed(caller)?;
    let (now, config) = (app.now(), &app.config);
    match app.store.read(|query| compare(&Look { query, now, config, not_listed, wanted }))? {
        Decision::Grant(plan) => Ok(plan),
        Decision::Refuse(refusal) => Err(refusal.into()),
    }
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
/// [`Fault::StorageUnavailable`] when the database has changed since the plan was made.
pub fn apply(
    app: &App,
    caller: &Caller,
    wanted: &Wanted,
    not_listed: NotListed,
    plan: Plan,
    mode: ApplyMode,
) -> Result<Vec<Done>, Error> {
    allowed(caller)?;
    for (_, section) in &wanted.sections {
        for handed_out in section.hands_out() {
            require_own(caller, std::slice::from_ref(handed_out))?;
        }
    }
    let (steps, secrets): (Vec<Arc<Work>>, Vec<_>) = plan
        .changes
        .iter()
        .map(|change| change.step.prepare(app))
        .map(|Prepared { work, secret }| (work, secret))
        .unzip();
    let (giver, wanted, planned) = (caller.clone(), wanted.clone(), plan.changes.clone());
    let config = app.config.clone();
    app.store.write(caller, move |tx| {
        let (query, now) = (tx.reader(), tx.now());
        let look = Look { query: &query, now, config: &config, not_listed, wanted: &wanted };
        match compare(&look)? {
            Decision::Grant(now) if now.changes == planned => {}
            Decision::Grant(_) => {
                let text =
                    "the database has changed since the plan was made, and nothing was done; run this again";
                return Err(Fault::StorageUnavailable(text.into()));
            }
            Decision::Refuse(refusal) => return Ok(Decision::Refuse(refusal)),
        }
        // A refusal commits what was done before it, so it must come before anything is.
        let mut refused = tx.dry_run(|tx| run(&steps, &giver, tx))?;
        if refused.is_none() && mode == ApplyMode::Do {
            refused = run(&steps, &giver, tx)?;
        }
        Ok(refused.take().map_or(Decision::Grant(()), Decision::Refuse))
    })?;
    let secrets = secrets.into_iter().map(|secret| secret.filter(|_| mode == ApplyMode::Do));
    Ok(plan.changes.into_iter().zip(secrets).map(|(change, secret)| Done { change, secret }).collect())
}

fn allowed(caller: &Caller) -> Result<(), Refusal> {
    KINDS.iter().try_for_each(|kind| require(caller, kind.permission))
}

/// What each kind finds: what is made of all of them first, then what goes, the last kind's before that of
/// those it may name.
fn compare(look: &Look<'_>) -> Result<Decision<Plan>, Fault> {
    let (mut plan, mut removals) = (Plan::default(), Vec::new());
    for (_, section) in &look.wanted.sections {
        match section.compare(look)? {
            Decision::Grant(found) => {
                plan.changes.extend(found.made);
                plan.spared.extend(found.spared);
                removals.push(found.gone);
            }
            Decision::Refuse(refusal) => return Ok(Decision::Refuse(refusal)),
        }
    }
    plan.changes.extend(removals.into_iter().rev().flatten());
    Ok(Decision::Grant(plan))
}

/// Takes the steps in their order; gives the first refusal.
fn run(steps: &[Arc<Work>], giver: &Caller, tx: &mut Tx<'_>) -> Result<Option<Refusal>, Fault> {
    for step in steps {
        if let Decision::Refuse(refusal) = step(giver, tx)? {
            return Ok(Some(refusal));
        }
    }
    Ok(None)
}
