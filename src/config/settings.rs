//! The settings by name, each with its value and where that came from.

use super::value::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

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
