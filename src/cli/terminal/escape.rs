//! Makes text harmless for a terminal: what would move the cursor, change colours, ring, set a title or
//! turn the reading direction is shown escaped.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether `c` can drive a terminal or hide what a line says: C0 and C1 controls, DEL, line and paragraph
/// separators, bidirectional marks, embeddings, overrides and isolates (Unicode UAX #9 §2).
#[must_use]
pub const fn is_dangerous(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text on one line: `\n`, `\r`, `\t`, `\x1b` and `\u{202e}` stand for what they name.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    replace(text, is_dangerous, |out, c| match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\0'..='\u{7f}' => write!(out, "\\x{:02x}", u32::from(c)).expect("a String takes any text"),
        _ => write!(out, "\\u{{{:x}}}", u32::from(c)).expect("a String takes any text"),
    })
}

/// Text of several lines: as [`visible`], but lines stay lines.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// A JSON document with the dangerous characters that RFC 8259 §7 lets through written as `\uXXXX`. They can
/// only stand within strings, where the escape means the same.
#[must_use]
pub fn json(document: &str) -> Cow<'_, str> {
    // Line breaks between values are the printer's own; within strings it has escaped them.
    let unsafe_in_json = |c: char| is_dangerous(c) && c != '\n';
    replace(document, unsafe_in_json, |out, c| {
        write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes any text");
    })
}

fn replace(text: &str, matches: impl Fn(char) -> bool, escape: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if !text.chars().any(&matches) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if matches(c) { escape(&mut out, c) } else { out.push(c) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_drives_a_terminal_gets_through() {
        assert_eq!(
            visible("\u{1b}[2J\u{7}\u{9b}x\u{202e}y\u{2028}\n"),
            r"\x1b[2J\x07\u{9b}x\u{202e}y\u{2028}\n"
        );
        for c in [
            '\u{0}', '\u{7f}', '\u{80}', '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{2066}',
            '\u{2069}',
        ] {
            assert!(is_dangerous(c), "{c:?}");
        }
        assert!(matches!(visible("Łęcka שלום 東京 👩‍🚀"), Cow::Borrowed(_)));
    }

    #[test]
    fn lines_stay_lines_and_nothing_else_does() {
        assert_eq!(visible_lines("a\r\nb\u{1b}c\n"), "a\nb\\x1bc");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({"a\u{202e}": "\u{1b}\u{9b}\u{7f}\u{2029}\n\\"});
        let text = serde_json::to_string_pretty(&value).unwrap();
        let safe = json(&text);
        assert!(!safe.chars().any(|c| is_dangerous(c) && c != '\n'), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }
}
