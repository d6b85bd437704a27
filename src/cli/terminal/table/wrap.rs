//! A row of a stream on a terminal: on one line, or where that is too long with its last cell on lines below.

use super::Row;
use crate::cli::terminal::escape::visible;

/// How far the lines below are indented.
const INDENT: usize = 4;

impl Row {
    /// As [`Row::stream_line`], within so many columns of a screen, while the cells before the last fit.
    #[must_use]
    pub fn stream_lines(&self, widths: &[usize], screen: u16) -> String {
        let screen = usize::from(screen);
        let line = self.stream_line(widths);
        let Some((last, before)) = self.cells.split_last() else {
            return line;
        };
        if line.trim_end().chars().count() <= screen {
            return line;
        }
        let head = Self { id: String::new(), cells: before.to_vec(), json: serde_json::Value::Null };
        wrapped(&visible(&last.text), screen.saturating_sub(INDENT).max(INDENT))
            .into_iter()
            .fold(head.stream_line(widths), |text, line| format!("{text}{:INDENT$}{line}\n", ""))
    }
}

/// Lines of so many letters at most, broken between words where that can be.
fn wrapped(text: &str, letters: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut room = letters;
    for word in text.split(' ') {
        let length = word.chars().count();
        if room < letters && length >= room {
            lines.push(String::new());
            room = letters;
        }
        if room < letters {
            lines.last_mut().expect("there is one from the beginning on").push(' ');
            room -= 1;
        }
        for letter in word.chars() {
            if room == 0 {
                lines.push(String::new());
                room = letters;
            }
            lines.last_mut().expect("there is one from the beginning on").push(letter);
            room -= 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::Cell;
    use super::*;

    #[test]
    fn the_last_cell_goes_below_where_the_line_is_too_long() {
        let cells = ["1", "failed", "the hash is none that is known"].map(Cell::new).to_vec();
        let row = Row { id: "1".into(), cells, json: serde_json::Value::Null };
        assert_eq!(row.stream_lines(&[3, 7, 0], 44), "1    failed   the hash is none that is known\n");
        let expected = "1    failed\n    the hash is none\n    that is known\n";
        assert_eq!(row.stream_lines(&[3, 7, 0], 20), expected);
    }

    #[test]
    fn a_word_longer_than_a_line_is_broken() {
        assert_eq!(wrapped("ab abcdef g", 4), ["ab", "abcd", "ef g"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
