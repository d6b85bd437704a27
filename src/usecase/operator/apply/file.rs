//! The text of the file, TOML or JSON, as a tree whose every value knows its line. What the values mean, the
//! kinds of things know.

use crate::error::Refusal;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use toml::de::{DeTable, DeValue};

/// A value, and the line of the file that it stands in, from 1 on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Node {
    pub line: usize,
    pub value: Value,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    List(Vec<Node>),
    /// In the order of the file; a name may stand twice.
    Table(Vec<(String, Node)>),
    /// JSON's null: as if it weren't there.
    Nothing,
    /// What no field takes, in words.
    Other(&'static str),
}

impl Value {
    /// Names what it is, for whoever expected something else.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Nothing => "null",
            Self::Other(kind) => kind,
        }
    }
}

/// Reads the file: JSON where it begins with a brace, which TOML can't, else TOML. Gives its members.
///
/// # Errors
/// `validation_failed` of `file`, with the line where the text can't be read.
pub(super) fn read(text: &str) -> Result<Vec<(String, Node)>, Refusal> {
    if !text.trim_start().starts_with('{') {
        return toml(text);
    }
    match json(text)?.value {
        Value::Table(members) => Ok(members),
        other => Err(unreadable(1, "JSON", &format!("an object is needed, it is {}", other.kind()))),
    }
}

fn unreadable(line: usize, language: &str, why: &str) -> Refusal {
    let why = why.replace('\n', " ");
    Refusal::invalid("file", "invalid", format!("line {line}: this is no {language}: {why}"))
}

fn toml(text: &str) -> Result<Vec<(String, Node)>, Refusal> {
    let breaks: Vec<usize> = text.match_indices('\n').map(|(offset, _)| offset).collect();
    let line_of = |offset: usize| 1 + breaks.partition_point(|at| *at < offset);
    match DeTable::parse(text) {
        Ok(table) => Ok(members(table.get_ref(), &line_of)),
        Err(error) => {
            let line = line_of(error.span().map_or(0, |span| span.start));
            Err(unreadable(line, "TOML", error.message()))
        }
    }
}

fn members(table: &DeTable<'_>, line_of: &impl Fn(usize) -> usize) -> Vec<(String, Node)> {
    let mut members: Vec<_> = table.iter().map(|(key, value)| (key.span().start, key, value)).collect();
    members.sort_by_key(|(start, ..)| *start);
    let node = |(start, key, value): (usize, &toml::Spanned<_>, &toml::Spanned<_>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        (name.to_string(), Node { line: line_of(start), value: of_toml(value.get_ref(), line_of) })
    };
    members.into_iter().map(node).collect()
}

fn of_toml(value: &DeValue<'_>, line_of: &impl Fn(usize) -> usize) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Array(items) => {
            let item = |item: &toml::Spanned<DeValue<'_>>| Node {
                line: line_of(item.span().start),
                value: of_toml(item.get_ref(), line_of),
            };
            Value::List(items.iter().map(item).collect())
        }
        DeValue::Table(table) => Value::Table(members(table, line_of)),
        DeValue::Integer(_) | DeValue::Float(_) => Value::Other("a number"),
        DeValue::Datetime(_) => Value::Other("a time"),
    }
}

fn json(text: &str) -> Result<Node, Refusal> {
    let line = Cell::new(1);
    let mut reader = serde_json::Deserializer::from_reader(Lines { rest: text.as_bytes(), line: &line });
    let read = NodeReader { line: &line }.deserialize(&mut reader);
    read.and_then(|node| reader.end().map(|()| node)).map_err(|error| {
        let message = error.to_string();
        let why = message.rsplit_once(" at line ").map_or(message.as_str(), |(why, _)| why);
        unreadable(error.line().max(1), "JSON", why)
    })
}

/// Hands out the text byte by byte, so that the line of what was read last is known.
struct Lines<'a> {
    rest: &'a [u8],
    line: &'a Cell<usize>,
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (Some((first, rest)), Some(place)) = (self.rest.split_first(), buffer.first_mut()) else {
            return Ok(0);
        };
        *place = *first;
        self.rest = rest;
        self.line.set(self.line.get() + usize::from(*first == b'\n'));
        Ok(1)
    }
}

