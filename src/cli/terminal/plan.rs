//! A plan of changes as people read it: a line each, without a border, so that a log keeps it whole. On a
//! terminal a long line goes on under itself.

use super::escape::visible;
use super::table::{Colour, Tone};

/// How far what goes on is set in.
const INDENT: usize = 4;

/// A change, in the parts of its line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanLine {
    /// `+`, `~` or `-`; its tone is that of the whole change.
    pub sign: char,
    pub tone: Tone,
    /// What it is about.
    pub about: String,
    /// What it comes to. May be empty.
    pub says: String,
}

impl PlanLine {
    /// The line without colour, as long as it is.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {}  {}", self.sign, visible(&self.about), visible(&self.says)).trim_end().to_owned()
    }
}

/// Draws the lines; each ends with a line break. `width` of `None`: none is broken.
#[must_use]
pub fn draw(lines: &[PlanLine], width: Option<u16>, colour: Colour) -> String {
    lines.iter().map(|line| draw_line(line, width, colour)).collect()
}

fn draw_line(line: &PlanLine, width: Option<u16>, colour: Colour) -> String {
    let text = width.map_or_else(|| line.text(), |width| wrapped(&line.text(), width.into()));
    let code = match (colour, line.tone) {
        (Colour::Off, _) | (Colour::On, Tone::Plain) => return text + "\n",
        (Colour::On, Tone::Good) => 32,
        (Colour::On, Tone::Warning) => 33,
        (Colour::On, Tone::Bad) => 31,
    };
    let rest = text.strip_prefix(line.sign).unwrap_or_default();
    format!("\x1b[{code}m{}\x1b[0m{rest}\n", line.sign)
}

/// Breaks a line at blanks. A word that is wider than the screen stays whole, so that it can be copied.
fn wrapped(text: &str, width: usize) -> String {
    let (mut out, mut column, mut blanks) = (String::new(), 0, 0);
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > INDENT && column + blanks + length > width && length > 0 {
            out.push('\n');
            (column, blanks) = (0, INDENT);
        }
        if length > 0 {
            out.push_str(&" ".repeat(blanks));
            out.push_str(word);
            (column, blanks) = (column + blanks + length, 0);
        }
        blanks += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(says: &str) -> PlanLine {
        PlanLine { sign: '~', tone: Tone::Warning, about: "role editor".into(), says: says.into() }
    }

    #[test]
    fn a_line_is_whole_off_a_terminal_and_broken_at_blanks_on_one() {
        let long = line("+posts:read +posts:write -comments:moderate");
        assert_eq!(
            draw(std::slice::from_ref(&long), None, Colour::Off),
            "~ role editor  +posts:read +posts:write -comments:moderate\n"
        );
        assert_eq!(
            draw(&[long, line("")], Some(40), Colour::Off),
            "~ role editor  +posts:read +posts:write\n    -comments:moderate\n~ role editor\n"
        );
        let narrow = draw(&[line("+posts:read +x")], Some(5), Colour::Off);
        assert_eq!(narrow, "~ role\n    editor\n    +posts:read\n    +x\n", "no word is broken");
    }

    #[test]
    fn colour_is_the_signs_alone_and_texts_are_harmless() {
        let drawn = draw(&[line("\u{1b}[31m name\n")], Some(80), Colour::On);
        assert_eq!(drawn, "\u{1b}[33m~\u{1b}[0m role editor  \\x1b[31m name\\n\n");
    }
}
