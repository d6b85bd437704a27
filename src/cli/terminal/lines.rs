//! Lines under one header, one for each thing that happens, whose columns keep their places however long the
//! stream goes on. On a screen no line is longer than the screen is wide: what is too long for its column
//! ends with `…`, and the last column takes what is left. Elsewhere nothing is cut.

use super::cut::cut;
use super::escape::visible;
use super::table::{Colour, Tone};
use super::{Terminal, width, write_result};
use crate::cli::exit::Failure;
use std::io::stdout;
use unicode_width::UnicodeWidthStr;

/// What the last column of a screen gets before others grow beyond their usual width.
const REST: usize = 24;

/// A column's name and its usual width, which the last column ignores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineColumn {
    pub name: &'static str,
    pub width: usize,
}

/// What stands in a column of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    text: String,
    tone: Tone,
}

impl Part {
    /// A text without colour; whatever drives a terminal is escaped.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::toned(text, Tone::Plain)
    }

    /// A text in the colour of `tone`.
    #[must_use]
    pub fn toned(text: &str, tone: Tone) -> Self {
        Self { text: visible(text).into_owned(), tone }
    }
}

/// Whether lines come after the first ones, which nobody has seen yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    Expected,
    None,
}

/// Where the columns stand.
#[derive(Clone, Debug)]
struct Layout {
    columns: &'static [LineColumn],
    /// Of all but the last.
    widths: Vec<usize>,
    gap: usize,
    colour: Colour,
}

/// Lines that are being printed.
#[derive(Debug)]
pub struct Lines {
    layout: Layout,
}

impl Terminal {
    /// How many letters a line of the screen has. `None`: results go elsewhere.
    #[must_use]
    pub fn screen_width() -> Option<usize> {
        width(&stdout()).map(usize::from)
    }

    /// Begins with a header and the first lines.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn begin_lines(
        &self,
        columns: &'static [LineColumn],
        first: &[Vec<Part>],
        more: More,
    ) -> Result<Lines, Failure> {
        let screen = Self::screen_width();
        let layout = Layout::new(columns, first, more, screen, self.colour);
        let lines = Lines { layout };
        write_result(&lines.layout.header(screen))?;
        lines.print(first)?;
        Ok(lines)
    }
}

impl Lines {
    /// Prints lines, at once.
    ///
    /// # Errors
    /// [`Failure::Closed`], or a fault when stdout can't be written.
    pub fn print(&self, lines: &[Vec<Part>]) -> Result<(), Failure> {
        // The screen may be another width by now.
        let screen = Terminal::screen_width();
        let text: String = lines.iter().map(|line| self.layout.line(line, screen)).collect();
        write_result(&text)
    }
}

