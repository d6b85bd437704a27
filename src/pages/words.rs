//! What refusals and failures mean to a person, in the language of their pages.

use super::language::Language;
use crate::domain::password_policy::Weakness;
use crate::error::{FieldError, Refusal};
use crate::web::headers::retry_after_s;

/// A refusal as a sentence or two. What has no text of its own is told in the refusal's own words.
#[must_use]
pub fn refusal(language: Language, refusal: &Refusal) -> String {
    let by = |key: &str, values: &[(&str, &str)]| {
        language
            .text_with(&format!("refusal.{key}"), values)
            .unwrap_or_else(|| sentence(&refusal.to_string()))
    };
    match refusal {
        Refusal::TooManyAttempts { retry_after } => {
            by(refusal.code(), &[("seconds", &retry_after_s(*retry_after).to_string())])
        }
        Refusal::WeakPassword { reason } => weak_password(language, reason),
        Refusal::Invalid(fields) => {
            fields.iter().map(|field| invalid(language, field)).collect::<Vec<_>>().join(" ")
        }
        Refusal::Forbidden { permission } => by("forbidden", &[("permission", permission)]),
        Refusal::RoleRequired { .. } => sentence(&refusal.to_string()),
        Refusal::AppNotAllowed { .. } => {
            sentence(language.text("gate.not_allowed_title").unwrap_or_default())
        }
        Refusal::WrongPassword => by("wrong_password", &[]),
        Refusal::InvalidLink => by("invalid_link", &[]),
        Refusal::InvalidTicket => by("invalid_ticket", &[]),
        refusal => by(refusal.code(), &[]),
    }
}

/// What is wrong with one field.
fn invalid(language: Language, error: &FieldError) -> String {
    let key = format!("invalid.{}", error.field.replace('.', "_"));
    language.text(&key).map_or_else(|| sentence(&error.message), str::to_owned)
}

/// Why a password is refused. The rule says it in English; here it is found again by what it says.
fn weak_password(language: Language, reason: &str) -> String {
    let known =
        [("personal", Weakness::Personal), ("common", Weakness::Common), ("guessable", Weakness::Guessable)];
    let key = known.iter().find(|(_, weakness)| weakness.reason() == reason).map(|(key, _)| *key);
    let text = key.and_then(|key| language.text(&format!("weak_password.{key}")));
    text.map_or_else(|| sentence(reason), str::to_owned)
}

/// A reason as people read it.
#[must_use]
pub fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    let whole: String = first.chain(letters).collect();
    if whole.ends_with('.') { whole } else { whole + "." }
}
