//! The only place that writes to stdout and stderr: results in the format that was asked for, and notes about
//! them.
//!
//! Results go to stdout, everything else to stderr. `table` and `escape` make sure that no text of a user
//! controls the terminal.

pub mod csv;
mod cut;
pub mod escape;
pub mod lines;
mod listing;
mod picture;
pub mod plan;
pub mod progress;
pub mod prompt;
pub mod table;

use crate::cli::exit::Failure;
use crate::error::Fault;
use crate::usecase::account::qr::Qr;
use crate::views::View;
use escape::{visible, visible_lines};
use plan::PlanLine;
use progress::LongWork;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use table::{Colour, Row, Style, Table};

/// How results are printed (`-o`): as a table (without borders and colour where stdout is no terminal), as
/// one JSON document (JSON lines where events are followed), or as tab-separated rows under a header line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    Json,
    Tsv,
}

/// When to use colour (`--color`). `Auto`: on a terminal, unless `NO_COLOR` is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ColourChoice {
    Auto,
    Always,
    Never,
}

/// How much to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    Full,
    /// `-q`: ids alone, whatever the format.
    Ids,
}

/// Where results go, and in which form.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// `authd` or `authctl`, as it was called.
    program: String,
    format: Format,
    detail: Detail,
    style: Style,
    colour: Colour,
    /// As it was chosen; `colour` is what that comes to on stdout.
    choice: ColourChoice,
}

impl Terminal {
    /// Prepares stdout and stderr for one command: the format, and whether there is colour.
    #[must_use]
    pub fn new(program: &str, format: Format, detail: Detail, colour: ColourChoice) -> Self {
        let (style, choice, colour) = (style(), colour, colour.resolve(&stdout()));
        Self { program: program.to_owned(), format, detail, style, colour, choice }
    }

