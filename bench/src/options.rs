//! What was asked for on the command line.

use crate::Outcome;
use crate::seed::Size;
use std::path::PathBuf;
use std::time::Duration;

/// Where the daemon that is measured keeps its database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Store {
    Sqlite,
    Postgres,
}

impl Store {
    fn of_name(name: &str) -> Outcome<Self> {
        match name {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" => Ok(Self::Postgres),
            _ => Err(format!("unknown store {name}; there are sqlite postgres").into()),
        }
    }

    /// What `--rows` takes.
    const fn rows(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => {
                &["login", "me", "verify", "refresh", "calm", "memory", "start", "scale", "commands"]
            }
            Self::Postgres => &["refresh", "me", "verify", "daemons", "retries", "distance", "copy"],
        }
    }

    /// How large the large database is unless told.
    const fn large(self) -> Size {
        match self {
            Self::Sqlite => Size::LARGE,
            Self::Postgres => Size::MIDDLE,
        }
    }
}

pub const HELP: &str = "\
bench/run [--store STORE] [--runs N] [--seconds N] [--rows NAME,NAME...] [--users N] [--out FILE] [--authd FILE]

  --store STORE sqlite, or postgres: a server of its own, which it makes and stops (sqlite)
  --runs N      how often each figure is taken; the median counts (5)
  --seconds N   how long each load lasts (10)
  --rows LIST   only these rows, separated by commas (all); with sqlite
                login me verify refresh calm memory start scale commands
                and with postgres
                refresh me verify daemons retries distance copy
  --users N     how many users the large database has (sqlite: 1000000; postgres, which copies it: 20000);
                three times as many sessions, ten times as many lines in the audit log
  --out FILE    write the run as Markdown, too
  --authd FILE  measure this binary instead of building one";

#[derive(Clone, Debug)]
pub struct Options {
    pub store: Store,
    pub runs: usize,
    pub length: Duration,
    pub rows: Vec<String>,
    pub out: Option<PathBuf>,
    pub authd: PathBuf,
    /// How large the large database is.
    pub large: Size,
    /// Where databases are made: on the disk that is measured.
    pub folder: PathBuf,
    /// Where PostgreSQL's programs are.
    pub programs: PathBuf,
}

impl Options {
    pub fn parse(arguments: &[String]) -> Outcome<Self> {
        let (mut store, mut rows, mut large) = (Store::Sqlite, None, None);
        let mut options = Self {
            store,
            runs: 5,
            length: Duration::from_secs(10),
            rows: Vec::new(),
            out: None,
            authd: PathBuf::from("target/release/authd"),
            large: store.large(),
            folder: PathBuf::from("target/bench"),
            programs: PathBuf::new(),
        };
        let mut arguments = arguments.iter();
        while let Some(flag) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{flag} needs a value\n\n{HELP}"))?;
            match flag.as_str() {
                "--store" => store = Store::of_name(value)?,
                "--runs" => options.runs = value.parse::<usize>()?.max(1),
                "--seconds" => options.length = Duration::from_secs(value.parse::<u64>()?.max(1)),
                "--rows" => rows = Some(value.split(',').map(str::to_owned).collect()),
                "--users" => {
                    let users = value.parse::<i64>()?.max(1_000);
                    large = Some(Size { users, sessions: 3 * users, audit_lines: 10 * users });
                }
                "--out" => options.out = Some(value.into()),
                "--authd" => options.authd = value.into(),
                "--folder" => options.folder = value.into(),
                "--programs" => options.programs = value.into(),
                _ => return Err(format!("unknown flag {flag}\n\n{HELP}").into()),
            }
        }
        // Whichever came first on the command line.
        let known = store.rows();
        options.store = store;
        options.large = large.unwrap_or(store.large());
        options.rows = rows.unwrap_or_else(|| known.iter().map(|name| (*name).to_owned()).collect());
        match options.rows.iter().find(|name| !known.contains(&name.as_str())) {
            Some(unknown) => Err(format!("unknown row {unknown}; there are {}", known.join(" ")).into()),
            None => Ok(options),
        }
    }

    pub fn wants(&self, row: &str) -> bool {
        self.rows.iter().any(|name| name == row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Outcome<Options> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn rows_and_sizes_are_those_of_the_store_wherever_it_is_named() {
        assert!(parsed("").unwrap().wants("login"));
        let options = parsed("--rows copy,retries --store postgres").unwrap();
        assert!(options.wants("copy") && !options.wants("refresh"));
        assert_eq!(options.large, Size::MIDDLE);
        assert_eq!(parsed("--users 2000 --store postgres").unwrap().large.users, 2_000);
    }

    #[test]
    fn an_unknown_row_is_answered_with_those_of_the_store() {
        let answered = |line: &str| parsed(line).unwrap_err().to_string();
        assert!(answered("--rows copy").contains("login"));
        let with_a_server = answered("--store postgres --rows login");
        assert!(with_a_server.contains("copy") && !with_a_server.contains("calm"));
        assert!(answered("--store oracle").contains("sqlite postgres"));
    }

    #[test]
    fn the_help_names_every_row() {
        for row in [Store::Sqlite, Store::Postgres].into_iter().flat_map(Store::rows) {
            assert!(HELP.split_whitespace().any(|word| word == *row), "{row}");
        }
    }
}
