//! The languages of the pages: which one a person reads, and the texts in it. A text that a language lacks is
//! English.

use crate::transport::message::Headers;
use flate2::read::DeflateDecoder;
use minijinja::value::{Kwargs, Object, Value, from_args};
use minijinja::{Error, ErrorKind, State};
use std::cmp::Ordering;
use std::fmt::Write;
use std::io::Read;
use std::sync::{Arc, OnceLock};

/// A language of the pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Language(usize);

/// The names of all texts in one piece, and where each of them ends.
struct Names {
    all: &'static str,
    ends: &'static [u16],
}

impl Names {
    fn get(&self, at: usize) -> Option<&'static str> {
        piece(self.all, self.ends, at)
    }
}

/// The texts of a language in one piece, deflated (RFC 1951) until one of them is asked for, and where each
/// of them ends.
struct Texts {
    deflated: &'static [u8],
    ends: &'static [u16],
    all: OnceLock<String>,
}

impl Texts {
    const fn new(deflated: &'static [u8], ends: &'static [u16]) -> Self {
        Self { deflated, ends, all: OnceLock::new() }
    }

    fn get(&'static self, at: usize) -> Option<&'static str> {
        piece(self.all.get_or_init(|| inflated(self.deflated)), self.ends, at)
    }
}

fn piece(all: &'static str, ends: &[u16], at: usize) -> Option<&'static str> {
    let begin = at.checked_sub(1).map_or(Some(&0), |before| ends.get(before))?;
    all.get(usize::from(*begin)..usize::from(*ends.get(at)?))
}

fn inflated(deflated: &[u8]) -> String {
    let mut text = String::new();
    let read = DeflateDecoder::new(deflated).read_to_string(&mut text);
    read.expect("build.rs has written it");
    text.shrink_to_fit();
    text
}

// The names of all texts, in order, and the texts of each language in the order of their names: `build.rs`
// makes them of the files in `texts/`.
include!(concat!(env!("OUT_DIR"), "/texts.rs"));

/// What a language calls itself. A new one is a file beside the others, and a row here, by its BCP 47 tag, as
/// `lang` in HTML.
const ALL: [(&str, &str); 5] =
    [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français"), ("zh-Hans", "简体中文")];

impl Language {
    pub const ENGLISH: Self = Self(0);

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..ALL.len()).map(Self)
    }

    /// Its BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        ALL[self.0].0
    }

    /// What it calls itself.
    #[must_use]
    pub fn name(self) -> &'static str {
        ALL[self.0].1
    }

    /// Finds the one that best fits a tag: by its language alone, since there is one of each. `None`: there
    /// is none.
    #[must_use]
    pub fn find(tag: &str) -> Option<Self> {
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let (wanted, sent) = (primary(tag), tag.to_ascii_lowercase());
        // Whoever reads traditional characters may read English more easily than simplified ones.
        if wanted == "zh"
            && ["hant", "tw", "hk", "mo"].iter().any(|part| sent.split('-').any(|has| has == *part))
        {
            return None;
        }
        Self::all().find(|language| primary(language.tag()) == wanted)
    }

    /// The first that the browser prefers (RFC 9110 §12.5.4) of those there are; English where there is none.
    #[must_use]
    pub fn preferred(headers: &Headers) -> Self {
        let sent = headers.single("accept-language").ok().flatten().filter(|sent| sent.len() <= 1024);
        let wanted = sent.map(|sent| accept_language::parse(&with_numbers(sent))).unwrap_or_default();
        wanted.iter().find_map(|tag| Self::find(tag)).unwrap_or(Self::ENGLISH)
    }

    /// Finds a text, by `section.name`. `None`: there is none, in English neither.
    #[must_use]
    pub fn text(self, key: &str) -> Option<&'static str> {
        self.own_text(key).or_else(|| Self::ENGLISH.own_text(key))
    }

    /// As [`Language::text`], with what stands for its braces.
    #[must_use]
    pub fn text_with(self, key: &str, values: &[(&str, &str)]) -> Option<String> {
        let mut text = self.text(key)?.to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        Some(text)
    }

    fn own_text(self, key: &str) -> Option<&'static str> {
        let at = position(key)?;
        let (_, texts) = LANGUAGES.iter().find(|(tag, _)| *tag == self.tag())?;
        texts.get(at).filter(|text| !text.is_empty())
    }

    /// Lists the texts that English has and this one lacks.
    #[must_use]
    pub fn missing(self) -> Vec<&'static str> {
        names().filter(|key| Self::ENGLISH.own_text(key).is_some() && self.own_text(key).is_none()).collect()
    }
}

