//! Text in man(7): the few macros that the manual pages need, and what has to be escaped.

use std::fmt::Write;

/// A page as it is written, macro by macro.
#[derive(Debug)]
pub struct Roff(String);

impl Roff {
    /// Begins the page `name(section)`; `summary` is what apropos(1) finds it by.
    #[must_use]
    pub fn new(name: &str, section: u8, date: &str, source: &str, summary: &str) -> Self {
        let mut roff = Self(format!(".TH {} {section} {date} \"{source}\"\n", inline(&name.to_uppercase())));
        roff.section("NAME");
        roff.line(&format!("{} \\- {}", inline(name), inline(summary)));
        roff
    }

    /// Begins a section.
    pub fn section(&mut self, title: &str) {
        self.line(&format!(".SH {}", inline(title)));
    }

    /// Begins a subsection.
    pub fn subsection(&mut self, title: &str) {
        self.line(&format!(".SS {}", inline(title)));
    }

    /// One paragraph or several, parted by empty lines.
    pub fn text(&mut self, text: &str) {
        for (i, paragraph) in text.split("\n\n").enumerate() {
            if i > 0 {
                self.line(".PP");
            }
            self.body(paragraph);
        }
    }

    /// A further paragraph.
    pub fn paragraph(&mut self, text: &str) {
        self.line(".PP");
        self.text(text);
    }

    /// Lines that are commands: bold, each on its own line.
    pub fn commands<'a>(&mut self, lines: impl IntoIterator<Item = &'a str>) {
        for (i, line) in lines.into_iter().enumerate() {
            if i > 0 {
                self.line(".br");
            }
            self.line(&format!("\\fB{}\\fR", inline(line)));
        }
    }

    /// A term in bold and what it means, indented under it.
    pub fn item(&mut self, term: &str, meaning: &str) {
        self.line(".TP");
        self.line(&format!("\\fB{}\\fR", inline(term)));
        self.body(meaning);
    }

    /// Lines as they are, in an example's indent.
    pub fn example(&mut self, lines: &str) {
        self.line(".RS 4");
        self.line(".nf");
        for line in lines.lines() {
            self.body_line(line);
        }
        self.line(".fi");
        self.line(".RE");
    }

    /// The whole page.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }

    fn body(&mut self, text: &str) {
        text.lines().for_each(|line| self.body_line(line.trim()));
    }

    fn body_line(&mut self, line: &str) {
        // A point or an apostrophe at the beginning of a line would be a macro.
        let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        self.line(&format!("{guard}{}", inline(line)));
    }

    fn line(&mut self, line: &str) {
        writeln!(self.0, "{line}").expect("a String takes any text");
    }
}

/// Backslashes stand for themselves, and a hyphen is the one that can be typed and searched for.
fn inline(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_t_be_taken_for_a_macro() {
        let mut roff = Roff::new("a-b", 1, "2026-11-22", "authd 1", "does it");
        roff.text(".SH \\fB\n'quoted");
        assert_eq!(
            roff.into_text(),
            ".TH A\\-B 1 2026-11-22 \"authd 1\"\n.SH NAME\na\\-b \\- does it\n\\&.SH \\efB\n\\&'quoted\n"
        );
    }
}
