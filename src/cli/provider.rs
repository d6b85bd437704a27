//! `provider`: the servers whose accounts may sign in here.

use super::Context;
use super::exit::Failure;
use super::terminal::table::{Cell, Column, Row, Table, Tone};
use crate::usecase::federation::examine::examine;
use crate::usecase::federation::provider::Check;
use crate::views;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum Verb {
    /// List the providers of the configuration, each with the redirect URI to enter there
    ///
    /// A provider is a table [oauth.NAME] of authd.toml(5).
    #[command(after_help = "Examples:
  authctl provider list
  authctl provider list -o json")]
    List,
    Test(Test),
}

/// Look whether a provider would do: its metadata, keys, clock, and the file of the secret
///
/// The provider is asked, as it would be when somebody signs in. Exits 5 when something is not as it must be.
/// The redirect URI is printed as it is to be entered at the provider.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl provider test acme
  authctl provider test acme -o json")]
pub struct Test {
    /// The provider's name: NAME of [oauth.NAME]
    #[arg(value_name = "PROVIDER")]
    name: String,
}

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// [`Fault::Config`](crate::error::Fault::Config) for a wrong configuration; exit 5 where a check is bad.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List => list(context),
            Self::Test(test) => test.run(context),
        }
    }
}

impl Test {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let checks = examine(&context.app()?, context.caller(), &self.name)?;
        let columns = [Column::Whole("check"), Column::Whole("state"), Column::Text("says")];
        let row = |check: &Check| {
            let mut row = Row::of_object(&columns, check.name.to_owned(), views::provider_check(check));
            row.cells[1] =
                if check.is_good { Cell::toned("ok", Tone::Good) } else { Cell::toned("bad", Tone::Bad) };
            row
        };
        context.terminal().list(&Table::new(&columns, checks.iter().map(row).collect()))?;
        let bad: Vec<_> = checks.iter().filter(|check| !check.is_good).map(|check| check.name).collect();
        if bad.is_empty() {
            return Ok(());
        }
        let (of, all) = (bad.len(), checks.len());
        Err(Failure::Check(format!("{of} of {all} checks are bad: {}; do what they say", bad.join(", "))))
    }
}

const COLUMNS: [Column; 8] = [
    Column::Whole("name"),
    Column::Whole("kind"),
    Column::Text("display_name"),
    Column::Text("client_id"),
    Column::Text("issuer"),
    Column::Whole("redirect_uri"),
    Column::Text("sign_up"),
    Column::Text("link_by_email"),
];

fn list(context: &Context) -> Result<(), Failure> {
    let config = context.loaded()?.config;
    let view = |provider| views::configured_provider(provider, &config.public_url);
    let rows = config.oauth.iter().map(|provider| (provider.name.to_string(), view(provider)));
    let gives_way = &["display_name", "client_id", "link_by_email", "sign_up", "issuer"];
    context.terminal().list(&Table::of_objects(&COLUMNS, rows).giving_way(gives_way))
}
