//! The settings by name, each with its value and where that came from, and each taken as its key's kind.

use super::database::Database;
use super::model::Rate;
use super::value::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What taking a setting as its kind may count on.
pub const KIND: &str = "every key of the table has a value of its kind";

/// The settings by name, later sources over earlier ones.
pub type Settings = BTreeMap<String, (Value, Origin)>;

/// One line of `config show`. The environment takes the text of `value`, the file takes [`Value::toml`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    pub key: String,
    pub value: Value,
    pub origin: Origin,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    Default,
    /// A systemd credential, by its name.
    Credential(String),
    File {
        path: PathBuf,
        line: usize,
    },
    Environment(String),
    Flag(String),
}

/// `default`, `credential key_file`, `file /x/authd.toml:12`, `environment AUTHD_LISTEN`, `flag --listen`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Credential(name) => write!(f, "credential {name}"),
            Self::File { path, line } => write!(f, "file {}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

fn value<'a>(of: &'a Settings, name: &str) -> &'a Value {
    &of.get(name).expect(KIND).0
}

/// Whether a setting is on.
pub fn flag(of: &Settings, name: &str) -> bool {
    matches!(value(of, name), Value::Bool(true))
}

/// The number of a setting.
pub fn count<T: TryFrom<u64>>(of: &Settings, name: &str) -> T {
    match value(of, name) {
        Value::Count(number) => T::try_from(*number).ok(),
        _ => None,
    }
    .expect(KIND)
}

/// The span of a setting.
pub fn span(of: &Settings, name: &str) -> Duration {
    match value(of, name) {
        Value::Span(span) => Some(*span),
        _ => None,
    }
    .expect(KIND)
}

/// The rate of a setting.
pub fn rate(of: &Settings, name: &str) -> Rate {
    match value(of, name) {
        Value::Rate(rate) => Some(*rate),
        _ => None,
    }
    .expect(KIND)
}

/// The text of a setting; empty for one that is optional and unset.
pub fn text(of: &Settings, name: &str) -> String {
    match value(of, name) {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
    .expect(KIND)
}

/// One of the names that the key's [`super::Kind::Choice`] lists; both come from the same table.
pub fn choice<T>(of: &Settings, name: &str, parse: fn(&str) -> Option<T>) -> T {
    parse(&text(of, name)).expect(KIND)
}

/// The text of a setting; `None` where it is empty.
pub fn optional_text(of: &Settings, name: &str) -> Option<String> {
    of.get(name).map(|_| text(of, name)).filter(|text| !text.is_empty())
}

/// The path of a setting; empty for one that is optional and unset.
pub fn path(of: &Settings, name: &str) -> PathBuf {
    match value(of, name) {
        Value::Path(path) => Some(path.clone()),
        _ => None,
    }
    .expect(KIND)
}

/// Where the database of a setting is.
pub fn database(of: &Settings, name: &str) -> Database {
    match value(of, name) {
        Value::Path(path) => Some(Database::File(path.clone())),
        Value::Server(url) => Some(Database::Server(url.clone())),
        _ => None,
    }
    .expect(KIND)
}

/// The path of a setting; `None` where it is empty.
pub fn optional_path(of: &Settings, name: &str) -> Option<PathBuf> {
    Some(path(of, name)).filter(|path| !path.as_os_str().is_empty())
}

/// The entries of a list.
pub fn parsed<T: std::str::FromStr>(of: &Settings, name: &str) -> Vec<T> {
    match value(of, name) {
        Value::List(entries) => entries.iter().map(|entry| entry.parse().ok()).collect::<Option<_>>(),
        _ => None,
    }
    .expect(KIND)
}

/// The pairs of a table.
pub fn map(of: &Settings, name: &str) -> BTreeMap<String, String> {
    match value(of, name) {
        Value::Map(pairs) => Some(pairs.clone()),
        _ => None,
    }
    .expect(KIND)
}
