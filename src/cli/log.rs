//! The daemon's log: what `tracing` records, on stderr, as text or as JSON lines.
//!
//! Every record is one line, whatever a client put into it: what could drive a terminal or forge a second
//! line is escaped. Where stderr is the journal, each record says how grave it is (sd-daemon(3)), so that
//! `journalctl -p warning` finds it.

use super::terminal::{self, escape};
use crate::config::{Log, LogFormat, LogLevel};
use rustix::fs::fstat;
use std::io::{self, Write};
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log. A log that runs already, as in a test, stays.
pub fn start(log: &Log) {
    let level = level(log.level);
    let lines = tracing_subscriber::fmt().with_max_level(level).with_ansi(false);
    // What other crates have to say of their work may hold what nobody may read: a database's driver, say,
    // tells the values of every statement.
    let own = Targets::new()
        .with_target("authd", level)
        // What the server itself has to say, its warnings among it.
        .with_target("tokio_postgres::connection", level.min(LevelFilter::INFO))
        .with_default(level.min(LevelFilter::WARN));
    let to_journal = is_journal();
    let _ = match log.format {
        LogFormat::Text => {
            let lines = lines.with_target(false).with_writer(Stderr { line: one_line, to_journal });
            lines.finish().with(own).try_init()
        }
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_writer(Stderr { line: json_line, to_journal });
            lines.finish().with(own).try_init()
        }
    };
    // A panic is a record like any other: one line, in the same format, escaped.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, panic = panic.payload_as_str().unwrap_or("of no text"), "a thread panicked");
    }));
}

const fn level(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

/// Whether systemd has connected stderr to the journal: it names that stream's device and inode.
fn is_journal() -> bool {
    let named = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    fstat(io::stderr()).is_ok_and(|stderr| named == format!("{}:{}", stderr.st_dev, stderr.st_ino))
}

/// The journal's word for a level: a number of syslog(3) before the line.
const fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        _ => "<7>",
    }
}

struct Stderr {
    line: fn(&str) -> String,
    to_journal: bool,
}

impl MakeWriter<'_> for Stderr {
    type Writer = Lines;

    fn make_writer(&self) -> Lines {
        Lines { prefix: "", line: self.line }
    }

    fn make_writer_for(&self, record: &Metadata<'_>) -> Lines {
        Lines { prefix: if self.to_journal { priority(*record.level()) } else { "" }, line: self.line }
    }
}

/// Writes each record, which comes in one piece, as one line.
struct Lines {
    prefix: &'static str,
    line: fn(&str) -> String,
}

impl Write for Lines {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(record);
        let line = (self.line)(text.strip_suffix('\n').unwrap_or(&text));
        terminal::write_error(&format!("{}{line}", self.prefix));
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn one_line(record: &str) -> String {
    format!("{}\n", escape::visible(record))
}

fn json_line(record: &str) -> String {
    format!("{}\n", escape::json(record))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line_whatever_is_in_it() {
        assert_eq!(one_line("agent=\u{1b}[2Jx\n2026 INFO forged"), "agent=\\x1b[2Jx\\n2026 INFO forged\n");
        assert_eq!(json_line("{\"a\":\"\u{9b}\u{202e}\"}"), "{\"a\":\"\\u009b\\u202e\"}\n");
    }
}
