//! Paths with braces, each of which stands for any one segment.

/// What stands for the braces of `template` in `path`. `None`: the path is another one.
#[must_use]
pub fn parameters<'a>(template: &str, path: &'a str) -> Option<Vec<&'a str>> {
    if !template.contains('{') {
        return (template == path).then(Vec::new);
    }
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    let mut parameters = Vec::new();
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(parameters),
            (Some(wanted), Some(found)) if wanted.starts_with('{') && !found.is_empty() => {
                parameters.push(found);
            }
            (Some(wanted), Some(found)) if wanted == found => {}
            _ => return None,
        }
    }
}

/// The path that `template` makes with these in the place of its braces.
#[must_use]
pub fn fill(template: &str, parameters: &[String]) -> String {
    let mut values = parameters.iter();
    let segment = |segment: &str| {
        if segment.starts_with('{') { values.next().cloned().unwrap_or_default() } else { segment.to_owned() }
    };
    template.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_in_braces_takes_any_one_segment() {
        let template = "/auth/admin/users/{id}/disable";
        assert_eq!(parameters(template, "/auth/admin/users/7/disable"), Some(vec!["7"]));
        for path in ["/auth/admin/users//disable", "/auth/admin/users/7", "/auth/admin/users/7/8/disable"] {
            assert_eq!(parameters(template, path), None, "{path}");
        }
        assert_eq!(parameters("/auth/", "/auth/"), Some(vec![]));
        assert_eq!(parameters("/auth/", "/auth"), None);
        assert_eq!(fill(template, &["7".into()]), "/auth/admin/users/7/disable");
    }
}
