//! Whether every public function says first what it does.

use super::lexer::{Kind, Token, end_of_group};

/// A function that its own module isn't alone to call.
#[derive(Debug)]
pub struct Function<'a> {
    pub line: usize,
    pub name: &'a str,
    /// `pub`, or of a trait that is; otherwise `pub(super)` or the like.
    pub is_public: bool,
    docs: Vec<&'a str>,
}

/// Public functions without a first sentence, and those of a narrower reach whose documentation lacks it.
pub fn missing(shipped: &[Token], found: &mut Vec<String>) {
    for function in functions(shipped) {
        if (function.is_public || !function.docs.is_empty())
            && let Some(why) = function.flaw()
        {
            found.push(format!("line {}: fn {} {why}", function.line, function.name));
        }
    }
}

impl Function<'_> {
    /// What keeps its documentation from beginning with a sentence on what the function does.
    pub fn flaw(&self) -> Option<&'static str> {
        let is_of_opening = |line: &&&str| !line.trim().is_empty() && !line.trim().starts_with('#');
        let opening: Vec<&str> = self.docs.iter().take_while(is_of_opening).map(|line| line.trim()).collect();
        let opening = opening.join(" ");
        if self.docs.is_empty() {
            Some("has no documentation")
        } else if opening.is_empty() {
            Some("has no sentence before its first heading")
        } else if opening == "The driver's." {
            Some("says whose errors it has, not what it does")
        } else if opening.starts_with("`None`:") {
            Some("says what `None` means before what it does")
        } else if !opening.ends_with(['.', ':', '?', '!']) {
            Some("doesn't begin with a whole sentence")
        } else {
            None
        }
    }
}

/// The functions of a file that are `pub` in any way, or of a public trait. Those of an implementation of a
/// trait are neither: the trait says what they do.
pub fn functions<'a>(shipped: &[Token<'a>]) -> Vec<Function<'a>> {
    let mut found = Vec::new();
    let (mut docs, mut reach) = (Vec::new(), None);
    // For each open brace whether it is a public trait's.
    let (mut braces, mut opens_trait) = (Vec::new(), false);
    let mut at = 0;
    while at < shipped.len() {
        let token = shipped[at];
        let next = shipped.get(at + 1);
        at += 1;
        match (token.kind, next.map_or("", Token::mark)) {
            (Kind::Doc(doc), _) => docs.push(doc),
            (Kind::Mark("#"), "[") => at = end_of_group(shipped, at),
            (Kind::Word("pub"), "(") => {
                reach = Some(false);
                at = end_of_group(shipped, at);
            }
            (Kind::Word("pub"), _) => reach = Some(true),
            (Kind::Word("const" | "async" | "unsafe" | "extern") | Kind::Text(_), _) => {}
            (kind, _) => {
                let reach = reach.take().or(braces.last().is_some_and(|is_trait| *is_trait).then_some(true));
                let docs = std::mem::take(&mut docs);
                match kind {
                    Kind::Word("fn") => {
                        let name = next.map_or("", Token::word);
                        if let Some(is_public) = reach.filter(|_| !name.is_empty()) {
                            found.push(Function { line: token.line, name, is_public, docs });
                        }
                    }
                    Kind::Word("trait") => opens_trait = reach == Some(true),
                    Kind::Mark("{") => braces.push(std::mem::take(&mut opens_trait)),
                    Kind::Mark("}") => drop(braces.pop()),
                    _ => {}
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::lexer::{read, without_tests};
    use super::*;

    fn offences(code: &str) -> Vec<String> {
        let mut found = Vec::new();
        missing(&without_tests(&read(code)), &mut found);
        found
    }

    #[test]
    fn a_public_function_without_a_first_sentence_is_caught() {
        for code in [
            "pub fn f() {}",
            "/// Of another.\nstruct A;\npub const fn f() {}",
            "impl A {\n/// # Errors\n/// The store's.\n#[must_use]\npub async fn f() {}\n}",
            "///\n/// # Errors\npub(crate) fn f() {}",
            "/// The driver's.\npub fn f() {}",
            "/// `None`: there is none.\npub fn f() {}",
            "/// the thing\npub fn f() {}",
            "pub trait A { fn f(&self) { fn inner() {} } }",
            "pub trait A {\n/// Does it.\nfn f();\nfn g();\n}",
        ] {
            assert_eq!(offences(code).len(), 1, "{code} {:?}", offences(code));
        }
    }

    #[test]
    fn functions_that_say_it_or_need_not_are_let_be() {
        for code in [
            "/// Does what is long to say, in a sentence that\n/// ends here. `None`: no.\n///\n/// # Errors\npub fn f() {}",
            "/// Does it:\n#[cfg(unix)]\n#[allow(a, reason = \"b\")]\npub const unsafe extern \"C\" fn f() {}",
            "fn f() {} pub(super) fn g() {} pub struct A { pub f: fn(u8) }",
            "impl B for A { fn f() {} }",
            "trait A { fn f(); } pub(crate) trait B { fn g(); }",
            "pub trait A { type B; } fn f() {}",
            "#[cfg(test)] mod tests { pub fn f() {} }",
        ] {
            assert_eq!(offences(code), Vec::<String>::new(), "{code}");
        }
    }
}
