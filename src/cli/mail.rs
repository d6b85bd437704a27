//! `mail`: the outbox.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Subcommand, Debug)]
pub enum Verb {
    List(List),
    Show(Show),
}

/// List mails in the outbox, newest first
#[derive(Args, Debug)]
pub struct List {
    /// Only mails in this state
    #[arg(long, value_enum)]
    state: Option<State>,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Queued,
    Sent,
    Failed,
}

/// Show one mail with its text
///
/// The text of a mail that was sent is gone; the rest of it stays.
#[derive(Args, Debug)]
pub struct Show {
    /// The mail's id
    #[arg(value_name = "ID")]
    id: String,
}
