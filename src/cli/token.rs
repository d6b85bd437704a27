//! `token`: sessions with their refresh families, and single access tokens.

use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum Verb {
    List(List),
    Revoke(Revoke),
    Inspect(Inspect),
}

/// List sessions that are alive
#[derive(Args, Debug)]
pub struct List {
    /// Only the sessions of this user (e-mail address or id)
    #[arg(long)]
    user: Option<String>,
    /// Ended and expired sessions too
    #[arg(long)]
    all: bool,
}

/// End sessions, or void one access token; it counts at once
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl token revoke --id 019a0b7c-6c7e-7a31-8a52-0d2f4be1c3a9
  authctl token revoke --user ann@example.com
  authctl token revoke --token-stdin < leaked.txt")]
pub struct Revoke {
    #[command(flatten)]
    which: Which,
    /// Don't ask before --user and --all; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// This session
    #[arg(long, value_name = "SESSION")]
    id: Option<String>,
    /// Every session of this user (e-mail address or id)
    #[arg(long)]
    user: Option<String>,
    /// The one access token with this jti; its session lives on
    #[arg(long)]
    jti: Option<String>,
    /// The session of the access or refresh token that stands on stdin
    #[arg(long)]
    token_stdin: bool,
    /// Every session of every user
    #[arg(long)]
    all: bool,
}

/// Say whether a token is good, and if not, why
///
/// Takes an access or a refresh token. Exits 5 when the token is not good.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl token inspect
  authctl token inspect --stdin -o json < token.txt")]
pub struct Inspect {
    /// Read the token from stdin instead of asking for it
    #[arg(long)]
    stdin: bool,
}
