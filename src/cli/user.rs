//! `user`: people's accounts.

use super::password::PasswordFlags;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Subcommand, Debug)]
pub enum Verb {
    Add(Add),
    List(List),
    Show(Show),
    Passwd(Passwd),
    /// Stop users from logging in and end their sessions, at once
    Disable(Users),
    /// Let disabled users log in again
    Enable(Users),
    Delete(Delete),
}

/// Create a user
///
/// Without one of the four password flags, the password is asked for twice, hidden; off a terminal one of
/// the flags is needed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl user add ann@example.com --role admin
  authctl user add bob@example.com --invite
  authctl user add ci@example.com --password-stdin --if-not-exists < password.txt")]
pub struct Add {
    /// The user's e-mail address
    email: String,
    /// The user's name, as shown to people
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
    /// Give the user this role (may be repeated)
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Take the address as verified
    #[arg(long)]
    verified: bool,
    #[command(flatten)]
    password: PasswordFlags,
    /// Succeed and change nothing when there is a user with this address
    #[arg(long)]
    if_not_exists: bool,
}

/// List users, oldest first
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl user list --query example.com
  authctl user list --state disabled -q")]
pub struct List {
    /// Only users whose address or name contains this text
    #[arg(long, value_name = "TEXT")]
    query: Option<String>,
    /// Only users with this role
    #[arg(long)]
    role: Option<String>,
    /// Only users in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// At most so many, 1 to 200
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
    /// Go on where the cursor of an earlier list says
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Locked,
    Disabled,
    Unverified,
}

/// Show one user
#[derive(Args, Debug)]
pub struct Show {
    /// E-mail address or id
    user: String,
}

/// Set a user's password and end the user's sessions
///
/// Without one of the four password flags, the password is asked for twice, hidden; off a terminal one of
/// the flags is needed. With --invite the old password stays until the user sets a new one by the link.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl user passwd ann@example.com
  authctl user passwd ann@example.com --generate-password")]
pub struct Passwd {
    /// E-mail address or id
    user: String,
    #[command(flatten)]
    password: PasswordFlags,
}

#[derive(Args, Debug)]
pub struct Users {
    /// E-mail addresses or ids
    #[arg(value_name = "USER", required = true)]
    users: Vec<String>,
}

/// Delete users and their personal data, for good
///
/// Their sessions end at once. The audit log keeps their ids.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl user delete ann@example.com
  authctl user list --state disabled -q | xargs authctl user delete --yes")]
pub struct Delete {
    #[command(flatten)]
    users: Users,
    /// Don't ask; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}
