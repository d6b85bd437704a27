//! What was asked for on the command line.

use crate::Outcome;
use crate::seed::Size;
use std::path::PathBuf;
use std::time::Duration;

/// What `--rows` takes.
pub const ROWS: [&str; 9] =
    ["login", "me", "verify", "refresh", "calm", "memory", "start", "scale", "commands"];

pub const HELP: &str = "\
bench/run [--runs N] [--seconds N] [--rows NAME,NAME...] [--out FILE] [--authd FILE]

  --runs N      how often each figure is taken; the median counts (5)
  --seconds N   how long each load lasts (10)
  --rows LIST   only these rows, separated by commas (all):
                login me verify refresh calm memory start scale commands
  --users N     how many users the large database has (1000000); three times as many sessions,
                ten times as many lines in the audit log
  --out FILE    write the run as Markdown, too
  --authd FILE  measure this binary instead of building one";

#[derive(Clone, Debug)]
pub struct Options {
    pub runs: usize,
    pub length: Duration,
    pub rows: Vec<String>,
    pub out: Option<PathBuf>,
    pub authd: PathBuf,
    /// How large the large database is.
    pub large: Size,
    /// Where databases are made: on the disk that is measured.
    pub folder: PathBuf,
}

impl Options {
    pub fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut options = Self {
            runs: 5,
            length: Duration::from_secs(10),
            rows: ROWS.map(str::to_owned).to_vec(),
            out: None,
            authd: PathBuf::from("target/release/authd"),
            large: Size::LARGE,
            folder: PathBuf::from("target/bench"),
        };
        let mut arguments = arguments.iter();
        while let Some(flag) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{flag} needs a value\n\n{HELP}"))?;
            match flag.as_str() {
                "--runs" => options.runs = value.parse::<usize>()?.max(1),
                "--seconds" => options.length = Duration::from_secs(value.parse::<u64>()?.max(1)),
                "--rows" => options.rows = value.split(',').map(str::to_owned).collect(),
                "--users" => {
                    let users = value.parse::<i64>()?.max(1_000);
                    options.large = Size { users, sessions: 3 * users, audit_lines: 10 * users };
                }
                "--out" => options.out = Some(value.into()),
                "--authd" => options.authd = value.into(),
                "--folder" => options.folder = value.into(),
                _ => return Err(format!("unknown flag {flag}\n\n{HELP}").into()),
            }
        }
        match options.rows.iter().find(|name| !ROWS.contains(&name.as_str())) {
            Some(unknown) => Err(format!("unknown row {unknown}; there are {}", ROWS.join(" ")).into()),
            None => Ok(options),
        }
    }

    pub fn wants(&self, row: &str) -> bool {
        self.rows.iter().any(|name| name == row)
    }
}
