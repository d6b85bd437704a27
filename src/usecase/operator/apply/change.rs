//! A change that brings the database nearer to the file: what it is, in words and in values, and how it is
//! made.

use crate::domain::caller::Caller;
use crate::domain::secret::Secret;
use crate::error::{Decision, Fault};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Add,
    Change,
    Remove,
}

impl Action {
    /// Gives the word that operators and scripts read for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Remove => "remove",
        }
    }
}

/// A part of what a change comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Detail {
    /// A role or a permission that comes.
    Given(String),
    /// One that goes.
    Taken(String),
    /// Something else: what it is from then on, or which field is another.
    Says(String),
}

/// What comes and what goes, in this order.
pub(super) fn difference<T: PartialEq + ToString>(from: &[T], to: &[T]) -> Vec<Detail> {
    let given = to.iter().filter(|one| !from.contains(one)).map(|one| Detail::Given(one.to_string()));
    let taken = from.iter().filter(|one| !to.contains(one)).map(|one| Detail::Taken(one.to_string()));
    given.chain(taken).collect()
}

/// The state of a thing, as the file would say it.
pub type State = Map<String, Value>;

/// Lists values as JSON has them.
pub(super) fn texts(values: &[impl ToString]) -> Value {
    values.iter().map(ToString::to_string).collect()
}

/// One step of the plan. Two are equal if they are about the same thing and come to the same.
#[derive(Clone, Debug)]
pub struct Change {
    pub action: Action,
    /// What it is about, in a word for scripts: `role`, `user`, `api_key` or `app`.
    pub kind: &'static str,
    /// The same for people: `API key`.
    pub noun: &'static str,
    /// The name of what it is about, or the user's address.
    pub name: String,
    pub details: Vec<Detail>,
    /// Whether somebody loses something by it for good, so that it isn't done unasked.
    pub takes: bool,
    /// What it holds, in a word: `roles` or `permissions`.
    pub(super) holds: &'static str,
    /// `None`: it isn't there.
    pub before: Option<State>,
    /// `None`: it isn't there any more.
    pub after: Option<State>,
    pub(super) step: Step,
}

impl PartialEq for Change {
    fn eq(&self, other: &Self) -> bool {
        let told = |of: &Self| (of.action, of.kind, of.name.clone(), of.details.clone());
        told(self) == told(other) && (&self.before, &self.after) == (&other.before, &other.after)
    }
}

impl Change {
    /// Says on one line what it comes to: what something new holds, or `+` before what is given and `-`
    /// before what is taken. Empty where there is nothing to say besides.
    #[must_use]
    pub fn says(&self) -> String {
        let (mut held, mut words) = (Vec::new(), Vec::new());
        for detail in &self.details {
            match detail {
                Detail::Given(what) if self.action == Action::Add => held.push(what.clone()),
                Detail::Given(what) => held.push(format!("+{what}")),
                Detail::Taken(what) => held.push(format!("-{what}")),
                Detail::Says(word) => words.push(word.clone()),
            }
        }
        let held = match self.action {
            _ if held.is_empty() => None,
            Action::Add => Some(format!("{}: {}", self.holds, held.join(", "))),
            Action::Change | Action::Remove => Some(held.join(" ")),
        };
        held.into_iter().chain(words).collect::<Vec<_>>().join("; ")
    }
}

/// What a step does inside the transaction, for this caller. It may be run more than once.
pub(super) type Work = dyn Fn(&Caller, &mut Tx<'_>) -> Result<Decision<()>, Fault> + Send + Sync;

/// A step with what must be drawn or written before the transaction.
pub(super) struct Prepared {
    pub work: Arc<Work>,
    pub secret: Option<Revelation>,
}

/// What is shown this once, and what it is.
#[derive(Clone, Debug)]
pub struct Revelation {
    pub secret: Secret<String>,
    /// For people, without an end: `link for ann@example.com, once, within 7 days`.
    pub is: String,
}

/// How a change is made.
#[derive(Clone)]
pub(super) struct Step(Arc<dyn Fn(&App) -> Prepared + Send + Sync>);

impl Step {
    /// A step that draws nothing and reveals nothing.
    pub(super) fn plain(
        work: impl Fn(&Caller, &mut Tx<'_>) -> Result<Decision<()>, Fault> + Send + Sync + 'static,
    ) -> Self {
        let work: Arc<Work> = Arc::new(work);
        Self(Arc::new(move |_| Prepared { work: Arc::clone(&work), secret: None }))
    }

    /// A step that must be prepared.
    pub(super) fn prepared(prepare: impl Fn(&App) -> Prepared + Send + Sync + 'static) -> Self {
        Self(Arc::new(prepare))
    }

    pub(super) fn prepare(&self, app: &App) -> Prepared {
        (self.0)(app)
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Step")
    }
}
