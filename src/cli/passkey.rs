//! `passkey`: users' passkeys.

use super::exit::Failure;
use super::paging::Paging;
use super::terminal::prompt::Consent;
use super::terminal::table::{Column, Table};
use super::words::counted;
use super::{Context, named};
use crate::domain::passkey::Passkey;
use crate::domain::user::User;
use crate::usecase::account::admin as accounts;
use crate::usecase::account::passkeys;
use crate::usecase::account::passkeys::Deletable;
use crate::usecase::operator::short_id::Kind;
use crate::usecase::session::list;
use crate::views;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum Verb {
    List(List),
    Delete(Delete),
}

/// List a user's passkeys
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl passkey list ann@example.com
  authctl passkey list ann@example.com -o json")]
pub struct List {
    /// E-mail address or id
    user: String,
    #[command(flatten)]
    paging: Paging,
}

/// Delete a passkey of a user who lost it; it signs in no more
///
/// The user's sessions end, and they are told by mail. With the last second factor go the recovery codes: the
/// next login needs the password alone. Where nothing else signs in to the account, it is asked for, with a
/// warning; `user recover-link` brings its owner back.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl passkey delete ann@example.com 019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9
  authctl passkey delete ann@example.com 019a0b7c --yes")]
pub struct Delete {
    /// E-mail address or id
    user: String,
    /// The passkey's id, or as much of its beginning as no other has
    #[arg(value_name = "PASSKEY")]
    passkey: String,
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
            Self::Delete(delete) => delete.run(context),
        }
    }
}

impl List {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = named::user(context, &app, &self.user)?;
        self.paging.print(
            context,
            |limit, after| passkeys::page(&app, context.caller(), &of, limit, after),
            |listed| named::shortened(context, &app, Kind::Passkey, table(listed)),
        )
    }
}

impl Delete {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let of = named::user(context, &app, &self.user)?;
        let user = accounts::find(&app, context.caller(), &of)?;
        let id = named::passkey(context, &app, &self.passkey)?;
        let found = passkeys::deletable(&app, context.caller(), &of, &id)?;
        let sessions = list::count_of(&app, context.caller(), &[user.id])?;
        Consent::from_flag(self.yes).obtain(&question(&user, &found, sessions))?;
        let gone = passkeys::delete(&app, context.caller(), &of, &id)?;
        context.terminal().note(&format!(
            "deleted {} of {}; all sessions have ended",
            called(&gone),
            user.email
        ));
        context.terminal().changed(&table(&[gone]))
    }
}

fn question(user: &User, found: &Deletable, sessions: u64) -> String {
    let ends = match sessions {
        0 => String::new(),
        some => format!(" and end {}", counted(some, "session")),
    };
    let is_last_factor = user.totp_at.is_none() && user.passkeys <= 1;
    let warning = if found.is_last_way_in {
        ", though nothing else signs in to the account"
    } else if is_last_factor {
        ", so that the password alone signs in"
    } else {
        ""
    };
    format!("Delete {} of {}{ends}{warning}?", called(&found.passkey), user.email)
}

/// As its owner calls it, where they do.
fn called(passkey: &Passkey) -> String {
    match passkey.name.as_str() {
        "" => format!("the passkey of {}", passkey.created_at),
        name => format!("the passkey {name}"),
    }
}

const COLUMNS: [Column; 7] = [
    Column::Id("id"),
    Column::Text("name"),
    Column::Text("rp_id"),
    Column::Whole("backed_up"),
    Column::Text("transports"),
    Column::Time("created_at"),
    Column::Time("last_used_at"),
];

fn table(passkeys: &[Passkey]) -> Table {
    let rows = passkeys.iter().map(|passkey| (passkey.id.to_string(), views::passkey_of(passkey)));
    Table::of_objects(&COLUMNS, rows).giving_way(&["transports", "rp_id", "created_at", "backed_up", "id"])
}
