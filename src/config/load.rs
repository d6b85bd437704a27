//! From the sources to a [`Config`]: flag over environment over systemd credential over file over default.
//!
//! Nothing is changed by reading, and every problem of every source is reported, not the first alone.

use super::build;
use super::file::{self, Problem};
use super::keys::{self, KEYS, Key, PROVIDER_KEYS};
use super::model::Config;
use super::place::{self, Found};
use super::providers;
use super::settings::{self, Origin, Setting, Settings};
use super::sources::Sources;
use super::value::{Kind, Raw, Value};
use crate::domain::identity::ProviderName;
use crate::error::{Error, Fault};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What the sources came to.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    /// Every setting in the order of the table, then those of each provider.
    pub settings: Vec<Setting>,
    /// The file that was read; `None` where there is none.
    pub file: Option<PathBuf>,
    /// Of files that were passed over, why.
    pub warnings: Vec<String>,
}

/// Reads all sources and checks every value.
///
/// # Errors
/// [`Fault::Config`] with one line for every problem: `authd.toml:7: password.min_length: must be 8 or
/// more, is 6`. [`Fault::Permission`] for a file that may not be read; `not_found` for one that is named and
/// isn't there.
pub fn load(sources: &Sources) -> Result<Loaded, Error> {
    let mut reading = Reading {
        cwd: &sources.cwd,
        settings: Settings::new(),
        providers: BTreeMap::new(),
        refused: BTreeSet::new(),
        problems: Vec::new(),
    };
    reading.defaults();
    let found = place::find(sources)?;
    if let Some((path, text)) = &found.file {
        reading.file(path, text);
    }
    reading.credentials(sources);
    reading.environment(sources);
    for (name, flag, value) in &sources.flags {
        let key = keys::find(name).expect("the command line's flags name keys of the table");
        reading.take(key, name, key.kind.read(value), &Origin::Flag(flag.clone()));
    }
    reading.finish(found)
}

struct Reading<'a> {
    cwd: &'a Path,
    settings: Settings,
    /// Those that the file or the environment has, and where they were named first. A credential alone makes
    /// none: it may well outlive its provider.
    providers: BTreeMap<ProviderName, Origin>,
    /// Settings whose value was no good.
    refused: BTreeSet<String>,
    problems: Vec<String>,
}

