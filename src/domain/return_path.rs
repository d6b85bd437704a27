//! A path that a browser is sent back to: of one host, whatever a browser makes of it.

/// The longest, in bytes.
pub const MAX_BYTES: usize = 2048;

/// Reads a path, with or without a query. `None`: it is none, or could be read as another address (`//host`,
/// `/\\host`).
#[must_use]
pub fn parse(text: &str) -> Option<&str> {
    let second = text.as_bytes().get(1);
    (text.starts_with('/') && second != Some(&b'/') && is_plain(text) && is_straight(text)).then_some(text)
}

/// Whether no segment leads up or nowhere, however its dots are spelled (URL Standard §4.4).
fn is_straight(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase().replace("%2e", ".");
    path.split('/').all(|segment| !matches!(segment, "." | ".."))
}

/// Whether it has only characters that a URL is written with, and none that browsers read as another or drop
/// (URL Standard §4.4).
fn is_plain(text: &str) -> bool {
    let is_odd = |byte| matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'`');
    text.len() <= MAX_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic() && !is_odd(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_plain_path_is_gone_to() {
        for good in ["/", "/page", "/page?a=b&c=%2F#d", "/a//b", "/@evil.example"] {
            assert_eq!(parse(good), Some(good));
        }
        for bad in [
            "",
            "page",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https://evil.example",
            "/a\tb",
            "/a\nb",
            "/ b",
            "/é",
            "javascript:alert(1)",
            "/\u{0}",
            "/a\\b",
            "/\t/evil.example",
            "@evil.example",
            "/auth/../api",
            "/..//evil.example",
            "/a/%2E%2e/b",
            "/.",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    proptest! {
        /// What a browser makes of it (tabs and line breaks vanish, a backslash is a slash) stays a path.
        #[test]
        fn whatever_is_taken_stays_on_its_host(text in "[/\\\\a-z:@\\t\\n .?#%-]{0,12}") {
            if let Some(path) = parse(&text) {
                let seen: String = path.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
                let seen = seen.replace('\\', "/");
                prop_assert!(seen.starts_with('/') && !seen.starts_with("//"), "{:?}", path);
            }
        }
    }
}
