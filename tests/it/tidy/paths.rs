//! Which paths the code of one file names, and what they mean seen from the crate's root.

use super::lexer::{Token, end_of_group, spells};

/// A path from the crate's root: `crate::store::tx` is `["store", "tx"]`.
pub type Module<'a> = Vec<&'a str>;

/// One path as code names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named<'a> {
    pub line: usize,
    /// The module that it stands in: the file's, or one that is written inside the file.
    within: Module<'a>,
    /// As written; a path from outside the crate, `::a::b`, begins with an empty one.
    segments: Vec<&'a str>,
    /// What a `use` makes of it: the name that the module may say from then on.
    pub bound: Option<&'a str>,
}

/// What one file names and declares.
#[derive(Debug)]
pub struct Outline<'a> {
    pub module: Module<'a>,
    pub named: Vec<Named<'a>>,
    /// The modules that it declares, in files of their own or inside it.
    pub declared: Vec<Module<'a>>,
}

/// The module of a file: `src/store/tx.rs` and `src/store/tx/mod.rs` are both `store::tx`.
pub fn module_of(path: &str) -> Module<'_> {
    let module = path.trim_start_matches("src/").trim_end_matches(".rs");
    let module = module.trim_end_matches("/mod");
    if module == "lib" { Vec::new() } else { module.split('/').collect() }
}

impl<'a> Outline<'a> {
    pub fn of(path: &'a str, tokens: &[Token<'a>]) -> Self {
        let module = module_of(path);
        let outline = Self { module: module.clone(), named: Vec::new(), declared: Vec::new() };
        let mut reader = Reader { tokens, at: 0, within: vec![(0, module)], depth: 0, outline };
        while reader.at < tokens.len() {
            reader.step();
        }
        reader.outline
    }

    /// The path from the crate's root. `None`: it leads out of the crate, or to something local.
    pub fn absolute(&self, named: &Named<'a>) -> Option<Module<'a>> {
        self.resolve(&named.within, &named.segments, 0)
    }

    /// The crate that a path leads into when it leads out of this one.
    pub fn foreign(&self, named: &Named<'a>) -> Option<&'a str> {
        match named.segments[..] {
            ["", first, ..] => Some(first),
            [first, ..] if self.absolute(named).is_none() => Some(first),
            _ => None,
        }
    }

    /// What a name means in the module of this file because of a `use` there.
    pub fn imported(&self, name: &str) -> Option<Module<'a>> {
        let import =
            self.named.iter().find(|named| named.bound == Some(name) && named.within == self.module)?;
        self.absolute(import)
    }

    fn resolve(&self, within: &[&'a str], segments: &[&'a str], depth: usize) -> Option<Module<'a>> {
        let (first, rest) = segments.split_first()?;
        let beneath = |base: &[&'a str], rest: &[&'a str]| [base, rest].concat();
        match *first {
            "crate" => Some(rest.to_vec()),
            "self" => Some(beneath(within, rest)),
            "super" => {
                let (mut base, mut rest) = (within.split_last()?.1, rest);
                while let Some(("super", further)) = rest.split_first().map(|(first, rest)| (*first, rest)) {
                    (base, rest) = (base.split_last()?.1, further);
                }
                Some(beneath(base, rest))
            }
            name if self.declared.contains(&beneath(within, &[name])) => Some(beneath(within, segments)),
            name => {
                // A `use` of a name that begins with the same name, as in `use toml::toml`, leads nowhere.
                let leads = |named: &&Named<'a>| {
                    named.bound == Some(name) && named.within == within && named.segments[0] != name
                };
                let import = self.named.iter().find(leads).filter(|_| depth < 8)?;
                Some(beneath(&self.resolve(within, &import.segments, depth + 1)?, rest))
            }
        }
    }
}

struct Reader<'a, 't> {
    tokens: &'t [Token<'a>],
    at: usize,
    /// The modules that are open here, each with the depth of braces outside of it.
    within: Vec<(usize, Module<'a>)>,
    depth: usize,
    outline: Outline<'a>,
}

