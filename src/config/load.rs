//! From the sources to a [`Config`]: flag over environment over systemd credential over file over default.
//!
//! Nothing is changed by reading, and every problem of every source is reported, not the first alone.

use super::build;
use super::file::{self, Problem};
use super::keys::{self, KEYS, Key};
use super::model::Config;
use super::settings::{Origin, Setting, Settings};
use super::value::{Kind, Raw, Value};
use crate::error::Fault;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// The file that is looked for where none is named: the first that exists counts.
pub const FILES: [&str; 2] = ["authd.toml", "/etc/authd/authd.toml"];

const PREFIX: &str = "AUTHD_";

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`; `None` looks at `AUTHD_CONFIG`, then for [`FILES`].
    pub file: Option<PathBuf>,
    /// Only `AUTHD_*` and `CREDENTIALS_DIRECTORY` are looked at.
    pub env: Vec<(String, String)>,
    /// The key, the flag as it was written (`--listen`), and its value.
    pub flags: Vec<(&'static str, String, String)>,
    /// What relative paths count from, save those in the file, which count from the file's folder.
    pub cwd: PathBuf,
}

impl Sources {
    /// The sources of this process: its environment and its current folder.
    ///
    /// # Errors
    /// [`Fault::Config`] for a variable of authd's that is not UTF-8, [`Fault::Internal`] when the
    /// current folder is gone.
    pub fn of_process(
        file: Option<PathBuf>,
        flags: Vec<(&'static str, String, String)>,
    ) -> Result<Self, Fault> {
        let cwd = std::env::current_dir()
            .map_err(|error| Fault::Internal(format!("the current folder: {error}")))?;
        let mut env = Vec::new();
        for (name, value) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if !is_ours(&name) {
                continue;
            }
            let value = value
                .into_string()
                .map_err(|_| Fault::Config(format!("environment {name}: must be UTF-8")))?;
            env.push((name, value));
        }
        Ok(Self { file, env, flags, cwd })
    }

    fn variable(&self, wanted: &str) -> Option<&str> {
        self.env
            .iter()
            .find(|(name, value)| name == wanted && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

/// What the sources came to.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    /// Every setting in the order of the table, those of `oauth` last, by name.
    pub settings: Vec<Setting>,
    /// The file that was read; `None` where there is none.
    pub file: Option<PathBuf>,
}

/// Reads all sources and checks every value.
///
/// # Errors
/// [`Fault::Config`] with one line for every problem: `authd.toml:7: password.min_length: must be 8 or
/// more, is 6`. [`Fault::Permission`] for a file that may not be read.
pub fn load(sources: &Sources) -> Result<Loaded, Fault> {
    let mut reading = Reading {
        cwd: &sources.cwd,
        settings: Settings::new(),
        providers: BTreeMap::new(),
        bad: BTreeSet::new(),
        problems: Vec::new(),
    };
    reading.defaults();
    let file = find_file(sources)?;
    if let Some((path, text)) = &file {
        reading.file(path, text);
    }
    reading.credentials(sources);
    reading.environment(sources);
    for (name, flag, value) in &sources.flags {
        let key = keys::find(name).expect("the command line's flags name keys of the table");
        reading.take(key, name, key.kind.read(value), &Origin::Flag(flag.clone()));
    }
    reading.finish(file.map(|(path, _)| path))
}

struct Reading<'a> {
    cwd: &'a Path,
    settings: Settings,
    /// The entries of `oauth`, with the first place that names each.
    providers: BTreeMap<String, Origin>,
    /// Names with a bad value: they are not reported as missing, too.
    bad: BTreeSet<String>,
    problems: Vec<String>,
}

