//! How soon a guesser comes to a password who tries first what people choose: breached passwords, words,
//! names, dates, repeats, runs and walks over the keyboard, alone and put together. The estimate is zxcvbn's.

use super::password::Password;

/// The longest part that is looked at in one go, in code points: the estimate's time grows with the square of
/// it and more. Every 24 of a good password make a good one by themselves.
const PART: usize = 24;

/// How many parts are looked at. What has no good one among these is nothing to remember either.
const PARTS: usize = 4;

/// Whether it takes `min` guesses to come to it, or to a part of it.
#[must_use]
pub fn takes(password: &Password, min: u64) -> bool {
    parts(password.expose()).take(PARTS).any(|part| zxcvbn::zxcvbn(part, &[]).guesses() >= min)
}

/// The text in parts of [`PART`] code points. Nothing is copied, which would have to be wiped.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(PART).map_or(rest.len(), |(at, _)| at);
        let (part, after) = rest.split_at(end);
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_code_points() {
        let text = format!("{}{}", "ä".repeat(24), "語".repeat(25));
        let lengths: Vec<usize> = parts(&text).map(|part| part.chars().count()).collect();
        assert_eq!(lengths, [24, 24, 1]);
        assert_eq!(parts(&text).collect::<String>(), text);
        assert_eq!(parts("").count(), 0);
    }

    #[test]
    fn a_good_part_makes_the_whole_good_and_length_alone_does_not() {
        let takes = |text: &str| takes(&Password::new(text).unwrap(), 1_000_000_000);
        assert!(takes("correct horse battery staple"));
        assert!(takes(&format!("{}correct horse battery staple", "a".repeat(24))));
        for text in ["a".repeat(1_000), "password".repeat(100), "1234567890".repeat(100)] {
            assert!(!takes(&text), "{text}");
        }
    }
}
