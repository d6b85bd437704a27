//! Rows as CSV (RFC 4180) that neither drives the terminal it is shown on nor the spreadsheet it is opened
//! in, and the way back: nothing is lost.

use super::escape::{is_dangerous, visible};
use std::borrow::Cow;

/// One line of CSV, with its line break.
#[must_use]
pub fn line<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> String {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer
        .write_record(values.into_iter().map(|value| cell(value.as_ref()).into_owned()))
        .expect("memory takes it");
    let bytes = writer.into_inner().expect("memory takes it");
    String::from_utf8(bytes).expect("text between commas is text")
}

/// A value as it stands in a cell: dangerous characters escaped as in tables and, so that this can be undone,
/// backslashes doubled. What a spreadsheet would run gets a single quote before it, and so does what begins
/// with one already.
#[must_use]
pub fn cell(value: &str) -> Cow<'_, str> {
    let escaped = if value.contains(|c| c == '\\' || is_dangerous(c)) {
        Cow::Owned(visible(&value.replace('\\', r"\\")).into_owned())
    } else {
        Cow::Borrowed(value)
    };
    if escaped.starts_with('\'') || is_formula(&escaped) {
        Cow::Owned(format!("'{escaped}"))
    } else {
        escaped
    }
}

/// The value that stands in a cell: the other way round than [`cell`]. What [`cell`] would not have written
/// is taken as it is.
#[must_use]
pub fn plain(cell: &str) -> String {
    let quoted = cell.strip_prefix('\'').filter(|rest| rest.starts_with('\'') || is_formula(rest));
    let mut rest = quoted.unwrap_or(cell);
    let mut value = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('\\') {
        value.push_str(before);
        let (c, length) = escaped(after).unwrap_or(('\\', 0));
        value.push(c);
        rest = &after[length..];
    }
    value + rest
}

/// Whether a spreadsheet would take the cell for a formula: after white space, too, which some skip, and in
/// the wide forms of East Asian keyboards, which some take for the usual ones. Tabs and carriage returns,
/// which do the same, are escaped before.
fn is_formula(cell: &str) -> bool {
    let skipped = |c: char| {
        c.is_whitespace() || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
    };
    cell.trim_start_matches(skipped).starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// The character that an escape stands for, and how long the escape is behind its backslash.
fn escaped(after: &str) -> Option<(char, usize)> {
    let number = |digits: &str, length| {
        // A sign before the digits would be taken by the standard library, and never stands there.
        let digits = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, length))
    };
    match after.chars().next()? {
        '\\' => Some(('\\', 1)),
        'n' => Some(('\n', 1)),
        'r' => Some(('\r', 1)),
        't' => Some(('\t', 1)),
        'x' => number(after.get(1..3)?, 3),
        'u' => {
            let (digits, _) = after.strip_prefix("u{")?.split_once('}')?;
            number(digits, digits.len() + 3)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_quoted() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            " =1",
            "\u{a0}=1",
            "\u{3000}＝1",
            "＋1",
            "－1",
            "＠a",
            "\u{feff}=1",
        ] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        assert_eq!(cell("\t=1"), r"\t=1");
        assert_eq!(cell("\r=1"), r"\r=1");
        for harmless in ["", "Ann", "a=b", "1-1", "ann+x@example.com", "東京", "{\"why\":\"-\"}"] {
            assert!(matches!(cell(harmless), Cow::Borrowed(text) if text == harmless), "{harmless}");
        }
        assert_eq!(cell("'=1"), "''=1");
        assert_eq!(cell("'tis"), "''tis");
    }

    #[test]
    fn what_drives_a_terminal_is_escaped() {
        assert_eq!(cell("\u{1b}[2J\u{9b}\u{202e}\\n"), r"\x1b[2J\u{9b}\u{202e}\\n");
    }

    #[test]
    fn a_line_is_one_line_whatever_stands_in_it() {
        assert_eq!(
            line(["a,b", "say \"hi\"", "x\ny\r", "", "=1"]),
            "\"a,b\",\"say \"\"hi\"\"\",x\\ny\\r,,'=1\n"
        );
    }

    #[test]
    fn what_was_written_otherwise_is_taken_as_it_is() {
        for text in [
            "C:\\dir",
            "\\",
            "a\\",
            "\\x",
            "\\xzz",
            "\\x+1",
            "\\u{110000}",
            "\\u{}",
            "\\u{+41}",
            "'tis",
            "\\ü",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            value in any::<String>(),
            sharp in "[ '\\\\nrtxu{}0-9a-f=+@\t\r\n\u{1b}\u{202e}＝-]{0,12}",
        ) {
            for value in [value, sharp] {
                prop_assert_eq!(plain(&cell(&value)), value.clone());
                prop_assert!(!cell(&value).contains(is_dangerous));
                prop_assert!(!is_formula(&cell(&value)));
            }
        }

        #[test]
        fn a_line_is_read_back_by_any_reader(values in prop::collection::vec(any::<String>(), 1..6)) {
            let line = line(&values);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
            let read = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(read.iter().map(plain).collect::<Vec<_>>(), values);
            prop_assert_eq!(line.matches('\n').count(), 1);
        }
    }
}