impl<'a> Reader<'a, '_> {
    fn step(&mut self) {
        let rest = &self.tokens[self.at..];
        let mark = |at: usize| rest.get(at).map_or("", Token::mark);
        match (rest[0].word(), rest[0].mark()) {
            // Who may see it: `pub(in crate::store)` imports nothing.
            ("pub", _) if mark(1) == "(" => self.at = end_of_group(self.tokens, self.at + 1),
            ("use", _) if mark(1) != "<" => {
                self.at += 1;
                self.tree(&[]);
            }
            ("mod", _) if [";", "{"].contains(&mark(2)) => {
                let module = [self.here().as_slice(), &[rest[1].word()]].concat();
                self.outline.declared.push(module.clone());
                if mark(2) == "{" {
                    self.within.push((self.depth, module));
                }
                self.at += 2;
            }
            (word, _) if !word.is_empty() && mark(1) == "::" => self.inline(),
            (_, mark) => {
                match mark {
                    "{" => self.depth += 1,
                    "}" => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                if mark == "}" && self.within.len() > 1 && self.within.last().unwrap().0 == self.depth {
                    self.within.pop();
                }
                self.at += 1;
            }
        }
    }

    fn here(&self) -> Module<'a> {
        self.within.last().unwrap().1.clone()
    }

    fn name(&mut self, line: usize, segments: Vec<&'a str>, bound: Option<&'a str>) {
        let within = self.here();
        self.outline.named.push(Named { line, within, segments, bound });
    }

    /// One tree of a `use`, below what stands before it: `a::{self, b as c, d::*}`.
    fn tree(&mut self, before: &[&'a str]) {
        let mut segments = before.to_vec();
        while let Some(token) = self.tokens.get(self.at) {
            self.at += 1;
            match (token.word(), token.mark()) {
                ("", "::") if segments.is_empty() => segments.push(""),
                ("", "::") => {}
                // In a macro: `$crate` is this crate, and what another name stands for isn't known.
                ("", "$") if spells(&self.tokens[self.at..], &["crate"]) => {}
                ("", "$") => {
                    self.at += 1;
                    return;
                }
                ("", "*") => return self.name(token.line, segments, None),
                ("", "{") => {
                    while self.at < self.tokens.len() && self.tokens[self.at].mark() != "}" {
                        let begun = self.at;
                        self.tree(&segments);
                        let is_between = self.tokens.get(self.at).is_some_and(|token| token.mark() == ",");
                        // Goes on in any case, even if that is no Rust.
                        self.at += usize::from(is_between || self.at == begun);
                    }
                    self.at += 1;
                    return;
                }
                ("", _) => {
                    // The end of the tree belongs to what stands around it.
                    self.at -= 1;
                    return;
                }
                (word, _) => {
                    if word != "self" || segments.is_empty() {
                        segments.push(word);
                    }
                    let next = self.tokens.get(self.at).copied();
                    if next.is_some_and(|next| next.word() == "as") {
                        let alias = self.tokens.get(self.at + 1).map_or("", Token::word);
                        self.at += 2;
                        return self.name(token.line, segments, Some(alias));
                    }
                    if next.is_none_or(|next| next.mark() != "::") {
                        let bound = segments.last().copied();
                        return self.name(token.line, segments, bound);
                    }
                }
            }
        }
    }

    /// A path in the midst of code: `super::lockout::check(…)`.
    fn inline(&mut self) {
        let line = self.tokens[self.at].line;
        let before = |back: usize| self.at.checked_sub(back).map(|at| self.tokens[at]);
        let mut segments = Vec::new();
        if before(1).is_some_and(|token| token.mark() == "::") {
            // `<T as A>::b::c` goes on with what the brackets name; `::b::c` begins outside of the crate.
            if before(2).is_some_and(|token| token.mark() == ">" || !token.word().is_empty()) {
                self.at += 1;
                return;
            }
            segments.push("");
        }
        segments.push(self.tokens[self.at].word());
        self.at += 1;
        while spells(&self.tokens[self.at..], &["::"]) {
            let word = self.tokens.get(self.at + 1).map_or("", Token::word);
            if word.is_empty() {
                break;
            }
            segments.push(word);
            self.at += 2;
        }
        if segments.len() > 1 {
            self.name(line, segments, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::read;
    use super::*;

    /// What the code names, each path from the crate's root, or with the crate's name before it.
    fn named(path: &str, code: &str) -> Vec<String> {
        let tokens = read(code);
        let outline = Outline::of(path, &tokens);
        let shown = |named: &Named<'_>| match outline.absolute(named) {
            Some(path) => path.join("::"),
            None => format!("{}!", outline.foreign(named).unwrap()),
        };
        outline.named.iter().map(shown).collect()
    }

    #[test]
    fn every_way_to_write_an_import_is_understood() {
        for (path, code, expected) in [
            ("src/store/tx.rs", "use crate::error::Fault;", "error::Fault"),
            ("src/store/mod.rs", "pub use super::error;", "error"),
            (
                "src/store/a/b.rs",
                "pub(in crate::store) use super::c; pub(in crate::store) fn f() {}",
                "store::a::c",
            ),
            ("src/store/mod.rs", "pub(crate) use self::tx::{Tx, Row};", "store::tx::Tx store::tx::Row"),
            ("src/a/b/c.rs", "use super::super::super::x::y;", "x::y"),
            (
                "src/a/b/c.rs",
                "use super::{self, d::{self as e, f::*}, g as _,};",
                "a::b a::b::d a::b::d::f a::b::g",
            ),
            ("src/a/b.rs", "use crate::{\n    x::{y, z},\n    w,\n};", "x::y x::z w"),
            ("src/a/b.rs", "use std::fmt; use ::toml::de;", "std! toml!"),
            ("src/a/mod.rs", "mod b; use b::C;", "a::b::C"),
            ("src/lib.rs", "mod a; pub use a::B;", "a::B"),
        ] {
            assert_eq!(named(path, code).join(" "), expected, "{path} {code}");
        }
    }

    #[test]
    fn a_path_in_the_midst_of_code_is_understood() {
        for (path, code, expected) in [
            ("src/a/b.rs", "fn f() { super::c::g(crate::x::Y::new()) }", "a::c::g x::Y::new"),
            ("src/a/b.rs", "use super::c; fn f() { c::g() }", "a::c a::c::g"),
            ("src/a/b.rs", "use crate::{x as y}; fn f(z: y::Z) -> u8 { y::w::v() }", "x x::Z x::w::v"),
            ("src/a/b.rs", "fn f<'a>(g: impl Fn() + use<'a>) { h.collect::<Vec<u8>>() }", ""),
            ("src/a/b.rs", "impl From<super::c::D> for <u8 as crate::x::Y>::Z {}", "a::c::D x::Y"),
            ("src/a/b.rs", "fn f() { ::toml::from_str(x); serde::de::y() }", "toml! serde!"),
            (
                "src/a/b.rs",
                "mod c { use super::d; fn f() { d::e(); self::g::h() } } use self::i;",
                "a::b::d a::b::d::e a::b::c::g::h a::b::i",
            ),
            ("src/a/b.rs", "use toml::toml; fn f() { toml::x() }", "toml! toml!"),
            (
                "src/a/b.rs",
                "macro_rules! m { () => { use crate::{$a, x::$b}; use $crate::w; $crate::y::z } }",
                "w y::z",
            ),
        ] {
            assert_eq!(named(path, code).join(" "), expected, "{path} {code}");
        }
    }
}