impl Reading<'_> {
    fn defaults(&mut self) {
        for key in KEYS.iter().filter(|key| !key.is_named()) {
            self.take(key, key.name, key.kind.read(key.default), &Origin::Default);
        }
    }

    /// A credential is the key's file, under the key's full name:
    /// `LoadCredential=key_file:/etc/authd/authd.key`. It goes before the file, so that one file serves both
    /// the service, which may not read the secret where it lies, and the operator's command line, which may.
    fn credentials(&mut self, sources: &Sources) {
        let Some(folder) = sources.variable("CREDENTIALS_DIRECTORY") else {
            return;
        };
        // Without the folder there is no credential, and the keys fall back to their defaults.
        let Ok(files) = std::fs::read_dir(sources.cwd.join(folder)) else {
            return;
        };
        for path in files.flatten().map(|file| file.path()) {
            let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else {
                continue;
            };
            if let Some(key) = keys::find(&name).filter(|key| key.kind == Kind::SecretFile) {
                self.insert(key, &name, Value::Path(path), &Origin::Credential(name.clone()));
            }
        }
    }

    fn file(&mut self, path: &Path, text: &str) {
        let file = self.cwd.join(path);
        let origin = |line| Origin::File { path: path.to_owned(), line };
        let folder = file.parent().unwrap_or(self.cwd);
        let mut content = file::read(text);
        for entry in content.entries {
            match entry.key.kind.validate(entry.raw, folder) {
                Ok(value) => self.insert(entry.key, &entry.name, value, &origin(entry.line)),
                Err(message) => {
                    self.bad.insert(entry.name.clone());
                    content.problems.push(Problem { line: entry.line, key: Some(entry.name), message });
                }
            }
        }
        for (line, name) in content.providers {
            self.providers.entry(name).or_insert(origin(line));
        }
        content.problems.sort_by_key(|problem| problem.line);
        for problem in content.problems {
            self.problem(&origin(problem.line), problem.key.as_deref(), &problem.message);
        }
    }

    fn environment(&mut self, sources: &Sources) {
        let ours = |name: &str| name.starts_with(PREFIX) && name != "AUTHD_CONFIG" && !is_service_link(name);
        for (variable, value) in sources.env.iter().filter(|(name, _)| ours(name)) {
            let name = variable[PREFIX.len()..].to_ascii_lowercase().replace("__", ".");
            let origin = Origin::Environment(variable.clone());
            match keys::find(&name).filter(|_| keys::variable(&name) == *variable) {
                Some(key) => self.take(key, &name, key.kind.read(value), &origin),
                None => self.problem(&origin, None, &keys::advice(&name, keys::variable)),
            }
        }
    }

    /// Takes a value from a source other than the file: a relative path counts from the current folder.
    fn take(&mut self, key: &Key, name: &str, raw: Raw, origin: &Origin) {
        match key.kind.validate(raw, self.cwd) {
            Ok(value) => self.insert(key, name, value, origin),
            Err(message) => {
                self.bad.insert(name.to_owned());
                self.problem(origin, Some(name), &message);
            }
        }
    }

    fn insert(&mut self, key: &Key, name: &str, value: Value, origin: &Origin) {
        if let Some(provider) = name.split('.').nth(1).filter(|_| key.is_named()) {
            self.providers.entry(provider.to_owned()).or_insert_with(|| origin.clone());
        }
        self.settings.insert(name.to_owned(), (value, origin.clone()));
    }

    /// Settings that follow from another one unless set: shown, as all are, with the value that holds.
    fn derive(&mut self) {
        let beside = build::path(&self.settings, "database").with_file_name("authd.key");
        let issuer = build::text(&self.settings, "public_url");
        self.settings.entry("key_file".into()).and_modify(|(value, _)| {
            if *value == Value::Path(PathBuf::new()) {
                *value = Value::Path(beside);
            }
        });
        self.settings.entry("tokens.issuer".into()).and_modify(|(value, _)| {
            if *value == Value::Text(String::new()) {
                *value = Value::Text(issuer);
            }
        });
    }

    /// An entry of `oauth` has no defaults, save that it needs no issuer.
    fn complete_providers(&mut self) {
        for (provider, origin) in std::mem::take(&mut self.providers) {
            for key in KEYS.iter().filter(|key| key.is_named()) {
                let name = key.name.replace("NAME", &provider);
                let unset = |(value, _): &(Value, Origin)| *value == Value::Path(PathBuf::new());
                if self.settings.get(&name).is_some_and(|setting| !unset(setting)) || self.bad.contains(&name)
                {
                    continue;
                }
                if key.kind == Kind::OptionalUrl {
                    self.settings.insert(name, (Value::Text(String::new()), Origin::Default));
                } else {
                    self.problem(&origin, Some(&name), "is missing");
                }
            }
        }
    }

    fn finish(mut self, file: Option<PathBuf>) -> Result<Loaded, Fault> {
        self.derive();
        self.complete_providers();
        for (name, message) in build::check(&self.settings) {
            let origin = self.settings.get(&name).map_or(Origin::Default, |(_, origin)| origin.clone());
            self.problem(&origin, Some(&name), &message);
        }
        if !self.problems.is_empty() {
            return Err(Fault::Config(self.problems.join("\n")));
        }
        Ok(Loaded {
            config: build::config(&self.settings, self.cwd),
            settings: in_order(&self.settings),
            file,
        })
    }

    fn problem(&mut self, origin: &Origin, key: Option<&str>, message: &str) {
        let place = match origin {
            Origin::File { path, line } => format!("{}:{line}", path.display()),
            other => other.to_string(),
        };
        let key = key.map(|key| format!("{key}: ")).unwrap_or_default();
        self.problems.push(format!("{place}: {key}{message}"));
    }
}

