//! `apikey`: keys that services prove themselves with.

use super::arguments::permissions;
use super::exit::Failure;
use super::paging::Paging;
use super::terminal::prompt::Consent;
use super::terminal::table::{Column, Table};
use super::{Context, named, times, words};
use crate::domain::api_key::{ApiKey, ApiKeyName, InvalidApiKeyName};
use crate::domain::role::Permission;
use crate::domain::time::Timestamp;
use crate::error::Refusal;
use crate::usecase::keys::api_keys as keys;
use crate::usecase::keys::api_keys::{ApiKeyRef, NewApiKey};
use crate::usecase::operator::short_id::Kind;
use crate::views;
use clap::{Args, Subcommand};
use std::time::Duration;

#[derive(Subcommand, Debug)]
pub enum Verb {
    Add(Add),
    List(List),
    Revoke(Revoke),
}

/// Create an API key; it is printed this once, alone on stdout
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl apikey add billing --permission users:read --ttl 90d > billing.key
  authctl apikey add gateway")]
pub struct Add {
    /// Lower-case letters, digits, `.`, `_` and `-`
    name: String,
    /// What the service may do: area:action, or area:* for all of an area (may be repeated)
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// How long the key counts, such as 12h or 90d [default: for ever]
    #[arg(long, value_name = "SPAN", value_parser = times::span)]
    ttl: Option<Duration>,
}

/// List all API keys by name, expired ones too
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl apikey list
  authctl apikey list -o json")]
pub struct List {
    #[command(flatten)]
    paging: Paging,
}

/// Revoke an API key; it counts on the next request
///
/// A person at a terminal is asked first; a script is not.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl apikey revoke billing
  authctl apikey revoke billing --yes")]
pub struct Revoke {
    /// The key's name
    #[arg(value_name = "APIKEY")]
    name: String,
    /// Don't ask
    #[arg(long)]
    yes: bool,
}

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// What the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(add) => add.run(context),
            Self::List(list) => list.run(context),
            Self::Revoke(revoke) => revoke.run(context),
        }
    }
}

impl Add {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let new = NewApiKey {
            name: name(&self.name)?,
            permissions: permissions(&self.permissions)?,
            ttl: self.ttl,
        };
        let added = keys::add(&context.app()?, context.caller(), &new)?;
        let until = added.key.expires_at.map_or(String::new(), |time| format!(", good until {time}"));
        context.terminal().note(&format!("created API key {}{until}; it is shown this once", added.key.name));
        context.terminal().secret(added.secret.expose(), views::new_api_key(&added))
    }
}

impl List {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        self.paging.print(
            context,
            |limit, after| keys::page(&app, context.caller(), limit, after),
            |listed| named::shortened(context, &app, Kind::ApiKey, table(listed)),
        )
    }
}

impl Revoke {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let (app, name) = (context.app()?, name(&self.name)?);
        let key = keys::find(&app, context.caller(), &name)?
            .ok_or_else(|| Refusal::not_found("API key", name.as_str()))?;
        Consent::from_flag(self.yes).obtain_from_a_person(&question(&key, app.now()))?;
        let revoked = keys::revoke(&app, context.caller(), &ApiKeyRef::Id(key.id))?;
        context.terminal().note(&format!("revoked API key {}", revoked.name));
        context.terminal().changed(&table(&[revoked]))
    }
}

/// What is asked before a key goes: what it may do, and whether somebody still uses it.
fn question(key: &ApiKey, now: Timestamp) -> String {
    let permissions: Vec<&str> = key.permissions.iter().map(Permission::as_str).collect();
    let may = if permissions.is_empty() { "no permissions".to_owned() } else { words::named(&permissions) };
    let used = key
        .last_used_at
        .map_or_else(|| "never used".into(), |at| format!("last used {}", words::ago(at, now)));
    format!("Revoke the API key {} ({may}; {used})?", key.name)
}

fn name(text: &str) -> Result<ApiKeyName, Refusal> {
    ApiKeyName::parse(text).map_err(|_| Refusal::invalid("name", "invalid", InvalidApiKeyName::MESSAGE))
}

const COLUMNS: [Column; 6] = [
    Column::Whole("name"),
    Column::Text("permissions"),
    Column::Time("created_at"),
    Column::Time("expires_at"),
    Column::Time("last_used_at"),
    Column::Id("id"),
];

fn table(keys: &[ApiKey]) -> Table {
    Table::of_objects(&COLUMNS, keys.iter().map(|key| (key.id.to_string(), views::api_key(key))))
        .giving_way(&["id", "created_at", "last_used_at", "expires_at"])
}
