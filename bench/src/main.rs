//! Measures authd against what the same machine does without it; `bench/run` builds and calls it.
//!
//! A ratio counts only within one run: both sides by turns, on the same cores, with the same load generator.

mod bare_http;
mod bare_pg;
mod bare_sql;
mod client;
mod cluster;
mod daemon;
mod hashes;
mod load;
mod machine;
mod options;
mod people;
mod proxy;
mod rows;
mod seed;
mod session;
mod table;
mod wrk;

use options::Options;
use std::error::Error;
use std::process::ExitCode;

/// What a measurement gives, or what kept it from being made.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some("bare-http") => bare_http::serve(),
        _ => Options::parse(&arguments).and_then(|options| rows::measure(&options)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {}", whole(&*error));
            ExitCode::FAILURE
        }
    }
}

/// An error with what it came from, which says more than itself where it is a driver's.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
