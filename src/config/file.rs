//! Reads the TOML text: which keys stand on which lines, and what in it is no key.

use super::keys::{self, Key};
use super::value::Raw;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a file says, and what is wrong with how it says it.
#[derive(Debug, Default)]
pub struct Content {
    pub entries: Vec<Entry>,
    /// Each table's full name, and its line.
    pub tables: Vec<(String, usize)>,
    pub problems: Vec<Problem>,
}

#[derive(Debug)]
pub struct Entry {
    /// Counted from 1.
    pub line: usize,
    pub key: &'static Key,
    /// The key's full name: `password.min_length`.
    pub name: String,
    pub raw: Raw,
}

#[derive(Debug)]
pub struct Problem {
    pub line: usize,
    /// `None` for text that is not TOML, where no key can be told.
    pub key: Option<String>,
    pub message: String,
}

/// Reads all of it, also after an error, so that an operator sees every mistake at once.
#[must_use]
pub fn read(text: &str) -> Content {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, content: Content::default() };
    reader.table("", table.get_ref());
    let mut content = reader.content;
    let broken: Vec<Problem> = errors.iter().map(|error| syntax(text, error)).collect();
    // A broken line is reported once: drop what was guessed of it.
    content.entries.retain(|entry| broken.iter().all(|problem| problem.line != entry.line));
    content.problems.retain(|found| broken.iter().all(|problem| problem.line != found.line));
    content.problems.extend(broken);
    content
}

fn syntax(text: &str, error: &toml::de::Error) -> Problem {
    let start = error.span().map_or(0, |span| span.start);
    Problem { line: line_of(text, start), key: None, message: error.message().replace('\n', " ") }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

struct Reader<'a> {
    text: &'a str,
    content: Content,
}

impl Reader<'_> {
    fn table(&mut self, above: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let line = line_of(self.text, key.span().start);
            let name = if above.is_empty() {
                segment(key.get_ref())
            } else {
                format!("{above}.{}", segment(key.get_ref()))
            };
            self.member(line, name, value);
        }
    }

    fn member(&mut self, line: usize, name: String, value: &Spanned<DeValue<'_>>) {
        let value = value.get_ref();
        match (keys::find(&name), value, keys::is_table(&name)) {
            (Some(key), value, _) => self.content.entries.push(Entry { line, key, name, raw: raw(value) }),
            (None, DeValue::Table(table), true) => {
                self.table(&name, table);
                self.content.tables.push((name, line));
            }
            (None, _, true) => self.problem(line, &name, format!("must be a table, is {}", raw(value))),
            (None, _, false) => self.problem(line, &name, keys::advice(&name, str::to_owned)),
        }
    }

    fn problem(&mut self, line: usize, name: &str, message: String) {
        self.content.problems.push(Problem { line, key: Some(name.to_owned()), message });
    }
}

/// A name in quotes may hold a dot, which must not look like the one between a table and its key.
fn segment(name: &str) -> String {
    let bare = name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-');
    if bare && !name.is_empty() { name.to_owned() } else { format!("{name:?}") }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Boolean(value) => Raw::Bool(*value),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("a number that is out of range"), Raw::Integer),
        DeValue::Float(_) => Raw::Other("a number with a fraction"),
        DeValue::Datetime(_) => Raw::Other("a date or time"),
        DeValue::Table(table) => table
            .iter()
            .map(|(name, value)| Some((name.get_ref().to_string(), value.get_ref().as_str()?.to_owned())))
            .collect::<Option<_>>()
            .map_or(Raw::Other("a table with more than text in it"), Raw::Map),
        DeValue::Array(entries) => entries
            .iter()
            .map(|entry| entry.get_ref().as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .map_or(Raw::Other("a list with more than text in it"), Raw::List),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<(usize, Option<String>)> {
        let mut found: Vec<_> =
            read(text).problems.into_iter().map(|problem| (problem.line, problem.key)).collect();
        found.sort();
        found
    }

    #[test]
    fn a_key_is_found_however_toml_lets_it_be_written() {
        for text in [
            "[password]\nmin_length = 9",
            "\npassword.min_length = 0x9",
            "\npassword = { min_length = 9 }",
            "\u{feff}[password]\r\nmin_length = 9\r\n",
        ] {
            let content = read(text);
            assert!(content.problems.is_empty(), "{text}");
            assert_eq!(content.entries.len(), 1, "{text}");
            let entry = &content.entries[0];
            assert_eq!(
                (entry.line, entry.name.as_str(), &entry.raw),
                (2, "password.min_length", &Raw::Integer(9))
            );
        }
    }

    #[test]
    fn every_slip_is_found_with_its_line() {
        let text = "databse = 'x'\n\"password.min_length\" = 1\n[passwort]\nmin_length = 9\n[oauth.A]\nkind = 'oidc'\n[mail.deep]\n";
        let name = |text: &str| Some(text.to_owned());
        assert_eq!(
            problems(text),
            [
                (1, name("databse")),
                (2, name("\"password.min_length\"")),
                (3, name("passwort")),
                (5, name("oauth.A")),
                (7, name("mail.deep"))
            ]
        );
        assert_eq!(problems("password = 5\n[[mail]]\n"), [(1, name("password")), (2, name("mail"))]);
    }

    #[test]
    fn what_stands_behind_a_broken_line_is_read() {
        let content = read("listen = \nnonsense = 1\ndatabase = 'a'\ndatabase = 'b'\n");
        assert_eq!(content.problems.iter().map(|problem| problem.line).max(), Some(4));
        assert!(content.problems.iter().any(|problem| problem.key.as_deref() == Some("nonsense")));
    }
}
