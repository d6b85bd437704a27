//! `registration`: those who have registered and not opened the link in their mail.

use super::exit::Failure;
use super::paging::Paging;
use super::terminal::prompt::Consent;
use super::terminal::table::{Column, Table};
use super::words::counted;
use super::{Context, named};
use crate::domain::registration::Registration;
use crate::usecase::account::registrations;
use crate::usecase::operator::short_id::Kind;
use crate::views;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum Verb {
    List(List),
    Confirm(Confirm),
    Delete(Delete),
}

/// List registrations that wait for their link, oldest first
///
/// Whoever registers has an account once the link in the mail is opened, within 24 hours. An address that has
/// an account already is listed as any other: its owner got a mail that says so.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl registration list
  authctl registration list -o json")]
pub struct List {
    #[command(flatten)]
    paging: Paging,
}

/// Make the account as its link would: for places without mail
///
/// The address counts as verified, and other registrations for it are void. Where some wait with different
/// passwords, one is named by its id: find out first which of them its owner made.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl registration confirm ann@example.com
  authctl registration confirm 019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9")]
pub struct Confirm {
    /// The address, or the id of one registration
    #[arg(value_name = "REGISTRATION")]
    registration: String,
}

/// Delete registrations that wait; their links are void
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl registration delete ann@example.com
  authctl registration delete 019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9 --yes")]
pub struct Delete {
    /// The address, for all of its registrations, or the id of one
    #[arg(value_name = "REGISTRATION")]
    registration: String,
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
            Self::Confirm(confirm) => confirm.run(context),
            Self::Delete(delete) => delete.run(context),
        }
    }
}

impl List {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        self.paging.print(
            context,
            |limit, after| registrations::list(&app, context.caller(), limit, after),
            |waiting| named::shortened(context, &app, Kind::Registration, table(waiting)),
        )
    }
}

impl Confirm {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = named::registration(context, &app, &self.registration)?;
        let user = registrations::confirm(&app, context.caller(), &of)?;
        let id = named::short(context, &app, Kind::User, &user.id.to_string())?;
        context.terminal().note(&format!("created user {} {id}", user.email));
        context.terminal().changed(&super::user::tables::one(&user, app.now()))
    }
}

impl Delete {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = named::registration(context, &app, &self.registration)?;
        Consent::from_flag(self.yes).obtain(&question(&registrations::find(&app, context.caller(), &of)?))?;
        let deleted = registrations::delete(&app, context.caller(), &of)?;
        for registration in &deleted {
            let id = named::short(context, &app, Kind::Registration, &registration.id.to_string())?;
            context.terminal().note(&format!("deleted registration {id} of {}", registration.email));
        }
        context.terminal().all_changed(&table(&deleted))
    }
}

/// What is asked before registrations of one address go, of which there is one at least.
fn question(found: &[Registration]) -> String {
    let whose = found.first().map(|one| one.email.to_string()).unwrap_or_default();
    format!(
        "Delete {} of {whose}, so that the link in the mail is void?",
        counted(found.len() as u64, "registration")
    )
}

const COLUMNS: [Column; 7] = [
    Column::Id("id"),
    Column::Whole("email"),
    Column::Text("name"),
    Column::Text("password_required"),
    Column::Text("ip"),
    Column::Cut("user_agent"),
    Column::Time("created_at"),
];

fn table(registrations: &[Registration]) -> Table {
    let rows =
        registrations.iter().map(|waiting| (waiting.id.to_string(), views::pending_registration(waiting)));
    let order = &["user_agent", "password_required", "name", "ip", "created_at", "id"];
    Table::of_objects(&COLUMNS, rows).giving_way(order)
}
