//! What the commands that keep the daemon and its configuration in order show.

use super::text::{Revealed, Text, millis};
use crate::config;
use crate::config::{Origin, Value};
use crate::usecase::operator::apply::{Detail, Done, State};
use crate::usecase::operator::calibrate;
use crate::usecase::operator::doctor;
use crate::usecase::operator::import::{Entry, Summary};
use crate::usecase::operator::version;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path;
use std::path::Path;

/// What one check of `doctor` found.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Finding<'a> {
    check: &'a str,
    /// `ok`, `warn` or `fail`.
    state: &'static str,
    /// What is so; where it is not right, what to do about it, too.
    says: &'a str,
}

/// Shows what one check of `doctor` found.
#[must_use]
pub fn finding(finding: &doctor::Finding) -> Finding<'_> {
    Finding { check: &finding.check, state: finding.state.name(), says: &finding.says }
}

/// What hashes may cost.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Calibration {
    argon2_memory_kib: u32,
    argon2_iterations: u32,
    argon2_parallelism: u32,
    /// How long one hash of that cost takes here.
    hash_ms: u64,
    /// How long the least that is allowed takes.
    least_hash_ms: u64,
    hash_threads: usize,
    logins_per_s: u64,
}

/// Shows what hashes may cost.
#[must_use]
pub fn calibration(found: &calibrate::Calibration) -> Calibration {
    Calibration {
        argon2_memory_kib: found.cost.memory_kib,
        argon2_iterations: found.cost.iterations,
        argon2_parallelism: found.cost.parallelism,
        hash_ms: millis(found.takes),
        least_hash_ms: millis(found.least_takes),
        hash_threads: found.threads,
        logins_per_s: found.logins_per_s(),
    }
}

/// A change that `apply` made or would make.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Applied<'a> {
    action: &'static str,
    /// `role`, `user`, `api_key` or `app`.
    kind: &'static str,
    name: &'a str,
    /// `+` and what is given, `-` and what is taken, or a word.
    details: Vec<String>,
    /// What the file would say of it as it was. Null: it wasn't there.
    before: Option<&'a State>,
    /// The same of it as it is then. Null: it is gone.
    after: Option<&'a State>,
    /// Revealed this once. Null: there is none.
    secret: Option<Revealed<'a>>,
}

/// Shows a change that `apply` made or would make.
#[must_use]
pub fn applied(done: &Done) -> Applied<'_> {
    let change = &done.change;
    Applied {
        action: change.action.name(),
        kind: change.kind,
        name: &change.name,
        details: change.details.iter().map(detail).collect(),
        before: change.before.as_ref(),
        after: change.after.as_ref(),
        secret: done.secret.as_ref().map(|shown| Revealed(&shown.secret)),
    }
}

fn detail(detail: &Detail) -> String {
    match detail {
        Detail::Given(what) => format!("+{what}"),
        Detail::Taken(what) => format!("-{what}"),
        Detail::Says(word) => word.clone(),
    }
}

/// A setting, and where its value is from.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Setting<'a> {
    key: &'a str,
    value: SettingValue<'a>,
    origin: Text<&'a Origin>,
}

/// Values have the types that the file gives them; spans and rates are text there, too.
#[derive(Serialize, JsonSchema, Debug)]
#[serde(untagged)]
pub enum SettingValue<'a> {
    Flag(bool),
    Count(u64),
    List(&'a [String]),
    Table(&'a BTreeMap<String, String>),
    Text(Text<&'a Value>),
}

/// Shows a setting.
#[must_use]
pub fn setting(setting: &config::Setting) -> Setting<'_> {
    let value = match &setting.value {
        Value::Bool(value) => SettingValue::Flag(*value),
        Value::Count(number) => SettingValue::Count(*number),
        Value::List(entries) => SettingValue::List(entries),
        Value::Map(pairs) => SettingValue::Table(pairs),
        text => SettingValue::Text(Text(text)),
    };
    Setting { key: &setting.key, value, origin: Text(&setting.origin) }
}

/// What `config check` found.
#[derive(Serialize, JsonSchema, Debug)]
pub struct ConfigCheck<'a> {
    /// True: what is wrong is an error, and no report.
    ok: bool,
    /// Null: there is none.
    file: Option<Text<path::Display<'a>>>,
    /// Settings that are allowed and weaken what is promised.
    weak: Vec<WeakSetting<'a>>,
}

