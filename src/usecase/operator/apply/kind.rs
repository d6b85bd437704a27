//! What a kind of things is to a file: a section of it, how an entry is read, and what has to change for the
//! database to be as the entries say. Each kind is a file beside this one.

use super::change::{Action, Change, Step};
use super::fields::Entry;
use super::file::{Node, Value};
use crate::config::Config;
use crate::domain::role::Permission;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Fault, FieldError};
use crate::store::tx::Reader;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

/// An entry of a section, as it was read.
pub(super) trait Kind: Debug + Send + Sync + Sized + 'static {
    /// The section's name in the file.
    const SECTION: &'static str;
    /// What one is called for scripts.
    const WORD: &'static str;
    /// What an entry is called for people, one and several.
    const NOUNS: [&'static str; 2];
    /// The field that an entry is known by.
    const KEY: &'static str;
    /// What one holds, in a word: `roles` or `permissions`.
    const HOLDS: &'static str;
    /// What must be held to change such things.
    const PERMISSION: &'static str;

    /// Reads an entry. `None`: something of it is wrong, and the entry knows what.
    fn read(entry: &mut Entry<'_>) -> Option<Self>;

    /// The name, as names are compared.
    fn name(&self) -> String;

    /// What it hands out of authd.
    fn hands_out(&self) -> &[Permission] {
        &[]
    }

    /// Begins a change of the thing with this name, of which nothing is told yet.
    fn change(action: Action, name: &impl ToString, step: Step) -> Change {
        Change {
            action,
            kind: Self::WORD,
            noun: Self::NOUNS[0],
            name: name.to_string(),
            details: Vec::new(),
            takes: action == Action::Remove,
            holds: Self::HOLDS,
            before: None,
            after: None,
            step,
        }
    }

    /// Compares the entries with the database. Refuses what can't be as the file says.
    fn compare(wanted: &[Self], look: &Look<'_>) -> Result<Decision<Difference>, Fault>;
}

/// Where a kind looks.
pub(super) struct Look<'a> {
    pub query: &'a Reader<'a>,
    pub now: Timestamp,
    pub config: &'a Config,
    pub not_listed: NotListed,
    /// All that the file says, of other kinds too.
    pub wanted: &'a Wanted,
}

/// Whether what the file doesn't name, in the sections that it has, is taken out of the database, and what an
/// entry doesn't list from its user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotListed {
    Keep,
    Remove,
}

/// What is different between a section and the database.
#[derive(Default)]
pub(super) struct Difference {
    /// What is added and changed, in an order in which it can be done; and removed, where it is in the way.
    pub made: Vec<Change>,
    /// What else is removed, once all of that is done.
    pub gone: Vec<Change>,
    /// What is left alone that [`NotListed::Remove`] would take.
    pub spared: Vec<Spared>,
}

/// What is left alone because [`NotListed::Keep`] was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spared {
    pub count: u64,
    /// One and several of it.
    pub nouns: [&'static str; 2],
    /// What would become of it.
    pub fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    TakenFromUsers,
    Removed,
}

impl Spared {
    /// Says nothing of nothing.
    pub(super) fn of(count: usize, nouns: [&'static str; 2], fate: Fate) -> Option<Self> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        (count > 0).then_some(Self { count, nouns, fate })
    }
}

/// The entries of one section, whatever their kind.
pub(super) trait Section: Debug + Send + Sync {
    fn names(&self) -> BTreeSet<String>;
    fn hands_out(&self) -> Vec<&Permission>;
    fn compare(&self, look: &Look<'_>) -> Result<Decision<Difference>, Fault>;
}

impl<K: Kind> Section for Vec<K> {
    fn names(&self) -> BTreeSet<String> {
        self.iter().map(Kind::name).collect()
    }

    fn hands_out(&self) -> Vec<&Permission> {
        self.iter().flat_map(Kind::hands_out).collect()
    }

    fn compare(&self, look: &Look<'_>) -> Result<Decision<Difference>, Fault> {
        K::compare(self, look)
    }
}

/// What a file says: of each section that it has, in the order in which they are made.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub(super) sections: Vec<(&'static str, Arc<dyn Section>)>,
}

impl Wanted {
    /// Whether the file has a section.
    pub(super) fn has(&self, section: &str) -> bool {
        self.sections.iter().any(|(name, _)| *name == section)
    }

    /// The names in a section. Empty, too, where the file has no such section.
    pub(super) fn names(&self, section: &str) -> BTreeSet<String> {
        let found = self.sections.iter().find(|(name, _)| *name == section);
        found.map(|(_, entries)| entries.names()).unwrap_or_default()
    }
}

/// A row of the table of kinds.
pub(super) struct KindRow {
    pub section: &'static str,
    pub permission: &'static str,
    pub read: fn(&Node, &mut Vec<FieldError>) -> Arc<dyn Section>,
}

impl KindRow {
    /// The row of a kind.
    pub(super) const fn of<K: Kind>() -> Self {
        Self { section: K::SECTION, permission: K::PERMISSION, read: section::<K> }
    }
}

/// Reads the entries that are right; the others have become problems.
fn section<K: Kind>(node: &Node, problems: &mut Vec<FieldError>) -> Arc<dyn Section> {
    let Value::List(items) = &node.value else {
        let message = format!(
            "line {}: a list of tables is needed, each under [[{}]], it is {}",
            node.line,
            K::SECTION,
            node.value.kind()
        );
        problems.push(FieldError::new(K::SECTION, "wrong_type", message));
        return Arc::new(Vec::<K>::new());
    };
    let mut names = BTreeSet::new();
    let mut read = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let place = format!("{}[{index}]", K::SECTION);
        let Some(mut entry) = Entry::begin(place.clone(), (K::NOUNS[0], K::KEY), item, problems) else {
            continue;
        };
        let one = K::read(&mut entry);
        entry.end();
        let Some(one) = one else { continue };
        if !names.insert(one.name()) {
            let message = format!(
                "line {}, {} {}: stands in the file already; say it once",
                item.line,
                K::NOUNS[0],
                one.name()
            );
            problems.push(FieldError::new(place, "repeated", message));
        }
        read.push(one);
    }
    Arc::new(read)
}
