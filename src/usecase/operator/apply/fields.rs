//! An entry of the file, taken apart field by field. Whatever is wrong is collected, and comes with its line
//! and with whose it is.

use super::file::{Node, Value};
use crate::domain::nearest::nearest;
use crate::error::FieldError;
use std::fmt;

/// What can be wrong with a text: a stable code, and what would be right.
pub(super) type Wrong = (&'static str, &'static str);

/// A value with the line that it stands in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Located<T> {
    pub value: T,
    pub line: usize,
}

/// An entry of which fields are taken. At its [`end`](Entry::end) those that are left over are errors.
pub(super) struct Entry<'p> {
    place: String,
    line: usize,
    /// `user ann@example.com`. Empty: it doesn't say who it is.
    whose: String,
    left: Vec<(String, Node)>,
    /// The names that were asked for.
    known: Vec<&'static str>,
    problems: &'p mut Vec<FieldError>,
}

impl<'p> Entry<'p> {
    /// Begins with a table of the file, which is the `place` of a kind called `noun` that is known by the
    /// field `key`. `None`: it is no table, which is a problem.
    pub(super) fn begin(
        place: String,
        (noun, key): (&str, &str),
        node: &Node,
        problems: &'p mut Vec<FieldError>,
    ) -> Option<Self> {
        let Value::Table(members) = &node.value else {
            let message =
                format!("line {}: {noun}: a table is needed, it is {}", node.line, node.value.kind());
            problems.push(FieldError::new(place, "wrong_type", message));
            return None;
        };
        let left: Vec<_> = members.iter().filter(|(_, node)| node.value != Value::Nothing).cloned().collect();
        let name = left.iter().find_map(|(name, node)| match &node.value {
            Value::Text(text) if name == key => Some(format!("{noun} {}", shortened(text))),
            _ => None,
        });
        let whose = name.unwrap_or_else(|| noun.to_owned());
        Some(Self { place, line: node.line, whose, left, known: Vec::new(), problems })
    }

    /// Where it stands in its section: `users[1]`, counted from 0.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The line that it begins in.
    pub(super) const fn line(&self) -> usize {
        self.line
    }

    /// How much was found to be wrong so far, of the entries before, too.
    pub(super) fn problems(&self) -> usize {
        self.problems.len()
    }

    /// Says what is wrong with a field that was read, or is missing.
    pub(super) fn wrong(&mut self, name: &'static str, (code, message): Wrong) {
        self.problem(self.line, name, code, message);
    }

    /// Takes a field that must be there.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        if self.left.iter().all(|(left, _)| left != name) {
            self.known.push(name);
            self.problem(self.line, name, "missing", "say which one it is");
            return None;
        }
        self.text(name, read)
    }

    /// Takes a field that is text. `None`: it isn't there, or `read` has found it wrong.
    pub(super) fn text<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let node = self.take(name)?;
        self.read(name, node, &read).map(|read| read.value)
    }

    /// Takes a field that is a list of texts, of which those that are right are left.
    pub(super) fn texts<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Vec<Located<T>>> {
        let node = self.take(name)?;
        let Value::List(items) = node.value else {
            self.wrong_type(node.line, name, "a list of texts", &node.value);
            return None;
        };
        Some(items.into_iter().filter_map(|item| self.read(name, item, &read)).collect())
    }

    /// Takes a field that is true or false.
    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let node = self.take(name)?;
        if let Value::Flag(flag) = node.value {
            return Some(flag);
        }
        self.wrong_type(node.line, name, "true or false", &node.value);
        None
    }

    /// Ends with what nobody asked for: misspelt, or of another kind.
    pub(super) fn end(mut self) {
        for (name, node) in std::mem::take(&mut self.left) {
            let repeated = self.known.contains(&name.as_str());
            let (code, message) = match nearest(&name, self.known.iter().copied()) {
                _ if repeated => ("repeated", "stands here twice; say it once".to_owned()),
                Some(meant) => ("unknown", format!("there is no such field; did you mean {meant}?")),
                None => ("unknown", format!("there is no such field, only {}", self.known.join(", "))),
            };
            self.problem(node.line, shortened(&name), code, message);
        }
    }

    fn take(&mut self, name: &'static str) -> Option<Node> {
        self.known.push(name);
        let at = self.left.iter().position(|(left, _)| left == name)?;
        Some(self.left.remove(at).1)
    }

    fn read<T>(
        &mut self,
        name: &str,
        node: Node,
        read: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<Located<T>> {
        let Value::Text(text) = node.value else {
            self.wrong_type(node.line, name, "text", &node.value);
            return None;
        };
        match read(&text) {
            Ok(value) => Some(Located { value, line: node.line }),
            Err((code, message)) => {
                // The name of the entry stands there already.
                let said = if self.whose.ends_with(&text) { String::new() } else { shortened(&text) + ": " };
                self.problem(node.line, name, code, format!("{said}{message}"));
                None
            }
        }
    }

    fn wrong_type(&mut self, line: usize, name: &str, wanted: &str, found: &Value) {
        let message = format!("{wanted} is needed, it is {}", found.kind());
        self.problem(line, name, "wrong_type", message);
    }

    fn problem(&mut self, line: usize, name: impl fmt::Display, code: &'static str, says: impl fmt::Display) {
        let message = format!("line {line}, {}: {says}", self.whose);
        self.problems.push(FieldError::new(format!("{}.{name}", self.place), code, message));
    }
}

/// What somebody has written, as far as it can be a name.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    let short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() { short + "…" } else { short }
}
