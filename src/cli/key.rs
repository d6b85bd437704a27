//! `key`: the keys that sign access tokens.

use super::exit::Failure;
use super::paging::Paging;
use super::terminal::prompt::Consent;
use super::terminal::table::{Column, Table};
use super::{Context, named};
use crate::domain::signing_key::SigningKey;
use crate::domain::time::Timestamp;
use crate::usecase::keys::signing_keys as keys;
use crate::usecase::keys::signing_keys::{RetireMode, Retirement};
use crate::views;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum Verb {
    List(List),
    /// Make a new signing key, which signs at once
    ///
    /// Its algorithm is what `tokens.algorithm` says. The key before stays in the JWKS, and its tokens are
    /// honoured, until no token that it signed can still live; then it goes by itself.
    #[command(after_help = "Examples:
  authctl key rotate
  authctl key rotate -q")]
    Rotate,
    Retire(Retire),
}

/// List the signing keys, oldest first
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl key list
  authctl key list -o json")]
pub struct List {
    #[command(flatten)]
    paging: Paging,
}

/// Take a signing key away that signs no more
///
/// While tokens that it signed can still live, it says until when the key stays; it goes by itself then.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl key retire 6Fl0LVc1rkDp7wbXWUX1jtCyZVu9WmtIpz8XrN9m0Tw
  authctl key rotate
  authctl key retire 6Fl0LVc1rkDp7wbXWUX1jtCyZVu9WmtIpz8XrN9m0Tw --now --yes")]
pub struct Retire {
    /// The key's id, or its beginning, as `key list` shows it
    kid: String,
    /// At once, for a key that has leaked: tokens that it signed are refused from the next request on
    #[arg(long)]
    now: bool,
    /// Don't ask before --now; needed where nobody can be asked
    #[arg(long, requires = "now")]
    yes: bool,
}

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// What the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(context),
            Self::Rotate => rotate(context),
            Self::Retire(retire) => retire.run(context),
        }
    }
}

impl List {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        self.paging.print(
            context,
            |limit, after| keys::page(&app, context.caller(), limit, after),
            |listed| named::shortened_keys(context, &app, table(listed, app.now())),
        )
    }
}

fn rotate(context: &Context) -> Result<(), Failure> {
    let app = context.app()?;
    let rotated = keys::rotate(&app, context.caller())?;
    context.terminal().note(&format!("{} signs from now on ({})", rotated.key.kid, rotated.key.algorithm));
    if let Some((previous, retired)) = rotated.previous.as_ref().and_then(|key| Some((key, key.retired?))) {
        let until = retired.keep_until;
        context.terminal().note(&format!("{} verifies until {until}, then goes by itself", previous.kid));
    }
    context.terminal().changed(&table(&[rotated.key], app.now()))
}

impl Retire {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let kid = named::signing_key(context, &app, &self.kid)?;
        let mode = if self.now { RetireMode::AtOnce } else { RetireMode::InDueTime };
        if mode == RetireMode::AtOnce {
            keys::retirable(&app, context.caller(), &kid, mode)?;
            let question = format!("Retire {kid} at once, so that every token it signed is refused?");
            Consent::from_flag(self.yes).obtain(&question)?;
        }
        let (key, said) = match keys::retire(&app, context.caller(), &kid, mode)? {
            Retirement::Waits { key, keep_until } => {
                let said = format!(
                    "{} verifies until {keep_until}, then goes by itself; nothing was changed (--now is for a key that has leaked)",
                    key.kid
                );
                (key, said)
            }
            Retirement::Gone(key) => {
                let said = format!("retired {}", key.kid);
                (key, said)
            }
        };
        context.terminal().note(&said);
        context.terminal().changed(&table(&[key], app.now()))
    }
}

const COLUMNS: [Column; 6] = [
    Column::Id("kid"),
    Column::Text("algorithm"),
    Column::Whole("state"),
    Column::Time("created_at"),
    Column::Time("retired_at"),
    Column::Time("keep_until"),
];

fn table(keys: &[SigningKey], now: Timestamp) -> Table {
    Table::of_objects(&COLUMNS, keys.iter().map(|key| (key.kid.clone(), views::signing_key(key, now))))
        .giving_way(&["retired_at", "created_at", "algorithm"])
}
