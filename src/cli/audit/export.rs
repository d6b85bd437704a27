//! `audit export`: the log for other programs, of any length.

use crate::cli::Context;
use crate::cli::exit::Failure;
use crate::cli::terminal::progress::{LongWork, Output};
use crate::cli::terminal::table::object;
use crate::cli::times::When;
use crate::domain::audit::Line;
use crate::usecase::audit::read as log;
use crate::views;
use clap::{Args, ValueEnum};
use serde_json::Value;

/// Print the whole log, oldest event first, as JSON lines or CSV
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl audit export > audit.jsonl
  authctl audit export --since 30d --format csv > audit.csv
  authctl audit export --since 2026-01-01 --until 2026-02-01")]
pub struct Export {
    /// Only events since then: 15m, 12h, 30d ago, a day such as 2026-11-22 (UTC), or 2026-11-22T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// Only events before then; a day itself is not among them
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    until: Option<When>,
    /// How to print them; CSV is made so that a spreadsheet runs nothing of it
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

const COLUMNS: [&str; 10] =
    ["seq", "at", "event", "actor", "user_id", "session_id", "ip", "request_id", "details", "hash"];

impl Export {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let mut count = 0;
        context.terminal().long_work(Output::AsItGoes, |work| {
            work.told(self.export(context, work, &mut count), || {
                format!("the output ends after {count} lines; run it again")
            })
        })
    }

    /// Counts in `count` what has been written whole.
    fn export(&self, context: &Context, work: &LongWork, count: &mut usize) -> Result<(), Failure> {
        let app = context.app()?;
        work.go_on()?;
        let resolve = |when: Option<When>| when.map(|when| when.resolve(app.now()));
        let pages =
            log::export(&app, context.caller(), resolve(self.since), resolve(self.until), work.progress())?;
        if self.format == Format::Csv {
            context.terminal().csv(&[COLUMNS.to_vec()], work)?;
        }
        for page in pages {
            let lines = page?;
            self.print(context, &lines, work)?;
            *count += lines.len();
        }
        Ok(())
    }

    fn print(&self, context: &Context, lines: &[Line], work: &LongWork) -> Result<(), Failure> {
        let objects: Vec<Value> = lines.iter().map(|line| object(views::exported_line(line))).collect();
        match self.format {
            Format::Jsonl => context.terminal().json_lines(&objects, work),
            Format::Csv => context.terminal().csv(&objects.iter().map(record).collect::<Vec<_>>(), work),
        }
    }
}

/// Details stay JSON, which a program can read back.
fn record(object: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    COLUMNS.iter().map(|column| text(&object[column])).collect()
}
