//! The beginning of a text, as long as a screen has room for.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Cuts a text to so many cells of a screen; `…` stands for what is missing.
#[must_use]
pub fn cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut taken = 1;
    for letter in text.chars() {
        taken += letter.width().unwrap_or(0);
        if taken > room {
            break;
        }
        out.push(letter);
    }
    if room > 0 {
        out.push('…');
    }
    out
}
