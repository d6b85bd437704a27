//! `export`: all users, on stdout, for `import` or a spreadsheet.

use super::Context;
use super::arguments::choices;
use super::exit::Failure;
use super::terminal::progress::{LongWork, Output};
use crate::ports::progress::Unit;
use crate::usecase::operator::export as taking;
use crate::usecase::operator::transfer_format::Contents;
use crate::usecase::operator::transfer_format::{Line, columns};
use clap::Args;
use serde_json::Value;

/// The two forms of the one format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Jsonl,
    Csv,
}

impl Form {
    const ALL: [Self; 2] = [Self::Jsonl, Self::Csv];

    const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

/// Print all users, oldest first, in a form that import takes
///
/// Without --with-hashes nobody can log in where the file is imported before setting a new password; second
/// factors, passkeys and the accounts at providers that sign in stay behind. With it, import makes the same
/// users once more: whoever has the file can guess at the passwords, and has the second factors and codes'
/// hashes. The audit log says that it was taken.
///
/// Users come with the names of their roles, not with what those permit, and with the names of their
/// providers, not with what the configuration says of these. Sessions, links, locks, mails, API keys and the
/// audit log are no part of it; `db backup` keeps everything.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  authctl export --with-hashes > users.jsonl
  authctl export --format csv > users.csv")]
pub struct Export {
    /// One JSON object a line, or CSV with a header line
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    #[arg(value_parser = choices(Form::ALL, Form::name))]
    format: Form,
    /// Take along password hashes, second factors' secrets, hashes of recovery codes, identities and passkeys
    #[arg(long)]
    with_hashes: bool,
}

impl Export {
    /// Writes the users to stdout or to a new file.
    ///
    /// # Errors
    /// What the use-case refuses, or can't do.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let mut count = 0;
        let outcome = context.terminal().long_work(Output::AsItGoes, |work| {
            work.told(self.export(context, work, &mut count), || {
                format!("the output ends after {count} users; run it again")
            })
        });
        outcome.inspect(|()| context.terminal().note(&format!("exported {count} users")))
    }

    /// Counts in `count` whose users have been written whole.
    fn export(&self, context: &Context, work: &LongWork, count: &mut u64) -> Result<(), Failure> {
        let app = context.app()?;
        work.go_on()?;
        let contents = if self.with_hashes { Contents::WithCredentials } else { Contents::Profile };
        let users = taking::begin(&app, context.caller(), contents)?;
        work.progress().begin("exporting", Unit::Things("users"), Some(users));
        if self.with_hashes {
            context.terminal().note(
                "warning: this holds password hashes and second factors' secrets; keep it as you keep the key file, \
                 and delete it once it is imported",
            );
        }
        if self.format == Form::Csv {
            context.terminal().csv(&[columns(contents)], work)?;
        }
        let mut after = None;
        loop {
            work.go_on()?;
            let (lines, next) = taking::page(&app, context.caller(), contents, after)?;
            let users = lines.len() as u64;
            self.print(context, lines, work)?;
            *count += users;
            work.progress().set(*count);
            if next.is_none() {
                return Ok(());
            }
            after = next;
        }
    }

    fn print(&self, context: &Context, lines: Vec<Line>, work: &LongWork) -> Result<(), Failure> {
        match self.format {
            Form::Jsonl => {
                let objects: Vec<Value> = lines.into_iter().map(|line| Value::Object(line.object)).collect();
                context.terminal().json_lines(&objects, work)
            }
            Form::Csv => {
                let records: Vec<_> = lines.iter().map(|line| line.cells().collect()).collect();
                context.terminal().csv(&records, work)
            }
        }
    }
}