impl Reading<'_> {
    fn defaults(&mut self) {
        for key in &KEYS {
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
            if keys::find(&name).is_some_and(|key| key.kind == Kind::SecretFile) {
                self.insert(&name, Value::Path(path), &Origin::Credential(name.clone()));
            }
        }
    }

    fn file(&mut self, path: &Path, text: &str) {
        let file = self.cwd.join(path);
        let origin = |line| Origin::File { path: path.to_owned(), line };
        let folder = file.parent().unwrap_or(self.cwd);
        let mut content = file::read(text);
        for (table, line) in content.tables {
            if let Some(name) = keys::provider_of(&table) {
                self.providers.entry(name).or_insert_with(|| origin(line));
            }
        }
        for entry in content.entries {
            match entry.key.kind.validate(entry.raw, folder) {
                Ok(value) => self.insert(&entry.name, value, &origin(entry.line)),
                Err(message) => {
                    self.refused.insert(entry.name.clone());
                    content.problems.push(Problem { line: entry.line, key: Some(entry.name), message });
                }
            }
        }
        content.problems.sort_by_key(|problem| problem.line);
        for problem in content.problems {
            self.problem(&origin(problem.line), problem.key.as_deref(), &problem.message);
        }
    }

    fn environment(&mut self, sources: &Sources) {
        for (variable, name, value) in sources.settings() {
            let origin = Origin::Environment(variable.to_owned());
            match keys::find(&name).filter(|_| keys::variable(&name) == variable) {
                Some(key) => {
                    if let Some(name) = name.rsplit_once('.').and_then(|(table, _)| keys::provider_of(table))
                    {
                        self.providers.entry(name).or_insert_with(|| origin.clone());
                    }
                    self.take(key, &name, key.kind.read(value), &origin);
                }
                None => self.problem(&origin, None, &keys::advice(&name, keys::variable)),
            }
        }
    }

    /// Takes a value from a source other than the file: a relative path counts from the current folder.
    fn take(&mut self, key: &Key, name: &str, raw: Raw, origin: &Origin) {
        match key.kind.validate(raw, self.cwd) {
            Ok(value) => self.insert(name, value, origin),
            Err(message) => {
                self.refused.insert(name.to_owned());
                self.problem(origin, Some(name), &message);
            }
        }
    }

    fn insert(&mut self, name: &str, value: Value, origin: &Origin) {
        self.settings.insert(name.to_owned(), (value, origin.clone()));
    }

    /// Settings that follow from another one unless set: shown, as all are, with the value that holds.
    fn derive(&mut self) {
        let database = settings::database(&self.settings, "database");
        let beside = database.path().map(|database| database.with_file_name("authd.key")).unwrap_or_default();
        let issuer = settings::text(&self.settings, "public_url");
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

    /// Gives each provider what it has not been given. One that is all there is checked as a whole.
    fn complete_providers(&mut self) {
        let mut whole = Vec::<ProviderName>::new();
        for (name, named_at) in self.providers.clone() {
            let mut is_whole = true;
            for key in &PROVIDER_KEYS {
                let full = keys::provider_key(&name, key.name);
                if self.refused.contains(&full) {
                    is_whole = false;
                } else if !self.settings.contains_key(&full) {
                    match key.kind.validate(key.kind.read(key.default), self.cwd) {
                        Ok(value) => self.insert(&full, value, &Origin::Default),
                        Err(_) => {
                            is_whole = false;
                            self.problem(&named_at, Some(&full), &format!("must be set: {}", key.doc));
                        }
                    }
                }
            }
            if !is_whole {
                continue;
            }
            providers::derive(&mut self.settings, &name);
            let settings = &self.settings;
            if let Some(other) = whole.iter().find(|other| providers::are_one_server(settings, &name, other))
            {
                let other = keys::provider_key(other, "kind");
                let message = format!(
                    "must be another server than that of {other}; each would go round the other's rules"
                );
                self.problem(&named_at, Some(&keys::provider_key(&name, "kind")), &message);
            }
            whole.push(name.clone());
            for (full, message) in providers::check(&self.settings, &name) {
                let set_at = self.settings.get(&full).map(|(_, origin)| origin.clone());
                let origin = set_at.filter(|origin| *origin != Origin::Default).unwrap_or(named_at.clone());
                self.problem(&origin, Some(&full), &message);
            }
        }
    }

    fn finish(mut self, found: Found) -> Result<Loaded, Error> {
        self.derive();
        self.complete_providers();
        for (name, message) in build::check(&self.settings) {
            let origin = self.settings.get(&name).map_or(Origin::Default, |(_, origin)| origin.clone());
            self.problem(&origin, Some(&name), &message);
        }
        self.check_password();
        if !self.problems.is_empty() {
            return Err(Fault::Config(self.problems.join("\n")).into());
        }
        let providers: Vec<_> = self.providers.into_keys().collect();
        Ok(Loaded {
            config: build::config(&self.settings, &providers, self.cwd),
            settings: in_order(&self.settings, &providers),
            file: found.file.map(|(path, _)| path),
            warnings: found.warnings,
        })
    }

    /// A password may stand in a file that is nobody else's to read.
    fn check_password(&mut self) {
        let Some((Value::Server(url), origin @ Origin::File { path, .. })) = self.settings.get("database")
        else {
            return;
        };
        let others_read = place::others_may_read(&self.cwd.join(path));
        if url.has_password() && others_read {
            let message = "must not have a password in it while others may read this file; run chmod 600 on it, or set \
                           postgres.password_file";
            let origin = origin.clone();
            self.problem(&origin, Some("database"), message);
        }
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

/// In the order of the table, then those of each provider.
fn in_order(settings: &Settings, providers: &[ProviderName]) -> Vec<Setting> {
    let of_table = KEYS.iter().map(|key| key.name.to_owned());
    let of_provider = |name| PROVIDER_KEYS.iter().map(move |key| keys::provider_key(name, key.name));
    let names = of_table.chain(providers.iter().flat_map(of_provider));
    let row = |(key, (value, origin)): (&String, &(Value, Origin))| Setting {
        key: key.clone(),
        value: value.clone(),
        origin: origin.clone(),
    };
    names.filter_map(|name| settings.get_key_value(&name)).map(row).collect()
}