/// A setting that weakens what is promised.
#[derive(Serialize, JsonSchema, Debug)]
pub struct WeakSetting<'a> {
    key: &'a str,
    /// What follows from it, and what to do.
    says: Text<&'a str>,
}

/// Says that the configuration is right, and which settings of it are weak.
#[must_use]
pub fn config_check<'a>(file: Option<&'a Path>, weak: &'a [config::WeakSetting]) -> ConfigCheck<'a> {
    let weak = weak.iter().map(|weak| WeakSetting { key: &weak.key, says: Text(weak.says.as_str()) });
    ConfigCheck { ok: true, file: file.map(|file| Text(file.display())), weak: weak.collect() }
}

/// A file that was written.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Written<'a> {
    file: Text<path::Display<'a>>,
}

/// Names a file that was written.
#[must_use]
pub fn written(file: &Path) -> Written<'_> {
    Written { file: Text(file.display()) }
}

/// What became of one entry of an import.
#[derive(Serialize, JsonSchema, Debug)]
pub struct ImportedEntry<'a> {
    /// The line in a file of lines, and the number of the user in a JSON document; from 1 on.
    line: u64,
    /// `created`, `skipped` or `failed`.
    outcome: &'a str,
    /// Null: none could be read.
    email: Option<&'a str>,
    /// What is to be said of it. Null: nothing.
    code: Option<&'a str>,
    message: Option<&'a str>,
}

/// Shows what became of an entry. `why`: code and message of what is to be said of it.
#[must_use]
pub fn imported_entry<'a>(
    entry: &'a Entry,
    outcome: &'a str,
    why: Option<(&'a str, &'a str)>,
) -> ImportedEntry<'a> {
    let (code, message) = why.unzip();
    ImportedEntry { line: entry.line, outcome, email: entry.email.as_deref(), code, message }
}

/// What there is to say of an entry, in the report of an import.
#[derive(Serialize, JsonSchema, Debug)]
pub struct ImportNote {
    line: u64,
    email: Option<String>,
    code: &'static str,
    message: String,
}

/// Notes what there is to say of an entry.
#[must_use]
pub fn import_note(entry: &Entry, code: &'static str, message: impl Into<String>) -> ImportNote {
    ImportNote { line: entry.line, email: entry.email.clone(), code, message: message.into() }
}

/// What an import came to.
#[derive(Serialize, JsonSchema, Debug)]
pub struct ImportReport<'a> {
    dry_run: bool,
    created: u64,
    skipped: u64,
    failed: u64,
    /// Of those created, how many came with a hash that is quick to guess at, until they log in.
    weak_hashes: u64,
    /// Of entries that were not taken over.
    problems: &'a [ImportNote],
    /// Of entries of which something stayed behind.
    notes: &'a [ImportNote],
}

/// Shows what an import came to.
#[must_use]
pub const fn import_report<'a>(
    summary: &Summary,
    dry_run: bool,
    problems: &'a [ImportNote],
    notes: &'a [ImportNote],
) -> ImportReport<'a> {
    let Summary { created, skipped, failed, weak_hashes } = *summary;
    ImportReport { dry_run, created, skipped, failed, weak_hashes, problems, notes }
}

/// Which authd this is.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Build {
    version: &'static str,
    /// Of the SQLite that is built in.
    sqlite_version: &'static str,
    /// Of the databases that it works with.
    schema_version: i64,
}

/// Shows which authd this is.
#[must_use]
pub const fn version(of: version::Version) -> Build {
    let version::Version { authd, sqlite, schema } = of;
    Build { version: authd, sqlite_version: sqlite, schema_version: schema }
}
