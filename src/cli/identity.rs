//! `identity`: accounts elsewhere that sign in to a user's.

use super::exit::Failure;
use super::paging::Paging;
use super::terminal::prompt::Consent;
use super::terminal::table::{Column, Table};
use super::{Context, named};
use crate::domain::identity::Identity;
use crate::usecase::account::admin as accounts;
use crate::usecase::federation::identities;
use crate::usecase::federation::identities::{Linked, Unlinkable};
use crate::usecase::operator::short_id::Kind;
use crate::views;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum Verb {
    List(List),
    Link(Link),
    Unlink(Unlink),
}

/// List the accounts elsewhere that sign in to a user's
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl identity list ann@example.com
  authctl identity list ann@example.com -o json")]
pub struct List {
    /// E-mail address or id
    user: String,
    #[command(flatten)]
    paging: Paging,
}

/// Link an account elsewhere to a user's, who is told by mail
///
/// Whoever the provider says has this subject is signed in to the user's account from then on.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl identity link ann@example.com acme 248289761001
  authctl identity link ann@example.com github 583231")]
pub struct Link {
    /// E-mail address or id
    user: String,
    /// The provider, as the configuration names it
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// The `sub` of its ID tokens; for GitHub and Discord the numeric id of the account
    #[arg(value_name = "SUBJECT")]
    subject: String,
}

/// Unlink an account elsewhere, which signs in no more; the roles that it granted go
///
/// The user is told by mail. Where nothing else signs in to the account, it is asked for, with a warning.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl identity unlink ann@example.com 019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9
  authctl identity unlink ann@example.com 019a0b7c --yes")]
pub struct Unlink {
    /// E-mail address or id
    user: String,
    /// The identity's id, or as much of its beginning as no other has
    #[arg(value_name = "IDENTITY")]
    identity: String,
    /// Don't ask; needed where nobody can be asked
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
            Self::List(list) => list.run(context),
            Self::Link(link) => link.run(context),
            Self::Unlink(unlink) => unlink.run(context),
        }
    }
}

impl List {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = named::user(context, &app, &self.user)?;
        self.paging.print(
            context,
            |limit, after| identities::page(&app, context.caller(), &of, limit, after),
            |listed| named::shortened(context, &app, Kind::Identity, table(listed)),
        )
    }
}

impl Link {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = named::user(context, &app, &self.user)?;
        let user = accounts::find(&app, context.caller(), &of)?;
        let Linked { identity, changed } =
            identities::link(&app, context.caller(), &of, &self.provider, &self.subject)?;
        let said = format!("{} {}", identity.provider, identity.key.subject);
        context.terminal().note(&if changed {
            format!("linked {said} to {}, who is told by mail", user.email)
        } else {
            format!("{said} is linked to {} already; nothing was changed", user.email)
        });
        context.terminal().changed(&table(&[identity]))
    }
}

impl Unlink {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = named::user(context, &app, &self.user)?;
        let user = accounts::find(&app, context.caller(), &of)?;
        let id = named::identity(context, &app, &self.identity)?;
        let Unlinkable { identity, is_last_way_in } =
            identities::unlinkable(&app, context.caller(), &of, &id)?;
        let warning = if is_last_way_in {
            ", though nothing else signs in to the account"
        } else {
            ", so that it signs in no more"
        };
        let said = format!("{} {}", identity.provider, identity.key.subject);
        Consent::from_flag(self.yes).obtain(&format!("Unlink {said} from {}{warning}?", user.email))?;
        let gone = identities::unlink(&app, context.caller(), &of, &id)?;
        context.terminal().note(&format!("unlinked {said} from {}", user.email));
        context.terminal().changed(&table(&[gone]))
    }
}

const COLUMNS: [Column; 7] = [
    Column::Id("id"),
    Column::Whole("provider"),
    Column::Text("subject"),
    Column::Text("email"),
    Column::Text("issuer"),
    Column::Time("linked_at"),
    Column::Time("last_used_at"),
];

fn table(identities: &[Identity]) -> Table {
    let rows = identities.iter().map(|identity| (identity.id.to_string(), views::identity_of(identity)));
    Table::of_objects(&COLUMNS, rows).giving_way(&["linked_at", "issuer", "email", "last_used_at", "id"])
}
