//! The daemon's log: what `tracing` records, on stderr, as text or as JSON lines.
//!
//! Every record is one line, whatever a client put into it: what could drive a terminal or forge a second
//! line is escaped.

use super::terminal::{self, escape};
use crate::config::{Log, LogFormat, LogLevel};
use std::io::{self, Write};
use tracing::level_filters::LevelFilter;

/// Starts the log. A log that runs already, as in a test, stays.
pub fn start(log: &Log) {
    let lines = tracing_subscriber::fmt().with_max_level(level(log.level)).with_ansi(false);
    let _ = match log.format {
        LogFormat::Text => lines.with_target(false).with_writer(|| Lines(one_line)).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_writer(|| Lines(json_line)).try_init(),
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

/// Writes each record, which comes in one piece, as one line.
struct Lines(fn(&str) -> String);

impl Write for Lines {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(record);
        terminal::write_error(&(self.0)(text.strip_suffix('\n').unwrap_or(&text)));
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
