//! Points in time as people read them, in their language. In UTC, and it is said: the browser's zone is known
//! to scripts alone, which put it in its place.

use super::language::Language;
use crate::domain::time::Timestamp;
use minijinja::{Value, context};

/// What a template makes `<time>` of: the time for programs (`iso`) and for people (`words`).
#[must_use]
pub fn value(language: Language, at: Timestamp) -> Value {
    let iso = at.to_string();
    context! { words => in_words(language, &iso).unwrap_or_else(|| at.in_words()), iso }
}

/// Such as `22 November 2026, 08:00 UTC`, of `2026-11-22T08:00:00Z`.
fn in_words(language: Language, iso: &str) -> Option<String> {
    let (date, clock) = iso.split_once('T')?;
    let [year, month, day] = date.split('-').collect::<Vec<_>>()[..] else {
        return None;
    };
    let number: usize = month.parse().ok()?;
    let month = language.text("time.months")?.split(' ').nth(number.checked_sub(1)?)?;
    let values =
        [("year", year), ("month", month), ("day", day.trim_start_matches('0')), ("clock", clock.get(..5)?)];
    language.text_with("time.format", &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_month_has_its_name_in_every_language() {
        for language in Language::all() {
            for month in 1..=12 {
                let iso = format!("2026-{month:02}-09T08:07:06Z");
                let words = in_words(language, &iso).unwrap_or_default();
                assert!(words.contains("08:07 UTC") && words.contains("2026"), "{}: {words}", language.tag());
            }
            assert_eq!(in_words(language, "2026-13-09T08:07:06Z"), None);
        }
        let at = Timestamp::parse_rfc3339("2026-11-02T08:00:00Z").unwrap();
        assert_eq!(in_words(Language::ENGLISH, &at.to_string()), Some(at.in_words()));
    }
}
