//! Common passwords, and those that an operator forbids. A new password is compared with the whole of each
//! (NIST SP 800-63B-4 §3.1.1.2).

use super::password::{MAX_BYTES, Password};
use super::secret::Secret;
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// The commonest passwords of 8 code points or more: folded, one a line, sorted by bytes, so that they
/// are searched where the program was loaded. `tools/blocklist` makes the file.
const COMMON: &str = include_str!("../../data/common-passwords.txt");

/// What no new password may be, in any case and in any Unicode form.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Blocklist {
    /// As [`COMMON`].
    extra: String,
}

impl Blocklist {
    /// The list that comes with authd, and nothing else.
    #[must_use]
    pub const fn built_in() -> Self {
        Self { extra: String::new() }
    }

    /// The same, with the passwords of `text` on top: one a line, in any order. Nothing is trimmed but
    /// the line's end, because a password may begin or end with a space.
    #[must_use]
    pub fn with(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.lines().filter(|line| line.len() <= MAX_BYTES);
        let mut lines: Vec<String> = lines.map(|line| fold(line).expose().clone()).collect();
        lines.sort_unstable();
        lines.dedup();
        Self { extra: lines.join("\n") }
    }

    /// Whether the whole password is on the list.
    #[must_use]
    pub fn contains(&self, password: &Password) -> bool {
        let folded = fold(password.expose());
        [COMMON, &self.extra]
            .iter()
            .any(|list| has_line(list.trim_end_matches('\n').as_bytes(), folded.expose().as_bytes()))
    }
}

/// Shows the number of lines alone: there may be millions.
impl fmt::Debug for Blocklist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocklist").field("extra", &self.extra.lines().count()).finish()
    }
}

/// What two spellings of one password have in common: NFC, in lower case.
#[must_use]
pub fn fold(text: &str) -> Secret<String> {
    let composed = Secret::new(text.nfc().collect::<String>());
    let lower = Secret::new(composed.expose().to_lowercase());
    Secret::new(lower.expose().nfc().collect())
}

/// Finds a line among sorted ones by halving. The bounds of a line are looked for around the middle.
fn has_line(lines: &[u8], wanted: &[u8]) -> bool {
    let (mut low, mut high) = (0, lines.len());
    while low < high {
        let middle = low.midpoint(high);
        let start = lines[low..middle].iter().rposition(|byte| *byte == b'\n').map_or(low, |at| low + at + 1);
        let end = lines[middle..high].iter().position(|byte| *byte == b'\n').map_or(high, |at| middle + at);
        match lines[start..end].cmp(wanted) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(list: &Blocklist, text: &str) -> bool {
        list.contains(&Password::new(text).unwrap())
    }

    #[test]
    fn the_file_is_as_the_search_needs_it() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.len() >= 10_000, "{}", lines.len());
        assert!(lines.windows(2).all(|pair| pair[0].as_bytes() < pair[1].as_bytes()), "sorted, each once");
        for line in lines {
            assert!(line.chars().count() >= 8 && fold(line).expose() == line, "{line}");
        }
    }

    #[test]
    fn every_line_is_found_and_its_neighbours_are_not() {
        let list = Blocklist::built_in();
        for line in COMMON.lines() {
            assert!(has(&list, line), "{line}");
            assert!(
                !has(&list, &format!("{line}\u{1}")) && !has(&list, &format!("{line}\n{line}")),
                "{line}"
            );
        }
        assert!(!has(&list, "\u{0}") && !has(&list, "\u{10ffff}") && !has(&list, "\n"));
    }

    #[test]
    fn a_password_is_the_same_in_any_case_and_form() {
        let list = Blocklist::with("\u{feff}Mötley Crüe 1981\r\n  spaced \n\nΟΔΟΣ ΟΝΕΙΡΩΝ 15\n");
        for text in ["PASSWORD", "PassWord", "mo\u{308}tley CRU\u{308}E 1981", "  Spaced ", "οδος ονειρων 15"]
        {
            assert!(has(&list, text), "{text}");
        }
        for text in ["spaced", "Mötley Crüe", "ley Crüe 1981", "passwor", "Mötley Crüe 1981\r"] {
            assert!(!has(&list, text), "{text}");
        }
    }
}
