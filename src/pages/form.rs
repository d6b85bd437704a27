//! What a browser sends: the fields of a form (`application/x-www-form-urlencoded`) and of a query. Strict,
//! so that a field means one thing: each once unless it is a list, no others, all of it UTF-8.

use crate::domain::secret::Secret;
use crate::transport::message::Headers;
use crate::web::{csrf, headers};

/// The field that carries the value against forms of other sites.
pub const CSRF: &str = "csrf";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadForm {
    /// The content type is another one, or the body is coded.
    UnsupportedMediaType,
    /// A field is missing, unknown, repeated, or not UTF-8.
    Malformed,
    /// The same, of a form that carries a link's secret.
    NotTheWholeLink,
    /// The form was sent from a page of another site, or of another session.
    CrossSite,
}

/// Which fields a form has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields {
    pub required: &'static [&'static str],
    /// Boxes that may be ticked, and what may be left out.
    pub optional: &'static [&'static str],
    /// Those that may come many times.
    pub lists: &'static [&'static str],
}

impl Fields {
    /// A form that has exactly these.
    #[must_use]
    pub const fn all(required: &'static [&'static str]) -> Self {
        Self { required, optional: &[], lists: &[] }
    }
}

/// The fields of a form that was read.
#[derive(Debug)]
pub struct Form {
    fields: Vec<(&'static str, Secret<String>)>,
}

impl Form {
    /// Reads a body or a query; `required` are those that must be there, besides what else `of` names.
    ///
    /// # Errors
    /// [`BadForm::Malformed`].
    pub fn read(bytes: &[u8], required: &[&'static str], of: Fields) -> Result<Self, BadForm> {
        let mut found: Vec<(&'static str, Secret<String>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(bytes) {
            let value = Secret::new(value.into_owned());
            let single = required.iter().chain(of.optional).find(|known| **known == name);
            let list = of.lists.iter().find(|known| **known == name);
            let name = *single.or(list).ok_or(BadForm::Malformed)?;
            let repeats = single.is_some() && found.iter().any(|(known, _)| *known == name);
            // What isn't UTF-8 is decoded to this character, which nobody types.
            if repeats || value.expose().contains(char::REPLACEMENT_CHARACTER) {
                return Err(BadForm::Malformed);
            }
            found.push((name, value));
        }
        let form = Self { fields: found };
        if required.iter().all(|name| form.find(name).is_some()) { Ok(form) } else { Err(BadForm::Malformed) }
    }

    fn find(&self, name: &str) -> Option<&Secret<String>> {
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// What was typed, without white space around it; empty for a field that isn't there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.find(name).map_or("", |value| value.expose().trim())
    }

    /// What was typed, as it was; empty for a field that isn't there.
    #[must_use]
    pub fn secret(&self, name: &str) -> Secret<String> {
        self.find(name).cloned().unwrap_or_else(|| Secret::new(String::new()))
    }

    /// Whether a box is ticked, or a button of this name was the one that was pressed.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// All values of a list, in the order sent.
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.expose().as_str())
    }
}

/// Looks whether it is a form, and sent from a page of `origin` for all that the browser says of it.
///
/// # Errors
/// [`BadForm::CrossSite`], [`BadForm::UnsupportedMediaType`].
pub fn check(headers: &Headers, origin: &str) -> Result<(), BadForm> {
    if !csrf::is_own_page(headers, origin) {
        return Err(BadForm::CrossSite);
    }
    if !headers::has_media_type(headers, "application/x-www-form-urlencoded") {
        return Err(BadForm::UnsupportedMediaType);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: Fields = Fields { required: &["a", "b"], optional: &["c"], lists: &["d"] };

    fn read(text: &str) -> Option<Form> {
        Form::read(text.as_bytes(), OF.required, OF).ok()
    }

    #[test]
    fn fields_are_taken_whole_in_any_order() {
        let form = read("b=2&d=x&a=%C3%A9+%2B%26%3D&d=y").unwrap();
        assert_eq!((form.text("a"), form.text("b")), ("é +&=", "2"));
        assert_eq!(form.list("d").collect::<Vec<_>>(), ["x", "y"]);
        assert!(!form.has("c") && form.text("c").is_empty());
        assert_eq!(read("a=+1+&b=").unwrap().text("a"), "1");
        assert_eq!(read("a=+1+&b=").unwrap().secret("a").expose(), " 1 ");
    }

    #[test]
    fn a_field_means_one_thing_or_nothing() {
        for text in [
            "",
            "a=1",
            "a=1&a=1&b=2",
            "a=1&b=2&c=3&c=3",
            "a=1&b=2&A=1",
            "a=%ff&b=2",
            "a[]=1&a=1&b=2",
            "a=1;b=2",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
