//! `audit prune`: deletes the oldest lines; the rest can still be verified.

use crate::cli::Context;
use crate::cli::exit::Failure;
use crate::cli::terminal::progress::Output;
use crate::cli::terminal::prompt::Consent;
use crate::cli::terminal::table::{Column, Table};
use crate::cli::times::When;
use crate::usecase::audit::prune;
use crate::usecase::audit::prune::Plan;
use crate::views;
use clap::Args;

/// Delete the oldest lines of the log; what is left can still be verified
///
/// They go in small steps while the daemon runs. Stopped by Ctrl-C, what was done counts, and the next call
/// goes on; the log gets one line of each call.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl audit prune --keep 90d --dry-run
  authctl audit prune --keep 365d --yes
  authctl audit export --until 2026-01-01 > old.jsonl
  authctl audit prune --keep 2026-01-01 --yes")]
pub struct Prune {
    /// Keep lines that are younger: 12h, 90d, or written since a day such as 2026-01-01 (UTC) or a time
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    keep: When,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    /// Don't ask
    #[arg(long)]
    yes: bool,
}

impl Prune {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let app = context.app()?;
        let plan = prune::plan(&app, context.caller(), self.keep.resolve(app.now()))?;
        if plan.lines() <= 0 {
            if !self.dry_run {
                prune::tell_rest(&app, context.caller())?;
            }
            context.terminal().note(&format!("nothing is older than {}; nothing was changed", plan.before));
            return context.terminal().changed(&table(&plan, 0));
        }
        let what =
            format!("{} lines older than {}, {} to {}", plan.lines(), plan.before, plan.first, plan.through);
        if self.dry_run {
            context.terminal().note(&format!("would delete {what}; nothing was changed"));
            return context.terminal().changed(&table(&plan, 0));
        }
        Consent::from_flag(self.yes).obtain(&format!("Delete {what}?"))?;
        let pruned = context.terminal().long_work(Output::AtTheEnd, |work| {
            Ok(prune::prune(&app, context.caller(), &plan, work.progress())?)
        })?;
        if let Some(flaw) = pruned.flaw {
            return Err(Failure::Check(format!(
                "{flaw}; {} lines were deleted before it, and the rest was kept; run `authctl audit verify`",
                pruned.lines
            )));
        }
        context.terminal().note(&format!("deleted {what}"));
        context.terminal().changed(&table(&plan, pruned.lines))
    }
}

fn table(plan: &Plan, pruned: i64) -> Table {
    let columns = ["pruned", "lines", "first", "through", "before"].map(Column::Text);
    Table::of_objects(&columns, [(pruned.to_string(), views::audit_pruning(plan, pruned))])
}
