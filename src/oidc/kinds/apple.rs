//! Apple. With scopes it sends the callback as a form (`form_post`), the client's secret is a JWT that a key
//! signs, `email_verified` may be a text, and the name comes once, beside the first callback, through the
//! browser.

use super::kind::{EmailRule, Kind, Person, SecretForm};
use crate::domain::name::Name;
use crate::oidc::claims::name_of;
use crate::oidc::document::Document;
use serde_json::Value;

/// See the module.
pub const KIND: Kind = Kind {
    home: "https://appleid.apple.com",
    scopes: &["name", "email"],
    parameters: &[("response_mode", "form_post")],
    fresh: &[],
    person: Person::IdTokenOfApple,
    asks_userinfo: false,
    email: EmailRule { texts: &["true"], ..EmailRule::STANDARD },
    secret: SecretForm::AppleKey,
    ..Kind::STANDARD
};

/// The name in the first callback's `user`. Nothing else of it counts: anybody can write there what they
/// like.
#[must_use]
pub fn name(user: &str) -> Name {
    let user = Document::parse(user).unwrap_or_default();
    let part = |part: &str| {
        let text = user.value("name").and_then(|name| name.get(part)).and_then(Value::as_str);
        text.unwrap_or_default().trim().to_owned()
    };
    name_of(format!("{} {}", part("firstName"), part("lastName")).trim())
}
