//! Rust text without its comments, and its strings apart: as much of a lexer as the house's rules need.

/// The code with every comment dropped and every literal emptied, and the content of the string literals.
pub fn split(text: &str) -> (String, Vec<String>) {
    let mut lexer = Lexer { rest: text, code: String::new(), strings: Vec::new() };
    while !lexer.rest.is_empty() {
        lexer.step();
    }
    (lexer.code, lexer.strings)
}

struct Lexer<'a> {
    rest: &'a str,
    code: String,
    strings: Vec<String>,
}

impl<'a> Lexer<'a> {
    fn step(&mut self) {
        let first = self.rest.chars().next().unwrap();
        if self.rest.starts_with("//") {
            self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.block_comment();
        } else if first == '"' {
            self.string();
        } else if let Some(hashes) = raw_string(self.rest) {
            self.raw_string(hashes);
        } else if first == '\'' {
            self.char_or_lifetime();
        } else if first.is_alphanumeric() || first == '_' {
            let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
            let word = self.take(end);
            self.code.push_str(word);
        } else {
            let other = self.take(first.len_utf8());
            self.code.push_str(other);
        }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
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
        let content = self.take(end.unwrap_or(self.rest.len()));
        self.strings.push(content.to_owned());
        self.take(self.rest.len().min(1));
        self.code.push_str("\"\"");
    }

    fn raw_string(&mut self, hashes: usize) {
        self.take(self.rest.find('"').unwrap() + 1);
        let close = format!("\"{}", "#".repeat(hashes));
        let content = self.take(self.rest.find(&close).unwrap_or(self.rest.len()));
        self.strings.push(content.to_owned());
        self.take(close.len().min(self.rest.len()));
        self.code.push_str("\"\"");
    }

    /// `'a'` and `'\n'` are characters, `'a` without a second quote is a lifetime.
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
        self.code.push('\'');
    }
}

/// The number of `#` when a raw string begins here.
fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

#[test]
fn comments_go_and_strings_stand_apart() {
    let text = "use a::b; // crate::x\n/* crate::y /* nested */ still */ let s = \"crate::z \\\" // no\";\nlet r = r#\"raw \"q\" \"#; let c = '\"'; fn f<'a>() {} let d = '\\''; use d::e;";
    let (code, strings) = split(text);
    assert!(code.contains("use a::b;") && code.contains("use d::e;"), "{code}");
    assert!(!code.contains("crate") && !code.contains("nested"), "{code}");
    assert_eq!(strings, ["crate::z \\\" // no", "raw \"q\" "]);
}
