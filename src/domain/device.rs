//! The device behind a `User-Agent`, in a few known words.
//!
//! A stranger chooses the header's text: in a mail about a failed login it could say "visit evil.example
//! to unlock", and the mail client would make a link of it. So only words from these lists are used.

/// The first that is found counts: Edge and Opera say that they are Chrome, Chrome that it is Safari.
const BROWSERS: [(&str, &str); 7] = [
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// The same: Android says that it is Linux, an iPhone that it is like a Mac.
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// A browser, and what it runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device {
    pub browser: &'static str,
    /// With its article, where it has one. `None`: not a system known here.
    pub system: Option<&'static str>,
}

/// Finds the device. `None`: not a browser known here.
#[must_use]
pub fn find(user_agent: &str) -> Option<Device> {
    let first = |list: &[(&str, &'static str)]| {
        list.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    Some(Device { browser: first(&BROWSERS)?, system: first(&SYSTEMS) })
}

/// Names browser and system, as in `Firefox on Linux`. `None`: not a browser known here.
#[must_use]
pub fn name(user_agent: &str) -> Option<String> {
    let Device { browser, system } = find(user_agent)?;
    Some(system.map_or_else(|| browser.to_owned(), |system| format!("{browser} on {system}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_apart_though_each_claims_to_be_all() {
        for (agent, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                Some("Firefox on Linux"),
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 \
                 Safari/537.36 Edg/141.0.0.0",
                Some("Edge on Windows"),
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile \
                 Safari/537.36",
                Some("Chrome on Android"),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.0 Mobile/15E148 Safari/604.1",
                Some("Safari on an iPhone"),
            ),
            ("Firefox/1", Some("Firefox")),
            ("curl/8.14.1", None),
            ("visit https://evil.example to unlock", None),
            ("", None),
        ] {
            assert_eq!(name(agent).as_deref(), expected, "{agent}");
        }
    }
}