/// Reads a value of JSON with its line.
#[derive(Clone, Copy)]
struct NodeReader<'a> {
    line: &'a Cell<usize>,
}

impl NodeReader<'_> {
    fn node<E: Error>(self, value: Value) -> Result<Node, E> {
        Ok(Node { line: self.line.get(), value })
    }
}

impl<'de> DeserializeSeed<'de> for NodeReader<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeReader<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Node, E> {
        self.node(Value::Flag(flag))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Node, E> {
        self.node(Value::Other("a number"))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Node, E> {
        self.node(Value::Other("a number"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node, E> {
        self.node(Value::Other("a number"))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        self.node(Value::Nothing)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        self.node(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Node, A::Error> {
        let line = self.line.get();
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Node { line, value: Value::List(items) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Node, A::Error> {
        let line = self.line.get();
        let mut members = Vec::new();
        while let Some(name) = from.next_key::<String>()? {
            // The line of the name: of some values the reader has seen what follows already.
            let line = self.line.get();
            members.push((name, Node { line, ..from.next_value_seed(self)? }));
        }
        Ok(Node { line, value: Value::Table(members) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(String, usize)> {
        fn walk(node: &Node, at: &str, found: &mut Vec<(String, usize)>) {
            found.push((at.to_owned(), node.line));
            match &node.value {
                Value::List(items) => {
                    for item in items {
                        walk(item, &format!("{at}[]"), found);
                    }
                }
                Value::Table(members) => {
                    for (name, node) in members {
                        walk(node, &format!("{at}.{name}"), found);
                    }
                }
                Value::Text(_) | Value::Flag(_) | Value::Nothing | Value::Other(_) => {}
            }
        }
        let root = Node { line: 0, value: Value::Table(read(text).unwrap()) };
        let mut found = Vec::new();
        walk(&root, "", &mut found);
        found.split_off(1)
    }

    fn at(found: &[(&str, usize)]) -> Vec<(String, usize)> {
        found.iter().map(|(at, line)| ((*at).to_owned(), *line)).collect()
    }

    #[test]
    fn values_of_toml_have_their_lines() {
        let text =
            "# users\n[[users]]\nroles = [\n  \"a\",\n  \"b\"]\nemail = \"x\"\n\n[[users]]\nname = 1\n";
        assert_eq!(
            lines(text),
            at(&[
                (".users", 2),
                (".users[]", 2),
                (".users[].roles", 3),
                (".users[].roles[]", 4),
                (".users[].roles[]", 5),
                (".users[].email", 6),
                (".users[]", 8),
                (".users[].name", 9),
            ])
        );
        assert_eq!(lines("a = [\n  { b = true },\n]\n"), at(&[(".a", 1), (".a[]", 2), (".a[].b", 2)]));
    }

    #[test]
    fn values_of_json_have_their_lines() {
        let text = "{\n \"users\": [\n  {\"a\": 1\n ,\"b\":\n   [null,\n \"x\",true]},\n\n  {\n  }\n ]}\n\n";
        assert_eq!(
            lines(text),
            at(&[
                (".users", 2),
                (".users[]", 3),
                (".users[].a", 3),
                (".users[].b", 4),
                (".users[].b[]", 5),
                (".users[].b[]", 6),
                (".users[].b[]", 6),
                (".users[]", 8),
            ])
        );
    }

    #[test]
    fn what_can_not_be_read_says_where() {
        for (text, says) in [
            ("a = 1\nb = \n", "file: line 2: this is no TOML: "),
            ("a = 1\na = 2", "file: line 2: this is no TOML: "),
            ("{\n\"a\": 1,\n}", "file: line 3: this is no JSON: trailing comma"),
            ("{}\nx", "file: line 2: this is no JSON: trailing characters"),
            ("{", "file: line 1: this is no JSON: EOF while parsing an object"),
            ("\0", "file: line 1: this is no TOML: "),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(says) && !error.contains(" at line "), "{text:?}: {error}");
        }
        let deep = format!("{{\"a\":{}", "[".repeat(200_000));
        assert!(read(&deep).unwrap_err().to_string().contains("recursion limit"));
    }
}
