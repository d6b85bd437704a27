//! The outer shape of a file: its opening, its length, the width of its lines.

use super::lexer::{Kind, Token};
use std::collections::BTreeMap;

const MAX_LINES: usize = 500;

/// In characters.
const MAX_COLUMNS: usize = 110;

/// A literal longer than this may make its line too wide: it can't be broken without changing it.
const LONG_LITERAL: usize = 60;

pub fn length_and_opening(text: &str, found: &mut Vec<String>) {
    let lines = text.lines().count();
    if lines > MAX_LINES {
        found.push(format!("{lines} lines, the bound is {MAX_LINES}: split it by what it owns"));
    }
    if !text.starts_with("//! ") {
        found.push("doesn't begin with a `//!` that says what it owns".into());
    }
}

/// Lines that are too wide, but for those that one long literal alone makes so.
pub fn width(text: &str, tokens: &[Token], found: &mut Vec<String>) {
    let longest = longest_literals(tokens);
    for (at, line) in text.lines().enumerate() {
        let columns = line.chars().count();
        let literal = longest.get(&(at + 1)).copied().filter(|length| *length > LONG_LITERAL).unwrap_or(0);
        if columns > MAX_COLUMNS && columns - literal > MAX_COLUMNS - LONG_LITERAL {
            found.push(format!("line {} has {columns} columns, the bound is {MAX_COLUMNS}", at + 1));
        }
    }
}

/// The length of the longest piece of a literal in each line that has one.
fn longest_literals(tokens: &[Token]) -> BTreeMap<usize, usize> {
    let mut longest = BTreeMap::new();
    for token in tokens {
        if let Kind::Text(text) = token.kind {
            for (at, piece) in text.split('\n').enumerate() {
                let length = longest.entry(token.line + at).or_insert(0);
                *length = piece.chars().count().max(*length);
            }
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::super::lexer::read;
    use super::*;

    fn offences(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        length_and_opening(text, &mut found);
        width(text, &read(text), &mut found);
        found
    }

    #[test]
    fn a_long_file_and_one_without_an_opening_are_caught() {
        let lines = |count: usize| format!("//! Owns lines.\n{}", "\n".repeat(count - 1));
        assert_eq!(offences(&lines(500)), Vec::<String>::new());
        assert_eq!(offences(&lines(501)).len(), 1);
        assert_eq!(offences("use std::fmt;\n").len(), 1);
    }

    #[test]
    fn a_wide_line_is_caught() {
        let x = |count: usize| "ü".repeat(count);
        for (line, caught) in [
            (format!("// {}", x(107)), false),
            (format!("// {}", x(108)), true),
            (format!("let {} = \"{}\";", x(43), x(60)), true),
            (format!("let {} = \"{}\";", x(40), x(61)), false),
            (format!("const A: &str = r#\"{}\"#;", x(300)), false),
            (format!("const A: &str = \"\n{}\n\";", x(300)), false),
            (format!("f(\"{}\", \"{}\");", x(61), x(61)), true),
            (format!("// \"{}\"", x(120)), true),
        ] {
            assert_eq!(offences(&format!("//! Owns lines.\n{line}\n")).len(), usize::from(caught), "{line}");
        }
    }
}