    /// The format that results are printed in.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Whether ids alone are wanted.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.detail == Detail::Ids
    }

    /// Prints what a list command found.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn list(&self, table: &Table) -> Result<(), Failure> {
        let mut listing = self.listing();
        listing.add(table.clone())?;
        listing.end()
    }

    /// Whether stdout is a terminal, on which a person reads a list.
    #[must_use]
    pub const fn is_a_screen(&self) -> bool {
        matches!(self.style, Style::Bordered { .. })
    }

    /// Whether results are drawn on a terminal, where ids are shortened.
    #[must_use]
    pub fn draws(&self) -> bool {
        self.is_a_screen() && self.is_for_people()
    }

    /// Prints the one thing that was asked for: a table with one row, drawn as name and value pairs.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn show(&self, table: &Table) -> Result<(), Failure> {
        write_result(&match (self.detail, self.format) {
            (Detail::Ids, _) => table.ids(),
            (_, Format::Table) => table.draw_record(self.style, self.colour),
            (_, Format::Tsv) => table.tsv(),
            (_, Format::Json) => table.rows.iter().map(|row| table::json_document(&row.json)).collect(),
        })
    }

    /// Prints what was changed, for `-o json`, `-o tsv` and `-q`. People read a sentence on stderr instead:
    /// see [`Terminal::note`].
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn changed(&self, table: &Table) -> Result<(), Failure> {
        if self.is_for_people() { Ok(()) } else { self.show(table) }
    }

    /// As [`Terminal::changed`], for commands that take several names: JSON is an array.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn all_changed(&self, table: &Table) -> Result<(), Failure> {
        if self.is_for_people() { Ok(()) } else { self.list(table) }
    }

    /// Whether results are drawn for people: neither JSON, TSV nor ids.
    #[must_use]
    pub fn is_for_people(&self) -> bool {
        self.detail == Detail::Full && self.format == Format::Table
    }

    /// Prints a plan for people.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn plan(&self, lines: &[PlanLine]) -> Result<(), Failure> {
        write_result(&plan::draw(lines, width(&stdout()), self.colour))
    }

    /// Shows a plan to the person who is about to be asked, on stderr.
    pub fn note_plan(&self, lines: &[PlanLine]) {
        write_error(&plan::draw(lines, width(&stderr()), self.choice.resolve(&stderr())));
    }

    /// Prints a secret, alone on stdout, once; with `-o json` the object that holds it.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn secret(&self, secret: &str, holder: impl View) -> Result<(), Failure> {
        write_result(&match self.format {
            Format::Table | Format::Tsv => format!("{secret}\n"),
            Format::Json => table::json_document(&table::object(holder)),
        })
    }

    /// Prints secrets, once: `alone` for people, else the object they belong to. `-q` doesn't keep them back,
    /// since nobody can ask for them again.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn secrets(&self, alone: &str, about: &Table) -> Result<(), Failure> {
        match self.format {
            Format::Table => write_result(alone),
            Format::Tsv => write_result(&about.tsv()),
            Format::Json => {
                about.rows.iter().try_for_each(|row| write_result(&table::json_document(&row.json)))
            }
        }
    }

    /// A QR code with a line under it, as stdout shows it.
    #[must_use]
    pub fn picture(&self, qr: &Qr, caption: &str) -> String {
        self.draw(qr, caption, &stdout())
    }

    /// Shows a QR code with a line under it to the person in front of it, on stderr.
    pub fn show_picture(&self, qr: &Qr, caption: &str) {
        write_error(&self.draw(qr, caption, &stderr()));
    }

    fn draw(&self, qr: &Qr, caption: &str, on: &(impl IsTerminal + AsFd)) -> String {
        picture::draw(qr, caption, self.choice.resolve(on), width(on))
    }

    /// Prints events: as [`Terminal::list`], but JSON is one object a line, so that one reader serves both a
    /// finished list and a stream.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn events(&self, table: &Table) -> Result<(), Failure> {
        match (self.detail, self.format) {
            (Detail::Full, Format::Json) => write_result(&table.json_lines()),
            (Detail::Ids, _) | (Detail::Full, Format::Table | Format::Tsv) => self.list(table),
        }
    }

    /// Prints objects as JSON, one a line, whatever the format: an export is the same for everybody.
    ///
    /// # Errors
    /// [`Failure::Closed`], [`Fault::Stopped`], or a fault when stdout can't be written.
    pub fn json_lines(&self, objects: &[Value], work: &LongWork) -> Result<(), Failure> {
        work.write(&objects.iter().map(table::json_line).collect::<String>())
    }

    /// Prints records as CSV, one a line, whatever the format.
    ///
    /// # Errors
    /// [`Failure::Closed`], [`Fault::Stopped`], or a fault when stdout can't be written.
    pub fn csv<T: AsRef<str>>(&self, records: &[Vec<T>], work: &LongWork) -> Result<(), Failure> {
        work.write(&records.iter().map(csv::line).collect::<String>())
    }

    /// Prints events that come after those of [`Terminal::events`]: the same without a header, at once.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn more_events(&self, table: &Table) -> Result<(), Failure> {
        write_result(&match (self.detail, self.format) {
            (Detail::Ids, _) => table.ids(),
            (Detail::Full, Format::Json) => table.json_lines(),
            (Detail::Full, Format::Table | Format::Tsv) => table.rows.iter().map(Row::tsv).collect(),
        })
    }

    /// Begins a stream of rows: the header line, where the format has one.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn begin_stream(&self, table: &Table, widths: &[usize]) -> Result<(), Failure> {
        write_result(&match (self.detail, self.format) {
            (Detail::Ids, _) | (_, Format::Json) => String::new(),
            (_, Format::Tsv) => table.tsv_header(),
            (_, Format::Table) => table.stream_header(widths),
        })
    }

    /// Prints one row of a stream, on one line, at once.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn stream(&self, row: &Row, widths: &[usize]) -> Result<(), Failure> {
        write_result(&match (self.detail, self.format) {
            (Detail::Ids, _) => row.id_line(),
            (_, Format::Json) => row.json_line(),
            (_, Format::Tsv) => row.tsv(),
            (_, Format::Table) => row.stream_line(widths),
        })
    }

    /// Prints one row of a stream as [`Terminal::stream`] does, on a terminal within its width.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn stream_wrapped(&self, row: &Row, widths: &[usize]) -> Result<(), Failure> {
        match self.style {
            Style::Bordered { width } if self.is_for_people() => {
                write_result(&row.stream_lines(widths, width))
            }
            Style::Bordered { .. } | Style::Plain => self.stream(row, widths),
        }
    }

    /// Prints text of authd's own making as it is: a man page, a completion script, a configuration.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        write_result(text)
    }

    /// Prints text that a user may have written, in lines.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn foreign_text(&self, text: &str) -> Result<(), Failure> {
        write_result(&(visible_lines(text) + "\n"))
    }

    /// Says something to the person in front of it, on stderr.
    pub fn note(&self, text: &str) {
        write_error(&(visible_lines(text) + "\n"));
    }

    /// Says on stderr why something was not done: one line (one for each thing that is wrong), or with
    /// `-o json` the problem object.
    pub fn report(&self, failure: &Failure) {
        let Some(word) = failure.word() else { return };
        match (self.format, failure.problem()) {
            (Format::Json, Some(problem)) => write_error(&table::json_line(&table::object(problem))),
            (Format::Table | Format::Tsv, _) | (Format::Json, None) => {
                let detail = failure.detail();
                // What is set in goes on with the line before it.
                let line = |line: &str| {
                    let goes_on = line.starts_with(' ');
                    let begin = if goes_on { String::new() } else { format!("{}: {word}: ", self.program) };
                    format!("{begin}{}\n", visible(line))
                };
                write_error(&detail.lines().map(line).collect::<String>());
            }
        }
    }
}