/// The header without languages whose weight is no plain number (RFC 9110 §12.4.2): the crate takes `q=NaN`,
/// by which nothing can be sorted, and panics.
fn with_numbers(sent: &str) -> String {
    let is_plain = |weight: &str| weight.bytes().all(|byte| b" \tqQ=.0123456789".contains(&byte));
    let plain = sent.split(',').filter(|language| language.split(';').skip(1).all(is_plain));
    plain.collect::<Vec<_>>().join(",")
}

/// The names of all texts, in order.
fn names() -> impl Iterator<Item = &'static str> {
    (0..NAMES.ends.len()).filter_map(|at| NAMES.get(at))
}

/// Which of the names it is. `None`: none of them.
fn position(key: &str) -> Option<usize> {
    let (mut from, mut to) = (0, NAMES.ends.len());
    while from < to {
        let middle = from.midpoint(to);
        match NAMES.get(middle)?.cmp(key) {
            Ordering::Equal => return Some(middle),
            Ordering::Less => from = middle + 1,
            Ordering::Greater => to = middle,
        }
    }
    None
}

/// How many bytes of the binary the texts take, names and ends included.
#[cfg(test)]
pub(super) fn size() -> usize {
    let texts = LANGUAGES.iter().map(|(_, texts)| texts.deflated.len() + size_of_val(texts.ends));
    NAMES.all.len() + size_of_val(NAMES.ends) + texts.sum::<usize>()
}

/// What templates call as `t("section.name", value=…)`: the text in a language, with `{value}` replaced.
#[derive(Debug)]
pub struct Translator(pub Language);

impl Object for Translator {
    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (key, values): (&str, Kwargs) = from_args(args)?;
        let unknown = || Error::new(ErrorKind::InvalidOperation, format!("there is no text {key}"));
        let mut text = self.0.text(key).ok_or_else(unknown)?.to_owned();
        for name in values.args() {
            let mut value = String::new();
            write!(value, "{}", values.get::<Value>(name)?).expect("a text takes whatever is written");
            text = text.replace(&format!("{{{name}}}"), &value);
        }
        values.assert_all_used()?;
        Ok(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preferred(sent: &str) -> &'static str {
        Language::preferred(&[("accept-language", sent)].into_iter().collect()).tag()
    }

    #[test]
    fn the_browsers_first_choice_that_there_is_counts() {
        assert_eq!(preferred("de-AT,de;q=0.9,en;q=0.8"), "de");
        assert_eq!(preferred("pl,fr;q=0.5,en;q=0.7"), "en");
        assert_eq!(preferred("zh-CN"), "zh-Hans");
        assert_eq!(preferred("zh-TW,en"), "en");
        let mixed: Vec<_> =
            (0..40).map(|n| format!("x{n};q={}", if n % 2 == 0 { "NaN" } else { "0.5" })).collect();
        assert_eq!(preferred(&(mixed.join(",") + ",fr;q=0.1")), "fr");
        for odd in ["fr;q=nan", "fr;q=-NaN, fr;q=inf", "fr;q=+1", "fr;q=1;level=1"] {
            assert_eq!(preferred(odd), "en", "{odd}");
        }
        for odd in ["", "*", ";;;", "q=1", "x-klingon", &"de,".repeat(1000)] {
            assert_eq!(preferred(odd), "en", "{odd:.20}");
        }
    }

    /// English stands in for a text that is missing: no page would show the gap to whoever made it.
    #[test]
    fn no_language_lacks_a_text() {
        let missing: Vec<_> = Language::all()
            .flat_map(|language| {
                language.missing().into_iter().map(move |key| format!("{}: {key}", language.tag()))
            })
            .collect();
        assert!(missing.is_empty(), "texts are missing:\n{}", missing.join("\n"));
    }

    #[test]
    fn no_language_has_a_text_that_english_lacks_or_other_braces() {
        let braces = |text: &str| {
            let mut found: Vec<_> =
                text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
            found.sort_unstable();
            found.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        for language in Language::all() {
            for key in names() {
                let english = Language::ENGLISH.own_text(key);
                let english = english.unwrap_or_else(|| panic!("{key} is not in English"));
                let text = language.own_text(key).unwrap_or(english);
                assert_eq!(braces(text), braces(english), "{}: {key}", language.tag());
            }
        }
    }

    #[test]
    fn every_file_of_texts_is_a_language() {
        let mut tags: Vec<_> = Language::all().map(Language::tag).collect();
        tags.sort_unstable();
        assert_eq!(tags, LANGUAGES.iter().map(|(tag, _)| *tag).collect::<Vec<_>>());
        assert!(names().is_sorted() && names().count() > 400);
        assert!(names().enumerate().all(|(at, name)| position(name) == Some(at)));
        for unknown in ["", "a", "nav.sign_ou", "nav.sign_outs", "zzz.zzz"] {
            assert_eq!(position(unknown), None, "{unknown}");
        }
    }
}