/// In the order of the table; of `oauth`, entry by entry.
fn in_order(settings: &Settings) -> Vec<Setting> {
    let place = |name: &str| {
        let provider = name.strip_prefix("oauth.").and_then(|rest| rest.split('.').next());
        let found = keys::find(name).map(|key| key.name);
        let at = KEYS.iter().position(|key| found == Some(key.name));
        (provider.map(str::to_owned), at)
    };
    let mut rows: Vec<Setting> = settings
        .iter()
        .map(|(key, (value, origin))| Setting {
            key: key.clone(),
            value: value.clone(),
            origin: origin.clone(),
        })
        .collect();
    rows.sort_by_cached_key(|row| place(&row.key));
    rows
}

/// The file that counts and its text: the one that is named, or else the first of [`FILES`] that exists.
fn find_file(sources: &Sources) -> Result<Option<(PathBuf, String)>, Fault> {
    let named = sources.file.clone().or_else(|| sources.variable("AUTHD_CONFIG").map(PathBuf::from));
    if let Some(path) = named {
        return match read(&sources.cwd, &path)? {
            Some(text) => Ok(Some((path, text))),
            None => Err(Fault::Config(format!(
                "{}: there is no such file; `authd config init` writes one",
                path.display()
            ))),
        };
    }
    for path in FILES.map(PathBuf::from) {
        if let Some(text) = read(&sources.cwd, &path)? {
            return Ok(Some((path, text)));
        }
    }
    Ok(None)
}

/// `None` when there is no such file.
fn read(cwd: &Path, path: &Path) -> Result<Option<String>, Fault> {
    let shown = path.display();
    match std::fs::read_to_string(cwd.join(path)) {
        Ok(text) => Ok(Some(text)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
            io::ErrorKind::PermissionDenied => Err(Fault::Permission(format!(
                "{shown}: this user may not read it; run this as the user that the daemon runs as, or with sudo"
            ))),
            io::ErrorKind::InvalidData => Err(Fault::Config(format!("{shown}: must be UTF-8 text"))),
            _ => Err(Fault::Config(format!("{shown}: can't be read: {error}"))),
        },
    }
}

fn is_ours(variable: &str) -> bool {
    variable.starts_with(PREFIX) || variable == "CREDENTIALS_DIRECTORY"
}

/// Whether Kubernetes sets the variable in every container beside a service called `authd`: no mistake, then.
fn is_service_link(variable: &str) -> bool {
    let rest = &variable[PREFIX.len()..];
    rest.starts_with("SERVICE_") || rest == "PORT" || rest.starts_with("PORT_")
}
