//! `audit`: what happened, who did it, and when; and whether the log can still be believed.

mod export;
mod prune;
mod shown;
mod tail;
mod verify;

use super::Context;
use super::exit::Failure;
use clap::Subcommand;
use export::Export;
use prune::Prune;
use tail::Tail;
use verify::Verify;

#[derive(Subcommand, Debug)]
pub enum Verb {
    Tail(Tail),
    Verify(Verify),
    Export(Export),
    Prune(Prune),
}

impl Verb {
    /// Runs the verb.
    ///
    /// # Errors
    /// What the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Tail(tail) => tail.run(context),
            Self::Verify(verify) => verify.run(context),
            Self::Export(export) => export.run(context),
            Self::Prune(prune) => prune.run(context),
        }
    }
}
