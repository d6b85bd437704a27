//! Rust text as tokens with their lines: as much of a lexer as the rules of the house need.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind<'a> {
    /// A name, a keyword or a number.
    Word(&'a str),
    /// `::`, or any other single character.
    Mark(&'a str),
    /// What stands between the quotes of a string literal, as it is written.
    Text(&'a str),
    /// What follows `///` in one line.
    Doc(&'a str),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token<'a> {
    /// From 1, where it begins.
    pub line: usize,
    pub kind: Kind<'a>,
}

impl<'a> Token<'a> {
    /// The name, keyword or number; empty if it is something else.
    pub fn word(&self) -> &'a str {
        if let Kind::Word(word) = self.kind { word } else { "" }
    }

    /// The mark; empty if it is something else.
    pub fn mark(&self) -> &'a str {
        if let Kind::Mark(mark) = self.kind { mark } else { "" }
    }
}

/// The tokens of a file, without its comments.
pub fn read(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { rest: text, line: 1, tokens: Vec::new() };
    while !lexer.rest.is_empty() {
        lexer.step();
    }
    lexer.tokens
}

/// The tokens without the items under `#[cfg(test)]`: what is built into the program.
pub fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if spells(&tokens[at..], &["#", "[", "cfg", "(", "test", ")", "]"]) {
            at = end_of_item(tokens, at + 7);
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

/// Whether the tokens begin with these words and marks.
pub fn spells(tokens: &[Token], wanted: &[&str]) -> bool {
    tokens.len() >= wanted.len()
        && tokens.iter().zip(wanted).all(|(token, wanted)| token.word() == *wanted || token.mark() == *wanted)
}

/// The index behind the group that begins at `open` with a bracket of any kind.
pub fn end_of_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.mark() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The index behind an item: behind its `;`, or behind the braces of its body.
fn end_of_item(tokens: &[Token], from: usize) -> usize {
    let mut at = from;
    while at < tokens.len() {
        match tokens[at].mark() {
            ";" => return at + 1,
            "{" => return end_of_group(tokens, at),
            "(" | "[" => at = end_of_group(tokens, at),
            _ => at += 1,
        }
    }
    at
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn step(&mut self) {
        let first = self.rest.chars().next().unwrap();
        if self.rest.starts_with("//") {
            self.line_comment();
        } else if self.rest.starts_with("/*") {
            self.block_comment();
        } else if first == '"' {
            self.string();
        } else if let Some(hashes) = raw_string(self.rest) {
            self.raw_string(hashes);
        } else if first == '\'' {
            self.char_or_lifetime();
        } else if is_of_word(first) {
            let end = self.rest.find(|c| !is_of_word(c)).unwrap_or(self.rest.len());
            self.push(end, Kind::Word);
        } else if self.rest.starts_with("::") {
            self.push(2, Kind::Mark);
        } else if first.is_whitespace() {
            self.take(first.len_utf8());
        } else {
            self.push(first.len_utf8(), Kind::Mark);
        }
    }

    fn push(&mut self, length: usize, kind: fn(&'a str) -> Kind<'a>) {
        let line = self.line;
        let kind = kind(self.take(length));
        self.tokens.push(Token { line, kind });
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn line_comment(&mut self) {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        if self.rest.starts_with("///") && !self.rest.starts_with("////") {
            self.take(3);
            self.push(end - 3, Kind::Doc);
        } else {
            self.take(end);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while !self.rest.is_empty() {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.take(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.take(2);
                if depth == 0 {
                    return;
                }
            } else {
                self.take(self.rest.chars().next().unwrap().len_utf8());
            }
        }
    }

    fn string(&mut self) {
        self.take(1);
        let mut escaped = false;
        let end = self.rest.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        self.push(end.unwrap_or(self.rest.len()), Kind::Text);
        self.take(self.rest.len().min(1));
    }

    fn raw_string(&mut self, hashes: usize) {
        self.take(self.rest.find('"').unwrap() + 1);
        let close = format!("\"{}", "#".repeat(hashes));
        self.push(self.rest.find(&close).unwrap_or(self.rest.len()), Kind::Text);
        self.take(close.len().min(self.rest.len()));
    }

    /// `'a'` and `'\n'` are characters and give no token, so that `'{'` opens nothing. `'a` without a second
    /// quote is a lifetime.
    fn char_or_lifetime(&mut self) {
        let mut after = self.rest[1..].char_indices();
        let (first, second) = (after.next(), after.next());
        let end = match (first, second) {
            (Some((_, '\\')), Some((at, escaped))) => {
                let from = 1 + at + escaped.len_utf8();
                self.rest[from..].find('\'').map(|quote| from + quote + 1)
            }
            (Some(_), Some((at, '\''))) => Some(1 + at + 1),
            _ => None,
        };
        self.take(end.unwrap_or(1));
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The number of `#` when a raw string begins here.
fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        read(text).iter().map(Token::word).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_go_and_strings_stand_apart() {
        let text = "use a::b; // crate::x\n/* crate::y /* nested */ still */ let s = \"crate::z \\\" // no\";\n\
            let r = r#\"raw \"q\" \"#; let c = '\"'; fn f<'a>() {} let d = '\\''; use d::e;";
        assert_eq!(words(text), "use a b let s let r let c fn f a let d use d e");
        let texts = read(text).into_iter().filter_map(|token| match token.kind {
            Kind::Text(text) => Some((token.line, text)),
            _ => None,
        });
        assert_eq!(texts.collect::<Vec<_>>(), [(2, "crate::z \\\" // no"), (3, "raw \"q\" ")]);
    }

    #[test]
    fn documentation_is_kept_line_by_line() {
        let text = "//! Of the file.\n/// One.\n//// None.\n/// Two.\nfn f() {}";
        let docs = read(text).into_iter().filter_map(|token| match token.kind {
            Kind::Doc(doc) => Some((token.line, doc)),
            _ => None,
        });
        assert_eq!(docs.collect::<Vec<_>>(), [(2, " One."), (4, " Two.")]);
    }

    #[test]
    fn items_for_tests_alone_are_left_out() {
        let text = "a! { '{' } #[cfg(test)] use b::{c, d}; e; #[cfg(test)] #[allow(f)] mod g { fn h([i; 2]) {} } \
            j; #[cfg(unix)] fn k() {} #[cfg(test)] mod l;";
        let kept = without_tests(&read(text));
        let words: Vec<_> = kept.iter().map(Token::word).filter(|word| !word.is_empty()).collect();
        assert_eq!(words.join(" "), "a e j cfg unix fn k");
    }
}
