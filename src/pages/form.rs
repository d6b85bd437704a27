//! What a browser sends: the fields of a form (`application/x-www-form-urlencoded`) and of a link's
//! query. Strict, so that a field means one thing: each once, no others, all of it UTF-8.

use crate::domain::secret::Secret;
use crate::transport::message::{Head, Request};
use crate::web::{csrf, headers};

/// The fields, in the order asked for.
pub type FormFields<const N: usize> = [Secret<String>; N];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadForm {
    /// The content type is another one, or the body is coded.
    UnsupportedMediaType,
    /// A field is missing, unknown, repeated, or not UTF-8.
    Malformed,
    /// The form was sent from a page of another site.
    CrossSite,
}

/// Reads the fields `names` of a form that one of our pages sent.
///
/// # Errors
/// [`BadForm`].
pub fn read<const N: usize>(request: &Request, names: [&str; N]) -> Result<FormFields<N>, BadForm> {
    check(request)?;
    fields(&request.body, names).ok_or(BadForm::Malformed)
}

/// Reads a form that has the field `name`, and may have the field `other`: whether a page shows that may have
/// changed since it was opened.
///
/// # Errors
/// [`BadForm`].
pub fn read_one_or_two(
    request: &Request,
    name: &str,
    other: &str,
) -> Result<(Secret<String>, Option<Secret<String>>), BadForm> {
    check(request)?;
    let [value, more] = found(&request.body, [name, other]).ok_or(BadForm::Malformed)?;
    Ok((value.ok_or(BadForm::Malformed)?, more))
}

/// Looks whether it is a form, and one of ours.
fn check(request: &Request) -> Result<(), BadForm> {
    let headers = &request.head.headers;
    // The secret in the link is the proof, and no other site has it. A browser that says that the form comes
    // from elsewhere is believed all the same.
    if !csrf::is_own_page(headers) {
        return Err(BadForm::CrossSite);
    }
    if !headers::has_media_type(headers, "application/x-www-form-urlencoded") {
        return Err(BadForm::UnsupportedMediaType);
    }
    Ok(())
}

/// Reads the field `token` of a link's query. `None`: it is no whole link.
pub fn token(head: &Head) -> Option<Secret<String>> {
    let [token] = fields(head.query.as_deref()?.as_bytes(), ["token"])?;
    Some(token)
}

/// All of `names`.
fn fields<const N: usize>(bytes: &[u8], names: [&str; N]) -> Option<FormFields<N>> {
    let found = found(bytes, names)?;
    found.iter().all(Option::is_some).then(|| found.map(|value| value.expect("each was found")))
}

/// What there is of `names`, each once at most, and nothing else.
fn found<const N: usize>(bytes: &[u8], names: [&str; N]) -> Option<[Option<Secret<String>>; N]> {
    let mut found = [const { None }; N];
    for (name, value) in form_urlencoded::parse(bytes) {
        let at = names.iter().position(|wanted| *wanted == name)?;
        let value = Secret::new(value.into_owned());
        // What isn't UTF-8 is decoded to this character, which nobody types.
        if found[at].is_some() || value.expose().contains(char::REPLACEMENT_CHARACTER) {
            return None;
        }
        found[at] = Some(value);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two(text: &str) -> Option<(String, String)> {
        let [a, b] = fields(text.as_bytes(), ["a", "b"])?;
        Some((a.expose().clone(), b.expose().clone()))
    }

    #[test]
    fn fields_are_taken_whole_in_any_order() {
        assert_eq!(two("a=1&b=2"), two("b=2&a=1"));
        assert_eq!(two("a=%C3%A9+%2B%26%3D=&b="), Some(("é +&==".into(), String::new())));
    }

    #[test]
    fn a_field_means_one_thing_or_nothing() {
        for text in
            ["", "a=1", "a=1&a=1&b=2", "a=1&b=2&c=3", "a=1&b=2&A=1", "a=%ff&b=2", "a[]=1&a=1&b=2", "a=1;b=2"]
        {
            assert_eq!(two(text), None, "{text}");
        }
    }
}
