//! `totp`: users' second factors.

use super::Context;
use super::exit::Failure;
use super::terminal::prompt::Consent;
use super::terminal::table::{Column, Table};
use crate::usecase::user::{self as accounts, UserRef};
use crate::usecase::view;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Show whether a user's second factor is on, and how it fares
    Status(Status),
    Reset(Reset),
}

#[derive(Args, Debug)]
pub struct Status {
    /// E-mail address or id
    user: String,
}

/// Take the second factor away from a user who lost it
///
/// Needed, too, when it answers no more after 100 wrong codes. The user's sessions end; the next login needs
/// the password alone.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl totp reset ann@example.com")]
pub struct Reset {
    /// E-mail address or id
    user: String,
    /// Don't ask; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}

impl Verb {
    /// # Errors
    /// What the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Status(status) => status.run(context),
            Self::Reset(reset) => reset.run(context),
        }
    }
}

impl Status {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let factor = accounts::second_factor(&app, context.caller(), &UserRef::parse(&self.user)?)?;
        context.terminal().show(&one(&factor))
    }
}

impl Reset {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = UserRef::parse(&self.user)?;
        let user = accounts::find(&app, context.caller(), &of)?;
        Consent::from_flag(self.yes).obtain(&format!("Take the second factor from {}?", user.email))?;
        let said = if accounts::reset_second_factor(&app, context.caller(), &of)? {
            format!("took the second factor from {}; all sessions have ended", user.email)
        } else {
            format!("{} has no second factor", user.email)
        };
        context.terminal().note(&said);
        context.terminal().changed(&one(&accounts::second_factor(&app, context.caller(), &of)?))
    }
}

const COLUMNS: [Column; 7] = [
    Column::Whole("user_id"),
    Column::Whole("email"),
    Column::Whole("enabled"),
    Column::Whole("enabled_at"),
    Column::Whole("failures"),
    Column::Whole("blocked"),
    Column::Whole("recovery_codes_left"),
];

fn one(factor: &accounts::SecondFactor) -> Table {
    Table::of_objects(&COLUMNS, std::iter::once((factor.user.id.to_string(), view::second_factor(factor))))
}
