//! `audit`: what happened, who did it, and when.

use super::times::When;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum Verb {
    Tail(Tail),
}

/// Show the newest events, oldest of them first
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl audit tail -n 100 --user ann@example.com
  authctl audit tail -f --event LoginFailed
  authctl audit tail --since 12h -n 1000 -o json")]
pub struct Tail {
    /// Begin with the newest N events
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 20)]
    lines: u32,
    /// Go on with events as they happen, one a line, until interrupted
    #[arg(short, long)]
    follow: bool,
    /// Only events since then: 15m, 12h, 30d ago, or a time such as 2026-11-22T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// Only events about this user (e-mail address or id)
    #[arg(long)]
    user: Option<String>,
    /// Only events of this name, such as LoginFailed
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
}