impl Layout {
    fn new(
        columns: &'static [LineColumn],
        first: &[Vec<Part>],
        more: More,
        screen: Option<usize>,
        colour: Colour,
    ) -> Self {
        let longest =
            |at: usize| first.iter().filter_map(|line| line.get(at)).map(|part| part.text.width()).max();
        let wanted: Vec<usize> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| longest(at).unwrap_or(0).max(column.name.width()))
            .collect();
        let (rest, all) = wanted.split_last().expect("there are columns");
        let Some(screen) = screen else {
            let widths = all.iter().zip(columns).map(|(wanted, column)| column.width.max(*wanted)).collect();
            return Self { columns, widths, gap: 2, colour };
        };
        let gap = if screen < 100 { 1 } else { 2 };
        let usual = |(wanted, column): (&usize, &LineColumn)| match more {
            More::Expected => column.width,
            More::None => column.width.min(*wanted),
        };
        let mut widths: Vec<usize> = all.iter().zip(columns).map(usual).collect();
        // What nobody needs goes to the first column that is cut.
        let rest = if more == More::None { REST.min(*rest) } else { REST };
        let taken = widths.iter().map(|width| width + gap).sum::<usize>() + rest;
        let mut spare = screen.saturating_sub(taken);
        for (width, wanted) in widths.iter_mut().zip(all) {
            let more = spare.min(wanted.saturating_sub(*width));
            *width += more;
            spare -= more;
        }
        Self { columns, widths, gap, colour }
    }

    fn header(&self, screen: Option<usize>) -> String {
        let names = self.columns.iter().map(|column| Part::new(column.name));
        let line = self.line(&names.collect::<Vec<_>>(), screen);
        match self.colour {
            Colour::On => format!("\u{1b}[1m{}\u{1b}[0m\n", line.trim_end()),
            Colour::Off => line,
        }
    }

    fn line(&self, parts: &[Part], screen: Option<usize>) -> String {
        let (mut out, mut column) = (String::new(), 0);
        for (at, part) in parts.iter().enumerate() {
            let left = screen.map_or(usize::MAX, |screen| screen.saturating_sub(column));
            let room = match (self.widths.get(at), screen) {
                (Some(width), Some(_)) => left.min(*width),
                (None, _) | (_, None) => left,
            };
            let text = cut(&part.text, room);
            out.push_str(&self.coloured(&text, part.tone));
            let filled = self.widths.get(at).map_or(0, |width| width.saturating_sub(text.width()) + self.gap);
            out.push_str(&" ".repeat(filled));
            column += text.width() + filled;
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }

    fn coloured(&self, text: &str, tone: Tone) -> String {
        let code = match (self.colour, tone) {
            (Colour::Off, _) | (Colour::On, Tone::Plain) => return text.to_owned(),
            (Colour::On, Tone::Good) => 32,
            (Colour::On, Tone::Warning) => 33,
            (Colour::On, Tone::Bad) => 31,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[LineColumn] = &[
        LineColumn { name: "at", width: 4 },
        LineColumn { name: "event", width: 6 },
        LineColumn { name: "details", width: 0 },
    ];

    fn parts(texts: [&str; 3]) -> Vec<Part> {
        texts.into_iter().map(Part::new).collect()
    }

    #[test]
    fn what_is_too_long_is_cut_and_never_shifts_what_follows() {
        let layout = Layout::new(COLUMNS, &[], More::Expected, Some(20), Colour::Off);
        assert_eq!(layout.header(Some(20)), "at   event  details\n");
        let line = |texts| layout.line(&parts(texts), Some(20));
        assert_eq!(line(["1234", "Failed", "why=no"]), "1234 Failed why=no\n");
        assert_eq!(line(["12345", "LoginFailed", "why=wrong"]), "123… Login… why=wro…\n");
        assert_eq!(line(["1", "東京東京", "東京東京東京"]), "1    東京…  東京東…\n");
        assert_eq!(layout.line(&parts(["1234", "Failed", "x"]), Some(8)), "1234 Fa…\n");
        assert_eq!(layout.line(&parts(["1234", "Failed", "x"]), Some(5)), "1234\n");
    }

    #[test]
    fn a_finished_list_gives_room_to_whom_it_is_missing() {
        let first = [parts(["1", "LoginFailed", "x"])];
        let layout = Layout::new(COLUMNS, &first, More::None, Some(30), Colour::Off);
        assert_eq!(layout.line(&first[0], Some(30)), "1  LoginFailed x\n");
        let narrow = Layout::new(COLUMNS, &first, More::None, Some(16), Colour::Off);
        assert_eq!(narrow.line(&first[0], Some(16)), "1  Login… x\n");
    }

    #[test]
    fn off_a_screen_nothing_is_cut_and_short_lines_stand_as_in_a_stream() {
        let layout = Layout::new(COLUMNS, &[parts(["1", "LoginFailed", "x"])], More::None, None, Colour::Off);
        assert_eq!(layout.header(None), "at    event        details\n");
        assert_eq!(layout.line(&parts(["1", "LoginSucceeded", "x"]), None), "1     LoginSucceeded  x\n");
    }

    #[test]
    fn colour_takes_no_room_and_foreign_text_brings_none() {
        let layout = Layout::new(COLUMNS, &[], More::Expected, Some(20), Colour::On);
        let line = vec![Part::new("1"), Part::toned("LoginFailed", Tone::Warning), Part::new("\u{1b}[31m")];
        assert_eq!(layout.line(&line, Some(20)), "1    \u{1b}[33mLogin…\u{1b}[0m \\x1b[31m\n");
    }
}
