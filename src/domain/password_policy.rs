//! Which new passwords are good enough, after NIST SP 800-63B-4 §3.1.1.2: long ones, whole, in any
//! script, with no composition rules.

use super::blocklist::{Blocklist, fold};
use super::email::Email;
use super::guesses;
use super::password::Password;
use super::secret::Secret;

/// The rules for a new password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy<'a> {
    /// In code points.
    pub min_length: usize,
    pub blocklist: &'a Blocklist,
}

/// What a password must not be made of, because whoever knows the account knows it too.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    pub email: &'a Email,
    /// The person's name; may be empty.
    pub name: &'a str,
    /// What the service calls itself.
    pub service: &'a str,
}

/// Why a password is not good enough. The text is shown to its owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Weakness {
    Short {
        min_length: usize,
    },
    /// It is made of nothing but words of the user's address and name, and the service's.
    Personal,
    /// It is on the [`Blocklist`].
    Common,
    /// It is put together from what a guesser tries first.
    Guessable,
}

impl Weakness {
    /// The reason in words, for whoever chose the password.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Short { min_length } => {
                format!("the password is shorter than {min_length} characters; a few random words make a good one")
            }
            Self::Personal => {
                "the password is made of nothing but this account's own address or name, or this service's, which are the first guesses".into()
            }
            Self::Common => "the password is on the list of common ones, which are guessed first".into(),
            Self::Guessable => {
                "the password is put together from common words, names, dates, runs or repeats, which are guessed first; a few random words make a good one".into()
            }
        }
    }
}

impl Policy<'_> {
    /// Checks a new password of `owner`'s.
    ///
    /// # Errors
    /// The first [`Weakness`] found.
    pub fn check(&self, password: &Password, owner: Owner<'_>) -> Result<(), Weakness> {
        if password.expose().chars().count() < self.min_length {
            return Err(Weakness::Short { min_length: self.min_length });
        }
        if self.blocklist.contains(password) {
            return Err(Weakness::Common);
        }
        let own = [owner.email.as_str(), owner.name, owner.service].map(fold);
        let own = own.iter().flat_map(|text| words(text.expose())).collect();
        if is_made_of(fold(password.expose()).expose(), own) {
            return Err(Weakness::Personal);
        }
        if !guesses::takes(password, guesses_min(self.min_length)) {
            return Err(Weakness::Guessable);
        }
        Ok(())
    }
}

/// What is demanded of a new password, in lines of 80 columns at most.
#[must_use]
pub fn rule(min_length: usize) -> String {
    let digits = guesses_min(min_length).to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    format!(
        "at least {min_length} characters; no common password, not this account's own address or\n\
         name, not found in {} guesses; a few random words make a good one",
        groups.join(",")
    )
}

/// How many guesses a password has to take: as many as one of so many random digits, nine digits' at most. So
/// where short ones are let in, random ones of that length are.
fn guesses_min(min_length: usize) -> u64 {
    10_u64.pow(u32::try_from(min_length).unwrap_or(u32::MAX).min(9))
}

/// The runs of letters and digits.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Whether `text` is a row of `own` words, in any order and number, whatever stands between them.
fn is_made_of(text: &str, own: Vec<&str>) -> bool {
    let letters = Secret::new(words(text).collect::<String>());
    let letters = letters.expose();
    // At which bytes a row of own words can end.
    let mut ends = vec![false; letters.len() + 1];
    ends[0] = true;
    for at in 0..letters.len() {
        if ends[at] {
            for word in own.iter().filter(|word| letters[at..].starts_with(**word)) {
                ends[at + word.len()] = true;
            }
        }
    }
    !letters.is_empty() && ends[letters.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), Weakness> {
        let email = Email::parse("annabel.lee@kingdom-by-the-sea.example").unwrap();
        let owner = Owner { email: &email, name: "Annabel Lee Łęcka", service: "authd" };
        let blocklist = Blocklist::with("Quoth the Raven: Nevermore");
        Policy { min_length: 15, blocklist: &blocklist }.check(&Password::new(text).unwrap(), owner)
    }

    #[test]
    fn length_counts_code_points_after_nfc() {
        assert_eq!(check("äöüßéèêçñåøæœłþ"), Ok(()));
        assert_eq!(check(&"a\u{308}".repeat(14)), Err(Weakness::Short { min_length: 15 }));
    }

    #[test]
    fn own_address_and_name_are_refused_however_they_are_put_together() {
        for text in [
            "Annabel.Lee@kingdom-by-the-sea.example",
            "KINGDOM-BY-THE-SEA.EXAMPLE",
            "annabel lee łe\u{328}cka",
            "Lee, Annabel (Łęcka)",
            "annabelannabelannabel",
            "authd!AUTHD!authd!",
            "lee_annabel@authd",
        ] {
            assert_eq!(check(text), Err(Weakness::Personal), "{text}");
        }
        // One word that is not theirs is enough: more than the list and the account isn't asked.
        for text in ["annabel lee and i", "annabel lee 1849"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_put_together_from_first_guesses_is_refused_whatever_its_length() {
        for text in ["xannabelannabel", "!!!!!!!!!!!!!!!", "annabellllllllll", &"qwertyuiop".repeat(100)] {
            assert_eq!(check(text), Err(Weakness::Guessable), "{text}");
        }
    }

    #[test]
    fn the_rule_names_the_numbers_that_count() {
        assert!(rule(15).starts_with("at least 15 characters; "), "{}", rule(15));
        assert!(rule(15).contains("1,000,000,000 guesses") && rule(8).contains("100,000,000 guesses"));
        assert!([1, 8, 15, 1000].into_iter().all(|min| rule(min).lines().all(|line| line.len() <= 80)));
    }

    #[test]
    fn where_eight_characters_are_enough_eight_random_ones_are() {
        let email = Email::parse("q@x.example").unwrap();
        let owner = Owner { email: &email, name: "", service: "authd" };
        let policy = Policy { min_length: 8, blocklist: &Blocklist::built_in() };
        let check = |text: &str| policy.check(&Password::new(text).unwrap(), owner);
        assert_eq!(check("k3J9xQzL"), Ok(()));
        assert_eq!(check("monkey73"), Err(Weakness::Guessable));
    }

    #[test]
    fn the_blocklist_is_asked_for_whole_passwords() {
        assert_eq!(check("PasswordPassword"), Err(Weakness::Common));
        assert_eq!(check("quoth the raven: NEVERMORE"), Err(Weakness::Common));
        assert_eq!(check("quoth the raven: nevermore!"), Ok(()));
    }
}