impl ColourChoice {
    fn resolve(self, on: &impl IsTerminal) -> Colour {
        match self {
            Self::Always => Colour::On,
            Self::Auto if on.is_terminal() && !no_colour() => Colour::On,
            Self::Auto | Self::Never => Colour::Off,
        }
    }
}

/// What the argument parser has to say where that is no error: help and version on stdout; on stderr the
/// help of a noun that was typed without its verb.
///
/// # Errors
/// [`Failure::Closed`], or a fault when stdout can't be written.
pub fn parser_says(answer: &clap::Error) -> Result<(), Failure> {
    let text = answer.render();
    if answer.use_stderr() {
        write_error(&(visible_lines(&text.to_string()) + "\n"));
        return Ok(());
    }
    match ColourChoice::Auto.resolve(&stdout()) {
        Colour::On => write_result(&text.ansi().to_string()),
        Colour::Off => write_result(&text.to_string()),
    }
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The time is over.
    Elapsed,
    /// Nobody reads stdout any more.
    Closed,
    /// Somebody asked for the end: SIGINT or SIGTERM.
    Interrupted,
}

/// Waits while a stream has nothing to say, and notices when nobody listens any more.
#[derive(Debug)]
pub struct Waiter {
    interrupted: Arc<AtomicBool>,
}

impl Waiter {
    /// From here on SIGINT and SIGTERM end the wait instead of the program.
    ///
    /// # Errors
    /// A fault when the signals can't be caught.
    pub fn new() -> Result<Self, Fault> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))
                .map_err(|error| Fault::Internal(format!("signals can't be caught: {error}")))?;
        }
        Ok(Self { interrupted })
    }

    /// Waits for `span`, or for less when stdout is closed or a signal comes.
    ///
    /// # Errors
    /// A fault when the wait itself fails.
    pub fn wait_or_closed(&self, span: Duration) -> Result<Waited, Fault> {
        let span = Timespec::try_from(span).map_err(|_| Fault::Internal("too long a wait".into()))?;
        let stdout = stdout();
        // No event is asked for: a reader's leaving is told unasked.
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        let polled = poll(&mut watched, Some(&span));
        if self.interrupted.load(Ordering::Relaxed) {
            return Ok(Waited::Interrupted);
        }
        match polled {
            Ok(0) | Err(rustix::io::Errno::INTR) => Ok(Waited::Elapsed),
            Ok(_) => Ok(Waited::Closed),
            Err(error) => Err(Fault::Internal(format!("stdout can't be watched: {error}"))),
        }
    }
}

/// A terminal that doesn't tell its width gets the width that terminals have had for fifty years.
const USUAL_WIDTH: u16 = 80;

fn style() -> Style {
    width(&stdout()).map_or(Style::Plain, |width| Style::Bordered { width })
}

/// `None`: it is no terminal.
fn width(stream: &(impl IsTerminal + AsFd)) -> Option<u16> {
    let told = || rustix::termios::tcgetwinsize(stream).map_or(0, |size| size.ws_col);
    stream.is_terminal().then(told).map(|width| if width == 0 { USUAL_WIDTH } else { width })
}

/// <https://no-color.org>: set and not empty.
fn no_colour() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

fn write_result(text: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) => Err(unwritten(&error)),
    }
}

fn unwritten(error: &std::io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        return Failure::Closed;
    }
    Fault::Internal(format!("stdout can't be written: {error}; let it go elsewhere, or make room")).into()
}

/// Writes to stderr. There is nobody left to tell when stderr itself can't be written.
pub(super) fn write_error(text: &str) {
    let _ = stderr().lock().write_all(text.as_bytes());
}
