//! Words for numbers and times, as questions have them.

use crate::domain::time::Timestamp;

/// `1 session`, `3 sessions`: a count and what is counted, which has a plain plural.
pub(super) fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// How long ago a moment was, in the one unit that says most.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(at).as_secs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    match units.into_iter().find(|(length, _)| seconds >= *length) {
        Some((length, unit)) => format!("{} ago", counted(seconds / length, unit)),
        None => "a moment ago".into(),
    }
}

/// The first names of a list, and how many more there are.
pub(super) fn named(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    match names.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{} and {more} more", names[..SHOWN].join(", ")),
        Some(0) | None => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_its_largest_unit() {
        let at = Timestamp::from_secs(1_795_334_400);
        for (seconds, told) in [
            (0, "a moment ago"),
            (59, "a moment ago"),
            (60, "1 minute ago"),
            (7_199, "1 hour ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(ago(at, at.plus(std::time::Duration::from_secs(seconds))), told);
        }
    }

    #[test]
    fn a_long_list_is_cut() {
        assert_eq!(named(&["a", "b", "c"]), "a, b, c");
        assert_eq!(named(&["a", "b", "c", "d"]), "a, b, c and 1 more");
    }
}
