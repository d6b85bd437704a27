//! Parameters of a URL's query, for where a browser is led on to.

use form_urlencoded::Serializer;

/// Adds a parameter to a URL, which may have a query and a fragment.
#[must_use]
pub fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let (whole, fragment) =
        url.split_once('#').map_or((url, None), |(whole, fragment)| (whole, Some(fragment)));
    let pair = Serializer::new(String::new()).append_pair(name, value).finish();
    let separator = if whole.contains('?') { '&' } else { '?' };
    let fragment = fragment.map_or_else(String::new, |fragment| format!("#{fragment}"));
    format!("{whole}{separator}{pair}{fragment}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_goes_behind_the_query_and_before_the_fragment() {
        assert_eq!(with_parameter("/a", "b", "c d&"), "/a?b=c+d%26");
        assert_eq!(with_parameter("/a?x=1", "b", "c"), "/a?x=1&b=c");
        assert_eq!(with_parameter("https://a.example/#/b?c", "d", "e"), "https://a.example/?d=e#/b?c");
    }
}
